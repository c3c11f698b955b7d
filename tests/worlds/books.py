"""Drafts, their lines and the files that closing waits for; and invoices, closing after closing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from functools import reduce
from types import MappingProxyType

import polars as pl

from pipelines.invoicing.chain import Link, last_link
from pipelines.invoicing.document_formats.format_2 import SUMMARY_KINDS
from pipelines.invoicing.finalize import ClosedInvoices, ClosingFacts, finalize
from pipelines.invoicing.terms import Terms
from pipelines.vocabulary.frames import (
    DRAFT_LINES,
    DRAFTS,
    FILE_STATES,
    FINALIZED,
    HELD_OWNERS,
    SOURCE_CUSTOMERS,
)
from pipelines.vocabulary.money import plain_decimal
from pipelines.vocabulary.tables import INVOICE_LINES, INVOICES
from tests.worlds.deliveries import NOON

CATALOG_DIGEST = "c" * 64
"""A catalog like any other."""

TERMS_DIGEST, PRICE_DIGEST = "7" * 64, "9" * 64
PRICE_FROM = date(2026, 1, 1)


_EXACT = Context(prec=120)


@dataclass(frozen=True)
class DraftLine:
    """A line of a draft: its amount, and what its tiers come to before they are rounded.

    Amounts that follow from others are what they must be, unless said.
    """

    amount: str
    tiers: Sequence[str]
    charge_code: str = "requests"
    group_key: str = "{}"
    quantity: str = "1"
    amount_unrounded: str | None = None
    net_amount: str | None = None
    kind: str = "usage"
    currency: str | None = None
    discount_amount: str = "0"
    tax_amount: str = "0"
    credit_amount: str = "0"

    def unrounded(self) -> str:
        """What the tiers add up to."""
        if self.amount_unrounded is not None:
            return self.amount_unrounded
        try:
            added = reduce(_EXACT.add, map(Decimal, self.tiers), Decimal(0))
            return plain_decimal(added)
        except ValueError:
            return "0"

    def tier_text(self) -> str:
        """The tiers as dbt writes them."""
        return (
            "[" + ",".join(f'{{"amount":"{tier}","up_to_units":null}}' for tier in self.tiers) + "]"
        )


@dataclass(frozen=True)
class Draft:
    """A draft of one day that ends at its cut; the total is the sum of the amounts unless said."""

    customer: str
    cut_at: datetime
    lines: Sequence[DraftLine] = field(default=(DraftLine("1.25", ["1.25"]),))
    subscription: str = ""
    currency: str = "EUR"
    total_amount: str | None = None
    fault: str | None = None
    kind: str = "arrears"

    def summed(self, name: str) -> Decimal:
        """The sum of an amount over the lines that are no summary rows."""
        billed = (line for line in self.lines if line.kind not in SUMMARY_KINDS)
        return sum((Decimal(getattr(line, name)) for line in billed), Decimal(0))

    def amounts(self) -> dict[str, Decimal]:
        """The totals that follow from the lines."""
        names = ("amount", "discount_amount", "tax_amount", "credit_amount")
        subtotal, discount, tax, credit = map(self.summed, names)
        total = subtotal - discount + tax
        return {
            "subtotal_amount": subtotal,
            "discount_amount": discount,
            "net_amount": subtotal - discount,
            "tax_amount": tax,
            "total_amount": Decimal(self.total_amount or max(Decimal(0), total)),
            "credit_amount": credit,
            "amount_due": max(Decimal(0), total - credit),
        }

    @property
    def subscription_id(self) -> str:
        return self.subscription or f"sub-{self.customer}"

    @property
    def invoice_id(self) -> str:
        return f"{self.subscription_id}/{(self.cut_at - timedelta(days=1)).isoformat()}"


def draft_rows(drafts: Iterable[Draft]) -> pl.DataFrame:
    """The drafts as dbt hands them to the close, in the order given."""
    rows = [
        {
            "invoice_id": draft.invoice_id,
            "kind": draft.kind,
            "subscription_id": draft.subscription_id,
            "customer_id": draft.customer,
            "plan_code": "edge",
            "currency": draft.currency,
            "period_start_at": draft.cut_at - timedelta(days=1),
            "period_end_at": draft.cut_at,
            "cut_at": draft.cut_at,
            **draft.amounts(),
            "line_count": len(draft.lines),
            "fault": draft.fault,
        }
        for draft in drafts
    ]
    return pl.DataFrame(rows, schema=DRAFTS)


def draft_line_rows(drafts: Iterable[Draft]) -> pl.DataFrame:
    """The lines of the drafts as dbt hands them to the close."""
    rows = [
        {
            "invoice_id": draft.invoice_id,
            "line_id": f"{draft.invoice_id}/{line.charge_code}/{line.group_key}",
            "line_number": number,
            "charge_code": line.charge_code,
            "metric_code": "requests",
            "charge_model": "graduated",
            "group_key": line.group_key,
            "price_valid_from": PRICE_FROM,
            "event_count": 3,
            "quantity": Decimal(line.quantity),
            "amount": Decimal(line.amount),
            "tiers": line.tier_text(),
            "kind": line.kind,
            "service_start_at": draft.cut_at - timedelta(days=1),
            "service_end_at": draft.cut_at,
            "billed_quantity": Decimal(line.quantity),
            "unit": "request",
            "unit_price": None,
            "amount_unrounded": line.unrounded(),
            "discount_amount": Decimal(line.discount_amount),
            "net_amount": Decimal(
                line.net_amount or Decimal(line.amount) - Decimal(line.discount_amount)
            ),
            "tax_amount": Decimal(line.tax_amount),
            "credit_amount": Decimal(line.credit_amount),
            "currency": line.currency or draft.currency,
            "share_days": None,
            "share_of_days": None,
            "adjusts_line_id": None,
        }
        for draft in drafts
        for number, line in enumerate(draft.lines, start=1)
    ]
    return pl.DataFrame(rows, schema=DRAFT_LINES)


def draft_terms(drafts: Iterable[Draft]) -> dict[str, Terms]:
    """Terms of the drafts, which have a price of each charge that a line is of."""
    return {
        draft.invoice_id: Terms(
            {},
            TERMS_DIGEST,
            {(line.charge_code, PRICE_FROM): PRICE_DIGEST for line in draft.lines},
            "half_away",
        )
        for draft in drafts
    }


def finalized(
    drafts: Sequence[Draft],
    before: "Books | None" = None,
    facts: ClosingFacts | None = None,
    *,
    rows: pl.DataFrame | None = None,
    lines: pl.DataFrame | None = None,
    terms: dict[str, Terms] | None = None,
    numbers_zero: bool = True,
    corrects: Mapping[str, str] = MappingProxyType({}),
) -> ClosedInvoices:
    """The drafts as a closing finalizes them.

    Args:
        drafts: all that are closed.
        before: the books so far; None: nothing was closed.
        facts: of the closing; None: those of the first.
        rows: of the drafts; None: as they are.
        lines: of the drafts; None: as they have them.
        terms: of the drafts; None: those that have what the lines need.
        numbers_zero: see `finalize`.
        corrects: see `finalize`.
    """
    before = before or Books()
    return finalize(
        draft_rows(drafts) if rows is None else rows,
        draft_line_rows(drafts) if lines is None else lines,
        before.finalized,
        facts or closing_facts(),
        before.head,
        draft_terms(drafts) if terms is None else terms,
        numbers_zero=numbers_zero,
        corrects=corrects,
    )


def file_rows(*files: tuple[int, str, str, datetime, str]) -> pl.DataFrame:
    """File versions: (file_id, source, path, received_at, status)."""
    return pl.DataFrame(files, schema=FILE_STATES, orient="row")


def feed_rows(*feeds: tuple[str, str, datetime]) -> pl.DataFrame:
    """Customers of sources: (source, customer, when its first event was received)."""
    return pl.DataFrame(feeds, schema=SOURCE_CUSTOMERS, orient="row")


def owner_rows(*owners: tuple[int, str, str | None]) -> pl.DataFrame:
    """Whom the names in held files mean: (file_id, kind, owner or None for an unknown name)."""
    rows = [(file_id, kind, owner or "?", 1, owner) for file_id, kind, owner in owners]
    return pl.DataFrame(rows, schema=HELD_OWNERS, orient="row")


def closing_facts(batch_id: int = 2, as_of: datetime = NOON) -> ClosingFacts:
    """The facts of a closing right after its batch of events."""
    return ClosingFacts(batch_id, batch_id - 1, as_of, CATALOG_DIGEST, "d" * 64)


@dataclass(frozen=True)
class Books:
    """The lake's invoices, closing after closing."""

    invoices: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=INVOICES.schema))
    lines: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=INVOICE_LINES.schema))

    @property
    def finalized(self) -> pl.DataFrame:
        """What a closing must know of them."""
        return self.invoices.select(*FINALIZED)

    @property
    def head(self) -> Link:
        """The last link of their chain."""
        return last_link(self.invoices)

    def with_closing(self, closed: ClosedInvoices) -> "Books":
        """The books with one more closing appended."""
        return Books(
            pl.concat([self.invoices, closed.invoices]),
            pl.concat([self.lines, closed.invoice_lines]),
        )
