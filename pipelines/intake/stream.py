"""Stream: files with one event per line are scanned, sifted and staged in one pass.

1. `_scan` reads a file to its end, in a thread. Nothing of an unreadable file goes further, and
   only the rejections of a held one.
2. `_sifted` separates the events that pass the sieve from those that must be decided. Files come
   in the order of the registry.
3. `_write_part` writes the events that passed as a Parquet file of the lake, in a thread. Each
   file is sorted by name, event and time. The others are written as parsed parts, as the slower
   readers write them, and `verdict_rows` sorts them.

A few files are in memory at a time. A file of more than `FILE_BYTES_HELD` is not kept: step 2 reads
it a second time, chunk by chunk.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.intake.key_filter import KeyFilter
from pipelines.intake.sieve import PlainTimes, Sieve
from pipelines.intake.verdict_rows import ROW_GROUP_ROWS
from pipelines.landing.store import Landing
from pipelines.reading.dialects import Dialect
from pipelines.reading.file_reading import FileReading, unreadable
from pipelines.reading.formats.lines import Chunk
from pipelines.reading.hold_rule import HoldRule
from pipelines.reading.parse import FileOrigin, ParsedChunk
from pipelines.reading.parts import LandedFile, ParsedBatch, ParsedFile, Parts
from pipelines.reading.scanner.columns import ScannedChunk, scan_chunk
from pipelines.reading.scanner.forms import scan_form
from pipelines.reading.scanner.lines import Form
from pipelines.reading.scanner.rows import EventRows, Rows, parsed_rows
from pipelines.vocabulary.errors import LandingError, UnreadableFileError
from pipelines.vocabulary.tables import ACCEPTED_EVENTS

FILE_BYTES_HELD = 128 * 1024 * 1024
"""Decompressed bytes of one file that are kept in memory at most."""

BATCH_KEYS = 64_000_000
"""Keys for which the filter of a batch has room (128 MiB). With more, too many are decided."""

PART_ROWS = 500_000
"""Events in one Parquet file of the lake, about."""

PART_BYTES = 1024 * 1024 * 1024
"""Bytes of the buffers behind one Parquet file, about. So no column of it reaches 2 GiB of text."""

_DICTIONARIES = [
    "batch_id",
    "file_id",
    "source",
    "dedupe_scope",
    "customer_ref",
    "subscription_ref",
    "event_name",
    "received_at",
    "properties.key_value.key",
]
# Numbers that grow from row to row are written as differences, in a sixth of the bytes.
_DIFFERENCES = ("line", "byte_offset", "byte_length", "occurred_at")
# Compression gains nothing on random bytes, and too little on differences for the time it takes.
_INCOMPRESSIBLE = ("key_hash", "idempotency_key", "payload_digest", *_DIFFERENCES)
_STATISTICS = [
    "batch_id",
    "file_id",
    "line",
    "key_hash",
    "customer_ref",
    "subscription_ref",
    "event_name",
    "occurred_at",
    "received_at",
]

ReadChunk = ScannedChunk | ParsedChunk
"""A chunk as the scanner read it, or the strict reader where the scanner could not."""


def can_stream(file: LandedFile) -> bool:
    """True if the scanner knows the file's dialect."""
    return scan_form(file.dialect.form, file.origin.dedupe_scope) is not None


