"""Fuzzing: rounds of mutated lines and files, with rules that hold for any bytes.

    make fuzz FUZZ_SECONDS=600 FUZZ_SEED=1

The number of a round makes all of it. A round that fails is reported by its number, and
`FUZZ_SEED=<number> FUZZ_SECONDS=0` runs it again.

These rules hold for lines:

- No exception is raised.
- lines = events + rejections + blank lines.
- The place of each row is exactly that of its line's bytes, or of the lines of its value.
- A line has the same row alone, among others, and wherever the stream is cut.
- The good lines are read.
- The bytes of an event parse to the same event again.

These rules hold for files:

- A file is quarantined with a reason and without rows, or each of its lines is accounted for.
  Another reader of the same compression says which lines there are.
- The files beside it are not affected.
- A mutation of the first bytes can turn a file into batches or another format, or make a plain
  file look compressed. Then it is quarantined as a whole, or its elements add up.
"""

import bisect
import gzip
import hashlib
import json
import os
import random
import re
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import zstandard

from pipelines.landing.store import Landing
from pipelines.reading.dialects import DIALECTS
from pipelines.reading.formats.lines import Chunk
from pipelines.reading.formats.records import BYTE_ORDER_MARK
from pipelines.reading.parse import FileOrigin, parse_chunk
from pipelines.reading.parts import LandedFile
from pipelines.reading.workers import parse_files
from pipelines.vocabulary.errors import UnreadableFileError
from pipelines.vocabulary.limits import LINE_BYTES_MAX
from pipelines.vocabulary.verdicts import Reason
from tests.hostile import lines, lines_of_dialects, lines_of_time
from tests.hostile.cases import good_columns, good_line
from tests.hostile.fuzz_spread import check_spread
from tests.hostile.landing_run import drop, outcome_of
from tests.hostile.mutants import WRITTEN_DIALECTS, mutant, written_line
from tests.worlds.file_lines import ORIGIN, ParsedContent, parse_content

CORPUS = tuple(
    case.content
    for case in (*lines.LINES, *lines_of_time.LINES, *lines_of_dialects.LINES)
    if len(case.content) < 5_000
)
"""The lines that are mutated, beside events as senders write them."""

STRUCTURAL_REASONS = {
    Reason.MALFORMED,
    Reason.MISSING_FIELD,
    Reason.INVALID_TIMESTAMP,
    Reason.INVALID_PROPERTY,
    Reason.TOO_LARGE,
}
"""The reasons for which the parser may reject a line."""

FLATTENING_DIALECTS = {"cloudevents", "custom", "segment"}
"""The dialects that name the members of nested objects by their paths."""

_WHITE = b" \t\r"

_OTHER_FORMAT = re.compile(
    rb"""PAR1 | \xff\xfe | \xfe\xff
    | (?:\xef\xbb\xbf)? [ \t\r\n]* (?: \[ | \{ [ \t\r\n]* "events" [ \t\r\n]* : [ \t\r\n]* \[ )""",
    re.VERBOSE,
)
"""The beginning of a file that does not have one event a line, written a second time."""

_EMPTY_BATCH = re.compile(rb'"(?:[^"\\]|\\.)*"\s*:\s*\[[\s,]*\]')
"""A batch of no elements, or of white space between commas: its line may have no row."""

_COMPRESSION_MARKS = (
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    *(bytes([byte]) + b"\x2a\x4d\x18" for byte in range(0x50, 0x60)),
)
"""The beginnings of gzip and zstd, written a second time."""


@dataclass(frozen=True)
class MadeFile:
    """A text file of a round, and its good lines.

    Attributes:
        dialect: the dialect in which it is read.
        content: its bytes.
        good: the keys by line number of the lines that must be read.
    """

    dialect: str
    content: bytes
    good: dict[int, str]


def made_file(chance: random.Random, line_count: int, long_share: float = 0) -> MadeFile:
    """A file of good lines and mutants, with both kinds of line ends.

    Args:
        chance: makes all choices.
        line_count: number of lines.
        long_share: the share of mutants that are about as long as a line may be, or longer.
    """
    dialect = chance.choice(sorted(DIALECTS))
    parts: list[bytes] = []
    good: dict[int, str] = {}
    for number in range(1, line_count + 1):
        if chance.random() < 0.3:
            good[number] = f"good {number}"
            line = good_line(dialect, good[number])
        else:
            line = _hostile_line(chance)
            if chance.random() < long_share:
                # About as long as the longest line that is read, or much longer.
                size = LINE_BYTES_MAX * chance.choice([1, 1, 1, 3]) + chance.randint(-2, 2)
                line = line.ljust(size, chance.choice([b" ", b"x", b"\r"]))
        parts += (line, b"\r\n" if chance.random() < 0.2 else b"\n")
    if parts and parts[-2] and chance.random() < 0.3:
        parts.pop()
    mark = BYTE_ORDER_MARK if chance.random() < 0.1 else b""
    return MadeFile(dialect, mark + b"".join(parts), good)


