"""Close: which drafts become invoices, and the documents they become; no clock, no files.

Belongs here: when an invoice is final, its number, its canonical JSON, its place in the chain.
Must not be put here: metering and rating (dbt makes the drafts), reading or writing the lake.

Stages:
    1. `closable`: each draft is closable, or held back with a reason.
    2. `finalize`: numbers in closing order, totals added again, documents, digests, chain.
    3. `verify_chain`, `verify_documents`: the same promises, checked on what the lake holds.

Invariant: closing in any number of runs gives the documents of closing once. Three rules carry
it: time and undecided files hold back everything from some cut on; whom an unreadable file
holds back depends only on what was received before the cut; a document holds facts about
itself and nothing about the run that wrote it.

Known drawback: an unreadable file holds back the customers of its source while others close,
so healing it later gives other numbers than if it had never been unreadable.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation
from enum import StrEnum
from functools import reduce
from typing import Any

import polars as pl

from pipelines.errors import InvariantError
from pipelines.money import minor_unit_digits, plain_decimal, round_half_away
from pipelines.schemas import INVOICE_LINES, INVOICES, UTC_MICROSECONDS, FileStatus

SETTLE_TIME = timedelta(hours=1)
"""How long after the cut a listing begins that shows all received before it: a multipart
upload bears the time it began.

Source: design, invoices.
"""

SETTLE_TIME_PATH_DATED = timedelta(hours=24)
"""The same where the path says when a file was received: it is copied in afterwards.

