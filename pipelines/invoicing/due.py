"""Due: which drafts can be closed now, and why each of the others cannot.

A draft is held back by time, by files received before its cut, and if an edit of the catalog added
it to the past. Time and undecided files hold back every draft from some cut on. So closing in many
runs gives the same invoices as closing in one.

Known drawback: an unreadable file holds back the customers of its source while other customers are
closed. The invoices it held back get later numbers than they would have had.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import polars as pl

from pipelines.invoicing.waits import pending_waits, unread_waits
from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.frame_checks import checked
from pipelines.vocabulary.frames import (
    DRAFT_NULLS,
    DRAFTS,
    FILE_STATES,
    HELD_OWNERS,
    SOURCE_CUSTOMERS,
)
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
    ADDED_TO_THE_PAST = "added_to_the_past"
    FAULT = "fault"


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
    held_owners: pl.DataFrame | None = None,
    added_to_the_past: pl.Series | None = None,
) -> Closing:
    """Every draft, either closable or held back for the first reason that applies.

    - What an edit of the catalog added to the past waits until a person accepts it.
    - A pending file holds back every draft whose cut is after the file was received. Nobody knows
      yet whose events it has.
    - A held file holds back the customers and subscriptions named in its lines, and the customers
      of its source. These are the customers with an accepted event from it, received before the
      cut.
    - A quarantined file holds back the customers of its source, and those that no source had sent
      usage of before the cut. If its source had sent no usage at all, it holds back everybody. A
      held file whose lines name nobody that can be read counts as quarantined.
    - If a cut of a customer is held back by such a file, the customer's later cuts are too.

    Example: acme has had events from the source `cdn` since May. A file of `cdn` is received on
    2 June and cannot be read. It holds back acme's draft with the cut on 3 June, but not the one
    with the cut on 1 June. Beta has had events from `app` alone, and is not affected. Zeta is new,
    and the file may have its first events, so zeta's draft of 3 June waits. If the file were held,
    zeta would wait only if a line named it.

    Args:
        drafts: schema `DRAFTS`, key `invoice_id`, in any order.
        waiting_files: schema `FILE_STATES`; every file version that is neither decided nor healed.
            A file that is left out holds back nobody, whoever is named in it.
        source_customers: schema `SOURCE_CUSTOMERS`, at least for the sources of these files.
        as_of: the instant of the run: cuts up to then are due.
        listing_started_at: when the listing began from which `waiting_files` was made.
        settle: see `settle_time`.
        held_owners: schema `HELD_OWNERS`, at least for the held files among `waiting_files`. None:
            no line of a held file could be read.
        added_to_the_past: ids of drafts that were added to the past and that nobody accepted.

    Raises:
        InvariantError: a column is missing, null or of another type, or a file is decided.
    """
    drafts = checked(drafts, DRAFTS, "drafts", DRAFT_NULLS)
    waiting = checked(waiting_files, FILE_STATES, "file states")
    feeds = checked(source_customers, SOURCE_CUSTOMERS, "customers of sources")
    if FileStatus.DECIDED in waiting["status"]:
        raise InvariantError(
            "files that hold back invoices: expected none that is decided, found one"
        )
    owners = pl.DataFrame(schema=HELD_OWNERS) if held_owners is None else held_owners
    added = [] if added_to_the_past is None else added_to_the_past.to_list()
    judged = drafts.sort(CLOSING_ORDER).with_columns(is_added=pl.col("invoice_id").is_in(added))
    for waits in (pending_waits(drafts, waiting), unread_waits(drafts, waiting, feeds, owners)):
        judged = judged.join(waits, on="invoice_id", how="left", maintain_order="left")
    rules = _rules(as_of, listing_started_at, settle)
    judged = judged.select(
        *DRAFTS,
        pl.coalesce(pl.when(holds).then(code) for holds, code, _ in rules).alias("reason_code"),
        pl.coalesce(pl.when(holds).then(reason) for holds, _, reason in rules).alias("reason"),
    )
    is_closable = pl.col("reason_code").is_null()
    return Closing(judged.filter(is_closable).select(*DRAFTS), judged.filter(~is_closable))


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
            pl.col("is_added"),
            pl.lit(HeldBack.ADDED_TO_THE_PAST.value),
            pl.format(
                "an edit of the catalog added it to the past, where nothing was billed before; "
                "undo the edit, or bill it by `meterline close --accept {}`",
                "subscription_id",
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
                "{} was received before its cut and is {}, and {}; land a corrected file under "
                "this name, {}, or bill without it by `meterline close --waive`",
                "unread_path",
                "unread_status",
                "unread_why",
                pl.when(pl.col("unread_status") == FileStatus.HELD.value)
                .then(pl.lit("let it in by `meterline replay --release`"))
                .otherwise(pl.lit("read it again by `meterline replay --file`")),
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
