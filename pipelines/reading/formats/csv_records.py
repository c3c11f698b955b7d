"""CSV as RFC 4180 has it, strictly: records, their cells, and the members they stand for.

Belongs here: quotes, commas, line ends, the header. Must not be put here: what a field means
(see `dialects`).

The first record is the header: it has number 1 and is a blank. A column's name is that of the
dialect's field; `properties.bytes` is the member `bytes` of the field `properties`. An empty
cell is a field that is not there; every other cell is a text.

A record ends at a line feed outside quotes; a carriage return before it belongs to the line end.
A wrong record is refused alone: it ends at the first line feed after what is wrong. Only a quote
that is never closed costs the file, since nothing says where the next record begins.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import polars as pl

from pipelines.reading.dialects import RefusedLineError
from pipelines.reading.dialects.event import Members
from pipelines.reading.formats.compression import read_blocks
from pipelines.reading.formats.file_format import Blocks, FileFormat, Landed
from pipelines.reading.formats.records import (
    WINDOW_BYTES,
    Column,
    Passage,
    Record,
    Records,
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
"""What the columns of a file stand for, in its order."""

_NAME = re.compile(r"\.csv(\.gz|\.zst)?$")
_CELL = rb'(?:"(?:[^"]++|"")*+"|[^",\r\n]*+)'
_CELLS = re.compile(rb"%b(?:,%b)*+" % (_CELL, _CELL))
_EACH_CELL = re.compile(rf"(?:\A|,)({_CELL.decode()})")


class Row(NamedTuple):
    """A record of the file, not yet told apart into cells.

    Attributes:
        record: its place and its text; None for a blank one.
        fault: what is wrong with its quotes or line ends.
    """

    record: Record | None
    fault: str | None = None


def split_rows(blocks: Iterable[bytes], window_bytes: int = WINDOW_BYTES) -> Iterator[Row]:
    """The records of a file, its header among them.

    Raises:
        UnreadableFileError: a quote is not closed.
    """
    window = Window(blocks, window_bytes)
    window.skip_mark()
    number = 0
    while window.left or window.extend():
        number += 1
        yield _row(window, number)


def csv_records(blocks: Iterable[bytes], window_bytes: int = WINDOW_BYTES) -> Records:
    """The file's records as members; the header is a blank.

    Raises:
        UnreadableFileError: a quote is not closed, or the header is no header.
    """
    columns: Columns | None = None
    for row in split_rows(blocks, window_bytes):
        record = row.record
        if columns is None:
            columns, record = _header_columns(row), None
        elif record is not None and isinstance(record.content, bytes):
            record = record._replace(content=_members(record.content, row.fault, columns))
        yield record


def header_text(blocks: Iterable[bytes]) -> bytes:
    """The bytes of the file's header; empty where it has none."""
    for row in split_rows(blocks):
        if row.record is not None and isinstance(row.record.content, bytes):
            return row.record.content
        break
    return b""


def _row(window: Window, number: int) -> Row:
    """The next record; its line end is passed over."""
    while True:
        start, held = window.at, window.held
        cells = _CELLS.match(held, start)
        end = cells.end() if cells else start
        fault = _fault(held, start, end)
        # A record that may go on behind the window is looked at again with more of the stream.
        line_feed = -1 if fault == _OPEN else held.find(b"\n", end)
        if line_feed >= 0 or window.left > LINE_BYTES_MAX + len(b"\r"):
            break
        if not window.extend():
            if fault == _OPEN:
                raise UnreadableFileError(
                    f"record {number}, from byte {window.offset} on, has a quote that is not closed"
                )
            line_feed = len(window.held)
            break
    is_returned = window.held[line_feed - 1 : line_feed] == b"\r" if line_feed > 0 else False
    if line_feed < 0 or line_feed - window.at - is_returned > LINE_BYTES_MAX:
        return _long_row(window, number)
    offset = window.offset
    content = window.take(line_feed).removesuffix(b"\r")
    window.at = min(window.at + len(b"\n"), len(window.held))
    if not content.strip(b" \t"):
        return Row(None)
    return Row(text_record(number, offset, content), fault)


_QUOTE, _COMMA, _RETURN = b'",\r'
_OPEN = "a quote is not closed"
_LONE_RETURN = "a carriage return stands alone; put it in quotes"


def _fault(held: bytes, start: int, end: int) -> str | None:
    """What is wrong at `end`, where no cell goes on; None for the end of the record or window."""
    if end == len(held) or held.startswith((b"\n", b"\r\n"), end) or held[end:] == b"\r":
        return None
    if held[end] == _QUOTE and (end == start or held[end - 1] == _COMMA):
        return _OPEN
    if held[end] == _QUOTE:
        return f"a quote stands inside a cell at byte {end - start + 1} of the record"
    if held[end] == _RETURN:
        return _LONE_RETURN
    return f"text follows a closing quote at byte {end - start + 1} of the record"


def _long_row(window: Window, number: int) -> Row:
    """A record that is too long to be read; without quotes it ends at the next line feed."""
    passage = Passage(window.offset, b"\r")
    line_feed = -1
    while line_feed < 0 and (window.left or window.extend()):
        line_feed = window.held.find(b"\n", window.at)
        piece = window.take(len(window.held) if line_feed < 0 else line_feed)
        if b'"' in piece:
            raise UnreadableFileError(
                f"record {number} has quotes and more than {LINE_BYTES_MAX} bytes: "
                "one may not be closed"
            )
        passage.add(piece)
    if line_feed >= 0:
        window.at += len(b"\n")
    return Row(passage.record(number), _LONE_RETURN)


def _header_columns(header: Row) -> Columns:
    try:
        return columns_of(_cells(_header_content(header)))
    except RefusedLineError as refusal:
        raise UnreadableFileError(f"the first record is no header: {refusal.sentence}") from None


def _header_content(header: Row) -> bytes:
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
    """The cells of a record without fault.

    Raises:
        RefusedLineError: what it holds is no text.
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


def _read_again(landed: Landed, blocks: Blocks, places: pl.DataFrame) -> Records:
    header = header_text(blocks)
    landed.file.seek(0)
    texts = texts_at(read_blocks(landed.file, landed.size_bytes), places)
    rows = b"".join(text + line_end for text, line_end in list(texts))
    return csv_records([header + b"\n" + rows])


FORMAT = FileFormat(
    name="CSV",
    order=20,
    is_of=lambda path, _landed_head, _head: bool(_NAME.search(path)),
    read=lambda _landed, blocks: csv_records(blocks),
    read_again=_read_again,
)
"""Told by its name, since nothing in its bytes says so."""