def _hostile_line(chance: random.Random) -> bytes:
    if chance.random() < 0.5:
        line = chance.choice(CORPUS)
    else:
        line = written_line(chance, chance.choice(WRITTEN_DIALECTS)).replace(b"\n", b" ")
    if chance.random() < 0.8:
        line = mutant(chance, line, CORPUS)
    return line


def check_lines(chance: random.Random, file: MadeFile) -> None:
    """Checks the rules for the lines of a file.

    Raises:
        AssertionError: a rule does not hold.
    """
    try:
        whole = parse_content(file.content, dialect=file.dialect)
    except UnreadableFileError as error:
        # The file begins with an object that may be a batch, and two of its arrays hold objects.
        if "batch_member" in str(error):
            return
        raise
    places = list(_places(file.content))
    rows = _rows_by_line(whole)
    blanks = {number for number, _, line in places if _is_blank(line)}
    assert whole.lines == len(rows) + whole.blank
    assert whole.blank >= len(blanks)
    of_line = _rows_of_lines(rows, places)
    assert of_line.keys() <= {number for number, _, _ in places} - blanks
    covered = set[int]()
    for number, offset, line in places:
        for row in of_line.get(number, ()):
            start, length = row["byte_offset"], row["byte_length"]
            text = file.content[start : start + length]
            assert offset <= start, number
            if b"\n" in text:
                covered |= _covered(places, number, start + length)
            else:
                assert start + length <= offset + len(line), number
            assert row["line_sha256"] == hashlib.sha256(text).digest(), number
            if "reason" in row:
                kinds = STRUCTURAL_REASONS | ({None} if file.dialect == "segment" else set())
                assert row["reason_code"] in kinds, number
                assert 5 < len(row["reason"]) < 400, (number, row["reason"])
            else:
                _check_event(row, text, file.dialect)
            if "reason" not in row or text == line:
                _check_alone(row, row["line"], start, text, file.dialect)
    # The last line of a wrong value may have an event after it, in a row of its own.
    assert not covered & (blanks | file.good.keys())
    for number, _, line in places:
        if number not in of_line.keys() | blanks | covered:
            assert _EMPTY_BATCH.search(line) or _is_in_batch(places, number), number
    for number, key in file.good.items():
        (row,) = of_line[number]
        read = {name: row.get(name) for name in good_columns(file.dialect, key)}
        read["properties"] = dict(read["properties"] or {})
        assert read == good_columns(file.dialect, key), number
    _check_cuts(chance, file, whole)


