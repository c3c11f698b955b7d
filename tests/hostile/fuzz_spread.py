"""Fuzzing of values over several lines: pretty-printed events among lines and cut-off ones.

These rules hold:

- A line that is an event alone has the same row among others.
- A whole pretty-printed event after an event is read, with its exact bytes, whatever follows it.
- A line that follows a value which is cut off, and is an event, is read.
- A value that is cut off has one rejection, which begins where it does; a mutated line after it may
  be what closes it.
- All holds wherever the stream is cut, and in the compiled scanner.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.reading.dialects import DIALECTS
from pipelines.reading.formats.lines import Chunk
from pipelines.reading.parse import parse_chunk
from tests.hostile.cases import good_line
from tests.hostile.mutants import mutant
from tests.worlds.file_lines import ORIGIN, ParsedContent, parse_content

INDENTS: tuple[int | str, ...] = (0, 1, 2, 4, "\t")
"""What stands before each level of a pretty-printed event."""

PIECES = 12
"""Pieces of a file: lines, pretty-printed events, and both cut off or mutated."""


@dataclass(frozen=True)
class Piece:
    """One or more lines.

    Attributes:
        kind: `line`, `pretty`, `cut` or `wild`.
        lines: its lines without their ends.
    """

    kind: str
    lines: tuple[bytes, ...]


def made_pieces(chance: random.Random, dialect: str, corpus: Sequence[bytes]) -> list[Piece]:
    """The pieces of a file, whose first one is a line."""
    pieces = [Piece("line", (good_line(dialect, "first"),))]
    for number in range(PIECES):
        kind = chance.choice(["line", "pretty", "pretty", "cut", "wild"])
        line = good_line(dialect, f"key {number}")
        pretty = json.dumps(json.loads(line), indent=chance.choice(INDENTS)).encode().split(b"\n")
        if kind == "wild":
            line = mutant(chance, chance.choice(corpus), corpus).replace(b"\n", b" ")
        elif kind == "cut":
            pretty = pretty[: chance.randint(2, len(pretty) - 1)]
        lines = tuple(pretty) if kind in ("pretty", "cut") else (line,)
        pieces.append(Piece(kind, lines))
    return pieces


def joined(pieces: Sequence[Piece], line_end: bytes) -> bytes:
    """The bytes of a file of these pieces."""
    return b"".join(line + line_end for piece in pieces for line in piece.lines)


def check_spread(chance: random.Random, corpus: Sequence[bytes]) -> None:
    """Checks the rules for a file of lines and of values over several lines.

    Raises:
        AssertionError: a rule does not hold.
    """
    dialect = chance.choice(sorted(DIALECTS))
    pieces = made_pieces(chance, dialect, corpus)
    line_end = chance.choice([b"\n", b"\n", b"\r\n"])
    content = joined(pieces, line_end)
    whole = parse_content(content, dialect=dialect)
    events = {row["byte_offset"]: row for row in whole.events.iter_rows(named=True)}
    refused = {row["byte_offset"]: row for row in whole.rejections.iter_rows(named=True)}
    assert whole.lines == len(events) + len(refused) + whole.blank

    number, offset, before = 1, 0, "line"
    closers = [each.kind == "wild" for each in pieces[1:]] + [False]
    for piece, may_close in zip(pieces, closers, strict=True):
        first, start = number, offset
        for line in piece.lines:
            chunk = Chunk(line + line_end, number, offset or 1)
            alone = parse_chunk(chunk, ORIGIN, DIALECTS[dialect])
            for row in alone.events.iter_rows(named=True):
                place = row["byte_offset"] - (not offset)
                assert events[place] == row | {"byte_offset": place}, (number, line)
            number += alone.lines
            offset += len(line) + len(line_end)
        length = offset - start - len(line_end)
        is_read = before != "wild" and piece.kind in ("line", "pretty")
        if is_read or piece.kind == "line":
            row = events.get(start, {"line": 0, "byte_length": 0})
            assert (row["line"], row["byte_length"]) == (first, length), (first, piece)
        elif before in ("line", "pretty") and piece.kind == "cut" and not may_close:
            row = refused.get(start, {"line": 0, "reason_code": ""})
            assert (row["line"], row["reason_code"]) == (first, "malformed"), (first, piece)
        before = piece.kind
    assert whole.lines == number - 1
    _check_cuts(content, dialect, whole, chance.choice([3, 50, 1_000]))


def _check_cuts(content: bytes, dialect: str, whole: ParsedContent, size: int) -> None:
    blocks = (content[at : at + size] for at in range(0, len(content), size))
    pieces = parse_content(content, blocks=blocks, chunk_bytes=size, dialect=dialect)
    assert pieces.events.equals(whole.events)
    assert pieces.rejections.equals(whole.rejections)
    assert (pieces.lines, pieces.blank) == (whole.lines, whole.blank)
