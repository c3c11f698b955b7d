"""Records, and what the formats share to cut them out: windows on a stream, columns, ranges.

A record is a piece of a file that may be an event.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from pipelines.reading.dialects import RefusedLineError
from pipelines.reading.dialects.event import Members
from pipelines.vocabulary.errors import UnreadableFileError
from pipelines.vocabulary.limits import LINE_BYTES_MAX
from pipelines.vocabulary.verdicts import Reason
from pipelines.vocabulary.visible import beginning

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Some tools write this mark at the beginning of a file, where it is skipped."""

WINDOW_BYTES = 1024 * 1024
"""Bytes that are taken from a stream at a time. They and the longest record bound the memory."""


class Record(NamedTuple):
    """One record of a file.

    Attributes:
        number: its position among the records of the file, which becomes `line`.
        byte_offset: the place of its first byte in the decompressed file. None: it is a row.
        byte_length: its number of bytes, without the separators around it. None: it is a row.
        sha256: the SHA-256 of these bytes, or of the JSON text of a row.
        content: the text of a JSON object, or its members, or the reason of its rejection.
    """

    number: int
    byte_offset: int | None
    byte_length: int | None
    sha256: bytes
    content: bytes | Members | RefusedLineError

    @property
    def place(self) -> tuple[int, int | None, int | None, bytes]:
        """Number, byte offset, byte length and SHA-256 of the record."""
        return self[:4]


Records = Iterator[Record | None]
"""The records of a file, in order. None: a blank record, which is numbered too."""


def text_record(number: int, byte_offset: int, content: bytes) -> Record:
    """The record with these bytes at this place."""
    return Record(number, byte_offset, len(content), hashlib.sha256(content).digest(), content)


def too_long(record_bytes: int) -> RefusedLineError:
    """The rejection of a record that is longer than `LINE_BYTES_MAX`."""
    return RefusedLineError(
        Reason.TOO_LARGE, f"the line has {record_bytes} bytes; at most {LINE_BYTES_MAX} are read"
    )


class Window:
    """A window on a stream of blocks.

    Args:
        blocks: the stream.
        window_bytes: bytes that are taken from the stream at a time.
        offset: the place of the stream's first byte in the file.

    Attributes:
        buffer: the bytes of the window.
        at: the place in the buffer where the next record begins. The bytes before it were taken.
    """

    def __init__(
        self, blocks: Iterable[bytes], window_bytes: int = WINDOW_BYTES, offset: int = 0
    ) -> None:
        self._blocks = iter(blocks)
        self._window_bytes = window_bytes
        self._buffer_from = offset
        self.buffer = b""
        self.at = 0

    @property
    def offset(self) -> int:
        """The place of `at` in the stream."""
        return self._buffer_from + self.at

    @property
    def left(self) -> int:
        """The number of bytes in the buffer that are not taken."""
        return len(self.buffer) - self.at

    def extend(self) -> bool:
        """Drops the bytes that were taken, and adds more of the stream. False: it has ended."""
        pieces, gained = [self.buffer[self.at :]], 0
        for block in self._blocks:
            pieces.append(block)
            gained += len(block)
            if gained >= self._window_bytes:
                break
        self.buffer = b"".join(pieces)
        self._buffer_from += self.at
        self.at = 0
        return gained > 0

    def take(self, end: int) -> bytes:
        """The bytes from `at` to `end`, which are then taken."""
        taken = self.buffer[self.at : end]
        self.at = end
        return taken

    def skip_mark(self) -> None:
        """Skips a byte order mark at the beginning of the stream."""
        while self.left < len(BYTE_ORDER_MARK) and self.extend():
            pass
        if self.buffer.startswith(BYTE_ORDER_MARK):
            self.at = len(BYTE_ORDER_MARK)


class StreamedRecord:
    """A record that arrives in pieces: digested to its end, and kept up to `LINE_BYTES_MAX`.

    So whether it is read depends on its length alone, and not on how the stream is cut.

    Args:
        byte_offset: the place of its first byte in the decompressed file.
        trimmed: bytes that are not part of the record at its end.
    """

    def __init__(self, byte_offset: int, trimmed: bytes) -> None:
        self._byte_offset = byte_offset
        self._trimmed = trimmed
        self._passed = hashlib.sha256()
        self._passed_bytes = 0
        self._own = self._passed.copy()
        self._own_bytes = 0
        self._held = b""

    def add(self, piece: bytes) -> None:
        """Adds the next bytes. Trimmed bytes count only if others follow them."""
        own = piece.rstrip(self._trimmed)
        if own:
            self._passed.update(own)
            self._own = self._passed.copy()
            self._own_bytes = self._passed_bytes + len(own)
        self._passed.update(piece[len(own) :])
        self._passed_bytes += len(piece)
        self._held += piece[: LINE_BYTES_MAX + 1 - len(self._held)]

    def record(self, number: int) -> Record | None:
        """The whole record, rejected if it is too long. None: it is blank."""
        if not self._own_bytes:
            return None
        is_short = self._own_bytes <= LINE_BYTES_MAX
        return Record(
            number,
            self._byte_offset,
            self._own_bytes,
            self._own.digest(),
            self._held[: self._own_bytes] if is_short else too_long(self._own_bytes),
        )


@dataclass(frozen=True)
class Column:
    """A column as a member of the event.

    Example: `properties.bytes` is `bytes` inside the member `properties`.

    Attributes:
        member: the name of the top-level member.
        inner: the name inside that member, which may hold further dots. None: the column is the
            whole member.
    """

    member: str
    inner: str | None


def columns_of(names: Sequence[str]) -> tuple[Column, ...]:
    """The columns with these names, in their order.

    Raises:
        UnreadableFileError: a name is empty or occurs twice, or one column is a whole member while
            another is inside it.
    """
    columns = []
    for name in names:
        member, dot, inner = name.partition(".")
        if not member or (dot and not inner):
            raise UnreadableFileError(f"a column has the name {beginning(name)}")
        columns.append(Column(member, inner if dot else None))
    times = Counter(columns)
    for column, name in zip(columns, names, strict=True):
        if times[column] > 1:
            raise UnreadableFileError(f"two columns have the name {beginning(name)}")
        if column.inner is not None and Column(column.member, None) in times:
            raise UnreadableFileError(
                f"column {beginning(name)} stands beside column {beginning(column.member)}, "
                "which is the whole of it"
            )
    return tuple(columns)


def texts_at(blocks: Iterator[bytes], places: pl.DataFrame) -> Iterator[tuple[bytes, bytes]]:
    """The bytes at each place, and a line end that may follow them. Reads the stream once.

    Args:
        blocks: the decompressed file.
        places: one row per range: `byte_offset`, `byte_length`, by offset.
    """
    held, held_from = bytearray(), 0
    for offset, length in places.select("byte_offset", "byte_length").iter_rows():
        while held_from + len(held) <= offset + length:
            # Bytes before the range are dropped, so a block and a line bound the memory.
            passed = min(len(held), offset - held_from)
            del held[:passed]
            held_from += passed
            block = next(blocks, None)
            if block is None:
                break
            held += block
        start, end = offset - held_from, offset - held_from + length
        # A line may end in several carriage returns. The parser takes off one of them.
        is_returned = held[end : end + 1] == b"\r"
        yield bytes(held[start:end]), b"\r\n" if is_returned else b"\n"
