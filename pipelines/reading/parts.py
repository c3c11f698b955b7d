"""The results of reading files: parsed rows as Parquet parts, and one row of counts per file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from pipelines.reading.dialects import Dialect
from pipelines.reading.held_names import names_in
from pipelines.reading.parse import FileOrigin, ParsedChunk
from pipelines.vocabulary.verdicts import Reason

PART_ROWS = 250_000
"""A part is written when it has this many rows, events and rejections together."""


@dataclass(frozen=True)
class LandedFile:
    """One file version to read.

    Attributes:
        path: the file's path below the landing.
        etag: the version's etag, as listed.
        size_bytes: the version's size as listed, compressed if it is.
        dialect: the reader of its source's events.
        origin: the columns that all its rows share.
    """

    path: str
    etag: str
    size_bytes: int
    dialect: Dialect
    origin: FileOrigin


@dataclass(frozen=True)
class ParsedFile:
    """The counts of one file, or the reason why it is quarantined or held.

    Of a held file only the rejections and the names in its lines are kept. Its events wait, and
    claim no key.

    Attributes:
        file_id: the file's number in the registry.
        unreadable: why the file is quarantined. None: it was read to its end.
        raw_bytes: decompressed bytes.
        raw_sha256: SHA-256 of the decompressed bytes, in hex.
        lines: number of lines, blank ones included.
        blank: number of lines that hold only white space.
        rejected: number of lines that the parser rejected.
        held: why the file is held. None: it is not held.
        not_usage: number of lines that are not usage.
        unreadable_reason: the reason code, if the file is quarantined.
    """

    file_id: int
    unreadable: str | None
    raw_bytes: int
    raw_sha256: str
    lines: int
    blank: int
    rejected: int = 0
    held: str | None = None
    not_usage: int = 0
    unreadable_reason: str = Reason.UNREADABLE_FILE.value


@dataclass(frozen=True)
class ParsedBatch:
    """The results of all files of a batch.

    Attributes:
        files: one per file version, by `file_id`.
        events: Parquet parts, each sorted by `key_hash`; schema `PARSED_EVENTS`.
        rejections: Parquet parts; schema `REJECTIONS`.
        accepted: Parquet files of `accepted_events`, with the events that were accepted while
            their file was read.
        passed: number of these events by `file_id`.
        scanned: number of lines that the compiled scanner read.
        held_names: Parquet parts of the names in held files; schema `NAMES_IN_LINES`.
    """

    files: tuple[ParsedFile, ...]
    events: tuple[Path, ...]
    rejections: tuple[Path, ...]
    accepted: tuple[Path, ...] = ()
    passed: Mapping[int, int] = field(default_factory=dict)
    scanned: int = 0
    held_names: tuple[Path, ...] = ()


class Parts:
    """Writes parsed rows in Parquet parts, and can still drop the rows of the current file.

    The parts of the current file are kept apart from those of finished files. So a file of any
    size takes bounded memory, and its rows can be dropped at its end.

    Args:
        prefix: the beginning of the path of every part.
    """

    def __init__(self, prefix: Path) -> None:
        self._prefix = prefix
        self._pending: list[ParsedChunk] = []
        self._of_file: list[ParsedChunk] = []
        self._parts_of_file: list[tuple[Path | None, Path | None]] = []
        self._parts: list[tuple[Path | None, Path | None]] = []
        self._written = 0
        self._held_names: list[Path] = []

    def add(self, parsed: ParsedChunk) -> None:
        """Adds rows of the current file."""
        self._of_file.append(parsed)
        if _rows(self._of_file) >= PART_ROWS:
            self._parts_of_file.append(self._write(self._of_file))
            self._of_file = []

    def keep_file(self) -> None:
        """Keeps the rows of the current file, which was read to its end."""
        self._pending += self._of_file
        self._parts += self._parts_of_file
        self._of_file, self._parts_of_file = [], []
        if _rows(self._pending) >= PART_ROWS:
            self._flush()

    def hold_file(self) -> None:
        """Drops the events of the current file; keeps its rejections and the names in its lines."""
        parts = self._parts_of_file
        names = names_in(
            [chunk.events.lazy() for chunk in self._of_file]
            + [pl.scan_parquet(events) for events, _ in parts if events],
            [chunk.rejections.lazy() for chunk in self._of_file]
            + [pl.scan_parquet(rejections) for _, rejections in parts if rejections],
        )
        place = Path(f"{self._prefix}-names-{len(self._held_names) + 1:06d}.parquet")
        written = _write_part(names, place)
        self._held_names += [written] if written else []
        self._of_file = [replace(chunk, events=chunk.events.clear()) for chunk in self._of_file]
        for events, _ in parts:
            if events:
                events.unlink()
        self._parts_of_file = [(None, rejections) for _, rejections in parts]
        self.keep_file()

    def forget_file(self) -> None:
        """Drops all rows of the current file, which could not be read to its end."""
        for part in self._parts_of_file:
            for path in part:
                if path:
                    path.unlink()
        self._of_file, self._parts_of_file = [], []

    def finish(self) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        """Writes the last part. Returns the parts of events and those of rejections."""
        self._flush()
        return (
            tuple(events for events, _ in self._parts if events),
            tuple(rejections for _, rejections in self._parts if rejections),
        )

    @property
    def held_names(self) -> tuple[Path, ...]:
        """The parts of the names in held files."""
        return tuple(self._held_names)

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