def stream_files(
    landing: Landing,
    files: list[tuple[LandedFile, PlainTimes]],
    others: ParsedBatch,
    held: list[KeyFilter],
    folder: Path,
    batch_id: int,
    threads: int,
    hold: HoldRule | None = None,
) -> ParsedBatch:
    """The whole batch, `others` included: its events staged, and counts per file.

    An unreadable file does not affect the other files.

    Args:
        landing: the store that holds the files.
        files: the files in the order of the registry, each with its bounds of time.
        others: the files of the batch that slower readers parsed; their keys count as seen.
        held: filters that together have every key accepted before.
        folder: folder of the parts, and of the Parquet files of the events that passed.
        batch_id: written into each row.
        threads: files scanned at a time, and Parquet files written at a time.
        hold: the rule by which a file is held. None: no file is held.

    Raises:
        LandingError: the store does not answer, or a file changed between two readings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sieve = Sieve(held, KeyFilter.made_for(BATCH_KEYS))
    for path in others.events:
        sieve.note(pl.read_parquet(path, columns=["key_hash"])["key_hash"].to_numpy())
    parts = Parts(folder / "streamed")
    parsed: list[ParsedFile] = []
    passed: dict[int, int] = {}
    scanned = 0
    with ThreadPoolExecutor(threads) as pool:
        writer = _Writer(pool, folder, batch_id, threads)
        scans = _in_order(pool, landing, [file for file, _ in files], threads, hold)
        for (file, times), (found, chunks) in zip(files, scans, strict=True):
            parsed.append(found)
            if found.unreadable is None:
                passed[found.file_id] = 0
                for chunk in _read_again(landing, file, found) if chunks is None else chunks:
                    if found.held:
                        parts.add(_parsed(chunk))
                        continue
                    rows = _sifted(chunk, sieve, times, parts)
                    if isinstance(chunk, ScannedChunk):
                        writer.add(chunk, rows)
                        scanned += chunk.lines - chunk.left.lines
                    passed[found.file_id] += len(rows)
                if found.held:
                    parts.hold_file()
                else:
                    parts.keep_file()
        accepted = writer.finish()
    events, rejections = parts.finish()
    return ParsedBatch(
        files=tuple(sorted((*others.files, *parsed), key=lambda file: file.file_id)),
        events=(*others.events, *events),
        rejections=(*others.rejections, *rejections),
        accepted=accepted,
        passed=passed,
        scanned=scanned,
        held_names=(*others.held_names, *parts.held_names),
    )


def _parsed(chunk: ReadChunk) -> ParsedChunk:
    """The chunk with all of its events, as the strict reader makes it."""
    if isinstance(chunk, ParsedChunk):
        return chunk
    events = pl.concat([chunk.left.events, parsed_rows(chunk, np.arange(chunk.events))])
    return replace(chunk.left, events=events, lines=chunk.lines, blank=chunk.blank)


def _sifted(chunk: ReadChunk, sieve: Sieve, times: PlainTimes, parts: Parts) -> Rows:
    """The rows of the chunk's events that pass; its other events and rejections join the parts."""
    if isinstance(chunk, ParsedChunk):
        sieve.note(chunk.events["key_hash"].to_numpy())
        parts.add(chunk)
        return np.empty(0, np.int64)
    sieve.note(chunk.left.events["key_hash"].to_numpy())
    passes = sieve.passing(chunk.key_hash, chunk.occurred_at, times)
    parts.add(chunk.left)
    if not passes.all():
        contested = parsed_rows(chunk, np.flatnonzero(~passes))
        parts.add(ParsedChunk(contested, chunk.left.rejections.clear(), contested.height, 0))
    return np.flatnonzero(passes)


def _in_order(
    pool: ThreadPoolExecutor,
    landing: Landing,
    files: list[LandedFile],
    ahead: int,
    hold: HoldRule | None,
) -> Iterator[tuple[ParsedFile, list[ReadChunk] | None]]:
    """The outcome of `_scan` for each file, in order; up to `ahead` files are scanned ahead."""
    scans = deque[Future[tuple[ParsedFile, list[ReadChunk] | None]]]()
    for file in files:
        scans.append(pool.submit(_scan, landing, file, hold))
        if len(scans) > ahead:
            yield scans.popleft().result()
    while scans:
        yield scans.popleft().result()


def _scan(
    landing: Landing, file: LandedFile, hold: HoldRule | None
) -> tuple[ParsedFile, list[ReadChunk] | None]:
    """A file read to its end, and its chunks; None instead of chunks that are too large to keep."""
    reading = FileReading(landing, file, _LineReader(file))
    held: list[ReadChunk] | None = []
    try:
        for chunk in reading.chunks():
            if reading.raw_bytes > FILE_BYTES_HELD:
                held = None
            if held is not None:
                held.append(chunk)
    except UnreadableFileError as error:
        return unreadable(file, error), []
    return reading.parsed_file(hold), held


