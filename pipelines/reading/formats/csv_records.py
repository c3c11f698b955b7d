"""CSV, strictly by RFC 4180: cuts a file into records, and turns their cells into members.

The first record is the header. It has number 1, and counts as blank, as does the same header
further down. A column has the name of a field of the dialect. `properties.bytes` is the member
`bytes` of the field `properties`. An empty cell means that the field is absent. Every other cell is
a text. A record of nothing but separators is blank.

The layout of the source may declare another separator, a text that stands for an empty cell, and
another decimal separator. A file without a header of its source is not guessed at: it is
quarantined with one sentence that says what was found.

A record ends at a line feed outside quotes. One carriage return before it belongs to the line end.
A wrong record is rejected alone: it ends at the first line feed after its fault. A quote that is
never closed makes the whole file unreadable, since nobody knows where the next record begins.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import polars as pl

from pipelines.reading.dialects import RefusedLineError
from pipelines.reading.dialects.event import Members
from pipelines.reading.formats.compression import read_blocks
from pipelines.reading.formats.field_names import NO_NAMES, FieldNames, field_names
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
from pipelines.reading.formats.strangers import is_json
from pipelines.reading.layout import USUAL, Layout
from pipelines.reading.strict_json import JsonValue
from pipelines.vocabulary.errors import UnreadableFileError
from pipelines.vocabulary.limits import LINE_BYTES_MAX
from pipelines.vocabulary.verdicts import Reason
from pipelines.vocabulary.visible import beginning

Columns = tuple[Column, ...]
"""The columns of a file, in its order."""

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "pipes"}
"""Characters that may separate cells, and their name in a sentence."""

_NAME = re.compile(r"\.csv(\.gz|\.gzip|\.zst|\.zstd)?$", re.IGNORECASE)
_WITH_A_COMMA = re.compile(r"([+-]?[0-9]+),([0-9]+)")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}\.[0-9]{3}")


@dataclass(frozen=True)
class CsvForm:
    """How the CSV files of a source are written, and the names that their header may have.

    Attributes:
        layout: what the catalog declares.
        names: the names of the source's events. Without any, every header is taken.
    """

    layout: Layout = USUAL
    names: FieldNames = NO_NAMES

    @cached_property
    def cells(self) -> re.Pattern[bytes]:
        """Matches the cells of one record."""
        separator = re.escape(self.layout.separator)
        return re.compile(f"{self._cell}(?:{separator}{self._cell})*+".encode())

    @cached_property
    def each_cell(self) -> re.Pattern[str]:
        """Matches one cell, and the separator before it."""
        return re.compile(rf"(?:\A|{re.escape(self.layout.separator)})({self._cell})")

    @property
    def _cell(self) -> str:
        separator = re.escape(self.layout.separator)
        return rf'(?:"(?:[^"]++|"")*+"|[^"{separator}\r\n]*+)'


_USUAL = CsvForm()


class RawRecord(NamedTuple):
    """A record that is not yet split into cells.

    Attributes:
        record: its place and its text. None: it is blank.
        fault: what is wrong with its quotes or line ends. None: nothing is.
    """

    record: Record | None
    fault: str | None = None


def split_records(
    blocks: Iterable[bytes], window_bytes: int = WINDOW_BYTES, form: CsvForm = _USUAL
) -> Iterator[RawRecord]:
    """The records of a file in order, with the header.

    Args:
        blocks: the decompressed file.
        window_bytes: bytes that are taken from the stream at a time.
        form: how the file is written.

    Raises:
        UnreadableFileError: a quote is not closed.
    """
    window = Window(blocks, window_bytes)
    window.skip_mark()
    number = 0
    while window.left or window.extend():
        number += 1
        yield _next_record(window, number, form)


def csv_records(
    blocks: Iterable[bytes], window_bytes: int = WINDOW_BYTES, form: CsvForm = _USUAL
) -> Records:
    """The records of a file in order, with their members. The header counts as blank.

    Args:
        blocks: the decompressed file.
        window_bytes: bytes that are taken from the stream at a time.
        form: how the file is written.

    Raises:
        UnreadableFileError: a quote is not closed, or the first record is not a header.
    """
    columns: Columns | None = None
    header = b""
    for raw in split_records(blocks, window_bytes, form):
        record = raw.record
        if columns is None:
            columns, record = _header_columns(raw, form), None
            header = _text_of(raw)
        elif record is not None and isinstance(record.content, bytes):
            is_header = record.content == header
            members = None if is_header else _members(record.content, raw.fault, columns, form)
            record = None if members is None else record._replace(content=members)
        yield record


def header_text(blocks: Iterable[bytes], form: CsvForm = _USUAL) -> bytes:
    """The bytes of the file's header. Empty: the file has none."""
    return next((_text_of(raw) for raw in split_records(blocks, form=form)), b"")


def _text_of(raw: RawRecord) -> bytes:
    content = raw.record.content if raw.record is not None else b""
    return content if isinstance(content, bytes) else b""


def _next_record(window: Window, number: int, form: CsvForm) -> RawRecord:
    """The next record. The window then begins after its line end."""
    while True:
        start, buffer = window.at, window.buffer
        cells = form.cells.match(buffer, start)
        end = cells.end() if cells else start
        fault = _fault(buffer, start, end, form.layout.separator)
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


_QUOTE, _RETURN = b'"\r'
_OPEN = "a quote is not closed"
_LONE_RETURN = "a carriage return stands alone; put it in quotes"


