"""Discovery: finds the new file versions in a listing, and when each was received.

Pure: the listing and the registry enter as frames.

Invariant: listed = known + new + ignored. Each ignored object has its reason. One that could be
usage is also among those that wait.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

import polars as pl

from pipelines.landing.path_dates import dated_by_path
from pipelines.vocabulary.frames import UNFINISHED, WAITING
from pipelines.vocabulary.tables import LANDING_FILES, UTC_MICROSECONDS

_UNFINISHED = "unfinished upload (the name begins with _ or . or ends in .tmp or .part)"
_LEFT_OUT = "left out by `paths` of its source: "
_IN_NO_FOLDER = "it stands in no folder, so no source sent it; move it into its source's folder"
_LINK_TO_FOLDER = "a link to a folder, which is not followed; put the files themselves there"

UNFINISHED_NAME = re.compile(r"(^|/)[_.][^/]*|\.(tmp|part)$")
"""Names of unfinished uploads. They are counted, and not read."""

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
        listed: number of objects in the landing, known ones included.
        waiting: the ignored objects that could be usage; schema `WAITING`, by `file_id`.
        unfinished: the ignored objects whose upload may still go on; schema `UNFINISHED`.
        unmatched: a sentence for each pattern in `paths` that matches no object of its source.
    """

    files: pl.DataFrame
    ignored: pl.DataFrame
    listed: int
    waiting: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=WAITING))
    unfinished: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=UNFINISHED))
    unmatched: tuple[str, ...] = ()


def discover(
    listing: pl.DataFrame,
    registry: pl.DataFrame,
    sources: pl.DataFrame,
    listed_at: datetime | None = None,
) -> Discovery:
    """The file versions that the registry lacks, each with the next `file_id`.

    A version is known by (path, etag, size), so an overwritten file lands a new version. New
    versions are numbered by (received_at, path, etag). Objects outside any folder belong to no
    sender. They are ignored, and hold nothing back.

    Args:
        listing: one row per object, schema `LISTING`, in any order.
        registry: one row per known version, schema of `landing_files`.
        sources: one row per sender, schema `SOURCES`.
        listed_at: when the listing began. None: files dated in the future are accepted.
    """
    objects = listing.with_columns(pl.col("path").str.extract("^([^/]*)/").alias("source"))
    left_out, unmatched = _left_out(objects, sources)
    sourced = (
        objects.join(
            sources.select("source", "dialect", "dedupe_scope", "received_at_from"),
            on="source",
            how="left",
        )
        .join(left_out, on="path", how="left")
        .with_columns(_received_at().alias("received_at"))
    )
    judged = sourced.with_columns(_ignored_reason(listed_at).alias("reason"))
    is_read = pl.col("reason").is_null()
    last_file_id = int(registry["file_id"].cast(pl.Int64).max() or 0)  # type: ignore[arg-type]
    unknown = judged.join(registry, on=["path", "etag", "size_bytes"], how="anti")
    files = (
        unknown.filter(is_read)
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
    is_unfinished = pl.col("reason") == _UNFINISHED
    could_be_usage = ~is_read & ~is_unfinished & _holds_something()
    waiting = (
        unknown.filter(could_be_usage)
        .with_columns(pl.coalesce("received_at", "modified_at").alias("received_at"))
        .sort("received_at", "path")
        .with_row_index("file_id", offset=last_file_id + files.height + 1)
    )
    is_upload = is_unfinished & pl.col("dialect").is_not_null() & (pl.col("size_bytes") > 0)
    return Discovery(
        files=files,
        ignored=judged.filter(~is_read).select("path", "reason").sort("path"),
        listed=objects.height,
        waiting=waiting.select(WAITING.names()).cast(WAITING),
        unfinished=unknown.filter(is_upload).select(UNFINISHED.names()).sort("modified_at", "path"),
        unmatched=unmatched,
    )


def _holds_something() -> pl.Expr:
    """True for an object that has bytes or links to a folder, unless a pattern leaves it out.

    One outside any folder is no sender's, whatever it holds.
    """
    is_filled = (pl.col("size_bytes") > 0) | pl.col("path").str.ends_with("/")
    return is_filled & pl.col("patterns").is_null() & pl.col("source").is_not_null()


def is_harmless(reason: str) -> bool:
    """True if nobody need look at an object that is not read for this reason."""
    return reason in (_UNFINISHED, _IN_NO_FOLDER) or reason.startswith(_LEFT_OUT)


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


def _left_out(objects: pl.DataFrame, sources: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The objects that no pattern of their source matches, and the patterns without an object.

    Returns:
        One row per object that is left out: `path`, `patterns`. And a sentence for each pattern.
    """
    left_out, unmatched = list[tuple[str, str]](), list[str]()
    narrowed = sources.select("source", "paths").filter(pl.col("paths").list.len() > 0)
    for source, patterns in narrowed.iter_rows():
        used = set[str]()
        for path in objects.filter(pl.col("source") == source)["path"]:
            below = path.removeprefix(f"{source}/")
            matching = {pattern for pattern in patterns if fnmatchcase(below, pattern)}
            used |= matching
            if not matching:
                left_out.append((path, ";".join(patterns)))
        unmatched += [
            f"source {source!r}: no object matches {pattern!r} of `paths` in sources.csv"
            for pattern in patterns
            if pattern not in used
        ]
    schema = {"path": pl.String(), "patterns": pl.String()}
    return pl.DataFrame(left_out, schema=schema, orient="row"), tuple(unmatched)


def _received_at() -> pl.Expr:
    return (
        pl.when(pl.col("received_at_from") == "path")
        .then(dated_by_path(pl.col("path")))
        .otherwise(pl.col("modified_at"))
        .cast(UTC_MICROSECONDS)
    )


def _ignored_reason(listed_at: datetime | None) -> pl.Expr:
    latest_at = datetime.max.replace(tzinfo=UTC) if listed_at is None else listed_at + AHEAD_MAX
    return (
        pl.when(pl.col("patterns").is_not_null())
        .then(pl.format(_LEFT_OUT + "{}", "patterns"))
        .when(pl.col("path").str.contains(UNFINISHED_NAME.pattern))
        .then(pl.lit(_UNFINISHED))
        .when(pl.col("source").is_null())
        .then(pl.lit(_IN_NO_FOLDER))
        .when(pl.col("path").str.ends_with("/"))
        .then(pl.lit(_LINK_TO_FOLDER))
        .when(pl.col("dialect").is_null())
        .then(pl.format("no row for source '{}' in sources.csv", "source"))
        .when(pl.col("received_at").is_null())
        .then(pl.lit("no date like 2026/01/10/10/ in the path of a source dated by its path"))
        .when(pl.col("received_at") > latest_at)
        .then(pl.lit("its path or its store dates it more than a day ahead of the listing"))
        .otherwise(None)
    )
