"""A few fixed rounds of the fuzzer, and proof that it can fail."""

import random
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.reading import doors, parse
from pipelines.reading.formats import compression, json_batches
from pipelines.reading.formats.spread_values import SpreadValue
from pipelines.reading.parse import ParsedChunk
from tests.hostile import fuzz, mutated_lines
from tests.hostile.cases import line_of
from tests.hostile.fuzz_spread import check_spread
from tests.hostile.mutants import WRITTEN_DIALECTS
from tests.worlds.file_lines import parse_content


def test_rounds_of_mutated_lines_and_files() -> None:
    for number in range(1, 16):
        fuzz.run_round(number)


@pytest.mark.parametrize(
    "number",
    [
        # A property is named by a path, whose text stands nowhere in the line.
        632,
        920,
        3068,
        # A plain file begins with the mark of gzip.
        2977,
        # A wrong value over two lines ends where an event begins.
        70016,
        4280131129,
    ],
)
def test_a_round_of_good_reading_does_not_fail(number: int) -> None:
    fuzz.run_round(number)


def test_a_name_made_of_a_path_and_nested_values_are_found_in_their_line() -> None:
    properties = b'{"a":{"b":[1.0, {"c":null}]},"d":{"e":true}}'
    for dialect in ("segment", "custom"):
        line = line_of(dialect, properties=properties) + b"\n"
        fuzz.check_lines(_chance(1), fuzz.MadeFile(dialect, line, {}))


@pytest.mark.parametrize("mark", [b"\x1f\x8b", b"\x1f", b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18"])
def test_a_plain_file_may_look_compressed(mark: bytes) -> None:
    assert fuzz._is_other(mark, mark)
    assert fuzz._looks_compressed(mark, mark)
    assert not fuzz._looks_compressed(mark, b"compressed")
    assert not fuzz._looks_compressed(b"{}" + mark, b"{}" + mark)


def test_a_round_through_the_lake(tmp_path: Path) -> None:
    fuzz.check_lake(_chance(1), tmp_path)


def _chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 — repeatable on purpose


def _lines_of_a_few_rounds() -> None:
    for number in range(20):
        chance = _chance(number)
        fuzz.check_lines(chance, fuzz.made_file(chance, 20))


def test_fuzzer_notices_a_line_that_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(*arguments: object) -> ParsedChunk:
        parsed = parse.parse_chunk(*arguments)  # type: ignore[arg-type]
        return ParsedChunk(parsed.events[1:], parsed.rejections, parsed.lines, parsed.blank)

    monkeypatch.setattr("tests.worlds.file_lines.parse_chunk", forgetful)

    with pytest.raises(AssertionError):
        _lines_of_a_few_rounds()


def test_fuzzer_notices_text_that_is_altered(monkeypatch: pytest.MonkeyPatch) -> None:
    event_row = doors._event_row

    def trimmed(*arguments: object) -> tuple[object, ...]:
        row = list(event_row(*arguments))  # type: ignore[arg-type]
        row[1] = str(row[1]).replace(" ", "")
        return tuple(row)

    monkeypatch.setattr(doors, "_event_row", trimmed)

    with pytest.raises(AssertionError):
        _lines_of_a_few_rounds()


def test_fuzzer_notices_a_value_under_the_name_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    event_row = doors._event_row

    def swapped(*arguments: object) -> tuple[object, ...]:
        row = list(event_row(*arguments))  # type: ignore[arg-type]
        properties = row[6]
        names = list(properties)
        row[6] = dict(zip(names, [properties[name] for name in reversed(names)], strict=True))
        return tuple(row)

    line = line_of("metronome", properties=b'{"a":1,"b":[2]}') + b"\n"
    fuzz.check_lines(_chance(1), fuzz.MadeFile("metronome", line, {}))
    monkeypatch.setattr(doors, "_event_row", swapped)

    with pytest.raises(AssertionError):
        fuzz.check_lines(_chance(1), fuzz.MadeFile("metronome", line, {}))


@pytest.mark.parametrize("goes_on", [False, True], ids=["read-line-by-line", "swallows-others"])
def test_fuzzer_notices_values_that_end_elsewhere(
    goes_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def values_of_a_few_rounds() -> None:
        for number in range(5):
            check_spread(_chance(number), fuzz.CORPUS)

    values_of_a_few_rounds()
    monkeypatch.setattr(SpreadValue, "takes", lambda *_: goes_on)

    with pytest.raises(AssertionError):
        values_of_a_few_rounds()


def test_fuzzer_notices_a_place_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse, "BYTE_ORDER_MARK", b"{")

    with pytest.raises(AssertionError):
        _lines_of_a_few_rounds()


def test_fuzzer_notices_a_checksum_that_nobody_compares(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Raw deflate behind a skipped header has no checksum, and the trailer is not read.
    def careless(first: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
        landed = b"".join([first, *blocks])
        try:
            yield zlib.decompressobj(wbits=-15).decompress(landed[10:])
        except zlib.error as error:
            raise compression.UnreadableFileError(str(error)) from None

    monkeypatch.setattr(compression, "_gunzip", careless)

    def files_of_a_few_rounds() -> None:
        for number in range(20):
            fuzz.check_files(_chance(number), tmp_path / str(number), 8)

    # The other reader of gzip refuses the bytes, or decompresses them to others.
    with pytest.raises((AssertionError, OSError, EOFError, zlib.error)):
        files_of_a_few_rounds()


def test_fuzzer_notices_lines_that_are_taken_for_a_batch(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(json_batches, "BATCH_START", re.compile(rb"[ \t\r\n]*[\[{]"))

    def files_of_a_few_rounds() -> None:
        for number in range(20):
            fuzz.check_files(_chance(number), tmp_path / str(number), 8)

    with pytest.raises(AssertionError):
        files_of_a_few_rounds()


def test_mutated_lines_are_the_same_for_one_seed() -> None:
    lines = mutated_lines(17, 500)

    assert lines == mutated_lines(17, 500)
    assert lines != mutated_lines(18, 500)
    assert not any(b"\n" in line for line in lines)


@pytest.mark.parametrize("dialect", WRITTEN_DIALECTS)
def test_mutated_lines_are_of_every_kind(dialect: str) -> None:
    parsed = parse_content(b"\n".join(mutated_lines(17, 1_000, [dialect])), dialect=dialect)

    assert 200 < parsed.events.height < 600
    assert set(parsed.reasons.values()) == {reason.value for reason in fuzz.STRUCTURAL_REASONS}
