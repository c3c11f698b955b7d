"""Rows that a batch and a replay write alike: events by group, Parquet parts, file decisions."""

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.reading.parts import ParsedFile
from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.tables import FILE_DECISIONS, LakeTable
from pipelines.vocabulary.verdicts import FileStatus, Reason, Verdict

EVENTS_PER_GROUP = 1_500_000
"""Events decided at a time; about 2 GiB at the widest."""

_HASHES = 2**64


def groups(
    parts: tuple[Path, ...],
    narrowed: Callable[[pl.LazyFrame], pl.LazyFrame] = lambda events: events,
) -> Iterator[pl.DataFrame]:
    """Parsed events by range of key hash, each group at most about `EVENTS_PER_GROUP` rows.

    A key never leaves its range, so each group can be decided alone. This bounds memory.

    Args:
        parts: Parquet of parsed events.
        narrowed: chooses those that are decided.
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
    """A Parquet file of the table's columns, by place; columns that `rows` lacks are null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.sort("file_id", "line").select(
        pl.lit(batch_id).cast(column.dtype).alias(column.name)
        if column.name == "batch_id"
        else pl.col(column.name).cast(column.dtype)
        if column.name in rows.columns
        else pl.lit(None, column.dtype).alias(column.name)
        for column in table.columns
    ).write_parquet(path, compression="zstd", compression_level=1, row_group_size=131_072)
    return path


def decision_row(
    file: ParsedFile, counts: Mapping[str, int], batch_id: int, revision: int, name: str
) -> dict[str, Any]:
    """One row of `file_decisions`.

    Args:
        file: as it was read.
        counts: its lines by verdict; a verdict that is not there has none.
        batch_id: the transaction.
        revision: 0 for the first decision.
        name: of the file, for the message.

    Raises:
        InvariantError: the verdicts do not add up to the file's lines.
    """
    held = file.lines - file.blank - file.rejected if file.held else 0
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
        "reason_code": None if is_read else Reason.UNREADABLE_FILE,
        "reason": file.unreadable or file.held,
        "raw_bytes": file.raw_bytes if is_read else None,
        "raw_sha256": file.raw_sha256 if is_read else None,
        "lines": file.lines,
        "blank": file.blank,
        "held": held,
        **{verdict.value: counts.get(verdict.value, 0) for verdict in Verdict},
    }


def decision_rows(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows of `decision_row` as a frame of the table `file_decisions`."""
    return pl.DataFrame(rows, schema=FILE_DECISIONS.schema)
