"""Trial: what a closing would finalize, and what holds back the rest; nothing is written."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import polars as pl

from pipelines.home import Home
from pipelines.invoicing.finalize import is_numbered
from pipelines.lake.file_states import file_states
from pipelines.operations.acts import asked_acts
from pipelines.operations.attention import DueDraft
from pipelines.operations.closing import Moment, as_closed, judged, known_to
from pipelines.operations.listed import Listed
from pipelines.operations.summary import CurrencyTotal
from pipelines.vocabulary.acts import Asked
from pipelines.vocabulary.money import amount_text
from pipelines.warehouse.dbt_tables import drafts_and_lines, opened, source_customers


@dataclass(frozen=True)
class TrialInvoice:
    """A draft that a closing would finalize.

    Attributes:
        invoice_id: of the draft.
        customer_id: who will owe it.
        subscription_id: whose period it is.
        currency: ISO 4217 code.
        total_amount: a decimal in the major unit, with the digits of the currency.
    """

    invoice_id: str
    customer_id: str
    subscription_id: str
    currency: str
    total_amount: str


@dataclass(frozen=True)
class Trial:
    """What a closing would do.

    Attributes:
        as_of: the instant it would speak for, RFC 3339.
        invoices: the drafts that would be finalized, in closing order.
        totals: their sums by currency.
        held_back: the other drafts whose cut has passed, and why each of them waits.
        unnumbered: drafts of 0 whose periods would be closed without an invoice, in closing order.
    """

    as_of: str
    invoices: list[TrialInvoice]
    totals: list[CurrencyTotal]
    held_back: list[DueDraft]
    unnumbered: list[TrialInvoice] = field(default_factory=list)


def try_closing(home: Home, listed: Listed, asked: Asked, moment: Moment) -> Trial:
    """What a closing would do with the drafts that stand in the working warehouse.

    Args:
        home: the home.
        listed: its landing, as the run that made the drafts listed it.
        asked: what a person would accept or waive.
        moment: the instant that the drafts were made for.
    """
    with opened(home.settings.warehouse) as warehouse:
        drafts, lines = drafts_and_lines(warehouse)
        fed = source_customers(warehouse, "attribution.int_events_counted")
    with home.lake() as lake:
        acts = asked_acts(lake, listed.catalog, asked, moment)
        known = known_to(lake, listed.catalog, moment, acts)
        states = file_states(lake, listed.discovery.files)
        judgement = judged(drafts, states, fed, known, moment)
        finalized = lake.query("SELECT invoice_id FROM lake.invoices")["invoice_id"]
    closed, held_back = as_closed(judgement, lines, finalized)
    has_number = is_numbered(lines, numbers_zero=home.settings.number_zero_invoices)
    numbered = closed.filter(has_number)
    return Trial(
        f"{moment.as_of:%Y-%m-%dT%H:%M:%SZ}",
        [*_invoices(numbered)],
        [*_totals(numbered)],
        [DueDraft(*row) for row in held_back.iter_rows()],
        [*_invoices(closed.filter(~has_number))],
    )


def _invoices(drafts: pl.DataFrame) -> Iterator[TrialInvoice]:
    for invoice, customer, subscription, currency, total in drafts.select(
        "invoice_id", "customer_id", "subscription_id", "currency", "total_amount"
    ).iter_rows():
        amount = amount_text(total, currency)
        yield TrialInvoice(invoice, customer, subscription, currency, amount)


def _totals(closed: pl.DataFrame) -> list[CurrencyTotal]:
    sums = dict[str, tuple[int, Decimal]]()
    for currency, total in closed.select("currency", "total_amount").iter_rows():
        count, amount = sums.get(currency, (0, Decimal(0)))
        sums[currency] = count + 1, amount + total
    return [
        CurrencyTotal(currency, count, amount_text(amount, currency))
        for currency, (count, amount) in sorted(sums.items())
    ]
