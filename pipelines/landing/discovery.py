"""Discovery: finds the new file versions in a listing, and when each was received.

Pure: the listing and the registry enter as frames.

Invariant: listed = known + new + ignored. Each ignored object has its reason.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from pipelines.vocabulary.tables import LANDING_FILES, UTC_MICROSECONDS

NAME_SUFFIX = re.compile(r"\.(ndjson|jsonl|json|csv)(\.gz|\.zst)?$|\.parquet$")
"""Endings of the names that are read."""

_UNREAD_NAME = (
    "not a name that is read: .ndjson, .jsonl, .json or .csv, plain, .gz or .zst, or .parquet"
)

_UNFINISHED = "unfinished upload (the name begins with _ or . or ends in .tmp or .part)"

HARMLESS_REASONS = frozenset({_UNFINISHED, _UNREAD_NAME})
"""Why an object is not read that no sender meant as usage. Any other reason needs a person."""

_LINK_TO_FOLDER = "a link to a folder, which is not followed; put the files themselves there"

UNFINISHED_NAME = re.compile(r"(^|/)[_.][^/]*|\.(tmp|part)$")
"""Names of unfinished uploads. They are counted, and not read."""

DATED_FOLDER = re.compile(r"/(\d{4})/(\d{2})/(\d{2})/(\d{2})/")
"""Date and hour (UTC) in the path of a source whose `received_at_from` is `path`.

Example: `cdn/2015/05/17/10/a.ndjson` was received at 2015-05-17T10:00:00Z.
"""

AHEAD_MAX = timedelta(days=1)
"""The longest time by which a file may be dated ahead of the listing.

Clocks differ, at worst by their time zones. A file listed at noon on 17 May may be dated up to
noon on 18 May.
"""


@dataclass(frozen=True)
class Discovery:
    """The new file versions of a listing, and the objects that are ignored.

    Attributes:
        files: one row per new file version, by `file_id`. Schema of `landing_files` without
            `batch_id`, plus `dialect` and `dedupe_scope` of the source.
        ignored: one row per object that is not read: `path`, `reason`.
        listed: number of objects below a source's folder, known ones included.
    """

    files: pl.DataFrame
    ignored: pl.DataFrame
    listed: int


def discover(
    listing: pl.DataFrame,
    registry: pl.DataFrame,
    sources: pl.DataFrame,
    listed_at: datetime | None = None,
) -> Discovery:
    """The file versions that the registry lacks, each with the next `file_id`.

    A version is known by (path, etag, size), so an overwritten file lands a new version. New
    versions are numbered by (received_at, path, etag). Objects outside any folder belong to no
    sender and are not counted as listed.

    Args:
        listing: one row per object, schema `LISTING`, in any order.
        registry: one row per known version, schema of `landing_files`.
        sources: one row per sender, schema `SOURCES`.
        listed_at: when the listing began. None: files dated in the future are accepted.
    """
    objects = listing.filter(pl.col("path").str.contains("/", literal=True)).with_columns(
        pl.col("path").str.split("/").list.first().alias("source")
    )
    sourced = objects.join(
        sources.select("source", "dialect", "dedupe_scope", "received_at_from"),
        on="source",
        how="left",
    ).with_columns(_received_at().alias("received_at"))
    judged = sourced.with_columns(_ignored_reason(listed_at).alias("reason"))
    is_read = pl.col("reason").is_null()
    last_file_id = int(registry["file_id"].cast(pl.Int64).max() or 0)  # type: ignore[arg-type]
    files = (
        judged.filter(is_read)
        .join(registry, on=["path", "etag", "size_bytes"], how="anti")
        .sort("received_at", "path", "etag")
        .with_row_index("file_id", offset=last_file_id + 1)
        .with_columns(
            pl.col("file_id").cast(pl.Int64), pl.lit(None, pl.Int64).alias("corrects_file_id")
        )
        .select(
            *(name for name in LANDING_FILES.column_names if name != "batch_id"),
            "dialect",
            "dedupe_scope",
        )
    )
    return Discovery(
        files=files,
        ignored=judged.filter(~is_read).select("path", "reason").sort("path"),
        listed=objects.height,
    )


def first_batch(files: pl.DataFrame, batch_bytes: int) -> pl.DataFrame:
    """The files that the next batch reads, by `file_id`.

    They are the first ones that together have at most `batch_bytes`. The first file is read
    whatever its size, unless `batch_bytes` is 0.

    Args:
        files: one row per new file version, as in `Discovery`.
        batch_bytes: the most landed bytes of one batch.
    """
    is_first = (pl.int_range(pl.len()) == 0) & (batch_bytes > 0)
    return files.sort("file_id").filter((pl.col("size_bytes").cum_sum() <= batch_bytes) | is_first)


def _received_at() -> pl.Expr:
    hour = [pl.col("path").str.extract(DATED_FOLDER.pattern, group) for group in range(1, 5)]
    from_path = pl.concat_str([*hour, pl.lit("00")]).str.to_datetime(
        "%Y%m%d%H%M", time_unit="us", time_zone="UTC", strict=False
    )
    return (
        pl.when(pl.col("received_at_from") == "path")
        .then(from_path)
        .otherwise(pl.col("modified_at"))
        .cast(UTC_MICROSECONDS)
    )


def _ignored_reason(listed_at: datetime | None) -> pl.Expr:
    latest_at = datetime.max.replace(tzinfo=UTC) if listed_at is None else listed_at + AHEAD_MAX
    return (
        pl.when(pl.col("path").str.contains(UNFINISHED_NAME.pattern))
        .then(pl.lit(_UNFINISHED))
        .when(pl.col("path").str.ends_with("/"))
        .then(pl.lit(_LINK_TO_FOLDER))
        .when(pl.col("dialect").is_null())
        .then(pl.format("no row for source '{}' in sources.csv", "source"))
        .when(~pl.col("path").str.contains(NAME_SUFFIX.pattern))
        .then(pl.lit(_UNREAD_NAME))
        .when(pl.col("received_at").is_null())
        .then(pl.lit("no YYYY/MM/DD/HH/ in the path of a source dated by its path"))
        .when(pl.col("received_at") > latest_at)
        .then(pl.lit("its path or its store dates it more than a day ahead of the listing"))
        .otherwise(None)
    )
