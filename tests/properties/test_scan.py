"""The scanner gives the same rows as the strict reader, byte for byte, for any lines.

The strict reader is the oracle. A line that the scanner leaves to it proves nothing. So the scanner
must have read most of the well-formed lines itself.
"""

import random

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.reading.dialects import DIALECTS
from pipelines.reading.formats.lines import Chunk, last_lines
from pipelines.reading.parse import FileOrigin, parse_chunk
from pipelines.reading.scanner.columns import ScannedChunk, scan_chunk
from pipelines.reading.scanner.forms import scan_form
from pipelines.reading.scanner.rows import parsed_rows
from tests.hostile.cases import good_line
from tests.hostile.fuzz_spread import joined, made_pieces
from tests.hostile.mutants import mutated_lines

ORIGIN = FileOrigin(
    file_id=7, source="cdn", dedupe_scope="shared", received_at=1_790_000_000_000_000
)
LINES = 4_000
SCANNED = ("lago", "metronome", "orb")

pytestmark = pytest.mark.usefixtures("compiled_scanner")


def scanned_like_strict(content: bytes, name: str, byte_offset: int = 0) -> ScannedChunk:
    """The scanned chunk, once its rows were compared with those of the strict reader."""
    chunk, dialect = Chunk(content, 5, byte_offset), DIALECTS[name]
    form = scan_form(dialect.form, ORIGIN.dedupe_scope)
    assert form is not None
    expected = parse_chunk(chunk, ORIGIN, dialect)
    found = scan_chunk(chunk, ORIGIN, form, dialect)
    rows = parsed_rows(found, np.arange(found.events))
    assert (found.lines, found.blank) == (expected.lines, expected.blank)
    assert_frame_equal(found.left.rejections, expected.rejections)
    events = pl.concat([rows, found.left.events]).sort("line")
    assert_frame_equal(events, expected.events)
    return found


@pytest.mark.parametrize("name", SCANNED)
@pytest.mark.parametrize("seed", range(6))
def test_mutated_lines(name: str, seed: int) -> None:
    lines = mutated_lines(seed, LINES)
    found = scanned_like_strict(b"\n".join(lines), name, byte_offset=seed % 2)
    assert found.events > LINES / 50


@pytest.mark.parametrize("name", SCANNED)
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b" \n\n"], ids=["lf", "crlf", "blanks"])
def test_values_over_several_lines(name: str, seed: int, line_end: bytes) -> None:
    chance = random.Random(seed)  # noqa: S311 -- repeatable on purpose
    pieces = made_pieces(chance, name, mutated_lines(seed, 50))
    content = joined(pieces, line_end)
    found = scanned_like_strict(content, name, byte_offset=seed % 2)
    assert found.events
    assert line_end == b" \n\n" or found.left.events.height


@pytest.mark.parametrize("name", SCANNED)
@pytest.mark.parametrize("end", [b"", b"\n"], ids=["line", "blank"])
def test_value_that_goes_on_after_a_chunk_is_left(name: str, end: bytes) -> None:
    line = good_line(name, "1")
    cut = b'{\n "a":1,\r\n "b":[\n'
    chunk = Chunk(line + b"\n" + cut + end, 1, 0, goes_on=True)
    form = scan_form(DIALECTS[name].form, ORIGIN.dedupe_scope)
    assert form is not None

    found = scan_chunk(chunk, ORIGIN, form, DIALECTS[name])

    assert (found.events, found.lines, found.blank) == ((1, 5, 3) if end else (1, 1, 0))
    assert found.rejections["byte_length"].to_list() == ([len(cut) - 1] if end else [])
    left = last_lines(chunk, found.open_lines)
    assert left == (None if end else Chunk(cut, 1, len(line) + 1))


@pytest.mark.parametrize("name", SCANNED)
def test_amendments_are_left_to_the_strict_reader(name: str) -> None:
    lines = [
        b'{"transaction_id":"k2","idempotency_key":"k2","amendment":"void","target_key":"k1"}',
        b'{"target_key":"k1","amendment":null,"transaction_id":"k3","idempotency_key":"k3"}',
        b'{"\\u0061mendment":"void","target_key":"k1","transaction_id":"k4","idempotency_key":"k4"}',
    ]
    found = scanned_like_strict(b"\n".join(lines), name)
    assert found.events == 0
    assert found.left.events["amendment"].to_list() == ["void", "void"]


@pytest.mark.parametrize("content", [b"", b"\n", b"\r", b" \r\n", b"\r\n\n"])
def test_a_byte_order_mark_and_blanks(content: bytes) -> None:
    scanned_like_strict(b"\xef\xbb\xbf" + content, "metronome")


@pytest.mark.parametrize("byte_offset", [0, 1])
def test_lines_of_several_events_shift_the_numbers_of_those_after_them(byte_offset: int) -> None:
    one, two, three = (good_line("metronome", key) for key in ("1", "2", "3"))
    lines = [one, one + two, b"", b'{"data":[' + two + b",," + three + b"]}", three, b"[]", two]

    found = scanned_like_strict(b"\r\n".join(lines), "metronome", byte_offset)

    assert found.events == 3
    assert (found.lines, found.blank) == (10, 2)
    numbers = parsed_rows(found, np.arange(found.events))["line"].to_list()
    assert numbers == [5, 12, 14]
