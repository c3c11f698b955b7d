"""Strict lines: those that the scanner leaves to the strict reader, with their true places."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.reading.dialects import Dialect
from pipelines.reading.formats.lines import Chunk
from pipelines.reading.parse import FileOrigin, ParsedChunk, parse_chunk
from pipelines.reading.scanner.lines import LINES, Scanned
from pipelines.vocabulary.frames import PARSED_EVENTS, REJECTIONS

# To make empty frames takes as long as to scan a thousand lines, so they are made once.
_NOTHING_LEFT = ParsedChunk(
    pl.DataFrame(schema=PARSED_EVENTS), pl.DataFrame(schema=REJECTIONS), lines=0, blank=0
)


def strict_lines(
    chunk: Chunk, origin: FileOrigin, strict: Dialect, found: Scanned, lines: NDArray[np.int64]
) -> ParsedChunk:
    """The events and rejections that the strict reader makes of some lines, in their places.

    Args:
        chunk: the chunk.
        origin: the columns that all rows of the file share.
        strict: the dialect as the strict reader knows it.
        found: where the scanner found the lines of the chunk.
        lines: the lines to read, from 0.
    """
    if not len(lines):
        return _NOTHING_LEFT
    starts, lengths = found.line_place[lines], found.line_bytes[lines]
    # One call reads all of them, since a frame per line is slow. True places are set afterwards. At
    # offset 0 a byte order mark is skipped. Number 1 is the first line, which may refuse the file.
    # A value may go on over lines that stand together, so the bytes between them are true ones.
    is_apart = np.diff(lines) > 1
    stops = np.append(np.where(is_apart, starts[:-1] + lengths[:-1], starts[1:]), 0)
    stops[-1] = starts[-1] + lengths[-1]
    texts = [
        chunk.content[start:stop] + b"\r\n" * ends
        for start, stop, ends in zip(
            starts.tolist(), stops.tolist(), [*is_apart.tolist(), True], strict=True
        )
    ]
    base = 1 if chunk.first_line == 1 and lines[0] == 0 else 2
    chosen = Chunk(
        b"".join(texts),
        base,
        1,
        goes_on=chunk.goes_on and lines[-1] == found.counts[LINES] - 1,
        apart=frozenset((np.flatnonzero(is_apart) + 1).tolist()),
    )
    parsed = parse_chunk(chosen, origin, strict)
    ends = np.cumsum([len(text) for text in texts])
    begins = ends - [len(text) for text in texts]

    def in_place(rows: pl.DataFrame) -> pl.DataFrame:
        place = rows["byte_offset"].to_numpy() - 1
        index = np.searchsorted(ends, place, side="right")
        # A line that holds several events has numbers that the lines after it then lack.
        more = rows["line"].to_numpy() - base - index
        inside = place - begins[index]
        return rows.with_columns(
            pl.Series("line", chunk.first_line + lines[index] + more, pl.Int64),
            pl.Series("byte_offset", chunk.byte_offset + starts[index] + inside, pl.Int64),
        )

    return ParsedChunk(
        in_place(parsed.events),
        in_place(parsed.rejections),
        parsed.lines,
        parsed.blank,
        tuple((int(lines[index]), count) for index, count in parsed.wide),
        parsed.open_lines,
    )