def _fault(buffer: bytes, start: int, end: int, separator: str) -> str | None:
    """The fault at `end`, where no cell can go on. None: the record or the window ends there."""
    if end == len(buffer) or buffer.startswith((b"\n", b"\r\n"), end) or buffer[end:] == b"\r":
        return None
    if buffer[end] == _QUOTE and (end == start or buffer[end - 1] == ord(separator)):
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


def _header_columns(header: RawRecord, form: CsvForm) -> Columns:
    text = _text_of(header).decode(errors="replace")
    try:
        names = _cells(_header_content(header), form)
    except RefusedLineError as refusal:
        _refuse_other_separator(text, form)
        what = f": {refusal.sentence}"
        if text and is_json(text.encode()):
            what = " but JSON; land it under a name that does not end in .csv"
        sentence = f"the first record is no header{what}"
        raise UnreadableFileError(sentence, Reason.NOT_DECLARED_FORMAT) from None
    known = form.names.all
    tops = {name.partition(".")[0] for name in names}
    if known and not tops & (known | {"event"}):
        _refuse_other_separator(text, form)
        wanted = ", ".join(sorted(form.names.required or known))
        raise UnreadableFileError(
            f"its first record is no header: expected names such as {wanted}, found "
            f"{beginning(text)}; land it with a header, or declare its columns in "
            "source_fields.csv",
            Reason.NOT_DECLARED_FORMAT,
        )
    return columns_of(names)


def _refuse_other_separator(header: str, form: CsvForm) -> None:
    """Raises `UnreadableFileError` if another separator gives the names of the source's events."""
    declared = form.layout.separator
    for separator, word in SEPARATORS.items():
        names = set(header.replace('"', "").split(separator))
        if separator != declared and form.names.all & names:
            cell = {"\t": "tab"}.get(separator, separator)
            raise UnreadableFileError(
                f"its header separates names by {word}, expected {SEPARATORS[declared]}; write "
                f"{cell} as `separator` in sources.csv",
                Reason.NOT_DECLARED_FORMAT,
            )


def _header_content(header: RawRecord) -> bytes:
    if header.record is None:
        raise RefusedLineError(Reason.MALFORMED, "it is blank")
    content = header.record.content
    if isinstance(content, RefusedLineError):
        raise content
    if header.fault or not isinstance(content, bytes):
        raise RefusedLineError(Reason.MALFORMED, f"not CSV: {header.fault}")
    return content


def _members(
    content: bytes, fault: str | None, columns: Columns, form: CsvForm
) -> Members | RefusedLineError | None:
    """The members of a record, or why it is refused. None: all of its cells are empty."""
    if fault:
        return RefusedLineError(Reason.MALFORMED, f"not CSV: {fault}")
    try:
        cells = _cells(content, form)
    except RefusedLineError as refusal:
        return refusal
    if not any(cells):
        return None
    if len(cells) != len(columns):
        return RefusedLineError(
            Reason.MALFORMED, f"not CSV: {len(cells)} cells; the header has {len(columns)}"
        )
    whole: dict[str, JsonValue] = {}
    parted: dict[str, dict[str, JsonValue]] = {}
    try:
        for column, cell in zip(columns, cells, strict=True):
            if not cell or cell == form.layout.null_text:
                continue
            if column.inner is None:
                whole[column.member] = _value(cell, column, form)
            else:
                parted.setdefault(column.member, {})[column.inner] = _value(cell, column, form)
    except RefusedLineError as refusal:
        return refusal
    return (whole | parted) or None


def _value(cell: str, column: Column, form: CsvForm) -> str:
    """The cell's text. A number has a point before its fraction.

    Example: with the decimal separator `,`, the property `1,50` is `1.50`. A key stays `1,50`. The
    property `1.000` is refused: its sender may mean a thousand.

    Raises:
        RefusedLineError: a point may separate thousands.
    """
    if form.layout.decimal_separator == ".":
        return cell
    if column.inner is None and column.member in form.names.all:
        return cell
    if _GROUPED.fullmatch(cell):
        raise RefusedLineError(
            Reason.INVALID_PROPERTY,
            f"property {beginning(column.inner or column.member)}: {cell!a} may be a thousand or a "
            "fraction, as `decimal_separator` is a comma; write it without the point",
        )
    number = _WITH_A_COMMA.fullmatch(cell)
    return cell if number is None else f"{number.group(1)}.{number.group(2)}"


def _cells(content: bytes, form: CsvForm) -> list[str]:
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
        return text.split(form.layout.separator)
    return [
        cell[1:-1].replace('""', '"') if cell.startswith('"') else cell
        for cell in form.each_cell.findall(text)
    ]


def _form_of(opened: OpenedFile) -> CsvForm:
    return CsvForm(opened.dialect.layout, field_names(opened.dialect))


def _read_again(opened: OpenedFile, blocks: Blocks, places: pl.DataFrame) -> Records:
    form = _form_of(opened)
    header = header_text(blocks, form)
    opened.file.seek(0)
    texts = texts_at(read_blocks(opened.file, opened.size_bytes), places)
    records = b"".join(text + line_end for text, line_end in list(texts))
    return csv_records([header + b"\n" + records], form=form)


def _is_csv(opened: OpenedFile, _landed_head: bytes, head: bytes) -> bool:
    if _NAME.search(opened.path):
        return True
    return opened.dialect.layout.format == "csv" and not is_json(head)


FORMAT = FileFormat(
    name="CSV",
    order=20,
    is_of=_is_csv,
    read=lambda opened, blocks: csv_records(blocks, form=_form_of(opened)),
    read_again=_read_again,
    declared_as="csv",
)
"""Recognized by its name, or declared, since nothing in its bytes says that a file is CSV."""
