"""Parsing: every line is exactly one of event, rejection or blank, whatever bytes land.

The oracle splits the whole content at line feeds, and knows which lines were made good. It shares
no code with the parser, which sees chunks.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worlds.file_lines import event_line, parse_content

examples = settings(max_examples=100, deadline=None, derandomize=True, database=None)

MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Line:
    """A generated line; `door` is `event`, `blank` or the reason code of its rejection."""

    content: bytes
    door: str


texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=12
)
numbers = st.one_of(
    st.integers().map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(lambda number: f"{number:e}"),
    st.sampled_from(["-0", "0.10", "1e400", "0.1234567890123456789"]),
)
property_values = st.one_of(texts.map(json.dumps), numbers, st.sampled_from(["true", "false"]))


@st.composite
def _event(draw: st.DrawFn) -> Line:
    properties = draw(st.dictionaries(texts, property_values, max_size=4))
    members = ", ".join(f"{json.dumps(name)}:{value}" for name, value in properties.items())
    is_ascii = draw(st.booleans())
    key = json.dumps(draw(texts), ensure_ascii=is_ascii)
    line = event_line(transaction_id=key.encode(), properties=f"{{{members}}}".encode())
    return Line(draw(st.sampled_from([b"", b" ", b"\t"])) + line, "event")


bad_lines = st.sampled_from(
    [
        Line(b"{", "malformed"),
        Line(b"null", "malformed"),
        Line(b"\xff\xfe", "malformed"),
        Line("\u2028".encode(), "malformed"),
        Line(event_line() + b",", "malformed"),
        Line(event_line(properties=b'{"a":1,"a":1}'), "malformed"),
        Line(event_line(customer_id=None), "missing_field"),
        Line(event_line(timestamp="2026-02-29T00:00:00Z"), "invalid_timestamp"),
        Line(event_line(properties=["a"]), "invalid_property"),
        Line(event_line(event_type="e" * 256), "too_large"),
    ]
)
blank_lines = st.sampled_from([b"", b" ", b"\t \t", b"\r"]).map(lambda text: Line(text, "blank"))


@dataclass(frozen=True)
class LandedContent:
    """The bytes of a file, the chunks in which a store gives them, and the outcome of each line."""

    content: bytes
    lines: tuple[Line, ...]
    block_bytes: int
    chunk_bytes: int

    def blocks(self) -> Iterator[bytes]:
        for start in range(0, len(self.content), self.block_bytes):
            yield self.content[start : start + self.block_bytes]


@st.composite
def landed_contents(draw: st.DrawFn) -> LandedContent:
    lines = draw(st.lists(st.one_of(_event(), _event(), bad_lines, blank_lines), max_size=12))
    ends = [draw(st.sampled_from([b"\n", b"\r\n"])) for _ in lines]
    has_mark, is_last_ended = draw(st.booleans()), draw(st.booleans())
    if lines and lines[-1].content and not is_last_ended:
        ends[-1] = b""
    content = b"".join(line.content + end for line, end in zip(lines, ends, strict=True))
    return LandedContent(
        content=(MARK if lines and has_mark else b"") + content,
        lines=tuple(lines),
        block_bytes=draw(st.integers(1, 200)),
        chunk_bytes=draw(st.integers(1, 500)),
    )


@given(landed=landed_contents())
@examples
def test_each_line_comes_out_of_the_door_it_was_made_for(landed: LandedContent) -> None:
    parsed = parse_content(landed.content)

    doors = dict.fromkeys(parsed.event_lines, "event") | parsed.reasons
    assert parsed.lines == len(landed.lines)
    assert parsed.lines == parsed.events.height + parsed.rejections.height + parsed.blank
    assert [doors.get(number, "blank") for number in range(1, parsed.lines + 1)] == [
        line.door for line in landed.lines
    ]


@given(landed=landed_contents())
@examples
def test_rows_do_not_depend_on_where_the_stream_is_cut(landed: LandedContent) -> None:
    whole = parse_content(landed.content)
    pieces = parse_content(landed.content, blocks=landed.blocks(), chunk_bytes=landed.chunk_bytes)

    assert pieces.events.equals(whole.events)
    assert pieces.rejections.equals(whole.rejections)
    assert (pieces.lines, pieces.blank) == (whole.lines, whole.blank)


@given(landed=landed_contents())
@examples
def test_byte_ranges_give_the_very_lines_in_order(landed: LandedContent) -> None:
    parsed = parse_content(landed.content, blocks=landed.blocks(), chunk_bytes=landed.chunk_bytes)

    places = sorted(
        [
            *parsed.events.select("line", "byte_offset", "byte_length", "line_sha256").rows(),
            *parsed.rejections.select("line", "byte_offset", "byte_length", "line_sha256").rows(),
        ]
    )
    end = 0
    for number, offset, length, digest in places:
        line = landed.content[offset : offset + length]
        assert line.removesuffix(b"\r") == landed.lines[number - 1].content.removesuffix(b"\r")
        assert hashlib.sha256(line).digest() == digest
        # Between two ranges there are only line ends, blanks and the byte order mark.
        assert landed.content[end:offset].removeprefix(MARK).strip(b" \t\r\n") == b""
        end = offset + length
    assert landed.content[end:].removeprefix(MARK).strip(b" \t\r\n") == b""


@given(landed=landed_contents())
@examples
def test_an_events_byte_range_parses_to_the_same_event(landed: LandedContent) -> None:
    for event in parse_content(landed.content).events.iter_rows(named=True):
        offset, length = event["byte_offset"], event["byte_length"]
        (again,) = parse_content(landed.content[offset : offset + length]).events.rows(named=True)

        assert again | {"line": event["line"], "byte_offset": offset} == event


@given(content=st.binary(max_size=200), block_bytes=st.integers(1, 50))
@examples
def test_any_bytes_at_all_are_accounted_for(content: bytes, block_bytes: int) -> None:
    blocks = (content[at : at + block_bytes] for at in range(0, len(content), block_bytes))

    parsed = parse_content(content, blocks=blocks, chunk_bytes=1)

    ended = content.count(b"\n") + (not content.endswith(b"\n") and content != b"")
    assert parsed.lines == ended
    assert parsed.lines == parsed.events.height + parsed.rejections.height + parsed.blank
