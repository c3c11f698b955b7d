"""Verdict rows: what a batch and a replay both write: Parquet of events, file decisions."""

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.reading.parts import ParsedFile
from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.frames import REJECTIONS
from pipelines.vocabulary.tables import FILE_DECISIONS, HELD_NAMES, LakeTable
from pipelines.vocabulary.verdicts import FileStatus, Verdict

EVENTS_PER_GROUP = 1_500_000
"""Events decided at a time; they take about 2 GiB of memory at most."""

ROW_GROUP_ROWS = 32_768
"""Rows of a row group. A look-up of one name reads at least one group of each file."""

_HASHES = 2**64


def groups(
    parts: tuple[Path, ...],
    narrowed: Callable[[pl.LazyFrame], pl.LazyFrame] = lambda events: events,
) -> Iterator[pl.DataFrame]:
    """Parsed events, one frame of about `EVENTS_PER_GROUP` rows per range of key hashes.

    Events of one key are in one group, so each group can be decided alone. This bounds memory.

    Args:
        parts: Parquet files of parsed events.
        narrowed: keeps the events that are to be decided; all of them by default.
    """
    if not parts:
        return
    events = narrowed(pl.scan_parquet(list(parts)))
    rows = events.select(pl.len()).collect().item()
    count = math.ceil(rows / EVENTS_PER_GROUP)
    for number in range(count):
        first = pl.lit(_HASHES * number // count, pl.UInt64)
        last = pl.lit(_HASHES * (number + 1) // count - 1, pl.UInt64)
        yield events.filter(pl.col("key_hash").is_between(first, last)).collect()


def write_rows(table: LakeTable, rows: pl.DataFrame, batch_id: int, path: Path) -> Path:
    """The path, once `rows` are written there with the table's columns, in the order of the lake.

    The order is that of `vocabulary.tables.events`. `reading.scanner.rows` has it for streams.

    Args:
        table: the table of the lake; a column that `rows` lacks is null.
        rows: one row per line.
        batch_id: written into each row.
        path: the Parquet file to write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    name = pl.coalesce("customer_ref", "subscription_ref", pl.lit(""))
    rows.select(
        pl.lit(batch_id).cast(column.dtype).alias(column.name)
        if column.name == "batch_id"
        else pl.col(column.name).cast(column.dtype)
        if column.name in rows.columns
        else pl.lit(None, column.dtype).alias(column.name)
        for column in table.columns
    ).sort(name, "event_name", "occurred_at", "file_id", "line").write_parquet(
        path, compression="zstd", compression_level=1, row_group_size=ROW_GROUP_ROWS
    )
    return path


def in_earlier_order(path: Path) -> Path:
    """The path of a copy beside it, as `write_rows` wrote the rows before they were sorted by name.

    A rebuilt file must have the bytes that were committed. Batches of earlier versions stay in the
    lake with their rows by (file_id, line).

    Args:
        path: a file of `write_rows`.
    """
    earlier = path.with_suffix(".by-place.parquet")
    pl.read_parquet(path).sort("file_id", "line").write_parquet(
        earlier, compression="zstd", compression_level=1, row_group_size=131_072
    )
    return earlier


def unread_lines(parts: tuple[Path, ...]) -> pl.LazyFrame:
    """One row per line that is no event, with its verdict: rejected or not usage.

    The names that only a held file needs are left out.

    Args:
        parts: Parquet files; schema `REJECTIONS`.
    """
    rows = pl.scan_parquet(list(parts)) if parts else pl.LazyFrame(schema=REJECTIONS)
    verdict = (
        pl.when(pl.col("reason_code").is_null())
        .then(pl.lit(Verdict.NOT_USAGE.value))
        .otherwise(pl.lit(Verdict.REJECTED.value))
    )
    return rows.drop("customer_ref", "subscription_ref").with_columns(verdict.alias("verdict"))


def held_name_rows(
    parts: tuple[Path, ...], batch_id: int, revisions: Mapping[int, int]
) -> pl.DataFrame:
    """The names in held files; schema of `held_names`.

    Args:
        parts: Parquet files of names; schema `NAMES_IN_LINES`.
        batch_id: number of the transaction.
        revisions: revision of each file that is decided now; other files have no row.
    """
    if not parts:
        return pl.DataFrame(schema=HELD_NAMES.schema)
    names = pl.read_parquet(list(parts)).filter(pl.col("file_id").is_in(list(revisions)))
    return names.with_columns(
        pl.lit(batch_id, pl.Int64).alias("batch_id"),
        pl.col("file_id").replace_strict(revisions, return_dtype=pl.Int32).alias("revision"),
    ).select(*HELD_NAMES.schema)


def decision_row(
    file: ParsedFile, counts: Mapping[str, int], batch_id: int, revision: int, name: str
) -> dict[str, Any]:
    """The row of `file_decisions` of one file.

    Args:
        file: the file as it was read.
        counts: number of its lines by verdict; a verdict that is missing has 0 lines.
        batch_id: number of the transaction.
        revision: 0 for the first decision, 1 more for each replay that changes the file.
        name: the file's name in the message of the error.

    Raises:
        InvariantError: the verdicts do not add up to the file's lines.
    """
    unread = file.blank + file.rejected + file.not_usage
    held = file.lines - unread if file.held else 0
    decided = sum(counts.values()) + file.blank + held
    if decided != file.lines:
        raise InvariantError(
            f"{name}: expected {file.lines} lines decided, found {decided} "
            f"({dict(counts)}, {file.blank} blank, {held} held); nothing was written"
        )
    is_read = file.unreadable is None
    status = FileStatus.HELD if file.held else FileStatus.DECIDED
    return {
        "batch_id": batch_id,
        "file_id": file.file_id,
        "revision": revision,
        "status": status if is_read else FileStatus.QUARANTINED,
        "reason_code": None if is_read else file.unreadable_reason,
        "reason": file.unreadable or file.held,
        "raw_bytes": file.raw_bytes if is_read else None,
        "raw_sha256": file.raw_sha256 if is_read else None,
        "lines": file.lines,
        "blank": file.blank,
        "held": held,
        **{verdict.value: counts.get(verdict.value, 0) for verdict in Verdict},
    }


def decision_rows(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """The rows of `decision_row` as a frame with the schema of `file_decisions`."""
    return pl.DataFrame(rows, schema=FILE_DECISIONS.schema)
