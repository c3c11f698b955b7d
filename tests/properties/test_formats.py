"""Formats: all of them give the same events, whatever a sender writes and wherever it is cut."""

import io
import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.reading.dialects import DIALECTS
from pipelines.reading.files import parsed_again
from pipelines.reading.formats.csv_records import csv_records
from pipelines.reading.formats.json_batches import split_elements
from pipelines.reading.formats.records import Records
from pipelines.vocabulary.errors import UnreadableFileError
from tests.worlds.file_lines import ORIGIN, ParsedContent
from tests.worlds.formats import (
    WRITERS,
    Event,
    as_array,
    as_bodies,
    as_csv,
    as_lines,
    as_pretty_array,
    as_wrapped,
    parse_cut_out,
    parse_file,
)

examples = settings(max_examples=25, deadline=None, derandomize=True, database=None)

texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=8
) | st.text('",\r\n\\[]{} :', min_size=1, max_size=8)
instants = st.sampled_from(["2026-01-01T00:00:00Z", "2025-12-31T23:59:59.123456789+01:00"])


@st.composite
def _events(draw: st.DrawFn) -> Event:
    return {
        "transaction_id": draw(texts),
        "customer_id": draw(texts),
        "event_type": draw(texts),
        "timestamp": draw(instants),
        "properties": draw(st.dictionaries(texts, texts, max_size=3)),
    }


events = st.lists(_events(), max_size=7)
SAME = (
    "key_hash",
    "idempotency_key",
    "customer_ref",
    "event_name",
    "occurred_at",
    "payload_digest",
)


def _same(parsed: ParsedContent) -> list[tuple[object, ...]]:
    assert parsed.rejections.is_empty()
    properties = [sorted(map_.items()) for map_ in map(dict, parsed.events["properties"])]
    return [(*row, p) for row, p in zip(parsed.events.select(SAME).rows(), properties, strict=True)]


@given(sent=events)
@examples
def test_every_format_gives_the_same_events(sent: list[Event]) -> None:
    expected = _same(parse_file("cdn/lines.ndjson", as_lines(sent)))

    assert len(expected) == len(sent)
    for name, written in WRITERS.items():
        parsed = parse_file(f"cdn/{name}", written(sent))

        assert _same(parsed) == expected, name
        assert parsed.lines == len(sent) + parsed.blank, name


@given(sent=events)
@examples
def test_ranges_are_in_order_with_nothing_but_punctuation_between(sent: list[Event]) -> None:
    for write in (as_array, as_pretty_array, as_wrapped, as_bodies):
        content = write(sent)
        parsed = parse_file("cdn/a.json", content)

        end, between = 0, b""
        for (offset, length), event in zip(
            parsed.events.select("byte_offset", "byte_length").iter_rows(), sent, strict=True
        ):
            between += content[end:offset]
            end = offset + length
            assert json.loads(content[offset:end]) == event
        between += content[end:]
        assert between.replace(b'"events"', b"").strip(b"[]{}:, \t\r\n") == b""


@given(sent=events)
@examples
def test_each_event_alone_is_read_again_from_its_place(sent: list[Event]) -> None:
    for name, written in WRITERS.items():
        content = written(sent)
        for event in parse_file(name, content).events.iter_slices(1):
            again = parsed_again(
                io.BytesIO(content),
                name,
                len(content),
                ORIGIN,
                DIALECTS["metronome"],
                event.select("line", "byte_offset", "byte_length"),
            )

            assert again.equals(event), name


def _cut(content: bytes, block_bytes: int) -> Iterator[bytes]:
    for start in range(0, len(content), block_bytes):
        yield content[start : start + block_bytes]


CUT_OUT: dict[str, tuple[Callable[..., Records], Callable[[list[Event]], bytes]]] = {
    "array": (split_elements, as_pretty_array),
    "csv": (csv_records, as_csv),
}


def _outcome(records: Records) -> object:
    """All rows, or the reason why the file cannot be read."""
    try:
        parsed = parse_cut_out(records)
    except UnreadableFileError as error:
        return str(error)
    return (parsed.events.rows(), parsed.rejections.rows(), parsed.lines, parsed.blank)


@pytest.mark.parametrize("kind", CUT_OUT)
@given(
    sent=events, block_bytes=st.integers(1, 60), window_bytes=st.integers(1, 200), data=st.data()
)
@examples
def test_rows_do_not_depend_on_where_the_stream_is_cut(
    kind: str, sent: list[Event], block_bytes: int, window_bytes: int, data: st.DataObject
) -> None:
    cut_out, write = CUT_OUT[kind]
    content = bytearray(write(sent))
    for _ in range(data.draw(st.integers(0, 2))):  # Right files and wrong ones.
        at = data.draw(st.integers(0, len(content)))
        content[at : at + 1] = data.draw(
            st.sampled_from([b"", b'"', b"]", b",", b"\r", b"\n", b"\\"])
        )

    pieces = _outcome(cut_out(_cut(bytes(content), block_bytes), window_bytes))

    assert pieces == _outcome(cut_out([bytes(content)]))


@given(content=st.binary(max_size=100) | st.text('[]{},:"\\ \na1', max_size=60).map(str.encode))
@examples
def test_any_bytes_are_accounted_for_or_the_file_is_unreadable(content: bytes) -> None:
    for name, prefix in (("a.json", b"["), ("a.json", b'{"events":['), ("a.csv", b"a,b\n")):
        try:
            parsed = parse_file(name, prefix + content)
        except UnreadableFileError:
            continue
        assert parsed.lines == parsed.events.height + parsed.rejections.height + parsed.blank


def test_a_file_cut_short_at_any_byte_loses_no_line_in_silence() -> None:
    sent: list[Event] = [
        {
            "transaction_id": str(number),
            "customer_id": 'a"c,\nme',
            "event_type": "hit",
            "timestamp": "2026-01-01T00:00:00Z",
            "properties": {"bytes": str(number)},
        }
        for number in range(4)
    ]
    for name in ("array.json", "pretty.json", "wrapped.json", "table.parquet"):
        content = WRITERS[name](sent)
        for length in range(20, len(content), 1 if name == "pretty.json" else 5):
            with pytest.raises(UnreadableFileError):
                parse_file(f"cdn/{name}", content[:length])
    for name in ("bodies.ndjson", "table.csv"):
        content = WRITERS[name](sent)
        whole = parse_file(f"cdn/{name}", content)
        for length in range(20, len(content)):
            _check_prefix(name, content[:length], whole)


def _check_prefix(name: str, content: bytes, whole: ParsedContent) -> None:
    """A file that is cut short gives the rows before the cut, and the cut line is rejected."""
    try:
        parsed = parse_file(f"cdn/{name}", content)
    except UnreadableFileError:
        return
    read = parsed.events.height
    ends = whole.events.select(end=whole.events["byte_offset"] + whole.events["byte_length"])["end"]
    assert read >= sum(end <= len(content) for end in ends)
    refused = sum(offset < len(content) for offset in whole.events["byte_offset"]) - read
    assert parsed.rejections.height == refused
