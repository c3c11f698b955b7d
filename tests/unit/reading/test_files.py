"""The bytes of a file decide its format. Its name decides only where they cannot."""

import gzip
import io
import json

import pytest
import zstandard

from pipelines.reading.dialects import DIALECTS
from pipelines.reading.files import parsed_again, read_chunks
from pipelines.reading.formats import compression
from pipelines.reading.formats.file_format import HEAD_BYTES
from pipelines.reading.parse import parse_chunk
from pipelines.vocabulary.errors import UnreadableFileError
from tests.worlds.file_lines import FIELDS, ORIGIN, event_line
from tests.worlds.formats import (
    PACKERS,
    WRITERS,
    as_array,
    as_csv,
    as_lines,
    as_parquet,
    as_pretty_array,
    as_wrapped,
    parse_file,
)

EVENTS = [
    FIELDS | {"transaction_id": key, "properties": {"bytes": size, "path": path}}
    for key, size, path in (("a", "1.50", "/"), ("ü", "0.10", 'x,"y"'), ("c", "9", "p\nq"))
]
KEYS = ["a", "ü", "c"]


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("name", WRITERS)
def test_events_are_the_same_in_every_format(name: str, ending: str) -> None:
    content = WRITERS[name](EVENTS)
    if name.endswith(".parquet") and ending:
        with pytest.raises(UnreadableFileError, match="compressed Parquet"):
            parse_file("cdn/a.json", PACKERS[ending](content))
        return
    parsed = parse_file(f"cdn/{name}{ending}", PACKERS[ending](content))

    same = (
        "idempotency_key",
        "key_hash",
        "customer_ref",
        "occurred_at",
        "properties",
        "payload_digest",
    )
    assert parsed.events.select(same).equals(
        parse_file("l.ndjson", as_lines(EVENTS)).events.select(same)
    )
    assert parsed.lines == len(EVENTS) + parsed.blank
    assert parsed.blank == (1 if ".csv" in name else 0)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        pytest.param("cdn/a.json", gzip.compress(as_lines(EVENTS)), id="gzip without its ending"),
        pytest.param("cdn/a.ndjson.gz", zstandard.compress(as_array(EVENTS)), id="zstd named gzip"),
        pytest.param("cdn/a.ndjson.gz", as_wrapped(EVENTS), id="plain named gzip"),
        pytest.param("cdn/a.json", as_parquet(EVENTS), id="Parquet named JSON"),
        pytest.param("cdn/a.csv", as_parquet(EVENTS), id="Parquet named CSV"),
        pytest.param("cdn/a.csv.gz", as_csv(EVENTS), id="plain CSV named gzip"),
        pytest.param("cdn/a.ndjson", as_array(EVENTS), id="array named NDJSON"),
        pytest.param("cdn/a.json", b"\xef\xbb\xbf \n" + as_array(EVENTS), id="mark and blanks"),
        pytest.param("cdn/a.json", b"\xef\xbb\xbf" + as_lines(EVENTS), id="mark before lines"),
    ],
)
def test_bytes_win_over_the_name(path: str, content: bytes) -> None:
    assert parse_file(path, content).events["idempotency_key"].to_list() == KEYS


@pytest.mark.parametrize(
    ("path", "content", "reason"),
    [
        ("cdn/a.parquet", as_lines(EVENTS), "ends in .parquet, but it does not begin with PAR1"),
        ("cdn/a.parquet", b"", "ends in .parquet"),
        ("cdn/a.parquet", gzip.compress(as_parquet(EVENTS)), "ends in .parquet"),
        ("cdn/a.json", gzip.compress(as_parquet(EVENTS)), "a compressed Parquet file is not read"),
        ("cdn/a.json", as_array(EVENTS).decode().encode("utf-16"), "its text is UTF-16"),
        ("cdn/a.csv", b"\xfe\xff\x00a", "its text is UTF-16"),
        ("cdn/a.csv", as_lines(EVENTS), "no header but JSON; land it under a name that does not"),
        ("cdn/a.csv", b"PK\x03\x04a,b", "it looks like a zip archive"),
        ("cdn/a.json", as_parquet(EVENTS)[:-1], "corrupt Parquet"),
    ],
)
def test_file_that_is_not_what_it_must_be_is_unreadable(
    path: str, content: bytes, reason: str
) -> None:
    with pytest.raises(UnreadableFileError) as refused:
        parse_file(path, content)
    assert reason in str(refused.value)