def _read_again(landing: Landing, file: LandedFile, found: ParsedFile) -> Iterator[ReadChunk]:
    """The chunks of a file that was read to its end before, one by one."""
    reading = FileReading(landing, file, _LineReader(file))
    yield from reading.chunks()
    if reading.parsed_file(None).raw_sha256 != found.raw_sha256:
        raise LandingError(f"{file.path} changed while it was read; run again")


class _LineReader:
    """Reads the chunks of one file with the scanner."""

    def __init__(self, file: LandedFile) -> None:
        form = scan_form(file.dialect.form, file.origin.dedupe_scope)
        assert form is not None  # noqa: S101 -- see `can_stream`
        self._form: Form = form

    def __call__(self, chunk: Chunk, origin: FileOrigin, dialect: Dialect) -> ScannedChunk:
        return scan_chunk(chunk, origin, self._form, dialect)


class _Writer:
    """Writes the events that passed as Parquet files, in threads."""

    def __init__(self, pool: ThreadPoolExecutor, folder: Path, batch_id: int, ahead: int) -> None:
        self._pool = pool
        self._folder = folder
        self._batch_id = batch_id
        self._ahead = ahead
        self._pending: list[tuple[ScannedChunk, Rows]] = []
        self._rows = 0
        self._bytes = 0
        self._writes: list[Future[Path]] = []

    def add(self, chunk: ScannedChunk, rows: Rows) -> None:
        """Adds the events of a chunk at the given rows."""
        if len(rows):
            self._pending.append((chunk, rows))
            self._rows += len(rows)
            self._bytes += chunk.buffer.nbytes
        if self._rows >= PART_ROWS or self._bytes >= PART_BYTES:
            self._submit()

    def finish(self) -> tuple[Path, ...]:
        """The paths of all files, once they are written."""
        if self._pending:
            self._submit()
        return tuple(write.result() for write in self._writes)

    def _submit(self) -> None:
        # A file that waits to be written keeps its chunks in memory, so only a few may wait.
        if len(self._writes) >= self._ahead:
            self._writes[-self._ahead].result()
        path = self._folder / f"passed-{len(self._writes):05d}.parquet"
        self._writes.append(self._pool.submit(_write_part, path, self._pending, self._batch_id))
        self._pending, self._rows, self._bytes = [], 0, 0


def _write_part(path: Path, chosen: list[tuple[ScannedChunk, Rows]], batch_id: int) -> Path:
    """One Parquet file of `accepted_events`, its rows in the order of the lake."""
    events = EventRows(chosen, is_sorted=True)
    for chunk, _ in chosen:
        chunk.release()
    writer: pq.ParquetWriter | None = None
    for rows in events.tables(ROW_GROUP_ROWS):
        group = _lake_rows(rows, batch_id)
        if writer is None:
            writer = pq.ParquetWriter(
                path,
                group.schema,
                compression={
                    column: "none" if column in _INCOMPRESSIBLE else "lz4"
                    for column in _leaves(group.schema)
                },
                use_dictionary=_DICTIONARIES,
                column_encoding=dict.fromkeys(_DIFFERENCES, "DELTA_BINARY_PACKED"),
                write_statistics=_STATISTICS,
                store_schema=False,
            )
        writer.write_table(group, row_group_size=group.num_rows)
    assert writer is not None  # noqa: S101 -- parts are not empty
    writer.close()
    return path


def _leaves(schema: pa.Schema) -> list[str]:
    """The columns as Parquet names them: the map `properties` is two columns."""
    names = [name for name in schema.names if name != "properties"]
    return [*names, "properties.key_value.key", "properties.key_value.value"]


def _lake_rows(events: pa.Table, batch_id: int) -> pa.Table:
    batch = pa.array(np.full(events.num_rows, batch_id, np.int64))
    columns = [
        batch
        if name == "batch_id"
        else events[name]
        if name in events.column_names
        else pa.nulls(events.num_rows, pa.string())
        for name in ACCEPTED_EVENTS.column_names
    ]
    return pa.table(columns, names=list(ACCEPTED_EVENTS.column_names))
