"""Due: which drafts can be closed now, and why each of the others cannot.

A draft is held back by time and by files received before its cut, and by nothing else. Time and
undecided files hold back every draft from some cut on. So closing in many runs gives the same
invoices as closing in one.

Known drawback: an unreadable file holds back the customers of its source while other customers are
closed. The invoices it held back get later numbers than they would have had.
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
"""The time after a cut from which a listing shows every file received before the cut.

A large upload has the time at which it began, but is listed only once it has ended. Example: the
cut is on 3 June at 00:00. A run whose listing began at 00:59 does not close the invoice. A run
whose listing began at 01:00 does.

Source: design, invoices.
"""

SETTLE_TIME_PATH_DATED = timedelta(hours=24)
"""The same for sources whose paths say when a file was received: files are copied in later.

Source: design, invoices.
"""

CLOSING_ORDER = ("cut_at", "customer_id", "subscription_id", "period_start_at")
"""The order in which invoices are numbered and chained.

Example: acme and beta have a cut on 3 June, zeta has one on 2 June. Zeta's invoice comes first,
then acme's, then beta's.
"""


class HeldBack(StrEnum):
    """The reasons why a draft stays a draft."""

    NOT_DUE = "not_due"
    NOT_SETTLED = "not_settled"
    FILE_PENDING = "file_pending"
    FILE_QUARANTINED = "file_quarantined"
    FILE_HELD = "file_held"
    EARLIER_CUT = "earlier_cut"


@dataclass(frozen=True)
class Closing:
    """The drafts that can be closed and those that cannot; together they are all drafts.

    Attributes:
        closable: schema `DRAFTS`, in closing order.
        held_back: the other drafts in closing order, with `reason_code` (a `HeldBack`) and the
            sentence `reason`.
    """

    closable: pl.DataFrame
    held_back: pl.DataFrame


def settle_time(sources: pl.DataFrame) -> timedelta:
    """The time after a cut from which a listing shows every file received before the cut.

    It is the longest time of any source in the catalog, for every customer. Any source may send
    events of any customer, and one time for all keeps the closing order.

    Example: one of three sources takes `received_at` from the path. The time is 24 hours, also for
    customers whose events come from the other two.

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
    """Every draft, either closable or held back for the first reason that applies.

    - A pending file holds back every draft whose cut is after the file was received. Nobody knows
      yet whose events it has.
    - A quarantined or held file holds back the customers of its source. These are the customers
      with an accepted event from it, received before the cut; if there is none, all customers.
    - If a cut of a customer is held back by such a file, the customer's later cuts are too.

    Example: acme has had events from the source `cdn` since May. A file of `cdn` is received on
    2 June and cannot be read. It holds back acme's draft with the cut on 3 June, but not the one
    with the cut on 1 June. Beta, which never had events from `cdn`, is not affected.

    Args:
        drafts: schema `DRAFTS`, key `invoice_id`, in any order.
        waiting_files: schema `FILE_STATES`; every file version that is neither decided nor healed.
        source_customers: schema `SOURCE_CUSTOMERS`, at least for the sources of these files.
        as_of: the instant of the run: cuts up to then are due.
        listing_started_at: when the listing began from which `waiting_files` was made.
        settle: see `settle_time`.

    Raises:
        InvariantError: a column is missing, null or of another type, or a file is decided.
    """
    drafts = checked(drafts, DRAFTS, "drafts")
    waiting = checked(waiting_files, FILE_STATES, "file states")
    feeds = checked(source_customers, SOURCE_CUSTOMERS, "customers of sources")
    if FileStatus.DECIDED in waiting["status"]:
        raise InvariantError(
            "files that hold back invoices: expected none that is decided, found one"
        )
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
    """The waits of customers with events from the source before the cut; if none has, of all."""
    fed_anyone = feeds.group_by("source").agg(pl.col("first_received_at").min().alias("fed_since"))
    fed_customer = (pl.col("first_received_at") < pl.col("cut_at")).fill_null(value=False)
    fed_somebody = (pl.col("fed_since") < pl.col("cut_at")).fill_null(value=False)
    return (
        waits.join(feeds, on=["source", "customer_id"], how="left")
        .join(fed_anyone, on="source", how="left")
        .filter(fed_customer | ~fed_somebody)
    )


def _first_file(waits: pl.DataFrame, kind: str) -> pl.DataFrame:
    """One row per draft that waits: the file received first, as `<kind>_path`, `<kind>_status`."""
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
    """The rules that hold back a draft, the first that applies counts.

    Each is a condition, a reason code and a sentence.
    """
    cut_at = pl.col("cut_at")
    is_unread = pl.col("unread_path").is_not_null()
    held_cut_at = cut_at.filter(is_unread).min().over("customer_id")
    return (
        (
            cut_at > as_of,
            pl.lit(HeldBack.NOT_DUE.value),
            pl.format(
                "its cut {} is after the run's as_of {}",
                _text_of(cut_at),
                _text_of(pl.lit(as_of)),
            ),
        ),
        (
            cut_at + settle > listing_started_at,
            pl.lit(HeldBack.NOT_SETTLED.value),
            pl.format(
                "a listing shows every file received before its cut from {} on; "
                "this one began at {}",
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