_TAR = b"a.ndjson".ljust(257, b"\0") + b"ustar".ljust(255, b"\0") + as_lines(EVENTS)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"[INFO] started\n[INFO] done\n", "it begins with '[INFO] started'", id="log"),
        pytest.param(b"{\\rtf1 hello}\n", "it begins with '{", id="rtf"),
        pytest.param(b"{'a': 1}\n{'a': 2}\n", "it begins with \"{'a': 1}\"", id="python"),
        pytest.param(_TAR, "it looks like a tar archive", id="tar-with-events"),
        pytest.param(gzip.compress(_TAR), "it looks like a tar archive", id="tar-gz"),
        pytest.param(b"\n <html>\n" + b"{\n" * 9, "an HTML or XML page", id="page"),
    ],
)
def test_file_of_no_format_waits_as_a_whole(content: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableFileError) as refused:
        parse_file("cdn/a", content)

    assert sentence in str(refused.value)
    assert refused.value.reason == "not_declared_format"


@pytest.mark.parametrize("first", [b"[INFO] started\n", b"{\\rtf1\n", b"# a comment\n"])
def test_a_line_that_is_no_json_costs_no_event_after_it(first: bytes) -> None:
    parsed = parse_file("cdn/a", first + as_lines(EVENTS))

    assert parsed.events["idempotency_key"].to_list() == KEYS
    assert parsed.reasons == {1: "malformed"}


def test_a_pretty_event_that_is_cut_short_is_one_sentence() -> None:
    pretty = json.dumps(EVENTS[0], indent=2).encode()

    assert parse_file("cdn/a", pretty).events["idempotency_key"].to_list() == ["a"]
    with pytest.raises(UnreadableFileError, match="truncated: the file ends inside its first obj"):
        parse_file("cdn/a", pretty[:-1])
    # A wrong line among lines is not taken for such an event, and costs no other.
    assert parse_file("cdn/a", pretty[:-1].replace(b"\n", b"") + b"\n{}\n").reasons == {
        1: "malformed",
        2: "missing_field",
    }
    assert parse_file("cdn/a", b"{\n" + as_lines(EVENTS)).reasons == {1: "malformed"}


@pytest.mark.parametrize(
    "ending", [".csv", ".CSV", ".csv.GZ", ".csv.gzip", ".csv.zst", ".csv.zstd"]
)
def test_csv_is_known_by_its_ending_in_any_case(ending: str) -> None:
    assert parse_file(f"cdn/a{ending}", as_csv(EVENTS)).events["idempotency_key"].to_list() == KEYS


@pytest.mark.parametrize("name", WRITERS)
def test_size_is_checked_in_every_format(name: str) -> None:
    content = WRITERS[name](EVENTS)
    for size in (len(content) - 1, len(content) + 1):
        landed = io.BytesIO(content)
        with pytest.raises(UnreadableFileError, match="bytes were listed"):
            list(read_chunks(landed, name, size, ORIGIN, DIALECTS["metronome"], parse_chunk))


def test_batches_among_lines_are_read() -> None:
    content = event_line() + b"\n" + as_wrapped(EVENTS) + b"\n" + as_array(EVENTS) + b"\n"

    parsed = parse_file("cdn/a.ndjson", content)

    assert parsed.event_lines == [1, 2, 3, 4, 5, 6, 7]
    assert parsed.rejections.is_empty()


def test_what_lies_behind_the_head_does_not_choose() -> None:
    blanks = b"\n" * HEAD_BYTES

    assert parse_file("cdn/a.json", blanks[1:] + as_array(EVENTS)).event_lines == [1, 2, 3]
    # A file of lines: its blank lines are numbered, and the array is a value over several lines.
    behind = parse_file("cdn/a.json", blanks + as_pretty_array(EVENTS))
    assert behind.event_lines == [HEAD_BYTES + 1, HEAD_BYTES + 2, HEAD_BYTES + 3]
    assert behind.rejections.is_empty()


@pytest.mark.parametrize("block_bytes", [1, 3, 50, 1000])
@pytest.mark.parametrize("name", WRITERS)
def test_blocks_of_any_size_give_the_same(
    name: str, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = WRITERS[name](EVENTS)
    whole = parse_file(name, content)
    monkeypatch.setattr(compression, "_BLOCK_BYTES", block_bytes)
    pieces = parse_file(name, content)

    assert pieces.events.equals(whole.events)
    assert pieces.rejections.equals(whole.rejections)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("wanted", [[0], [1, 2], [0, 2], [0, 1, 2]])
def test_events_are_read_again_from_their_places(name: str, wanted: list[int]) -> None:
    content = WRITERS[name](EVENTS)
    events = parse_file(name, content).events[wanted]

    again = parsed_again(
        io.BytesIO(content),
        name,
        len(content),
        ORIGIN,
        DIALECTS["metronome"],
        events.select("line", "byte_offset", "byte_length"),
    )

    assert again.equals(events)
