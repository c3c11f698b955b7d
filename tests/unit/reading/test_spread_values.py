"""Values over several lines, after lines: each is read, or said once, and costs no neighbour."""

import hashlib
import io
import json
from dataclasses import replace

import pytest

from pipelines.reading.dialects import DIALECTS
from pipelines.reading.files import parsed_again, read_chunks
from pipelines.reading.formats.spread_values import OPEN_BRACKETS_MAX
from pipelines.reading.parse import parse_chunk
from tests.worlds.file_lines import ORIGIN, ParsedContent, event_line, parse_content

FIRST, LAST = event_line(transaction_id="first"), event_line(transaction_id="last")


def pretty(key: str = "pretty", indent: int | str = 2) -> bytes:
    """A good event over 9 lines."""
    event = json.loads(event_line(transaction_id=key, properties={"bytes": "512"}))
    return json.dumps(event, indent=indent).encode()


def between(value: bytes, line_end: bytes = b"\n") -> ParsedContent:
    """The file of one event, the value and another event."""
    return parse_content(line_end.join([FIRST, value, LAST]) + line_end)


def keys_of(parsed: ParsedContent) -> list[tuple[int, str]]:
    return parsed.events.select("line", "idempotency_key").rows()


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("indent", [0, 1, 2, 4, "\t"])
def test_pretty_printed_event_is_the_event_on_one_line(indent: int | str, line_end: bytes) -> None:
    text = pretty(indent=indent).replace(b"\n", line_end)
    parsed = between(text, line_end)

    assert keys_of(parsed) == [(1, "first"), (2, "pretty"), (11, "last")]
    assert (parsed.lines, parsed.blank, parsed.rejections.height) == (11, 8, 0)
    row = parsed.events.row(1, named=True)
    place = len(FIRST) + len(line_end), len(text), hashlib.sha256(text).digest()
    assert (row["byte_offset"], row["byte_length"], row["line_sha256"]) == place
    alone = parse_content(event_line(transaction_id="pretty")).events.row(0, named=True)
    for column in ("payload_digest", "properties", "customer_ref", "occurred_at", "key_hash"):
        assert row[column] == alone[column]


@pytest.mark.parametrize("cut", range(1, len(pretty())))
def test_cut_off_object_has_one_rejection_and_costs_no_neighbour(cut: int) -> None:
    value = pretty()[:cut]
    parsed = between(value)

    lines = value.count(b"\n") + 1
    assert keys_of(parsed) == [(1, "first"), (lines + 2, "last")]
    (rejection,) = parsed.rejections.rows(named=True)
    assert (rejection["line"], rejection["byte_offset"]) == (2, len(FIRST) + 1)
    # A last line of white space is blank.
    kept = [line for line in value.split(b"\n") if line.strip()]
    assert rejection["byte_length"] == len(b"\n".join(kept))
    assert f"over {len(kept)} lines is not closed" in rejection["reason"] or len(kept) == 1


@pytest.mark.parametrize("cut", range(1, len(pretty("cut"))))
def test_pretty_printed_event_after_a_cut_off_one_is_read(cut: int) -> None:
    value = pretty("cut")[:cut] + b"\n" + pretty()
    parsed = between(value)

    number = 2 + value.count(b"\n") - pretty().count(b"\n")
    assert keys_of(parsed) == [(1, "first"), (number, "pretty"), (number + 9, "last")]
    assert parsed.rejections["line"].to_list() == [2]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b'"acme",', b'"acme",,', id="two-commas"),
        pytest.param(b'"acme",', b'"acme"', id="no-comma"),
        pytest.param(b'"acme",', b'"acme', id="no-quote"),
        pytest.param(b'"acme"', b"NaN", id="nan"),
        pytest.param(b'"512"\n', b'"512",\n', id="comma-before-the-end"),
        pytest.param(b'"customer_id"', b'"event_type"', id="repeated-key"),
        pytest.param(b'"acme"', b'"\xff"', id="invalid-utf-8"),
        pytest.param(b'"512"', b"[" * 9 + b"]" * 9, id="too-deep"),
    ],
)
def test_wrong_object_has_one_rejection(old: bytes, new: bytes) -> None:
    value = pretty().replace(old, new)
    parsed = between(value)

    is_whole = new != b'"acme"'
    assert keys_of(parsed) == [(1, "first"), (11, "last")]
    assert parsed.reasons[2] == "malformed"
    assert len(parsed.reasons) == 1 or not is_whole
    assert parsed.lines == 11


