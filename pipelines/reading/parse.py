"""Parses the records of a file into usage events and rejections.

Invariant: every line is an event, a rejection or blank. A bad line does not affect other lines.

`parse_chunk` reads lines, and `parse_records` reads the records of other formats. Both also make
the key hash and the payload digest of each event. Memory is bounded by the chunk, however long a
line is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from pipelines.reading.dialects import Dialect
from pipelines.reading.doors import Doors, FileOrigin, ParsedChunk
from pipelines.reading.formats.field_names import field_names
from pipelines.reading.formats.json_values import long_line_values
from pipelines.reading.formats.lines import CHUNK_BYTES, Chunk, LongLine
from pipelines.reading.formats.records import BYTE_ORDER_MARK, Records
from pipelines.reading.formats.spread_values import SpreadValue, may_begin
from pipelines.vocabulary.hashing import key_hash
from pipelines.vocabulary.limits import LINE_BYTES_MAX

__all__ = [
    "FileOrigin",
    "ParsedChunk",
    "at_lines",
    "parse_chunk",
    "parse_long_line",
    "parse_records",
]

_ROW_BYTES = 100
"""Bytes that a row takes beside its text, so that many short records fill a chunk as well."""


def parse_chunk(chunk: Chunk, origin: FileOrigin, dialect: Dialect) -> ParsedChunk:
    """The events and rejections of the chunk's lines.

    A line ends at a line feed (0x0A). One carriage return before it belongs to the line end. Each
    event of a line that holds several has a number of its own.

    Example: the second of three lines holds two events. Its records have the numbers 2 and 3, and
    the third line has the number 4.

    An object that goes on over several lines has the number of its first line. The others then
    count as blank, unless it is a batch: its events have the numbers from the first line on.

    Args:
        chunk: whole lines.
        origin: the columns that all rows of the file share.
        dialect: reads the fields of one object.
    """
    reading = _Lines(chunk, origin, dialect)
    offset = chunk.byte_offset
    lines = chunk.content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for index, ended_line in enumerate(lines):
        start = offset
        offset += len(ended_line) + 1
        line = ended_line.removesuffix(b"\r")
        if start == 0 and line.startswith(BYTE_ORDER_MARK):
            line = line[len(BYTE_ORDER_MARK) :]
            start = len(BYTE_ORDER_MARK)
        if index in chunk.apart:
            reading.end_value()
        reading.read(index, start, line)
    return reading.parsed()


def parse_long_line(line: LongLine, origin: FileOrigin, dialect: Dialect) -> Iterator[ParsedChunk]:
    """The events and rejections of a line that is too long to be one event, in chunks."""
    names = field_names(dialect)
    return parse_records(
        long_line_values(line.blocks, line.byte_offset, line.number, names), origin, dialect
    )


def parse_records(
    records: Records, origin: FileOrigin, dialect: Dialect, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[ParsedChunk]:
    """The events and rejections of records of any format, in chunks of about `chunk_bytes`.

    Args:
        records: the records of one file, in order.
        origin: the columns that all rows of the file share.
        dialect: reads the fields of one object.
        chunk_bytes: bytes of text in a chunk, with some bytes added for each row.
    """
    doors, blank, held_bytes = Doors(origin, dialect), 0, 0
    for record in records:
        if record is None:
            blank += 1
            continue
        doors.read(record.place, record.content)
        content = record.content
        held_bytes += len(content) if isinstance(content, bytes) else record.byte_length or 0
        held_bytes += _ROW_BYTES
        if held_bytes >= chunk_bytes:
            yield doors.parsed(blank)
            doors, blank, held_bytes = Doors(origin, dialect), 0, 0
    yield doors.parsed(blank)


@dataclass
class _Counts:
    """What a chunk has had up to a line: (events, rejections), blank lines, wide lines."""

    height: tuple[int, int]
    blank: int
    wide: int


class _Lines:
    """Reads the lines of a chunk, one after the other.

    Each line is read alone first. One that holds an event, or a wrong one with a name of its own,
    stands for itself. Others may be the lines of one value, which is then read in their place. So
    no line that is an event alone has another number or another row for what stands around it.
    """

    def __init__(self, chunk: Chunk, origin: FileOrigin, dialect: Dialect) -> None:
        self._chunk = chunk
        self._doors = Doors(origin, dialect)
        self._number = chunk.first_line - 1
        self._blank = 0
        self._wide: list[tuple[int, int]] = []
        self._value: SpreadValue | None = None
        self._before = self._counts()

    def read(self, index: int, offset: int, line: bytes) -> None:
        """Reads the next line.

        Args:
            index: its place in the chunk, from 0.
            offset: the place of its first byte in the file.
            line: its bytes without its line end.
        """
        is_blank = len(line) <= LINE_BYTES_MAX and not line.strip(b" \t\r")
        if self._value is not None and (is_blank or not self._value.takes(offset, line)):
            self.end_value()
        before, number = self._counts(), self._number + 1
        self._number = number
        if is_blank:
            self._blank += 1
            return
        records, stands = self._doors.read_line(number, offset, line)
        if records is not None:
            self._wide.append((index, len(records)))
            self._number += len(records) - 1
            self._blank += records.count(None)
        if stands:
            self.end_value(before, number)
        elif self._value is not None or (index + 1 not in self._chunk.apart and may_begin(line)):
            if self._value is None:
                self._value, self._before = SpreadValue(number, offset), before
            self._value.add(offset, line)
            if not self._value.goes_on:
                self.end_value()

    def end_value(self, until: _Counts | None = None, next_number: int | None = None) -> None:
        """Reads the value that began before, if it goes on over several lines, in their place.

        Args:
            until: what the chunk had up to the line after the value. None: nothing follows yet.
            next_number: the number of that line.
        """
        value, self._value = self._value, None
        if value is None or value.lines == 1:
            return
        until, last = until or self._counts(), next_number or self._number + 1
        later = self._doors.cut(until.height)
        self._doors.cut(self._before.height)
        start = value.byte_offset - self._chunk.byte_offset
        text = self._chunk.content[start : value.end - self._chunk.byte_offset]
        numbers = last - value.number
        blank = self._doors.read_value(value, text, numbers)
        self._blank += blank - (until.blank - self._before.blank)
        self._doors.put(later)

    def parsed(self) -> ParsedChunk:
        """The rows of the lines. A value that may go on after the chunk is left for later."""
        open_lines = 0
        if self._chunk.goes_on and self._value is not None:
            open_lines = self._value.lines
            self._doors.cut(self._before.height)
            self._blank = self._before.blank
            del self._wide[self._before.wide :]
        else:
            self.end_value()
        return self._doors.parsed(self._blank, tuple(self._wide), open_lines)

    def _counts(self) -> _Counts:
        return _Counts(self._doors.height, self._blank, len(self._wide))


def at_lines(events: pl.DataFrame, lines: pl.Series, origin: FileOrigin) -> pl.DataFrame:
    """The events with other line numbers, to which the keys that are places move too.

    Args:
        events: schema `PARSED_EVENTS`.
        lines: the new number of each event.
        origin: the columns that all rows of the file share.
    """
    moved = events.with_columns(lines.alias("line"))
    if origin.raw_sha256 is None:
        return moved
    keys = [
        origin.place_key(line) if key == origin.place_key(was) else key
        for key, was, line in zip(events["idempotency_key"], events["line"], lines, strict=True)
    ]
    return moved.with_columns(
        pl.Series("idempotency_key", keys, pl.String),
        pl.Series("key_hash", [key_hash(origin.dedupe_scope, key) for key in keys], pl.UInt64),
    )
