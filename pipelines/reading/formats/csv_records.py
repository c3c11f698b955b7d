"""CSV, strictly by RFC 4180: cuts a file into records, and turns their cells into members.

The first record is the header. It has number 1, and counts as blank. A column has the name of a
field of the dialect. `properties.bytes` is the member `bytes` of the field `properties`. An empty
cell means that the field is absent. Every other cell is a text.

A record ends at a line feed outside quotes. One carriage return before it belongs to the line end.
A wrong record is rejected alone: it ends at the first line feed after its fault. A quote that is
never closed makes the whole file unreadable, since nobody knows where the next record begins.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import polars as pl

from pipelines.reading.dialects import RefusedLineError
from pipelines.reading.dialects.event import Members
from pipelines.reading.formats.compression import read_blocks
from pipelines.reading.formats.file_format import Blocks, FileFormat, OpenedFile
from pipelines.reading.formats.records import (
    WINDOW_BYTES,
    Column,
    Record,
    Records,
    StreamedRecord,
    Window,
    columns_of,
    text_record,
    texts_at,
)
from pipelines.reading.strict_json import JsonValue
from pipelines.vocabulary.errors import UnreadableFileError
from pipelines.vocabulary.limits import LINE_BYTES_MAX
from pipelines.vocabulary.verdicts import Reason

Columns = tuple[Column, ...]
"""The columns of a file, in its order."""

_NAME = re.compile(r"\.csv(\.gz|\.zst)?$")
_CELL = rb'(?:"(?:[^"]++|"")*+"|[^",\r\n]*+)'
_CELLS = re.compile(rb"%b(?:,%b)*+" % (_CELL, _CELL))
_EACH_CELL = re.compile(rf"(?:\A|,)({_CELL.decode()})")


class RawRecord(NamedTuple):
    """A record that is not yet split into cells.

    Attributes:
        record: its place and its text. None: it is blank.
        fault: what is wrong with its quotes or line ends. None: nothing is.
    """

    record: Record | None
    fault: str | None = None


def split_records(blocks: Iterable[bytes], window_bytes: int = WINDOW_BYTES) -> Iterator[RawRecord]:
    """The records of a file in order, with the header.

    Args:
        blocks: the decompressed file.
        window_bytes: bytes that are taken from the stream at a time.

    Raises:
        UnreadableFileError: a quote is not closed.
    """
    window = Window(blocks, window_bytes)
    window.skip_mark()
    number = 0
    while window.left or window.extend():
        number += 1
        yield _next_record(window, number)


def csv_records(blocks: Iterable[bytes], window_bytes: int = WINDOW_BYTES) -> Records:
    """The records of a file in order, with their members. The header counts as blank.

    Args:
        blocks: the decompressed file.
        window_bytes: bytes that are taken from the stream at a time.

    Raises:
        UnreadableFileError: a quote is not closed, or the first record is not a header.
    """
    columns: Columns | None = None
    for raw in split_records(blocks, window_bytes):
        record = raw.record
        if columns is None:
            columns, record = _header_columns(raw), None
        elif record is not None and isinstance(record.content, bytes):
            record = record._replace(content=_members(record.content, raw.fault, columns))
        yield record


def header_text(blocks: Iterable[bytes]) -> bytes:
    """The bytes of the file's header. Empty: the file has none."""
    for raw in split_records(blocks):
        if raw.record is not None and isinstance(raw.record.content, bytes):
            return raw.record.content
        break
    return b""


def _next_record(window: Window, number: int) -> RawRecord:
    """The next record. The window then begins after its line end."""
    while True:
        start, buffer = window.at, window.buffer
        cells = _CELLS.match(buffer, start)
        end = cells.end() if cells else start
        fault = _fault(buffer, start, end)
        # A record that may go on after the window is matched again with more of the stream.
        line_feed = -1 if fault == _OPEN else buffer.find(b"\n", end)
        if line_feed >= 0 or window.left > LINE_BYTES_MAX + len(b"\r"):
            break
        if not window.extend():
            if fault == _OPEN:
                raise UnreadableFileError(
                    f"record {number}, from byte {window.offset} on, has a quote that is not closed"
                )
            line_feed = len(window.buffer)
            break
    is_returned = window.buffer[line_feed - 1 : line_feed] == b"\r" if line_feed > 0 else False
    if line_feed < 0 or line_feed - window.at - is_returned > LINE_BYTES_MAX:
        return _long_record(window, number)
    offset = window.offset
    content = window.take(line_feed).removesuffix(b"\r")
    window.at = min(window.at + len(b"\n"), len(window.buffer))
    if not content.strip(b" \t"):
        return RawRecord(None)
    return RawRecord(text_record(number, offset, content), fault)