def test_wrong_field_is_said_as_on_one_line() -> None:
    value = pretty().replace(b'"customer_id"', b'"customer"')
    (rejection,) = between(value).rejections.rows(named=True)

    assert (rejection["reason_code"], rejection["idempotency_key"]) == ("missing_field", "pretty")


def test_values_may_follow_each_other_on_one_line() -> None:
    parsed = between(pretty("a") + pretty("b") + b" " + pretty("c"))

    assert [key for _, key in keys_of(parsed)] == ["first", "a", "b", "c", "last"]
    assert [line for line, _ in keys_of(parsed)] == [1, 2, 3, 4, 27]
    assert (parsed.lines, parsed.blank) == (27, 22)


@pytest.mark.parametrize("wrapper", [b'{\n"n":2,\n"data":[\n%s\n]\n}', b"[\n%s\n]"])
def test_batch_over_several_lines_is_read(wrapper: bytes) -> None:
    value = wrapper % (pretty("a") + b",\n" + pretty("b"))
    parsed = between(value)

    lines = value.count(b"\n") + 1
    assert keys_of(parsed) == [(1, "first"), (2, "a"), (3, "b"), (2 + lines, "last")]
    assert parsed.rejections.height == 0
    for place, length in parsed.events.select("byte_offset", "byte_length").rows()[1:3]:
        text = (FIRST + b"\n" + value)[place : place + length]
        assert text in (pretty("a"), pretty("b"))


def test_batch_with_more_events_than_lines_is_said_once() -> None:
    """Its events would take the numbers of the lines that follow."""
    events = b",".join(event_line(transaction_id=key) for key in "ab")
    two = between(b'{"events":[' + events + b",\n]}")
    three = between(b'{"events":[' + events + b",\n" + FIRST + b"]}")

    assert keys_of(two) == [(1, "first"), (2, "a"), (3, "b"), (4, "last")]
    assert keys_of(three) == [(1, "first"), (4, "last")]
    assert three.reasons == {2: "malformed"}
    assert "a value over 2 lines holds 3 events" in three.rejections["reason"][0]


def test_line_that_is_an_event_alone_keeps_its_row() -> None:
    value = b'{\n"events": [\n' + event_line(transaction_id="inner") + b"\n]\n}"
    parsed = between(value)

    assert keys_of(parsed) == [(1, "first"), (4, "inner"), (7, "last")]
    assert parsed.rejections["line"].to_list() == [2, 5, 6]


def test_line_that_is_a_wrong_event_alone_keeps_its_rejection() -> None:
    """Its customer holds back an invoice, so it must be known."""
    wrong = event_line(event_type=None)
    parsed = between(b'{\n"a": [\n' + wrong)

    assert parsed.reasons == {2: "malformed", 4: "missing_field"}


def test_line_that_is_no_usage_keeps_its_verdict() -> None:
    page = b'{"type":"page"}'
    parsed = parse_content(b'{}\n{\n"a": [\n' + page + b"\n]\n}\n", dialect="segment")

    assert parsed.reasons[4] is None
    assert parsed.lines == 6


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param(b'{"a":', id="after-a-colon"),
        pytest.param(b'{"a":1,', id="after-a-comma"),
        pytest.param(b'{"a":{', id="after-a-brace"),
        pytest.param(b'{"a":1', id="after-a-number"),
        pytest.param(b'{"a":"x', id="in-a-string"),
    ],
)
def test_lines_cut_off_at_one_place_have_a_rejection_each(cut: bytes) -> None:
    parsed = between(b"\n".join([cut] * 3))

    assert parsed.reasons == dict.fromkeys([2, 3, 4], "malformed")
    assert parsed.blank == 0


