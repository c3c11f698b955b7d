"""Drafts, their lines and the files that closing waits for; and invoices, closing after closing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl

from pipelines.invoicing.chain import Link, last_link
from pipelines.invoicing.finalize import ClosedInvoices, ClosingFacts
from pipelines.vocabulary.frames import (
    DRAFT_LINES,
    DRAFTS,
    FILE_STATES,
    FINALIZED,
    HELD_OWNERS,
    SOURCE_CUSTOMERS,
)
from pipelines.vocabulary.tables import INVOICE_LINES, INVOICES
from tests.worlds.deliveries import NOON

CATALOG_DIGEST = "c" * 64
"""A catalog like any other."""


@dataclass(frozen=True)
class DraftLine:
    """A line of a draft: its amount, and what its tiers come to before they are rounded."""

    amount: str
    tiers: Sequence[str]
    charge_code: str = "requests"
    group_key: str = "{}"
    quantity: str = "1"

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
            "subscription_id": draft.subscription_id,
            "customer_id": draft.customer,
            "plan_code": "edge",
            "currency": draft.currency,
            "period_start_at": draft.cut_at - timedelta(days=1),
            "period_end_at": draft.cut_at,
            "cut_at": draft.cut_at,
            "total_amount": Decimal(
                draft.total_amount or sum(Decimal(line.amount) for line in draft.lines)
            ),
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
            "price_valid_from": date(2026, 1, 1),
            "event_count": 3,
            "quantity": Decimal(line.quantity),
            "amount": Decimal(line.amount),
            "tiers": line.tier_text(),
        }
        for draft in drafts
        for number, line in enumerate(draft.lines, start=1)
    ]
    return pl.DataFrame(rows, schema=DRAFT_LINES)


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
