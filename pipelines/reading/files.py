"""Reads a landed file: finds its format, and yields its events and rejections.

The bytes decide, and the name only where they cannot. Gzip and zstd are recognized first, by their
first bytes. Then the formats are tried in their order: Parquet by its first bytes, CSV by its name
or its source's row, batches by their first value. Any other file has one event a line.

A file that is nothing of the kind, such as an HTML page or a zip archive, is not read line by line.
It is quarantined as a whole, with the reason `not_declared_format`.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any, BinaryIO, Protocol, TypeVar

import polars as pl

from pipelines.reading import formats
from pipelines.reading.dialects import Dialect
from pipelines.reading.formats.compression import is_packed, read_blocks
from pipelines.reading.formats.file_format import HEAD_BYTES, Blocks, FileFormat, OpenedFile
from pipelines.reading.formats.json_batches import ends_inside_object
from pipelines.reading.formats.lines import FORMAT as LINES
from pipelines.reading.formats.lines import Chunk, LongLine, last_lines
from pipelines.reading.formats.strangers import described, is_binary, is_json
from pipelines.reading.parse import (
    FileOrigin,
    ParsedChunk,
    at_lines,
    parse_chunk,
    parse_long_line,
    parse_records,
)
from pipelines.vocabulary.errors import UnreadableFileError
from pipelines.vocabulary.frames import PARSED_EVENTS
from pipelines.vocabulary.members import members
from pipelines.vocabulary.verdicts import Reason

FORMATS: tuple[FileFormat, ...] = tuple(
    sorted(members(formats, "FORMAT").values(), key=lambda found: found.order)
)
"""The format of each module of `formats` that defines one, in the order in which they are tried."""

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class CountedChunk(Protocol):
    """A chunk of a file, from any reader of lines."""

    @property
    def lines(self) -> int:
        """Number of lines in the chunk, blank ones included."""

    @property
    def blank(self) -> int:
        """Number of lines that hold only white space."""

    @property
    def rejections(self) -> pl.DataFrame:
        """One row per rejected line, in line order; schema `REJECTIONS`."""

    @property
    def open_lines(self) -> int:
        """Number of lines at the end of the chunk that are read with the next chunk."""


_Read = TypeVar("_Read", bound=CountedChunk)

ReadLines = Callable[[Chunk, FileOrigin, Dialect], _Read]
"""Reads one chunk of lines, where a file has one event a line."""

Measured = Callable[[Blocks], Blocks]
"""Passes the decompressed blocks of a file on, and counts or digests them on the way."""


def read_chunks(
    landed: BinaryIO,
    path: str,
    size_bytes: int,
    origin: FileOrigin,
    dialect: Dialect,
    read_lines: ReadLines[_Read],
    measured: Measured = lambda blocks: blocks,
) -> Iterator[_Read | ParsedChunk]:
    """The chunks of a landed file, in order.

    Args:
        landed: the bytes of the file, at their beginning. They can be read again.
        path: the file's path. Its name decides only where the bytes cannot.
        size_bytes: the file's size as listed.
        origin: the columns that all rows of the file share.
        dialect: reads the fields of one object.
        read_lines: reads a chunk of lines, where the file has one event a line.
        measured: sees all decompressed bytes, once.

    Raises:
        UnreadableFileError: the file cannot be read to its end, or is no file of events at all.
    """
    dialect = dialect.in_file(path)
    opened = OpenedFile(landed, path, size_bytes, dialect)
    origin = _with_digest(opened, origin, dialect)
    found, head, blocks = _format_of(opened)
    if found.declared_as != "parquet" and is_binary(head):
        raise UnreadableFileError(described(head), Reason.NOT_DECLARED_FORMAT)
    events = 0
    for chunk in _parsed(found, found.read(opened, measured(blocks)), origin, dialect, read_lines):
        events += chunk.lines - chunk.blank - chunk.rejections.height
        yield chunk
    if found.declared_as == "json" and not events:
        _refuse_without_events(head)


def _refuse_without_events(head: bytes) -> None:
    """Raises `UnreadableFileError` if no line of a text is an event, and one sentence says why."""
    if not is_json(head):
        raise UnreadableFileError(described(head), Reason.NOT_DECLARED_FORMAT)
    if len(head) < HEAD_BYTES and ends_inside_object(head):
        raise UnreadableFileError("truncated: the file ends inside its first object")


def parsed_again(
    landed: BinaryIO,
    path: str,
    size_bytes: int,
    origin: FileOrigin,
    dialect: Dialect,
    places: pl.DataFrame,
) -> pl.DataFrame:
    """The events at the given places, read again from their bytes or rows.

    Args:
        landed: the bytes of the file, at their beginning. They can be read again.
        path: the file's path. Its name decides only where the bytes cannot.
        size_bytes: the file's size as listed.
        origin: the columns that all rows of the file share.
        dialect: reads the fields of one object.
        places: one row per event to read: `line`, `byte_offset`, `byte_length`, by line.

    Returns:
        One row per event, by line; schema `PARSED_EVENTS`. It has as many rows as `places` if
        there is an event at each of them.

    Raises:
        UnreadableFileError: the file cannot be read to the last place.
    """
    dialect = dialect.in_file(path)
    opened = OpenedFile(landed, path, size_bytes, dialect)
    origin = _with_digest(opened, origin, dialect)
    found, _, blocks = _format_of(opened)
    has_none = bool(places["byte_offset"].null_count() or places["byte_length"].null_count())
    if found.has_ranges and has_none:
        return pl.DataFrame(schema=PARSED_EVENTS)
    pieces = found.read_again(opened, blocks, places)
    try:
        chunks = _parsed(found, pieces, origin, dialect, parse_chunk)
        again = pl.concat([pl.DataFrame(schema=PARSED_EVENTS), *(each.events for each in chunks)])
    except UnreadableFileError:
        return pl.DataFrame(schema=PARSED_EVENTS)
    if again.height != places.height or not found.has_ranges:
        return again
    return at_lines(again, places["line"], origin).with_columns(places["byte_offset"])


def _with_digest(opened: OpenedFile, origin: FileOrigin, dialect: Dialect) -> FileOrigin:
    """The origin with the digest of the file, if events of the dialect may have places as keys.

    A key is made before the file has been read to its end, so such a file is read twice.
    """
    if not dialect.form.key_may_be_place:
        return origin
    digest = hashlib.sha256()
    for block in read_blocks(opened.file, opened.size_bytes):
        digest.update(block)
    opened.file.seek(0)
    return replace(origin, raw_sha256=digest.hexdigest())


def _parsed(
    found: FileFormat,
    pieces: Iterator[Any],
    origin: FileOrigin,
    dialect: Dialect,
    read_lines: ReadLines[_Read],
) -> Iterator[_Read | ParsedChunk]:
    if found is not LINES:
        yield from parse_records(pieces, origin, dialect)
        return
    yield from read_pieces(pieces, origin, dialect, read_lines)


def read_pieces(
    pieces: Iterator[Chunk | LongLine],
    origin: FileOrigin,
    dialect: Dialect,
    read_lines: ReadLines[_Read],
) -> Iterator[_Read | ParsedChunk]:
    """The chunks of a file of lines, in order.

    A line may hold several events, so lines are numbered as they are read. A value may go on over
    several lines, so the last lines of a chunk may be read with the next one.

    Args:
        pieces: the chunks and long lines of the file.
        origin: the columns that all rows of the file share.
        dialect: reads the fields of one object.
        read_lines: reads a chunk of lines.
    """
    number, left = 1, None
    for piece in pieces:
        if isinstance(piece, LongLine):
            if left is not None:
                read = read_lines(replace(left, first_line=number), origin, dialect)
                number, left = number + read.lines, None
                yield read
            for parsed in parse_long_line(replace(piece, number=number), origin, dialect):
                number += parsed.lines
                yield parsed
            continue
        chunk = replace(piece, first_line=number, goes_on=True)
        if left is not None:
            content = left.content + piece.content
            chunk = replace(chunk, content=content, byte_offset=left.byte_offset)
        read = read_lines(chunk, origin, dialect)
        number += read.lines
        left = last_lines(chunk, read.open_lines)
        yield read
    if left is not None:
        yield read_lines(replace(left, first_line=number), origin, dialect)


def _format_of(opened: OpenedFile) -> tuple[FileFormat, bytes, Blocks]:
    """The file's format, its first decompressed bytes, and its decompressed blocks."""
    landed_head = opened.file.read(HEAD_BYTES)
    opened.file.seek(0)
    head, blocks = _head(read_blocks(opened.file, opened.size_bytes))
    if head.startswith(_UTF16_MARKS):
        raise UnreadableFileError("its text is UTF-16; write UTF-8")
    if is_packed(landed_head) and is_packed(head):
        raise UnreadableFileError(
            "it is compressed twice; compress it once, or not at all", Reason.NOT_DECLARED_FORMAT
        )
    found = next(each for each in FORMATS if each.is_of(opened, landed_head, head))
    declared = opened.dialect.layout.format
    if declared not in (None, found.declared_as) and head.strip():
        raise UnreadableFileError(
            f"its source declares the format {declared!r} in sources.csv, and it is "
            f"{found.declared_as!r}; correct the column `format`, or the file",
            Reason.NOT_DECLARED_FORMAT,
        )
    return found, head, blocks


def _head(blocks: Blocks) -> tuple[bytes, Blocks]:
    """The first `HEAD_BYTES` of a stream, and the whole stream."""
    held, held_bytes = list[bytes](), 0
    for block in blocks:
        held.append(block)
        held_bytes += len(block)
        if held_bytes >= HEAD_BYTES:
            break
    return b"".join(held)[:HEAD_BYTES], chain(held, blocks)