def test_object_after_a_colon_begins_in_a_deeper_line() -> None:
    value = pretty().replace(b'"properties": {', b'"properties":\n  {')

    assert keys_of(between(value)) == [(1, "first"), (2, "pretty"), (12, "last")]
    assert [key for _, key in keys_of(between(value.replace(b"  {", b"{")))] == ["first", "last"]


def test_blank_line_ends_a_value() -> None:
    parsed = between(pretty().replace(b",\n", b",\n\n", 1))

    assert [key for _, key in keys_of(parsed)] == ["first", "last"]
    assert parsed.lines == 12


@pytest.fixture
def line_bytes_max(monkeypatch: pytest.MonkeyPatch) -> int:
    """Limits values to the bytes of a pretty-printed event."""
    limit = len(pretty())
    for module in ("parse", "doors", "formats.spread_values"):
        monkeypatch.setattr(f"pipelines.reading.{module}.LINE_BYTES_MAX", limit)
    return limit


def test_value_has_at_most_the_bytes_of_a_line(line_bytes_max: int) -> None:
    read = between(pretty())
    too_long = between(pretty("pretty2"))

    assert [key for _, key in keys_of(read)] == ["first", "pretty", "last"]
    assert keys_of(too_long) == [(1, "first"), (11, "last")]
    sentence = f"not JSON: a value over 8 lines is not closed within {line_bytes_max} bytes"
    assert too_long.rejections["reason"][0] == sentence
    assert too_long.rejections["line"].to_list() == [2, 10]


@pytest.mark.parametrize("more", [0, 1], ids=["at-the-bound", "beyond"])
def test_brackets_that_may_be_open(more: int) -> None:
    """Beyond the bound each line is read alone again. Neither has an event."""
    deep = OPEN_BRACKETS_MAX - 1 + more
    parsed = between(b'{\n"a":' + b"[" * deep + b"\n" + b"]" * deep + b"\n}")

    assert parsed.rejections["line"].to_list() == ([2, 4, 5] if more else [2])


@pytest.mark.parametrize("chunk_bytes", [1, 50, 120, 200, 400])
def test_value_is_the_same_wherever_the_file_is_cut(chunk_bytes: int) -> None:
    long = b"x" * 1_100_000
    content = b"\n".join([FIRST, pretty(), pretty("cut")[:70], LAST, pretty("b")[:40], long, LAST])
    content += b"\n" + pretty("end")
    whole = parse_content(content)
    blocks = (content[at : at + 64] for at in range(0, len(content), 64))
    pieces = parse_content(content, blocks=blocks, chunk_bytes=chunk_bytes)

    assert pieces.events.equals(whole.events)
    assert pieces.rejections.equals(whole.rejections)
    assert (pieces.lines, pieces.blank) == (whole.lines, whole.blank)
    assert [key for _, key in keys_of(whole)] == ["first", "pretty", "last", "last", "end"]


def test_event_over_several_lines_is_found_again_at_its_place() -> None:
    content = b"\n".join([FIRST, pretty("a"), pretty("b") + pretty("c"), LAST])
    dialect, size = DIALECTS["metronome"], len(content)
    (chunk,) = read_chunks(io.BytesIO(content), "a.json", size, ORIGIN, dialect, parse_chunk)
    places = chunk.events.select("line", "byte_offset", "byte_length")

    again = parsed_again(io.BytesIO(content), "a.json", size, ORIGIN, dialect, places)

    assert again.equals(chunk.events)
    assert again.height == 5


def test_place_is_the_key_of_an_event_over_several_lines() -> None:
    event = {"event_name": "use", "payload": {"stripe_customer_id": "a", "value": "1"}}
    line = json.dumps(event).encode()
    content = line + b"\n" + json.dumps(event, indent=1).encode() + b"\n" + line
    origin = replace(ORIGIN, raw_sha256="7" * 64)
    keys = parse_content(content, origin=origin, dialect="stripe").events["idempotency_key"]

    assert keys.to_list() == [origin.place_key(1), origin.place_key(2), origin.place_key(9)]
