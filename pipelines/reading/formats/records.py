"""Records: what a format cuts out of a file, each of which may be an event.

Belongs here: what the formats share: a record with its place, a stream held a window at a time,
columns that stand for members. Must not be put here: a format (see `json_arrays`, `csv_rows`,
`parquet_rows`), or what a field means (see `dialects`).
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

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Some tools write it before the first byte; it is skipped like a blank."""

WINDOW_BYTES = 1024 * 1024
"""Bytes taken from a stream at a time; memory is bounded by this and the longest record."""


class Record(NamedTuple):
    """One record of a file.

    Attributes:
        number: its place among the file's records; what stands in `line`.
        byte_offset: its first byte in the decompressed file; None where a file has rows.
        byte_length: its own bytes, without separators around them.
        sha256: of these bytes; of a row, that of its text.
        content: a JSON object's text, the members already told apart, or why there are none.
    """

    number: int
    byte_offset: int | None
    byte_length: int | None
    sha256: bytes
    content: bytes | Members | RefusedLineError

    @property
    def place(self) -> tuple[int, int | None, int | None, bytes]:
        """Where it stands and what its bytes are, without what is in it."""
        return self[:4]


Records = Iterator[Record | None]
"""Records in order; None is a blank one, which has a number too."""


def text_record(number: int, byte_offset: int, content: bytes) -> Record:
    """A record that is held whole."""
    return Record(number, byte_offset, len(content), hashlib.sha256(content).digest(), content)


def too_long(record_bytes: int) -> RefusedLineError:
    """Why a record of so many bytes is not read."""
    return RefusedLineError(
        Reason.TOO_LARGE, f"the line has {record_bytes} bytes; at most {LINE_BYTES_MAX} are read"
    )


class Window:
    """A stream of blocks, of which a part is held.

    Attributes:
        held: the part.
        at: where in it the next record begins; what stands before was taken.
    """

    def __init__(self, blocks: Iterable[bytes], window_bytes: int = WINDOW_BYTES) -> None:
        self._blocks = iter(blocks)
        self._window_bytes = window_bytes
        self._held_from = 0
        self.held = b""
        self.at = 0

    @property
    def offset(self) -> int:
        """Place of `at` in the stream."""
        return self._held_from + self.at

    @property
    def left(self) -> int:
        """Bytes held that are not taken."""
        return len(self.held) - self.at

    def extend(self) -> bool:
        """Lets go of what was taken and holds more of the stream; False at its end."""
        pieces, gained = [self.held[self.at :]], 0
        for block in self._blocks:
            pieces.append(block)
            gained += len(block)
            if gained >= self._window_bytes:
                break
        self.held = b"".join(pieces)
        self._held_from += self.at
        self.at = 0
        return gained > 0

    def take(self, end: int) -> bytes:
        """Takes what is held up to `end`."""
        taken = self.held[self.at : end]
        self.at = end
        return taken

    def skip_mark(self) -> None:
        """Passes over a byte order mark at the beginning of the stream."""
        while self.left < len(BYTE_ORDER_MARK) and self.extend():
            pass
        if self.held.startswith(BYTE_ORDER_MARK):
            self.at = len(BYTE_ORDER_MARK)


class Passage:
    """A record that streams by: digested to its end, and held as far as it may be read.

    So whether a record is read depends on its length alone, not on how the stream is cut.
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
        """The next bytes; what is trimmed counts only if something else comes after it."""
        own = piece.rstrip(self._trimmed)
        if own:
            self._passed.update(own)
            self._own = self._passed.copy()
            self._own_bytes = self._passed_bytes + len(own)
        self._passed.update(piece[len(own) :])
        self._passed_bytes += len(piece)
        self._held += piece[: LINE_BYTES_MAX + 1 - len(self._held)]

    def record(self, number: int) -> Record | None:
        """What passed by, refused if it is too long."""
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
    """A column as a member of the event: `properties.bytes` is the member of a member.

    Attributes:
        member: the member at the top.
        inner: the name inside it, which may have dots again; None where the column is the member.
    """

    member: str
    inner: str | None


def columns_of(names: Sequence[str]) -> tuple[Column, ...]:
    """What columns of these names stand for.

    Raises:
        UnreadableFileError: a name is empty or stands twice, or a member is whole and parted.
    """
    columns = []
    for name in names:
        member, dot, inner = name.partition(".")
        if not member or (dot and not inner):
            raise UnreadableFileError(f"a column has the name {name[:64]!a}")
        columns.append(Column(member, inner if dot else None))
    times = Counter(columns)
    for column, name in zip(columns, names, strict=True):
        if times[column] > 1:
            raise UnreadableFileError(f"two columns have the name {name[:64]!a}")
        if column.inner is not None and Column(column.member, None) in times:
            raise UnreadableFileError(
                f"column {name[:64]!a} stands beside column {column.member[:64]!a}, "
                "which is the whole of it"
            )
    return tuple(columns)


def texts_at(blocks: Iterator[bytes], places: pl.DataFrame) -> Iterator[tuple[bytes, bytes]]:
    """The bytes of each place, and a line end for them, from a stream that is read once.

    Args:
        blocks: the decompressed file.
        places: `byte_offset`, `byte_length`, by offset.
    """
    held, held_from = bytearray(), 0
    for offset, length in places.select("byte_offset", "byte_length").iter_rows():
        while held_from + len(held) <= offset + length:
            # What ends before the range is let go, so memory is bounded by a block and a line.
            passed = min(len(held), offset - held_from)
            del held[:passed]
            held_from += passed
            block = next(blocks, None)
            if block is None:
                break
            held += block
        start, end = offset - held_from, offset - held_from + length
        # Lines may end in several carriage returns, of which the parser takes one off again.
        is_returned = held[end : end + 1] == b"\r"
        yield bytes(held[start:end]), b"\r\n" if is_returned else b"\n"
