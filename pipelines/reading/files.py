"""A landed file, read: which format it has, and its events and rejections.

The bytes decide. Formats are asked in their order: Parquet by its first bytes, CSV by its name
(nothing in it says so), a file of batches by its first characters, else one event a line. Gzip and
zstd are told by their first bytes before that.
"""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, BinaryIO, TypeVar

import polars as pl

from pipelines.reading import formats
from pipelines.reading.dialects import Dialect
from pipelines.reading.formats.compression import read_blocks
from pipelines.reading.formats.file_format import Blocks, FileFormat, Landed
from pipelines.reading.formats.lines import FORMAT as LINES
from pipelines.reading.formats.lines import Chunk, LongLine
from pipelines.reading.parse import FileOrigin, ParsedChunk, parse_chunk, parse_records
from pipelines.vocabulary.errors import UnreadableFileError
from pipelines.vocabulary.frames import PARSED_EVENTS
from pipelines.vocabulary.members import members

FORMATS: tuple[FileFormat, ...] = tuple(
    sorted(members(formats, "FORMAT").values(), key=lambda found: found.order)
)
"""Every format that a module of `formats` has, in the order in which they are asked."""

HEAD_BYTES = 64 * 1024
"""Decompressed bytes that are looked at to tell the formats apart."""

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

_Read = TypeVar("_Read")

ReadLines = Callable[[Chunk | LongLine, FileOrigin, Dialect], _Read]
"""Reads one chunk of a file of one event a line."""

Measured = Callable[[Blocks], Blocks]
"""Sees every block of a file's decompressed bytes pass by."""


def read_chunks(
    landed: BinaryIO,
    path: str,
    size_bytes: int,
    origin: FileOrigin,
    dialect: Dialect,
    read_lines: ReadLines[_Read],
    measured: Measured = lambda blocks: blocks,
) -> Iterator[_Read | ParsedChunk]:
    """What a landed file holds, in order; its lines as a reader of one's own gives them.

    Args:
        landed: its bytes, at their beginning; they can be read again.
        path: its name chooses only where its bytes cannot.
        size_bytes: its size as listed.
        origin: copied into every row.
        dialect: reads the fields of one object.
        read_lines: reads a chunk of a file of one event a line.
        measured: sees all of the decompressed bytes, once.

    Raises:
        UnreadableFileError: it cannot be read to its end.
    """
    file = Landed(landed, path, size_bytes)
    found, blocks = _told_apart(file)
    yield from _parsed(found, found.read(file, measured(blocks)), origin, dialect, read_lines)


def parsed_again(
    landed: BinaryIO,
    path: str,
    size_bytes: int,
    origin: FileOrigin,
    dialect: Dialect,
    places: pl.DataFrame,
) -> pl.DataFrame:
    """The events at these places alone, as their bytes or rows say.

    Args:
        landed: as for `read_chunks`, like the others.
        path: as there.
        size_bytes: as there.
        origin: as there.
        dialect: as there.
        places: `line`, `byte_offset`, `byte_length`, by line.

    Returns:
        Schema `PARSED_EVENTS`, by line; as high as `places` if each is an event.

    Raises:
        UnreadableFileError: the file cannot be read to the last place.
    """
    file = Landed(landed, path, size_bytes)
    found, blocks = _told_apart(file)
    has_none = bool(places["byte_offset"].null_count() or places["byte_length"].null_count())
    if found.has_ranges and has_none:
        return pl.DataFrame(schema=PARSED_EVENTS)
    pieces = found.read_again(file, blocks, places)
    try:
        chunks = _parsed(found, pieces, origin, dialect, parse_chunk)
        again = pl.concat([pl.DataFrame(schema=PARSED_EVENTS), *(each.events for each in chunks)])
    except UnreadableFileError:
        return pl.DataFrame(schema=PARSED_EVENTS)
    if again.height != places.height or not found.has_ranges:
        return again
    return again.with_columns(places["line"], places["byte_offset"])


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


def _told_apart(landed: Landed) -> tuple[FileFormat, Blocks]:
    """The file's format, and its decompressed blocks."""
    landed_head = landed.file.read(HEAD_BYTES)
    landed.file.seek(0)
    head, blocks = _head(read_blocks(landed.file, landed.size_bytes))
    if head.startswith(_UTF16_MARKS):
        raise UnreadableFileError("its text is UTF-16; write UTF-8")
    return next(each for each in FORMATS if each.is_of(landed.path, landed_head, head)), blocks


def _head(blocks: Blocks) -> tuple[bytes, Blocks]:
    """The first bytes of a stream, and the stream with them."""
    held, held_bytes = list[bytes](), 0
    for block in blocks:
        held.append(block)
        held_bytes += len(block)
        if held_bytes >= HEAD_BYTES:
            break
    return b"".join(held)[:HEAD_BYTES], chain(held, blocks)