_QUOTE, _COMMA, _RETURN = b'",\r'
_OPEN = "a quote is not closed"
_LONE_RETURN = "a carriage return stands alone; put it in quotes"


def _fault(buffer: bytes, start: int, end: int) -> str | None:
    """The fault at `end`, where no cell can go on. None: the record or the window ends there."""
    if end == len(buffer) or buffer.startswith((b"\n", b"\r\n"), end) or buffer[end:] == b"\r":
        return None
    if buffer[end] == _QUOTE and (end == start or buffer[end - 1] == _COMMA):
        return _OPEN
    if buffer[end] == _QUOTE:
        return f"a quote stands inside a cell at byte {end - start + 1} of the record"
    if buffer[end] == _RETURN:
        return _LONE_RETURN
    return f"text follows a closing quote at byte {end - start + 1} of the record"


def _long_record(window: Window, number: int) -> RawRecord:
    """The next record, which is longer than the window. It ends at the next line feed."""
    streamed = StreamedRecord(window.offset, b"\r")
    line_feed = -1
    while line_feed < 0 and (window.left or window.extend()):
        line_feed = window.buffer.find(b"\n", window.at)
        piece = window.take(len(window.buffer) if line_feed < 0 else line_feed)
        if b'"' in piece:
            raise UnreadableFileError(
                f"record {number} has quotes and more than {LINE_BYTES_MAX} bytes: "
                "one may not be closed"
            )
        streamed.add(piece)
    if line_feed >= 0:
        window.at += len(b"\n")
    return RawRecord(streamed.record(number), _LONE_RETURN)


def _header_columns(header: RawRecord) -> Columns:
    try:
        return columns_of(_cells(_header_content(header)))
    except RefusedLineError as refusal:
        raise UnreadableFileError(f"the first record is no header: {refusal.sentence}") from None


def _header_content(header: RawRecord) -> bytes:
    if header.record is None:
        raise RefusedLineError(Reason.MALFORMED, "it is blank")
    content = header.record.content
    if isinstance(content, RefusedLineError):
        raise content
    if header.fault or not isinstance(content, bytes):
        raise RefusedLineError(Reason.MALFORMED, f"not CSV: {header.fault}")
    return content


def _members(content: bytes, fault: str | None, columns: Columns) -> Members | RefusedLineError:
    if fault:
        return RefusedLineError(Reason.MALFORMED, f"not CSV: {fault}")
    try:
        cells = _cells(content)
    except RefusedLineError as refusal:
        return refusal
    if len(cells) != len(columns):
        return RefusedLineError(
            Reason.MALFORMED, f"not CSV: {len(cells)} cells; the header has {len(columns)}"
        )
    whole: dict[str, JsonValue] = {}
    parted: dict[str, dict[str, JsonValue]] = {}
    for column, cell in zip(columns, cells, strict=True):
        if not cell:
            continue
        if column.inner is None:
            whole[column.member] = cell
        else:
            parted.setdefault(column.member, {})[column.inner] = cell
    return whole | parted


def _cells(content: bytes) -> list[str]:
    """The cells of a record that has no fault.

    Raises:
        RefusedLineError: the record is not valid UTF-8, or holds a NUL.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise RefusedLineError(
            Reason.MALFORMED, f"invalid UTF-8 at byte {error.start} of the record"
        ) from None
    if "\x00" in text:
        raise RefusedLineError(Reason.MALFORMED, "U+0000 (NUL) stands in a cell")
    if '"' not in text:
        return text.split(",")
    return [
        cell[1:-1].replace('""', '"') if cell.startswith('"') else cell
        for cell in _EACH_CELL.findall(text)
    ]


def _read_again(opened: OpenedFile, blocks: Blocks, places: pl.DataFrame) -> Records:
    header = header_text(blocks)
    opened.file.seek(0)
    texts = texts_at(read_blocks(opened.file, opened.size_bytes), places)
    records = b"".join(text + line_end for text, line_end in list(texts))
    return csv_records([header + b"\n" + records])


FORMAT = FileFormat(
    name="CSV",
    order=20,
    is_of=lambda path, _landed_head, _head: bool(_NAME.search(path)),
    read=lambda _opened, blocks: csv_records(blocks),
    read_again=_read_again,
)
"""Recognized by its name, since nothing in its bytes says that a file is CSV."""
