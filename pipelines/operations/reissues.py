"""Reissues: invoices whose periods are closed anew, and what that changes."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import polars as pl

from pipelines.home import Home
from pipelines.invoicing.documents import lines_per_invoice
from pipelines.invoicing.finalize import held_by_faults
from pipelines.invoicing.reissue import reissued_periods
from pipelines.lake.closed_book import reopened_periods
from pipelines.lake.file_states import file_states
from pipelines.lake.lake import Lake
from pipelines.operations.acts import asked_acts, reissued_invoices
from pipelines.operations.closing import DUE, Judged, Known, Moment, judged, known_to
from pipelines.operations.listed import Listed
from pipelines.vocabulary.acts import ActKind, Asked
from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.frames import BILLING_PERIODS
from pipelines.vocabulary.money import amount_text
from pipelines.warehouse.dbt_tables import (
    drafts_and_lines,
    open_periods,
    opened,
    source_customers,
)

_REASONS_SHOWN = 5


@dataclass(frozen=True)
class Reissued:
    """An invoice, and what stands for it from now on; amounts have the digits of the currency.

    Attributes:
        invoice_number: of the invoice.
        customer_id: who owes it.
        currency: ISO 4217 code.
        billed: what it bills; 0 if it is void already.
        reissued_as: numbers of the invoices that stand for it, with a comma between; None in a
            trial, or if none does.
        would_be: what they bill.
        difference: `would_be` less `billed`.
    """

    invoice_number: str
    customer_id: str
    currency: str
    billed: str
    reissued_as: str | None
    would_be: str
    difference: str


@dataclass(frozen=True)
class ReissueTrial:
    """What a reissue would do.

    Attributes:
        as_of: the instant it would speak for, RFC 3339.
        invoices: one per invoice and currency.
        held_back: why it would be refused, a sentence each; none if it would be done.
    """

    as_of: str
    invoices: list[Reissued]
    held_back: list[str]


def corrected_by(
    drafts: pl.DataFrame, periods: pl.DataFrame, reopened: pl.DataFrame
) -> dict[str, str]:
    """The invoice that each draft of a reissue stands for, by the draft's id.

    Args:
        drafts: needs invoice_id, subscription_id and period_start_at.
        periods: schema `BILLING_PERIODS`.
        reopened: schema `REOPENED_PERIODS`.
    """
    reissued = reissued_periods(periods, reopened)
    found = drafts.join(reissued, on=["subscription_id", "period_start_at"])
    return dict(found.select("invoice_id", "corrects_invoice_id").iter_rows())


def judged_reissue(
    drafts: pl.DataFrame,
    states: pl.DataFrame,
    source_customers: pl.DataFrame,
    known: Known,
    moment: Moment,
) -> Judged:
    """The drafts of a reissue, judged by files alone: a person asks for them now.

    Args:
        drafts: schema `DRAFTS`; those of the periods that are closed anew.
        states: every file version; schema `FILE_STATES`.
        source_customers: schema `SOURCE_CUSTOMERS`.
        known: what the home knows beside them.
        moment: when they are judged.
    """
    nothing_added = replace(known, past=BILLING_PERIODS.to_frame(), on_hold=known.on_hold.clear())
    return judged(
        drafts, states, source_customers, nothing_added, replace(moment, settle=timedelta())
    )


def require_all_closed(held_back: pl.DataFrame) -> None:
    """Passes if no draft of a reissue is held back.

    Args:
        held_back: as `due.Closing.held_back` has it.

    Raises:
        MeterlineError: one is.
    """
    reasons = _reasons(held_back)
    if reasons:
        shown = "; ".join(reasons[:_REASONS_SHOWN])
        raise MeterlineError(f"nothing was reissued and nothing was changed: {shown}")


def _reasons(held_back: pl.DataFrame) -> list[str]:
    return [
        f"{invoice_id}: {reason}"
        for invoice_id, reason in held_back.select("invoice_id", "reason").iter_rows()
    ]


def try_reissue(home: Home, listed: Listed, asked: Asked, moment: Moment) -> ReissueTrial:
    """What a reissue would do with the drafts that stand in the working warehouse.

    Args:
        home: the home.
        listed: its landing, as the run that made the drafts listed it.
        asked: the invoices to reissue.
        moment: the instant that the drafts were made for.
    """
    with opened(home.settings.warehouse) as warehouse:
        drafts, lines = drafts_and_lines(warehouse)
        periods = open_periods(warehouse)
        fed = source_customers(warehouse, "attribution.int_events_counted")
    with home.lake() as lake:
        acts = asked_acts(lake, listed.catalog, asked, moment)
        invoices = reissued_invoices(acts)
        corrects = corrected_by(drafts, periods, reopened_periods(lake, invoices))
        drafts = drafts.filter(pl.col("invoice_id").is_in(list(corrects)))
        known = known_to(lake, listed.catalog, moment)
        states = file_states(lake, listed.discovery.files)
        judgement = judged_reissue(drafts, states, fed, known, moment)
        finalized = lake.query("SELECT invoice_id FROM lake.invoices")["invoice_id"]
        before = _billed(lake, invoices, lake.last_batch_id() + 1)
    closing = judgement.closing
    faulty = held_by_faults(closing.closable, lines_per_invoice(lines), finalized)
    after = drafts.select(
        "currency",
        corrects_invoice_id=pl.col("invoice_id").replace_strict(corrects, return_dtype=pl.String),
        invoice_number=pl.lit(None, pl.String),
        amount=pl.col("total_amount").fill_null(0),
    )
    return ReissueTrial(
        f"{moment.as_of:%Y-%m-%dT%H:%M:%SZ}",
        _compared(before, after),
        _reasons(pl.concat([closing.held_back.select(DUE), faulty.select(DUE)])),
    )


def reissues_of(lake: Lake, invoices: Collection[str]) -> list[Reissued]:
    """What came of the newest transaction that reissued these invoices.

    Args:
        lake: any connection.
        invoices: ids of the invoices that were reissued.
    """
    found = lake.query(
        "SELECT max(batch_id) AS batch_id FROM lake.acts "
        "WHERE kind = $reissue AND invoice_id IN $invoices",
        {"reissue": ActKind.REISSUE.value, "invoices": sorted(invoices)},
    )
    batch_id = int(found["batch_id"][0])
    after = lake.query(
        """
        SELECT corrects_invoice_id, currency, invoice_number, total_amount AS amount
        FROM lake.invoices WHERE batch_id = $batch_id AND corrects_invoice_id IS NOT NULL
        ORDER BY chain_position
        """,
        {"batch_id": batch_id},
    )
    return _compared(_billed(lake, invoices, batch_id), after)


def _billed(lake: Lake, invoices: Collection[str], before_batch_id: int) -> pl.DataFrame:
    """One row per invoice, in order of numbers: what it billed before a transaction."""
    return lake.query(
        """
        SELECT invoice_id, invoice_number, customer_id, currency,
            CASE WHEN invoice_id IN (
                SELECT invoice_id FROM lake.acts WHERE kind = $void AND batch_id < $before_batch_id
            ) THEN 0 ELSE total_amount END AS amount
        FROM lake.invoices WHERE invoice_id IN $invoices ORDER BY chain_position
        """,
        {
            "void": ActKind.VOID.value,
            "before_batch_id": before_batch_id,
            "invoices": sorted(invoices),
        },
    )


def _compared(before: pl.DataFrame, after: pl.DataFrame) -> list[Reissued]:
    """One row per invoice and currency, in the order of the invoices."""
    rows = list[Reissued]()
    for old in before.iter_rows(named=True):
        of_invoice = after.filter(corrects_invoice_id=old["invoice_id"])
        currencies = dict.fromkeys([old["currency"], *of_invoice["currency"]])
        for currency in currencies:
            found = of_invoice.filter(currency=currency)
            billed = old["amount"] if currency == old["currency"] else Decimal(0)
            would_be = sum(found["amount"].to_list(), Decimal(0))
            numbers = found["invoice_number"].drop_nulls().to_list()
            amounts = (billed, would_be, would_be - billed)
            billed_text, would_be_text, difference = (
                amount_text(amount, currency) for amount in amounts
            )
            rows.append(
                Reissued(
                    old["invoice_number"],
                    old["customer_id"],
                    currency,
                    billed_text,
                    ", ".join(numbers) or None,
                    would_be_text,
                    difference,
                )
            )
    return rows
