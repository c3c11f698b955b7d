"""Due: which drafts can be closed, and what holds back each of the others.

What holds back a draft depends on time and on what was received before its cut, and on nothing
else. Time and undecided files hold back everything from some cut on, so closing in any number of
runs gives the invoices of closing once.

Known drawback: an unreadable file holds back the customers of its source while the others close, so
an invoice it held back has a later number than if the file had been readable.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import polars as pl

from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.frames import DRAFTS, FILE_STATES, PENDING, SOURCE_CUSTOMERS, checked
from pipelines.vocabulary.verdicts import FileStatus

SETTLE_TIME = timedelta(hours=1)
"""How long after the cut a listing must begin to show all that was received before it: a
multipart upload bears the time it began.

Source: design, invoices.
"""

SETTLE_TIME_PATH_DATED = timedelta(hours=24)
"""The same where the path says when a file was received: it is copied in afterwards.

Source: design, invoices.
"""

CLOSING_ORDER = ("cut_at", "customer_id", "subscription_id", "period_start_at")
"""Invoices are numbered and chained in this order; the period tells equal cuts apart."""


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
        held_back: the others, in closing order, with `reason_code` (of `HeldBack`) and
            `reason`, a sentence.
    """

    closable: pl.DataFrame
    held_back: pl.DataFrame


def settle_time(sources: pl.DataFrame) -> timedelta:
    """How long after a cut a listing must begin to show all that was received before it.

    The longest of any source of the catalog, for every customer: nothing says which sources a
    customer will be fed by, and one time for all keeps the closing order however often it runs.

    Args:
        sources: schema `SOURCES`.
    """
    is_path_dated = "path" in sources["received_at_from"].to_list()
    return SETTLE_TIME_PATH_DATED if is_path_dated else SETTLE_TIME


def closable(
    drafts: pl.DataFrame,
    waiting_files: pl.DataFrame,
    source_customers: pl.DataFrame,
    as_of: datetime,
    listing_started_at: datetime,
    settle: timedelta,
) -> Closing:
    """Every draft, closable or held back for the first reason that holds.

    A pending file holds back everybody's cuts after it was received, since nobody knows whose
    events it has. A quarantined or held file holds back the customers of its source: those
    with an accepted event from it received before the cut, or everybody when there is none.
    What a customer's earlier cut waits for, the later ones wait for too.

    Args:
        drafts: schema `DRAFTS`; key `invoice_id`; any order.
        waiting_files: schema `FILE_STATES`; every version that nothing has decided or healed.
        source_customers: schema `SOURCE_CUSTOMERS`; at least the sources of those files.
        as_of: the instant the run speaks for.
        listing_started_at: when the listing began that `waiting_files` comes from.
        settle: see `settle_time`.

    Raises:
        InvariantError: a column is missing, of another type, or null, or a file is decided.
    """
    drafts = checked(drafts, DRAFTS, "drafts")
    waiting = checked(waiting_files, FILE_STATES, "file states")
    feeds = checked(source_customers, SOURCE_CUSTOMERS, "customers of sources")
    if FileStatus.DECIDED in waiting["status"]:
        raise InvariantError("files that hold back invoices: expected none that is decided")
    is_pending = pl.col("status") == PENDING
    pending_waits = _waits(drafts, waiting.filter(is_pending))
    unread_waits = _fed_by_source(_waits(drafts, waiting.filter(~is_pending)), feeds)
    judged = drafts.sort(CLOSING_ORDER)
    for waits, kind in ((pending_waits, "pending"), (unread_waits, "unread")):
        files_waited_for = _first_file(waits, kind)
        judged = judged.join(files_waited_for, on="invoice_id", how="left", maintain_order="left")
    rules = _rules(as_of, listing_started_at, settle)
    judged = judged.select(
        *DRAFTS,
        pl.coalesce(pl.when(holds).then(code) for holds, code, _ in rules).alias("reason_code"),
        pl.coalesce(pl.when(holds).then(reason) for holds, _, reason in rules).alias("reason"),
    )
    is_closable = pl.col("reason_code").is_null()
    return Closing(judged.filter(is_closable).select(*DRAFTS), judged.filter(~is_closable))


def _waits(drafts: pl.DataFrame, unread: pl.DataFrame) -> pl.DataFrame:
    """One row per draft and source with an unread file received before the draft's cut."""
    earliest = unread.sort("received_at", "file_id").unique("source", keep="first")
    return (
        drafts.select("invoice_id", "customer_id", "cut_at")
        .join(earliest, how="cross")
        .filter(pl.col("received_at") < pl.col("cut_at"))
    )


def _fed_by_source(waits: pl.DataFrame, feeds: pl.DataFrame) -> pl.DataFrame:
    """The waits of those whom the source fed before the cut, or of all if it fed nobody."""
    fed_anyone = feeds.group_by("source").agg(pl.col("first_received_at").min().alias("fed_since"))
    fed_customer = (pl.col("first_received_at") < pl.col("cut_at")).fill_null(value=False)
    fed_somebody = (pl.col("fed_since") < pl.col("cut_at")).fill_null(value=False)
    return (
        waits.join(feeds, on=["source", "customer_id"], how="left")
        .join(fed_anyone, on="source", how="left")
        .filter(fed_customer | ~fed_somebody)
    )


def _first_file(waits: pl.DataFrame, kind: str) -> pl.DataFrame:
    """The file each draft waits for first, as `<kind>_path` and `<kind>_status`."""
    return (
        waits.sort("received_at", "file_id")
        .unique("invoice_id", keep="first")
        .select(
            "invoice_id",
            pl.col("path").alias(f"{kind}_path"),
            pl.col("status").alias(f"{kind}_status"),
        )
    )


def _rules(
    as_of: datetime, listing_started_at: datetime, settle: timedelta
) -> Sequence[tuple[pl.Expr, pl.Expr, pl.Expr]]:
    """What holds back a draft, its reason code and its sentence; the first that holds counts."""
    cut_at = pl.col("cut_at")
    is_unread = pl.col("unread_path").is_not_null()
    held_cut_at = cut_at.filter(is_unread).min().over("customer_id")
    return (
        (
            cut_at > as_of,
            pl.lit(HeldBack.NOT_DUE.value),
            pl.format(
                "its cut {} is after the run's {}", _text_of(cut_at), _text_of(pl.lit(as_of))
            ),
        ),
        (
            cut_at + settle > listing_started_at,
            pl.lit(HeldBack.NOT_SETTLED.value),
            pl.format(
                "what was received before its cut is all listed from {} on; the listing began {}",
                _text_of(cut_at + settle),
                _text_of(pl.lit(listing_started_at)),
            ),
        ),
        (
            pl.col("pending_path").is_not_null(),
            pl.lit(HeldBack.FILE_PENDING.value),
            pl.format("{} was received before its cut and is not decided yet", "pending_path"),
        ),
        (
            is_unread,
            pl.format("file_{}", "unread_status"),
            pl.format(
                "{} was received before its cut and is {}; land a corrected file under this name, "
                "or let it in by `meterline replay --release`",
                "unread_path",
                "unread_status",
            ),
        ),
        (
            cut_at > held_cut_at,
            pl.lit(HeldBack.EARLIER_CUT.value),
            pl.format("the customer's cut {} comes first and is held back", _text_of(held_cut_at)),
        ),
    )


def _text_of(instant: pl.Expr) -> pl.Expr:
    return instant.dt.to_string("%Y-%m-%dT%H:%M:%S%.fZ")
