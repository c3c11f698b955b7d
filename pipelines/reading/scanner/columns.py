"""Scanned chunks: runs the scanner over a chunk. `rows` makes columns of chosen events.

Invariant: the scanned events and the lines left to the strict reader give the same rows, byte for
byte, as the strict reader alone.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.reading.dialects import Dialect
from pipelines.reading.formats.lines import Chunk
from pipelines.reading.formats.records import BYTE_ORDER_MARK
from pipelines.reading.parse import FileOrigin, ParsedChunk
from pipelines.reading.scanner.compiled import WORD_BYTES, compiled
from pipelines.reading.scanner.json_tokens import MEMBERS_USUAL
from pipelines.reading.scanner.lines import (
    DISTINCT_NAMES,
    FOUND,
    LINE_BYTES_USUAL,
    LINES,
    ROWS,
    SLOTS,
    STRICT,
    Form,
    Room,
    Scanned,
    scan_lines,
)
from pipelines.reading.scanner.strict_lines import strict_lines
from pipelines.vocabulary.limits import NAME_BYTES_MAX


@dataclass(frozen=True)
class ScannedChunk:
    """One chunk after the scan.

    Attributes:
        origin: the columns that all rows of the file share.
        first_line: the number of the chunk's first line in its file.
        byte_offset: the place of the chunk's first byte in the decompressed file.
        buffer: the bytes of the chunk, and behind them the texts whose escapes were resolved.
        found: the places in the buffer that the scanner found.
        events: number of events that the scanner found.
        left: the events and rejections of the lines left to the strict reader.
        lines: number of lines in the chunk, blank ones included.
        blank: number of lines that hold only white space.
        shifts: how many more records than lines stand before each line. None: as many.
        open_lines: number of lines at the end of the chunk that are read with the next chunk. They
            are not among `lines`.
    """

    origin: FileOrigin
    first_line: int
    byte_offset: int
    buffer: NDArray[np.uint8]
    found: Scanned
    events: int
    left: ParsedChunk
    lines: int
    blank: int
    shifts: NDArray[np.int64] | None = None
    open_lines: int = 0

    @property
    def rejections(self) -> pl.DataFrame:
        """One row per rejected line; schema `REJECTIONS`. Only the strict reader rejects lines."""
        return self.left.rejections

    def release(self) -> None:
        """Gives the buffer back. The chunk's texts can no longer be gathered."""
        _BUFFERS.give_back(self.buffer)

    @property
    def key_hash(self) -> NDArray[np.uint64]:
        """One hash per scanned event."""
        hashes: NDArray[np.uint64] = self.found.key_hash[: self.events]
        return hashes

    @property
    def occurred_at(self) -> NDArray[np.int64]:
        """One instant per scanned event, in microseconds since 1970."""
        instants: NDArray[np.int64] = self.found.occurred_at[: self.events]
        return instants


class _Buffers:
    """Keeps buffers for reuse: a fresh page of memory takes longer than to scan its bytes."""

    def __init__(self, kept: int) -> None:
        self._kept = deque[NDArray[np.uint8]](maxlen=kept)

    def take(self, size: int) -> NDArray[np.uint8]:
        """A buffer of at least `size` bytes, with any content."""
        try:
            buffer = self._kept.pop()
        except IndexError:
            buffer = np.empty(0, np.uint8)
        return buffer if len(buffer) >= size else np.empty(size, np.uint8)

    def give_back(self, buffer: NDArray[np.uint8]) -> None:
        """Keeps a buffer that is no longer read."""
        self._kept.append(buffer)


_BUFFERS = _Buffers(kept=64)


def scan_chunk(chunk: Chunk, origin: FileOrigin, form: Form, strict: Dialect) -> ScannedChunk:
    """The chunk after the scan. The strict reader has read the lines that the scanner left.

    Args:
        chunk: whole lines.
        origin: the columns that all rows of the file share.
        form: the dialect as the scanner knows it, made with the scope of `origin`.
        strict: the dialect as the strict reader knows it.
    """
    content = chunk.content
    size = len(content)
    buffer = _BUFFERS.take(2 * size + 2 * WORD_BYTES)
    buffer[:size] = np.frombuffer(content, np.uint8)
    buffer[size : size + WORD_BYTES] = 0
    lines, colons = _counted(buffer, size)
    found = _scanned(lines + 1, colons)
    has_mark = chunk.byte_offset == 0 and content.startswith(BYTE_ORDER_MARK)
    first = len(BYTE_ORDER_MARK) if has_mark else 0
    scan_lines(buffer, size, first, origin.received_at, form, _room(origin), found)
    lines = int(found.counts[LINES])
    kinds = found.line_kind[:lines]
    left = strict_lines(chunk, origin, strict, found, np.flatnonzero(kinds == STRICT))
    lines -= left.open_lines
    more = sum(records - 1 for _, records in left.wide)
    return ScannedChunk(
        origin=origin,
        first_line=chunk.first_line,
        byte_offset=chunk.byte_offset,
        buffer=buffer,
        found=found,
        events=int(found.counts[ROWS]),
        left=left,
        lines=lines + more,
        blank=lines - int(found.counts[ROWS]) - left.lines + left.blank + more,
        shifts=_shifts(left.wide, lines),
        open_lines=left.open_lines,
    )


def _shifts(wide: tuple[tuple[int, int], ...], lines: int) -> NDArray[np.int64] | None:
    """How many more records than lines stand before each line. None: as many."""
    if not wide:
        return None
    shifts = np.zeros(lines + 1, np.int64)
    for line, records in wide:
        shifts[line + 1] = records - 1
    return np.cumsum(shifts)


def _room(origin: FileOrigin) -> Room:
    scope = origin.dedupe_scope.encode() + b"\0"
    key = np.zeros(len(scope) + NAME_BYTES_MAX + 2 * WORD_BYTES, np.uint8)
    key[: len(scope)] = np.frombuffer(scope, np.uint8)
    return Room(
        found=np.zeros(FOUND, np.int64),
        others=np.zeros((MEMBERS_USUAL, 2), np.int64),
        members=np.zeros((MEMBERS_USUAL + 1, 5), np.int64),
        payload=np.zeros(2 * LINE_BYTES_USUAL, np.uint8),
        key=key,
        slots=np.zeros(SLOTS, np.int32),
    )


def _scanned(lines: int, properties: int) -> Scanned:
    def places(count: int) -> NDArray[np.int32]:
        return np.empty(count, np.int32)

    return Scanned(
        counts=np.zeros(4, np.int64),
        line_kind=np.empty(lines, np.uint8),
        line_place=places(lines),
        line_bytes=places(lines),
        row_line=places(lines),
        key_place=places(lines),
        key_bytes=places(lines),
        customer_place=places(lines),
        customer_bytes=places(lines),
        subscription_place=places(lines),
        subscription_bytes=places(lines),
        event_name=places(lines),
        occurred_at=np.empty(lines, np.int64),
        key_hash=np.empty(lines, np.uint64),
        payload_digest=np.empty((lines, 2), np.uint64),
        properties_end=places(lines),
        property_name=places(properties),
        property_place=places(properties),
        property_bytes=places(properties),
        name_place=places(DISTINCT_NAMES),
        name_bytes=places(DISTINCT_NAMES),
    )


@compiled
def _counted(buffer: Any, size: int) -> Any:
    """The numbers of line ends and of colons: bounds on the chunk's lines and properties."""
    lines, colons = 0, 0
    for at in range(size):
        lines += buffer[at] == 10
        colons += buffer[at] == 58
    return lines, colons
