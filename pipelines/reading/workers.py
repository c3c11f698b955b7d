"""Workers: landed files become parsed Parquet, on all cores.

Belongs here: what one worker process does with its share of a batch's files. Must not be
put here: verdicts, or anything that reads or writes the lake.

A file is parsed whole or not at all: one that turns out unreadable leaves no row behind.
Workers are spawned, never forked, and die with the process that started them.
"""

import ctypes
import hashlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from pipelines.landing.store import Landing
from pipelines.reading.dialects import Dialect
from pipelines.reading.files import parsed_chunks
from pipelines.reading.hold_rule import HoldRule, RejectionTally
from pipelines.reading.parse import FileOrigin, ParsedChunk
from pipelines.vocabulary.errors import UnreadableFileError

PARALLEL_BYTES_MIN = 8 * 1024 * 1024
"""Landed bytes below which starting processes costs more than they save."""

_TASK_BYTES = 32 * 1024 * 1024
_PART_ROWS = 250_000


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


def parse_files(
    landing: Landing,
    files: list[LandedFile],
    folder: Path,
    processes: int,
    hold: HoldRule | None = None,
) -> ParsedBatch:
    """Parses every file into Parquet parts below `folder`; one bad file costs no other.

    Without a rule no file is held.

    Raises:
        LandingError: the store does not answer.
    """
    if not files:
        return ParsedBatch((), (), ())
    folder.mkdir(parents=True, exist_ok=True)
    tasks = list(_tasks(files))
    if (
        processes == 1
        or len(tasks) == 1
        or sum(file.size_bytes for file in files) < (PARALLEL_BYTES_MIN)
    ):
        batches = [
            _parse_task(landing, task, folder / f"{i:06d}", hold) for i, task in enumerate(tasks)
        ]
    else:
        with ProcessPoolExecutor(
            max_workers=processes,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_die_with_parent,
            initargs=(os.getpid(),),
        ) as pool:
            futures = [
                pool.submit(_parse_task, landing, task, folder / f"{i:06d}", hold)
                for i, task in enumerate(tasks)
            ]
            batches = [future.result() for future in futures]
    return ParsedBatch(
        files=tuple(sorted((f for b in batches for f in b.files), key=lambda f: f.file_id)),
        events=tuple(path for b in batches for path in b.events),
        rejections=tuple(path for b in batches for path in b.rejections),
    )


def _tasks(files: list[LandedFile]) -> Iterator[list[LandedFile]]:
    task: list[LandedFile] = []
    task_bytes = 0
    for file in files:
        if task and task_bytes + file.size_bytes > _TASK_BYTES:
            yield task
            task, task_bytes = [], 0
        task.append(file)
        task_bytes += file.size_bytes
    if task:
        yield task


def _parse_task(
    landing: Landing, task: list[LandedFile], prefix: Path, hold: HoldRule | None
) -> ParsedBatch:
    parts = Parts(prefix)
    files = tuple(_parse_file(landing, file, parts, hold) for file in task)
    events, rejections = parts.finish()
    return ParsedBatch(files, events, rejections)


def _parse_file(
    landing: Landing, file: LandedFile, parts: "Parts", hold: HoldRule | None
) -> ParsedFile:
    digest = hashlib.sha256()
    tally = RejectionTally()
    raw_bytes = lines = blank = 0

    def measured(blocks: Iterator[bytes]) -> Iterator[bytes]:
        nonlocal raw_bytes
        for block in blocks:
            digest.update(block)
            raw_bytes += len(block)
            yield block

    try:
        with landing.opened(file.path, file.etag, file.size_bytes) as landed:
            for parsed in parsed_chunks(
                landed, file.path, file.size_bytes, file.origin, file.dialect, measured
            ):
                lines += parsed.lines
                blank += parsed.blank
                tally.add(parsed.rejections)
                parts.add(parsed)
    except UnreadableFileError as error:
        parts.forget_file()
        return ParsedFile(file.origin.file_id, str(error), 0, "", 0, 0)
    held = tally.hold_reason(hold, lines, blank)
    if held:
        parts.forget_events()
    parts.keep_file()
    return ParsedFile(
        file.origin.file_id, None, raw_bytes, digest.hexdigest(), lines, blank, tally.rejected, held
    )


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
        if _rows(self._of_file) >= _PART_ROWS:
            self._parts_of_file.append(self._write(self._of_file))
            self._of_file = []

    def keep_file(self) -> None:
        """The file was read to its end: its rows stay."""
        self._pending += self._of_file
        self._parts += self._parts_of_file
        self._of_file, self._parts_of_file = [], []
        if _rows(self._pending) >= _PART_ROWS:
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


def _die_with_parent(parent: int) -> None:
    """Ends this worker when the run's process ends, however that ends."""
    if sys.platform == "linux":
        set_death_signal = 1  # PR_SET_PDEATHSIG, linux/prctl.h
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
    if os.getppid() != parent:  # It died before we asked.
        os._exit(1)
