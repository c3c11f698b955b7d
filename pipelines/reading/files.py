"""Reads a landed file: finds its format, and yields its events and rejections.

The bytes decide, and the name only where they cannot. Gzip and zstd are recognized first, by their
first bytes. Then the formats are tried in their order: Parquet by its first bytes, CSV by its name,
batches by their first characters. Any other file has one event a line.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any, BinaryIO, TypeVar

import polars as pl

from pipelines.reading import formats
from pipelines.reading.dialects import Dialect
from pipelines.reading.formats.compression import read_blocks
from pipelines.reading.formats.file_format import Blocks, FileFormat, OpenedFile
from pipelines.reading.formats.lines import FORMAT as LINES
from pipelines.reading.formats.lines import Chunk, LongLine
from pipelines.reading.parse import FileOrigin, ParsedChunk, at_lines, parse_chunk, parse_records
from pipelines.vocabulary.errors import UnreadableFileError
from pipelines.vocabulary.frames import PARSED_EVENTS
from pipelines.vocabulary.members import members

FORMATS: tuple[FileFormat, ...] = tuple(
    sorted(members(formats, "FORMAT").values(), key=lambda found: found.order)
)
"""The format of each module of `formats` that defines one, in the order in which they are tried."""

HEAD_BYTES = 64 * 1024
"""Decompressed bytes that a format may look at to recognize a file."""

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

_Read = TypeVar("_Read")

ReadLines = Callable[[Chunk | LongLine, FileOrigin, Dialect], _Read]
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
        UnreadableFileError: the file cannot be read to its end.
    """
    dialect = dialect.in_file(path)
    opened = OpenedFile(landed, path, size_bytes, dialect)
    origin = _with_digest(opened, origin, dialect)
    found, blocks = _format_of(opened)
    yield from _parsed(found, found.read(opened, measured(blocks)), origin, dialect, read_lines)


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
    found, blocks = _format_of(opened)
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
    if found is LINES:
        for chunk in pieces:
            yield read_lines(chunk, origin, dialect)
    else:
        yield from parse_records(pieces, origin, dialect)


def _format_of(opened: OpenedFile) -> tuple[FileFormat, Blocks]:
    """The file's format, and its decompressed blocks."""
    landed_head = opened.file.read(HEAD_BYTES)
    opened.file.seek(0)
    head, blocks = _head(read_blocks(opened.file, opened.size_bytes))
    if head.startswith(_UTF16_MARKS):
        raise UnreadableFileError("its text is UTF-16; write UTF-8")
    return next(each for each in FORMATS if each.is_of(opened.path, landed_head, head)), blocks


def _head(blocks: Blocks) -> tuple[bytes, Blocks]:
    """The first `HEAD_BYTES` of a stream, and the whole stream."""
    held, held_bytes = list[bytes](), 0
    for block in blocks:
        held.append(block)
        held_bytes += len(block)
        if held_bytes >= HEAD_BYTES:
            break
    return b"".join(held)[:HEAD_BYTES], chain(held, blocks)
