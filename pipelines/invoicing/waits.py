"""Waits: which drafts wait for a file that is pending, held or unreadable, and why these.

Only files received before the cut of a draft count, and only events received before it. So a later
run gives the same answer for a cut as a run at the cut.
"""

import polars as pl

from pipelines.vocabulary.frames import PENDING, RefKind
from pipelines.vocabulary.verdicts import FileStatus

_SOURCE_FED = "its source has sent usage of this customer"
_NEW_SOURCE = "its source has sent no usage yet, so it may be anybody's"
_NEW_CUSTOMER = "nobody has sent usage of this customer yet"
_NAMES = {
    "customer_id": (RefKind.CUSTOMER, "it names this customer"),
    "subscription_id": (RefKind.SUBSCRIPTION, "it names this subscription"),
}


def pending_waits(drafts: pl.DataFrame, waiting: pl.DataFrame) -> pl.DataFrame:
    """One row per draft that waits for a pending file; see `_first_file`.

    Args:
        drafts: schema `DRAFTS`.
        waiting: schema `FILE_STATES`.
    """
    pending = waiting.filter(pl.col("status") == PENDING)
    waits = _of_sources(drafts, pending, pl.lit("nobody knows yet whose usage it has"))
    return _first_file(waits, "pending")


def unread_waits(
    drafts: pl.DataFrame, waiting: pl.DataFrame, feeds: pl.DataFrame, owners: pl.DataFrame
) -> pl.DataFrame:
    """One row per draft that waits for a held or quarantined file; see `_first_file`.

    Args:
        drafts: schema `DRAFTS`.
        waiting: schema `FILE_STATES`.
        feeds: schema `SOURCE_CUSTOMERS`.
        owners: schema `HELD_OWNERS`; rows of files that do not wait are ignored.
    """
    unread = waiting.filter(pl.col("status") != PENDING)
    names_somebody = pl.col("file_id").is_in(owners["file_id"].unique().to_list())
    is_parsed = (pl.col("status") == FileStatus.HELD.value) & names_somebody
    waits = [
        _fed_by_source(drafts, unread, feeds),
        _unknown_to_sources(drafts, unread.filter(~is_parsed), feeds),
        *(_named(drafts, unread, owners, column) for column in _NAMES),
    ]
    return _first_file(pl.concat(waits), "unread")


def _of_sources(drafts: pl.DataFrame, files: pl.DataFrame, why: pl.Expr) -> pl.DataFrame:
    """One row per draft and source: the source's first file that was received before the cut."""
    earliest = files.sort("received_at", "file_id").unique("source", keep="first")
    return (
        drafts.select("invoice_id", "customer_id", "cut_at")
        .join(earliest, how="cross")
        .filter(pl.col("received_at") < pl.col("cut_at"))
        .with_columns(why.alias("why"))
    )


def _fed_by_source(drafts: pl.DataFrame, files: pl.DataFrame, feeds: pl.DataFrame) -> pl.DataFrame:
    """The waits of customers that had usage from the file's source before the cut."""
    waits = _of_sources(drafts, files, pl.lit(_SOURCE_FED))
    is_fed = pl.col("first_received_at") < pl.col("cut_at")
    return _columns(waits.join(feeds, on=["source", "customer_id"]).filter(is_fed))


def _unknown_to_sources(
    drafts: pl.DataFrame, files: pl.DataFrame, feeds: pl.DataFrame
) -> pl.DataFrame:
    """The waits of customers that had no usage before the cut, from no source.

    A file of a source that had sent no usage at all may be anybody's, so everybody waits.
    """
    first = pl.col("first_received_at").min()
    by_customer = feeds.group_by("customer_id").agg(first.alias("customer_fed_at"))
    by_source = feeds.group_by("source").agg(first.alias("source_fed_at"))
    was_fed, has_fed = (
        (pl.col(name) < pl.col("cut_at")).fill_null(value=False)
        for name in ("customer_fed_at", "source_fed_at")
    )
    return _columns(
        _of_sources(drafts, files, pl.lit(None, pl.String))
        .join(by_customer, on="customer_id", how="left")
        .join(by_source, on="source", how="left")
        .filter(~was_fed | ~has_fed)
        .with_columns(
            pl.when(~was_fed)
            .then(pl.lit(_NEW_CUSTOMER))
            .otherwise(pl.lit(_NEW_SOURCE))
            .alias("why")
        )
    )


def _named(
    drafts: pl.DataFrame, files: pl.DataFrame, owners: pl.DataFrame, column: str
) -> pl.DataFrame:
    """The waits of customers, or of subscriptions, that are named in the lines of a held file."""
    kind, why = _NAMES[column]
    named = owners.filter(kind=kind.value).select("file_id", pl.col("owner_id").alias(column))
    earliest = (
        files.join(named.drop_nulls().unique(), on="file_id")
        .sort("received_at", "file_id")
        .unique(column, keep="first")
    )
    return _columns(
        drafts.select("invoice_id", "cut_at", column)
        .join(earliest, on=column)
        .filter(pl.col("received_at") < pl.col("cut_at"))
        .with_columns(pl.lit(why).alias("why"))
    )


def _columns(waits: pl.DataFrame) -> pl.DataFrame:
    return waits.select("invoice_id", "received_at", "file_id", "path", "status", "why")


def _first_file(waits: pl.DataFrame, kind: str) -> pl.DataFrame:
    """One row per draft that waits: the file received first, and why this draft waits for it.

    The columns are `invoice_id`, `<kind>_path`, `<kind>_status` and `<kind>_why`. If a draft waits
    for a file for several reasons, a name in it comes first, then what its source has sent.
    """
    reasons = [*(why for _, why in _NAMES.values()), _SOURCE_FED, _NEW_CUSTOMER, _NEW_SOURCE]
    rank = pl.col("why").replace_strict(reasons, range(len(reasons)), default=len(reasons))
    return (
        waits.sort("received_at", "file_id", rank)
        .unique("invoice_id", keep="first")
        .select(
            "invoice_id",
            *(pl.col(name).alias(f"{kind}_{name}") for name in ("path", "status", "why")),
        )
    )
