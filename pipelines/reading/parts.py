"""Parts: what reading files gives, as Parquet parts and one row of counts a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from pipelines.reading.dialects import Dialect
from pipelines.reading.parse import FileOrigin, ParsedChunk

PART_ROWS = 250_000
"""Rows of one part, events and rejections together."""


@dataclass(frozen=True)
class LandedFile:
    """One file version to parse, as the registry and its source describe it."""

    path: str
    etag: str
    size_bytes: int
    dialect: Dialect
    origin: FileOrigin


@dataclass(frozen=True)
class ParsedFile:
    """What parsing one file gave: counts, or why it is quarantined or held.

    Only the rejections of a held file are kept; its events wait and claim no key.
    """

    file_id: int
    unreadable: str | None
    raw_bytes: int
    raw_sha256: str
    lines: int
    blank: int
    rejected: int = 0
    held: str | None = None


@dataclass(frozen=True)
class ParsedBatch:
    """What all workers gave.

    Attributes:
        files: one per file version, by file_id.
        events: Parquet parts, schema `PARSED_EVENTS`, each sorted by key_hash.
        rejections: Parquet parts, schema `REJECTIONS`.
        accepted: Parquet files of `accepted_events`: events that need no deciding.
        passed: number of these by file_id.
        scanned: lines that the compiled scanner read.
    """

    files: tuple[ParsedFile, ...]
    events: tuple[Path, ...]
    rejections: tuple[Path, ...]
    accepted: tuple[Path, ...] = ()
    passed: Mapping[int, int] = field(default_factory=dict)
    scanned: int = 0


class Parts:
    """Parsed rows, written out in parts; the rows of a bad file are forgotten.

    Parts of a file still being read are kept apart from those of files read to their end,
    so a file of any size takes bounded memory and can still be taken back.
    """

    def __init__(self, prefix: Path) -> None:
        self._prefix = prefix
        self._pending: list[ParsedChunk] = []
        self._of_file: list[ParsedChunk] = []
        self._parts_of_file: list[tuple[Path | None, Path | None]] = []
        self._parts: list[tuple[Path | None, Path | None]] = []
        self._written = 0

    def add(self, parsed: ParsedChunk) -> None:
        """Takes rows of the file that is being read."""
        self._of_file.append(parsed)
        if _rows(self._of_file) >= PART_ROWS:
            self._parts_of_file.append(self._write(self._of_file))
            self._of_file = []

    def keep_file(self) -> None:
        """The file was read to its end: its rows stay."""
        self._pending += self._of_file
        self._parts += self._parts_of_file
        self._of_file, self._parts_of_file = [], []
        if _rows(self._pending) >= PART_ROWS:
            self._flush()

    def forget_events(self) -> None:
        """Of the file just read only the rejections are kept."""
        self._of_file = [replace(chunk, events=chunk.events.clear()) for chunk in self._of_file]
        for events, _ in self._parts_of_file:
            if events:
                events.unlink()
        self._parts_of_file = [(None, rejections) for _, rejections in self._parts_of_file]

    def forget_file(self) -> None:
        """The file could not be read to its end: its rows go."""
        for part in self._parts_of_file:
            for path in part:
                if path:
                    path.unlink()
        self._of_file, self._parts_of_file = [], []

    def finish(self) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        """The parts of events and of rejections, once all are written."""
        self._flush()
        return (
            tuple(events for events, _ in self._parts if events),
            tuple(rejections for _, rejections in self._parts if rejections),
        )

    def _flush(self) -> None:
        if self._pending:
            self._parts.append(self._write(self._pending))
            self._pending = []

    def _write(self, chunks: list[ParsedChunk]) -> tuple[Path | None, Path | None]:
        self._written += 1
        place = f"{self._prefix}-{self._written:06d}"
        events = pl.concat([chunk.events for chunk in chunks])
        rejections = pl.concat([chunk.rejections for chunk in chunks])
        return (
            _write_part(events.sort("key_hash"), Path(f"{place}-events.parquet")),
            _write_part(rejections, Path(f"{place}-rejections.parquet")),
        )


def _rows(chunks: list[ParsedChunk]) -> int:
    return sum(chunk.events.height + chunk.rejections.height for chunk in chunks)


def _write_part(rows: pl.DataFrame, path: Path) -> Path | None:
    if not rows.height:
        return None
    rows.write_parquet(path, compression="lz4")
    return path