def _places(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Number, first byte and bytes of each line, found in the simplest way."""
    start = 0
    number = 0
    while start < len(content):
        number += 1
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        line, first = content[start:end], start
        if line.endswith(b"\r"):
            line = line[:-1]
        if start == 0 and line.startswith(BYTE_ORDER_MARK):
            line, first = line[3:], 3
        yield number, first, line
        start = end + 1


def _rows_of_lines(
    rows: dict[int, dict[str, Any]], places: list[tuple[int, int, bytes]]
) -> dict[int, list[dict[str, Any]]]:
    """The rows of each line, in order. They are numbered in the order of their bytes."""
    of_line: dict[int, list[dict[str, Any]]] = {}
    starts = [offset for _, offset, _ in places]
    end = 0
    for row in (rows[number] for number in sorted(rows)):
        assert row["byte_offset"] >= end, row["line"]
        end = row["byte_offset"] + row["byte_length"]
        number = bisect.bisect_right(starts, row["byte_offset"])
        of_line.setdefault(number, []).append(row)
    return of_line


def _covered(places: list[tuple[int, int, bytes]], number: int, end: int) -> set[int]:
    """The lines after line `number` that a record has, which ends at `end`."""
    lines = places[number - 1 :]
    covered = {other for other, offset, _ in lines[1:] if offset < end}
    assert covered, number
    last = places[max(covered) - 1]
    assert end <= last[1] + len(last[2]), number
    return covered


def _is_in_batch(places: list[tuple[int, int, bytes]], number: int) -> bool:
    """True if a line is one of several that are an array or object, as another reader says."""
    for first in range(number, 0, -1):
        for last in range(number, len(places) + 1):
            lines = [line for _, _, line in places[first - 1 : last]]
            try:
                value = json.loads(b"\n".join(lines).decode())
            except (ValueError, RecursionError):
                continue
            return isinstance(value, dict | list)
    return False


def _is_blank(line: bytes) -> bool:
    return len(line) <= LINE_BYTES_MAX and all(byte in _WHITE for byte in line)


def _rows_by_line(parsed: ParsedContent) -> dict[int, dict[str, Any]]:
    rows = [*parsed.events.rows(named=True), *parsed.rejections.rows(named=True)]
    by_line = {row["line"]: row for row in rows}
    assert len(by_line) == len(rows)
    for frame in (parsed.events, parsed.rejections):
        assert frame["line"].is_sorted()
    return by_line


def _check_event(row: dict[str, Any], line: bytes, dialect: str) -> None:
    """Checks that another JSON reader finds the texts of the event in the line."""
    # Numbers are kept as their texts, so a number and an equal text are not distinguished.
    event = json.loads(line.decode("utf-8"), parse_float=str, parse_int=str)
    texts = set(_texts(event))
    assert row["event_name"] in texts
    assert row["customer_ref"] is None or row["customer_ref"] in texts
    text = line.decode("utf-8")
    members = set(_members(event, dialect in FLATTENING_DIALECTS))
    if dialect == "stripe":
        # Its files for S3 have the parts of a payload beside the other fields.
        members |= {
            (name.removeprefix("payload_"), value)
            for name, value in members
            if name.startswith("payload_")
        }
    for name, value in dict(row["properties"]).items():
        is_nested = (name, _nested_text(value)) in members and value in text
        assert (name, value) in members or is_nested, (name, value)
    assert len(row["idempotency_key"].encode()) <= 255
    assert "\x00" not in text


def _nested_text(value: str) -> str | None:
    """The text of `_text` for the JSON text of an array or object. None: it is no such text."""
    try:
        parsed = json.loads(value, parse_float=str, parse_int=str)
    except ValueError:
        return None
    return _text(parsed) if isinstance(parsed, dict | list) else None


def _texts(value: object) -> Iterator[str]:
    """Every text in a parsed value, names included."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _texts(member)
    elif isinstance(value, list):
        for element in value:
            yield from _texts(element)
    elif isinstance(value, bool | str):
        yield _text(value)


def _members(value: object, is_flattened: bool) -> Iterator[tuple[str, str]]:
    """Every name and text that may be a property, of the objects in a parsed value.

    Args:
        value: the parsed value.
        is_flattened: True: a member of a nested object also has its path from each object around
            it as a name. Example: `{"a": {"b": "x"}}` has `b` and `a.b`.
    """
    if isinstance(value, list):
        for element in value:
            yield from _members(element, is_flattened)
    if not isinstance(value, dict):
        return
    if isinstance(value.get("name"), str):
        yield value["name"], _text(value.get("value"))  # An attribute of Togai.
    for name, member in value.items():
        yield name, _text(member)
        yield from _members(member, is_flattened)
        if is_flattened and isinstance(member, dict):
            yield from _below(name, member)


def _below(path: str, value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, member in value.items():
        if isinstance(member, dict):
            yield from _below(f"{path}.{name}", member)
        else:
            yield f"{path}.{name}", _text(member)


def _text(value: object) -> str:
    """The text of a value. That of an array or object, and of null, is no text of JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else f"\x00{json.dumps(value)}"


def _check_alone(row: dict[str, Any], number: int, offset: int, line: bytes, dialect: str) -> None:
    if len(line) > LINE_BYTES_MAX:
        return
    # The parser takes off one carriage return, so a line that ends in some keeps them.
    chunk = Chunk(line + b"\r\n", number, offset or 1)
    alone = parse_chunk(chunk, ORIGIN, DIALECTS[dialect])
    (again,) = [*alone.events.rows(named=True), *alone.rejections.rows(named=True)]
    assert again | {"byte_offset": offset} == row, number


def _check_cuts(chance: random.Random, file: MadeFile, whole: ParsedContent) -> None:
    size = chance.choice([7, 100, 1_000, 50_000])
    content = file.content
    pieces = parse_content(
        content,
        blocks=(content[at : at + size] for at in range(0, len(content), size)),
        chunk_bytes=chance.choice([1, 500, 10_000]),
        dialect=file.dialect,
    )
    assert pieces.events.equals(whole.events)
    assert pieces.rejections.equals(whole.rejections)
    assert (pieces.lines, pieces.blank) == (whole.lines, whole.blank)


def _gzip_of_members(chance: random.Random, raw: bytes) -> bytes:
    cut = chance.randint(0, len(raw))
    return gzip.compress(raw[:cut], 1, mtime=0) + gzip.compress(raw[cut:], 6, mtime=0)


def compressed(chance: random.Random, raw: bytes) -> bytes:
    """The bytes as a sender may land them, compressed or not."""
    kind = chance.choice(["plain", "gzip", "gzip", "members", "zstd", "zstd"])
    if kind == "gzip":
        return gzip.compress(raw, chance.choice([0, 1, 9]), mtime=0)
    if kind == "members":
        return _gzip_of_members(chance, raw)
    if kind == "zstd":
        return zstandard.ZstdCompressor(write_checksum=True).compress(raw)
    return raw


def damaged(chance: random.Random, landed: bytes) -> bytes:
    """The landed bytes with one to three damages, as by a network, a disk or a person."""
    for _ in range(chance.choice([1, 1, 2, 3])):
        at = chance.randint(0, len(landed))
        size = chance.choice([1, 1, 4, 64, 4_096])
        match chance.randrange(7):
            case 0 if landed:
                at = chance.randrange(len(landed))
                landed = (
                    landed[:at] + bytes([landed[at] ^ 1 << chance.randrange(8)]) + landed[at + 1 :]
                )
            case 1:
                landed = landed[:at]
            case 2:
                landed = landed[:at] + landed[at + size :]
            case 3:
                landed = landed[:at] + chance.randbytes(size) + landed[at:]
            case 4:
                landed = landed[:at] + landed[max(0, at - size) :]
            case 5:
                landed += chance.choice([b"\x00", b"\n", b"{}", b"\x1f\x8b", landed[:size]])
            case _:
                landed = landed[:at] + b"\x00" * len(landed[at : at + size]) + landed[at + size :]
    return landed


def check_files(chance: random.Random, folder: Path, file_count: int) -> None:
    """Checks the rules for landed files, of which every second one is damaged.

    Raises:
        AssertionError: a rule does not hold.
    """
    made = [made_file(chance, chance.choice([0, 1, 5, 40])) for _ in range(file_count)]
    landed = [compressed(chance, file.content) for file in made]
    is_other = [_is_other(file.content, whole) for file, whole in zip(made, landed, strict=True)]
    is_damaged = [number % 2 == 1 for number in range(file_count)]
    landed = [
        damaged(chance, content) if harmed else content
        for content, harmed in zip(landed, is_damaged, strict=True)
    ]
    drop(folder / "landing", ((_path(n), content) for n, content in enumerate(landed)))
    landing = Landing(str(folder / "landing"))
    listed = landing.list_objects().rows(named=True)
    files = [
        LandedFile(
            path=row["path"],
            etag=row["etag"],
            size_bytes=row["size_bytes"],
            dialect=DIALECTS[made[number].dialect],
            origin=FileOrigin(number, "fuzz", "fuzz", ORIGIN.received_at),
        )
        for number, row in enumerate(listed)
    ]
    batch = parse_files(landing, files, folder / "parsed", 1)
    events = _counted(batch.events)
    rejections = _counted(batch.rejections)
    for number, file in enumerate(batch.files):
        rows = events.get(number, 0) + rejections.get(number, 0)
        if file.unreadable is not None:
            assert is_damaged[number] or is_other[number], (number, file.unreadable)
            assert file.unreadable
            assert (file.lines, file.blank, rows) == (0, 0, 0), number
            continue
        raw = _decompressed_by_another(landed[number])
        assert file.raw_sha256 == hashlib.sha256(raw).hexdigest(), number
        assert file.raw_bytes == len(raw), number
        assert file.lines == rows + file.blank, number
        if not is_damaged[number]:
            assert raw == made[number].content, number
        if _may_be_read_otherwise(raw):
            continue
        assert file.lines >= len(list(_places(raw))), number
        if not is_damaged[number]:
            assert events.get(number, 0) >= len(made[number].good), number


def _is_other(content: bytes, landed: bytes) -> bool:
    """True if the whole file does not have one event a line, or looks compressed and is not."""
    return _may_be_read_otherwise(content) or _looks_compressed(content, landed)


def _looks_compressed(content: bytes, landed: bytes) -> bool:
    """True if the file was landed as it is, and begins as a compressed one does."""
    head = content[:4]
    return landed == content and any(
        content.startswith(mark) or (head and mark.startswith(head)) for mark in _COMPRESSION_MARKS
    )


def _may_be_read_otherwise(content: bytes) -> bool:
    """True if a file may be read by value, or is refused as a whole: its first line is no event."""
    if _OTHER_FORMAT.match(content):
        return True
    first = next((line for _, _, line in _places(content) if not _is_blank(line)), b"{}")
    try:
        # As UTF-8 without a second mark: Python would also take other encodings of JSON.
        value = json.loads(first.decode())
    except (ValueError, RecursionError):
        return True
    is_batch = isinstance(value, dict) and any(isinstance(each, list) for each in value.values())
    return is_batch or not isinstance(value, dict)


def _path(number: int) -> str:
    return f"fuzz/{number:03d}.ndjson"


def _counted(parts: Sequence[Path]) -> dict[int, int]:
    if not parts:
        return {}
    rows = pl.read_parquet(list(parts)).group_by("file_id").len()
    return dict(rows.iter_rows())


def _decompressed_by_another(landed: bytes) -> bytes:
    """The bytes that Python's gzip, or another reader of zstandard, decompresses."""
    if landed.startswith(b"\x1f\x8b"):
        return gzip.decompress(landed)
    if landed[:4] == b"\x28\xb5\x2f\xfd" or landed[1:4] == b"\x2a\x4d\x18":
        reader = zstandard.ZstdDecompressor().stream_reader(landed, read_across_frames=True)
        return bytes(reader.readall())
    return landed


def check_lake(chance: random.Random, folder: Path) -> None:
    """Takes damaged and whole files through every stage into a lake, and checks the batch.

    Raises:
        AssertionError: a check of the batch found something, or a file was left out.
    """
    contents = {}
    for number in range(12):
        file = made_file(chance, 30)
        content = compressed(chance, file.content)
        if chance.random() < 0.4:
            content = damaged(chance, content)
        contents[f"{file.dialect}/{number}.ndjson"] = content
    drop(folder / "landing", contents.items())
    outcome = outcome_of(folder / "home", Landing(str(folder / "landing")))
    assert outcome.findings == []
    assert outcome.waiting == 0
    assert outcome.files.keys() == contents.keys()


LINES_PER_ROUND = 40
FILES_PER_ROUND = 8
ROUNDS_PER_LAKE = 100


def run_round(number: int) -> None:
    """Runs one round: the lines of a file, some files, and in every hundredth round a lake.

    Raises:
        AssertionError: a rule does not hold. Any other exception is a failure too.
    """
    chance = random.Random(number)  # noqa: S311 — repeatable on purpose
    check_lines(chance, made_file(chance, LINES_PER_ROUND, long_share=0.001))
    check_spread(random.Random(number), CORPUS)  # noqa: S311 — repeatable on purpose
    with tempfile.TemporaryDirectory() as folder:
        check_files(chance, Path(folder), FILES_PER_ROUND)
    if number % ROUNDS_PER_LAKE == 0:
        with tempfile.TemporaryDirectory() as folder:
            check_lake(chance, Path(folder))


def main() -> int:
    """Runs rounds from `FUZZ_SEED` on for `FUZZ_SECONDS`. Returns 1 if a round failed, else 0."""
    seconds = int(os.environ.get("FUZZ_SECONDS", "60"))
    first = number = int(os.environ.get("FUZZ_SEED") or zlib.crc32(os.urandom(8)))
    until = time.monotonic() + seconds
    failed = []
    while number == first or time.monotonic() < until:
        try:
            run_round(number)
        except Exception as error:
            failed.append(number)
            text = f"{type(error).__name__}: {str(error)[:600]}"
            sys.stderr.write(f"round {number} failed: {text}\n")
        number += 1
    sys.stdout.write(
        f"{number - first} rounds from {first} on, {(number - first) * LINES_PER_ROUND} lines and "
        f"{(number - first) * FILES_PER_ROUND} files; {len(failed)} failed {failed[:20]}\n"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