Source: design, invoices.
"""

SERIES = "INV"
"""The one series of invoice numbers, whatever the currency."""

GENESIS = "0" * 64
"""What stands before the first link of the chain."""

CLOSING_ORDER = ("cut_at", "customer_id", "subscription_id", "period_start_at")
"""Invoices are numbered and chained in this order; the period tells equal cuts apart."""

PENDING = "pending"
"""State of a file version that is listed and not decided."""

DRAFTS = pl.Schema(
    {
        name: INVOICES.schema[name]
        for name in (
            "invoice_id",
            "subscription_id",
            "customer_id",
            "plan_code",
            "currency",
            "period_start_at",
            "period_end_at",
            "cut_at",
            "total_amount",
            "line_count",
        )
    }
)
"""One row per draft invoice, as dbt made it."""

DRAFT_LINES = pl.Schema(
    {name: dtype for name, dtype in INVOICE_LINES.schema.items() if name != "batch_id"}
)
"""One row per line of a draft invoice."""

FILE_STATES = pl.Schema(
    {
        "file_id": pl.Int64(),
        "source": pl.String(),
        "path": pl.String(),
        "received_at": UTC_MICROSECONDS,
        "status": pl.String(),
    }
)
"""One row per file version: the status of its latest revision, or `pending`."""

SOURCE_CUSTOMERS = pl.Schema(
    {"source": pl.String(), "customer_id": pl.String(), "first_received_at": UTC_MICROSECONDS}
)
"""One row per source and customer with an accepted event from it: when the first was received."""

FINALIZED = pl.Schema(
    {name: INVOICES.schema[name] for name in ("invoice_id", "series_number", "as_of")}
    | {"chain_sha256": pl.String()}
)
"""What closing must know of the invoices closed so far."""

_EXACT = Context(prec=120, traps=[Inexact, InvalidOperation])
_INSTANT = "%Y-%m-%dT%H:%M:%S%.fZ"


class HeldBack(StrEnum):
    """Why a draft stays a draft; the list is closed."""

    NOT_DUE = "not_due"
    NOT_SETTLED = "not_settled"
    FILE_PENDING = "file_pending"
    FILE_QUARANTINED = "file_quarantined"
    FILE_HELD = "file_held"
    EARLIER_CUT = "earlier_cut"


@dataclass(frozen=True)
class Closing:
    """Both doors: closable + held back = the drafts.

    Attributes:
        closable: schema `DRAFTS`, in closing order.
        held_back: the others, with `reason_code` (of `HeldBack`) and a sentence, `reason`.
    """

    closable: pl.DataFrame
    held_back: pl.DataFrame


@dataclass(frozen=True)
class ClosingFacts:
    """What the rows of a closing say about the run that wrote them.

    Attributes:
        batch_id: the closing transaction.
        event_batch_id: the last batch of events the drafts saw.
        as_of: the instant the run speaks for.
        catalog_digest: the catalog the drafts were priced with; the one fact that is part of
            the document.
        code_revision: digest of the code.
    """

    batch_id: int
    event_batch_id: int
    as_of: datetime
    catalog_digest: str
    code_revision: str


@dataclass(frozen=True)
class ClosedInvoices:
    """Rows for the lake tables `invoices` and `invoice_lines`."""

    invoices: pl.DataFrame
    invoice_lines: pl.DataFrame


@dataclass(frozen=True)
class BrokenPromise:
    """The first invoice that is not what was finalized."""

    invoice_number: str
    claim: str
    expected: str
    found: str

    def sentence(self) -> str:
        """The difference, for a person."""
        return f"{self.invoice_number}: {self.claim}: expected {self.expected}, found {self.found}"


def settle_time(sources: pl.DataFrame) -> timedelta:
    """How long after a cut a listing must begin to show all that was received before it.

    The longest of any source of the catalog, for every customer: nothing says which sources a
    customer will be fed by, and one time for all keeps the closing order whatever the runs.

    Args:
        sources: schema `SOURCES`.
    """
    is_path_dated = "path" in sources["received_at_from"].to_list()
    return SETTLE_TIME_PATH_DATED if is_path_dated else SETTLE_TIME


def closable(
    drafts: pl.DataFrame,
    files: pl.DataFrame,
    source_customers: pl.DataFrame,
    as_of: datetime,
    listing_started_at: datetime,
    settle: timedelta,
) -> Closing:
    """Every draft, closable or held back for the first reason that holds.

    A pending file holds back everybody's cuts after it was received, since nobody knows whose
    events it has. A quarantined or held file holds back the customers of its source: those
    with an accepted event from it received before the cut, or everybody when there are none.
    What a customer's earlier cut waits for, later ones wait for too.

    Args:
        drafts: schema `DRAFTS`.
        files: schema `FILE_STATES`; at least every version that is not decided, and every
            later version of the same path: once that is decided, the earlier one is healed.
        source_customers: schema `SOURCE_CUSTOMERS`; at least the sources of those files.
        as_of: the instant the run speaks for.
        listing_started_at: when the listing began that `files` comes from.
        settle: see `settle_time`.

    Raises:
        InvariantError: a column is missing, of another type or null.
    """
    left = _checked(drafts, DRAFTS, "drafts").sort(CLOSING_ORDER)
    waiting_for = _unhealed(_checked(files, FILE_STATES, "file states"))
    pending, failed = _parted(waiting_for, pl.col("status") == PENDING)
    feeds = _checked(source_customers, SOURCE_CUSTOMERS, "customers of sources")
    held_back = []

    def hold_back(is_held: pl.Expr, reason_code: str | pl.Expr, reason: pl.Expr) -> None:
        nonlocal left
        held, left = _parted(left, is_held)
        code = pl.lit(reason_code) if isinstance(reason_code, str) else reason_code
        held_back.append(
            held.select(*DRAFTS, code.alias("reason_code"), reason.alias("reason"))
        )

    hold_back(
        pl.col("cut_at") > as_of,
        HeldBack.NOT_DUE.value,
        pl.format("its cut {} has not come by {}", _text_of("cut_at"), _text_of(as_of)),
    )
    hold_back(
        pl.col("cut_at") + settle > listing_started_at,
        HeldBack.NOT_SETTLED.value,
        pl.format(
            "a listing begun at or after {} shows all received before its cut; this one began {}",
            (pl.col("cut_at") + settle).dt.to_string(_INSTANT),
            _text_of(listing_started_at),
        ),
    )
    left = left.join(pending.head(1).select("received_at", "path"), how="cross") if (
        pending.height
    ) else left.with_columns(received_at=pl.lit(None, UTC_MICROSECONDS), path=pl.lit(""))
    hold_back(
        (pl.col("received_at") < pl.col("cut_at")).fill_null(False),
        HeldBack.FILE_PENDING.value,
        pl.format("{} was received before its cut and is not decided yet", "path"),
    )
    return Closing(left, pl.concat(held_back))
