"""Formats: which reader a landed file needs, and what it gives.

Belongs here: telling the formats apart, one call for all of them, and reading single events
again. Must not be put here: a format (see `parse`, `json_arrays`, `csv_rows`, `parquet_rows`),
compression (see `compression`).

What a file is, in this order: Parquet by its first bytes; CSV by its name, since nothing in it
says so; a file of batches by its first characters; else one event a line. Gzip and zstd are told
by their first bytes before that. Only a name that ends in `.parquet` must keep its promise.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from itertools import chain
from typing import BinaryIO, TypeVar

import polars as pl

from pipelines.reading.dialects import Dialect
from pipelines.reading.formats.compression import read_blocks
from pipelines.reading.formats.csv_records import csv_records, header_text
from pipelines.reading.formats.json_batches import BATCH_START, split_elements
from pipelines.reading.formats.parquet_rows import MAGIC, read_rows
from pipelines.reading.parse import (
    Chunk,
    FileOrigin,
    LongLine,
    ParsedChunk,
    parse_chunk,
    parse_records,
    split_chunks,
)
from pipelines.vocabulary.errors import UnreadableFileError
from pipelines.vocabulary.frames import PARSED_EVENTS

HEAD_BYTES = 64 * 1024
"""What is looked at to tell a file of batches from one event a line."""

_CSV_NAME = re.compile(r"\.csv(\.gz|\.zst)?$")
_PARQUET_NAME = re.compile(r"\.parquet$")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

_Read = TypeVar("_Read")

Measured = Callable[[Iterator[bytes]], Iterator[bytes]]
"""Sees every block of a file's decompressed bytes pass by."""


class Format(StrEnum):
    """How the events stand in a file."""

    LINES = "lines"
    BATCHES = "batches"
    CSV = "csv"
    PARQUET = "parquet"


def parsed_chunks(
    landed: BinaryIO,
    path: str,
    size_bytes: int,
    origin: FileOrigin,
    dialect: Dialect,
    measured: Measured = lambda blocks: blocks,
) -> Iterator[ParsedChunk]:
    """Events and rejections of a landed file, in order, whatever its format.

    Its arguments are those of `read_chunks`.

    Raises:
        UnreadableFileError: it cannot be read to its end.
    """
    return read_chunks(landed, path, size_bytes, origin, dialect, parse_chunk, measured)


def read_chunks(
    landed: BinaryIO,
    path: str,
    size_bytes: int,
    origin: FileOrigin,
    dialect: Dialect,
    read_lines: Callable[[Chunk | LongLine, FileOrigin, Dialect], _Read],
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
    found, blocks = _told_apart(landed, path, size_bytes)
    blocks = measured(blocks)
    if found is Format.PARQUET:
        for _ in blocks:
            pass  # They are counted and measured; what Parquet says of itself is at its end.
        yield from parse_records(read_rows(landed, size_bytes), origin, dialect)
    elif found is Format.LINES:
        for chunk in split_chunks(blocks):
            yield read_lines(chunk, origin, dialect)
    else:
        yield from _parsed_text(found, blocks, origin, dialect)


def _parsed_text(
    found: Format, blocks: Iterable[bytes], origin: FileOrigin, dialect: Dialect
) -> Iterator[ParsedChunk]:
    if found is Format.LINES:
        for chunk in split_chunks(blocks):
            yield parse_chunk(chunk, origin, dialect)
    else:
        cut_out = csv_records if found is Format.CSV else split_elements
        yield from parse_records(cut_out(blocks), origin, dialect)


def parsed_again(
    landed: BinaryIO,
    path: str,
    size_bytes: int,
    origin: FileOrigin,
    dialect: Dialect,
    places: pl.DataFrame,
) -> pl.DataFrame:
    """The events at these places alone, as their bytes or rows say.

    The ranges are put together as a file of the same format, and that is parsed: so a range that
    is no record, or more than one, gives another number of events.

    Args:
        landed: as for `parsed_chunks`, like the others.
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
    found, blocks = _told_apart(landed, path, size_bytes)
    if found is Format.PARQUET:
        rows = read_rows(landed, size_bytes, frozenset(places["line"]))
        return _events(parse_records(rows, origin, dialect))
    if places["byte_offset"].null_count() or places["byte_length"].null_count():
        return pl.DataFrame(schema=PARSED_EVENTS)
    header = b""
    if found is Format.CSV:
        header = header_text(blocks) + b"\n"
        landed.seek(0)
        blocks = read_blocks(landed, size_bytes)
    ranges = list(_ranges(blocks, places))
    if found is Format.BATCHES:
        content = b"[" + b",".join(content for content, _ in ranges) + b"]"
    else:
        content = header + b"".join(content + line_end for content, line_end in ranges)
    try:
        again = _events(_parsed_text(found, [content], origin, dialect))
    except UnreadableFileError:
        return pl.DataFrame(schema=PARSED_EVENTS)
    if again.height != places.height:
        return again
    return again.with_columns(places["line"], places["byte_offset"])


def _events(chunks: Iterable[ParsedChunk]) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=PARSED_EVENTS), *(chunk.events for chunk in chunks)])


def _ranges(blocks: Iterator[bytes], places: pl.DataFrame) -> Iterator[tuple[bytes, bytes]]:
    """The bytes of each range, and a line end for them, from a stream read once."""
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


def _told_apart(landed: BinaryIO, path: str, size_bytes: int) -> tuple[Format, Iterator[bytes]]:
    """The file's format, and its decompressed blocks."""
    is_parquet = landed.read(len(MAGIC)) == MAGIC
    landed.seek(0)
    head, blocks = _head(read_blocks(landed, size_bytes))
    if is_parquet:
        return Format.PARQUET, blocks
    if _PARQUET_NAME.search(path):
        raise UnreadableFileError("its name ends in .parquet, but it does not begin with PAR1")
    if head.startswith(MAGIC):
        raise UnreadableFileError("a compressed Parquet file is not read; Parquet packs itself")
    if head.startswith(_UTF16_MARKS):
        raise UnreadableFileError("its text is UTF-16; write UTF-8")
    if _CSV_NAME.search(path):
        return Format.CSV, blocks
    return (Format.BATCHES if BATCH_START.match(head) else Format.LINES), blocks


def _head(blocks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes of a stream, and the stream with them."""
    held, held_bytes = list[bytes](), 0
    for block in blocks:
        held.append(block)
        held_bytes += len(block)
        if held_bytes >= HEAD_BYTES:
            break
    return b"".join(held)[:HEAD_BYTES], chain(held, blocks)
