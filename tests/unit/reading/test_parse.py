"""Lines by their exact bytes: places, reasons, and neighbours that a bad line does not affect."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import pytest
import xxhash

from pipelines.reading.dialects import DIALECTS
from pipelines.reading.formats.lines import Chunk, LongLine, split_chunks
from pipelines.reading.parse import parse_chunk, parse_long_line
from pipelines.vocabulary.errors import UnreadableFileError
from pipelines.vocabulary.frames import PARSED_EVENTS, REJECTIONS
from pipelines.vocabulary.limits import LINE_BYTES_MAX
from tests.worlds.file_lines import ORIGIN, event_line, padded_line, parse_content

GOOD = event_line()
MARK = b"\xef\xbb\xbf"

BAD_LINES = [
    pytest.param(b'{"transaction_id":', "malformed", id="cut-short"),
    pytest.param(b"usage: 17", "malformed", id="no-json"),
    pytest.param(GOOD + b" ok", "malformed", id="trailing-text"),
    pytest.param(GOOD + b",", "malformed", id="comma-after-the-object"),
    pytest.param(b"[1, 2]", "malformed", id="array-of-no-objects"),
    pytest.param(MARK + GOOD, "malformed", id="byte-order-mark"),
    pytest.param(GOOD.replace(b"acme", b"\xff"), "malformed", id="invalid-utf-8"),
    pytest.param(GOOD.replace(b"acme", b"\x00"), "malformed", id="nul"),
    pytest.param(GOOD.replace(b"acme", b"\\u0000"), "malformed", id="escaped-nul"),
    pytest.param(GOOD.replace(b"acme", b"\\ud800"), "malformed", id="lone-surrogate"),
    pytest.param(GOOD.replace(b"acme", b"a\rb"), "malformed", id="carriage-return-in-a-text"),
    pytest.param(event_line(x=b'1,"x":1'), "malformed", id="repeated-key"),
    pytest.param(event_line(x=b'1,"\\u0078":1'), "malformed", id="repeated-key-by-escape"),
    pytest.param(event_line(properties=b'{"x":NaN}'), "malformed", id="nan"),
    pytest.param(event_line(properties=b'{"x":-Infinity}'), "malformed", id="infinity"),
    pytest.param(event_line(properties=b'{"x":[[[[[[[]]]]]]]}'), "malformed", id="9-levels"),
    pytest.param(event_line(customer_id=17), "malformed", id="number-for-text"),
    pytest.param(event_line(transaction_id=None), "missing_field", id="no-key"),
    pytest.param(event_line(customer_id=""), "missing_field", id="empty-customer"),
    pytest.param(b"{}", "missing_field", id="empty-object"),
    pytest.param(event_line(timestamp="2026-01-01"), "invalid_timestamp", id="date-alone"),
    pytest.param(event_line(timestamp=1_767_225_600), "invalid_timestamp", id="unix-seconds"),
    pytest.param(event_line(properties=["x"]), "invalid_property", id="properties-array"),
    pytest.param(event_line(properties={"x" * 256: 1}), "invalid_property", id="property-name"),
    pytest.param(event_line(transaction_id="k" * 256), "too_large", id="key-of-256-bytes"),
    pytest.param(padded_line(LINE_BYTES_MAX + 1), "too_large", id="line-of-a-mebibyte-and-a-byte"),
    pytest.param(b" " * (LINE_BYTES_MAX + 1), "too_large", id="blank-of-a-mebibyte-and-a-byte"),
]


@pytest.mark.parametrize(("bad", "reason_code"), BAD_LINES)
@pytest.mark.parametrize("number", [1, 2, 3], ids=["first", "middle", "last"])
def test_bad_line_is_rejected_and_costs_no_neighbour(
    bad: bytes, reason_code: str, number: int
) -> None:
    lines = [GOOD, GOOD]
    lines.insert(number - 1, bad)
    content = b"\n".join(lines) + b"\n"
    if bad.startswith(MARK) and number == 1:
        content = MARK + content  # Only the first mark of a file is skipped.

    parsed = parse_content(content)

    assert parsed.reasons == {number: reason_code}
    assert parsed.event_lines == [line for line in (1, 2, 3) if line != number]
    assert (parsed.lines, parsed.blank) == (3, 0)


@pytest.mark.parametrize(("bad", "reason_code"), BAD_LINES)
def test_rejection_says_where_and_why(bad: bytes, reason_code: str) -> None:
    rejection = parse_content(GOOD + b"\n" + bad).rejections.row(0, named=True)

    assert rejection["reason_code"] == reason_code
    assert 10 < len(rejection["reason"]) < 300
    assert (rejection["file_id"], rejection["line"]) == (7, 2)
    assert (rejection["byte_offset"], rejection["byte_length"]) == (len(GOOD) + 1, len(bad))
    assert rejection["line_sha256"] == hashlib.sha256(bad).digest()


@pytest.mark.parametrize(
    ("content", "places"),
    [
        pytest.param(b"{}", [(1, 0, 2)], id="no-last-line-end"),
        pytest.param(b"{}\n", [(1, 0, 2)], id="last-line-end"),
        pytest.param(b"{}\n{ }\n", [(1, 0, 2), (2, 3, 3)], id="two"),
        pytest.param(b"{}\r\n{ }\r\n", [(1, 0, 2), (2, 4, 3)], id="carriage-return-line-feed"),
        pytest.param(b"{}\r\n{ }\r", [(1, 0, 2), (2, 4, 3)], id="last-carriage-return-alone"),
        pytest.param(b"{}\r\r\n", [(1, 0, 3)], id="one-of-two-carriage-returns"),
        pytest.param(b"\n\n{}\n\n{ }\n\n", [(3, 2, 2), (5, 6, 3)], id="among-blanks"),
        pytest.param(b" {} \n", [(1, 0, 4)], id="white-space-counts"),
        pytest.param(MARK + b"{}\n{ }", [(1, 3, 2), (2, 6, 3)], id="after-a-byte-order-mark"),
        pytest.param(b"{}\n" + MARK + b"{}", [(1, 0, 2), (2, 3, 5)], id="mark-on-line-2"),
        pytest.param("é\n{}".encode(), [(1, 0, 2), (2, 3, 2)], id="bytes-not-letters"),
    ],
)
def test_place_is_line_and_bytes_without_the_line_end(
    content: bytes, places: list[tuple[int, int, int]]
) -> None:
    rejections = parse_content(content).rejections

    assert rejections.select("line", "byte_offset", "byte_length").rows() == places


@pytest.mark.parametrize(
    "letter",
    [
        pytest.param("\u2028", id="line-separator"),
        pytest.param("\u2029", id="paragraph-separator"),
        pytest.param("\u0085", id="next-line"),
        pytest.param("\u00a0", id="no-break-space"),
    ],
)
def test_only_a_line_feed_ends_a_line(letter: str) -> None:
    line = f'{{"transaction_id":"{letter}","customer_id":"a","event_type":"e",'
    line += '"timestamp":"2026-01-01T00:00:00Z"}'

    parsed = parse_content(line.encode() + b"\n" + GOOD)

    assert parsed.events["idempotency_key"].to_list() == [letter, "key-1"]


@pytest.mark.parametrize("letter", [b"\x0b", b"\x0c", b"\x1c", b"\x85", "\u2028".encode()])
def test_a_line_of_other_separators_is_one_bad_line(letter: bytes) -> None:
    parsed = parse_content(b"\n" + letter + b"\n")

    assert parsed.reasons == {2: "malformed"}
    assert (parsed.lines, parsed.blank) == (2, 1)


@pytest.mark.parametrize(
    ("content", "lines", "blank"),
    [
        pytest.param(b"", 0, 0, id="empty-file"),
        pytest.param(b"\n", 1, 1, id="one-line-end"),
        pytest.param(b"\r\n", 1, 1, id="one-carriage-return-line-feed"),
        pytest.param(b"\n\n\n", 3, 3, id="three-line-ends"),
        pytest.param(b" \t\r", 1, 1, id="white-space-without-line-end"),
        pytest.param(MARK, 1, 1, id="byte-order-mark-alone"),
        pytest.param(MARK + b"\n" + GOOD, 2, 1, id="byte-order-mark-on-its-own-line"),
        pytest.param(GOOD + b"\n\n" + GOOD + b"\n \n", 4, 2, id="blanks-between-and-at-the-end"),
        pytest.param(b" " * LINE_BYTES_MAX + b"\n", 1, 1, id="blank-of-a-mebibyte"),
    ],
)
def test_blank_lines_are_counted_and_nothing_else(content: bytes, lines: int, blank: int) -> None:
    parsed = parse_content(content)

    assert (parsed.lines, parsed.blank) == (lines, blank)
    assert parsed.events.height == lines - blank
    assert parsed.rejections.is_empty()


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", GOOD, b"bad", GOOD + b"\nbad\n"],
    ids=["nothing", "blank", "event", "rejection", "both"],
)
def test_both_doors_always_have_their_schema(content: bytes) -> None:
    parsed = parse_chunk(Chunk(content, 1, 0), ORIGIN, DIALECTS["metronome"])

    assert parsed.events.schema == PARSED_EVENTS
    assert parsed.rejections.schema == REJECTIONS


def test_line_of_a_mebibyte_is_read() -> None:
    parsed = parse_content(padded_line(LINE_BYTES_MAX) + b"\r\n" + GOOD)

    assert parsed.event_lines == [1, 2]
    assert parsed.events["byte_length"][0] == 1024 * 1024


def test_event_carries_its_file_and_its_fields() -> None:
    (event,) = parse_content(event_line(timestamp="2026-01-01T00:00:00.5+01:00")).events.rows(
        named=True
    )

    assert event["file_id"] == 7
    assert (event["source"], event["dedupe_scope"]) == ("cdn", "cdn")
    assert event["received_at"].isoformat() == "2026-01-01T00:00:00+00:00"
    assert event["occurred_at"].isoformat() == "2025-12-31T23:00:00.500000+00:00"
    assert (event["idempotency_key"], event["customer_ref"]) == ("key-1", "acme")
    assert (event["event_name"], event["subscription_ref"]) == ("http_request", None)
    assert event["properties"] == {"bytes": "512"}
    assert (
        event["line_sha256"]
        == hashlib.sha256(event_line(timestamp="2026-01-01T00:00:00.5+01:00")).digest()
    )


@pytest.mark.parametrize(
    "text", ["0.1234567890123456789", "1e400", "-0", "7" * 5_000], ids=lambda text: text[:24]
)
def test_number_keeps_its_source_text_into_the_frame(text: str) -> None:
    events = parse_content(event_line(properties=f'{{"n":{text}}}'.encode())).events

    assert events["properties"].to_list() == [{"n": text}]


def test_properties_of_each_line_stay_with_it() -> None:
    properties = [{}, {"a": "1"}, {}, {"b": "é", "a": ""}, {"": "x"}]

    events = parse_content(b"\n".join(event_line(properties=each) for each in properties)).events

    assert events["properties"].to_list() == properties


def test_key_hash_is_of_scope_and_key() -> None:
    def hashed(scope: str, key: str) -> int:
        origin = replace(ORIGIN, dedupe_scope=scope)
        return int(
            parse_content(event_line(transaction_id=key), origin=origin).events["key_hash"][0]
        )

    expected = xxhash.xxh64_digest(b"cdn\x00key-1")
    assert hashed("cdn", "key-1") == int.from_bytes(expected, "big")
    assert len({hashed("cdn", "a"), hashed("cdn", "b"), hashed("app", "a")}) == 3
    assert hashed("a", "bc") != hashed("ab", "c")


def test_payload_digest_is_of_the_fields_not_of_the_line() -> None:
    digests = parse_content(
        b"\n".join(
            [GOOD, b" " + GOOD, event_line(transaction_id="key-2"), event_line(customer_id="b")]
        )
    ).events["payload_digest"]

    assert digests[0] == digests[1] == digests[2] != digests[3]
    assert {len(digest) for digest in digests} == {16}


def test_rejection_names_the_key_only_when_it_could_be_read() -> None:
    rejections = parse_content(event_line(timestamp="x") + b"\n{").rejections

    assert rejections["idempotency_key"].to_list() == ["key-1", None]


def test_chunks_are_whole_lines_and_know_their_place() -> None:
    blocks = [b"1\n22", b"2\n\n4", b"", b"444", b"\n5\n", b"6"]

    chunks = list(split_chunks(blocks, chunk_bytes=4))

    assert chunks == [
        Chunk(b"1\n", 1, 0),
        Chunk(b"222\n\n", 2, 2),
        Chunk(b"4444\n5\n", 4, 7),
        Chunk(b"6", 6, 14),
    ]


@pytest.fixture
def short_lines(monkeypatch: pytest.MonkeyPatch) -> int:
    """Limits lines to 300 bytes, so that long lines are cheap to make."""
    monkeypatch.setattr("pipelines.reading.formats.lines.LINE_BYTES_MAX", 300)
    monkeypatch.setattr("pipelines.reading.parse.LINE_BYTES_MAX", 300)
    monkeypatch.setattr("pipelines.reading.doors.LINE_BYTES_MAX", 300)
    return 300


def _blocks(content: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r\r\n"], ids=["lf", "crlf", "crcrlf"])
@pytest.mark.parametrize("long", [b"x" * 1_000, b" " * 1_000, padded_line(305)])
@pytest.mark.parametrize("before", [b"", MARK, GOOD + b"\n"], ids=["first", "mark", "later"])
@pytest.mark.usefixtures("short_lines")
def test_long_line_is_passed_over_and_still_has_its_place_and_digest(
    before: bytes, long: bytes, line_end: bytes
) -> None:
    content = before + long + line_end + GOOD + line_end + long
    whole = parse_content(content)

    # Small blocks deliver the long line piece by piece, cut at different places.
    for size in (1, 2, 7, 299, 300, 301, 306):
        chunks = list(split_chunks(_blocks(content, size), chunk_bytes=1))
        pieces = parse_content(content, blocks=_blocks(content, size), chunk_bytes=1)

        assert any(isinstance(chunk, LongLine) for chunk in chunks)
        assert pieces.events.equals(whole.events)
        assert pieces.rejections.equals(whole.rejections)
        assert (pieces.lines, pieces.blank) == (whole.lines, whole.blank)
    assert set(whole.rejections["reason_code"]) == {"too_large"}


@pytest.mark.usefixtures("short_lines")
def test_endless_line_is_not_held() -> None:
    held = [
        len(chunk.content)
        for chunk in split_chunks((b"x" * 100 for _ in range(10_000)), chunk_bytes=500)
        if isinstance(chunk, Chunk)
    ]

    assert held == []


def test_long_line_is_counted_once() -> None:
    line = LongLine(number=3, byte_offset=10, blocks=iter([b"x" * 1_000_000] * 2))

    (parsed,) = parse_long_line(line, ORIGIN, DIALECTS["metronome"])

    assert (parsed.lines, parsed.blank, parsed.events.height) == (1, 0, 0)
    assert parsed.rejections.select(
        "line", "byte_offset", "byte_length", "line_sha256", "reason_code", "reason"
    ).rows() == [
        (
            3,
            10,
            2_000_000,
            hashlib.sha256(b"x" * 2_000_000).digest(),
            "too_large",
            "the line has 2000000 bytes; at most 1048576 are read",
        )
    ]


E = [event_line(transaction_id=f"k{number}") for number in range(4)]


@pytest.mark.parametrize(
    ("line", "records"),
    [
        pytest.param(E[0] + E[1], [E[0], E[1]], id="two-objects"),
        pytest.param(E[0] + b" \t" + E[1] + b" ", [E[0], E[1]], id="white-space-between"),
        pytest.param(b"[" + E[0] + b"]", [E[0]], id="array-of-one"),
        pytest.param(b"[" + E[0] + b" , " + E[1] + b"]", [E[0], E[1]], id="array"),
        pytest.param(b'{"events":[' + E[0] + b"]}" + E[1], [E[0], E[1]], id="batch-and-event"),
        pytest.param(b'{"data":[' + E[0] + b'],"n":1}', [E[0]], id="wrapper"),
        pytest.param(E[0] + b'{"a":}' + E[1], [E[0], b'{"a":}', E[1]], id="bad-in-the-middle"),
        pytest.param(E[0] + b'{"a":' + E[1], [E[0], b'{"a":', E[1]], id="not-closed"),
        pytest.param(
            E[0] + E[1][:-9] + E[2] + E[3], [E[0], E[1][:-9], E[2], E[3]], id="cut-inside-a-text"
        ),
        pytest.param(E[0] + b'{"a":]}' + E[1], [E[0], b'{"a":]}', E[1]], id="wrong-bracket"),
        pytest.param(E[0] + b" and " + E[1], [E[0], b"and", E[1]], id="words-between"),
        pytest.param(E[0] + b"{" + E[1] + b"\xff", [E[0], b"{" + E[1] + b"\xff"], id="no-end"),
        pytest.param(
            b"[" + E[0] + b"," + E[1][:-3], [E[0], E[1][:-3]], id="array-cut-short-keeps-its-start"
        ),
    ],
)
@pytest.mark.parametrize("number", [1, 2, 3], ids=["first", "middle", "last"])
def test_each_event_of_a_line_has_its_own_place(
    line: bytes, records: list[bytes], number: int
) -> None:
    lines = [GOOD, GOOD]
    lines.insert(number - 1, line)
    content = b"\n".join(lines)

    parsed = parse_content(content)

    found = sorted(
        [
            *parsed.events.select("line", "byte_offset", "byte_length", "line_sha256").rows(),
            *parsed.rejections.select("line", "byte_offset", "byte_length", "line_sha256").rows(),
        ]
    )
    texts = [content[offset : offset + length] for _, offset, length, _ in found]
    expected = [GOOD, GOOD]
    expected[number - 1 : number - 1] = records
    assert [line for line, *_ in found] == list(range(1, len(expected) + 1))
    assert texts == expected
    assert [digest for *_, digest in found] == [hashlib.sha256(text).digest() for text in texts]
    assert parsed.lines == len(expected)
    assert set(parsed.events["idempotency_key"]) >= {"key-1"}
    assert parsed.events.height == 2 + sum(record in E for record in records)


_LONG, _E = b" " * LINE_BYTES_MAX, len(E[0])
_CUT_SHORT = "not JSON: the line ends before its batch of events is closed"


@pytest.mark.parametrize(
    ("line", "events", "blank", "mark"),
    [
        pytest.param(b"[" + E[0], 1, 0, (0, 2), id="after-the-only-event"),
        pytest.param(b"[" + E[0] + b"," + E[1], 2, 0, (1 + _E, 3), id="after-an-event"),
        pytest.param(b"[" + E[0] + b"," + E[1] + b",", 2, 1, (2 + 2 * _E, 4), id="after-a-comma"),
        pytest.param(b'{"events":[' + _LONG, 0, 1, (10, 2), id="after-nothing"),
        pytest.param(b'{"events":[' + E[0] + _LONG, 1, 0, (10, 2), id="long"),
        pytest.param(
            b'{"events":[' + E[0] + b"]" + _LONG, 1, 0, (11 + _E, 3), id="after-the-array"
        ),
        pytest.param(
            b'{"events":[' + E[0] + b'],"m":' + _LONG + b'"',
            1,
            0,
            (11 + _E, 3),
            id="inside-a-later-member",
        ),
        pytest.param(b'{"events":[]' + _LONG, 0, 0, (11, 2), id="after-an-empty-array"),
    ],
)
def test_a_line_that_ends_inside_a_batch_has_one_rejection(
    line: bytes, events: int, blank: int, mark: tuple[int, int]
) -> None:
    parsed = parse_content(GOOD + b"\n" + line + b"\n" + GOOD)

    ((number, offset, length, reason),) = parsed.rejections.select(
        "line", "byte_offset", "byte_length", "reason"
    ).rows()
    place = offset - len(GOOD) - 1
    assert (reason, length) == (_CUT_SHORT, 1)
    assert (place, number) == mark
    assert (parsed.events.height, parsed.blank) == (events + 2, blank)


def test_a_fault_inside_a_long_batch_is_the_only_rejection() -> None:
    line = b'{"events":[' + E[0] + b',"' + _LONG + b'",{"a":]}]}'

    parsed = parse_content(GOOD + b"\n" + line + b"\n" + GOOD)

    assert (parsed.event_lines, parsed.reasons) == ([1, 2, 5], {3: "too_large", 4: "malformed"})


@pytest.mark.parametrize(
    ("line", "blank"),
    [(b'{"events":[]}', 1), (b'{"events":[],"n":0}', 1), (b'{"events":[ , ]}', 2)],
)
def test_a_line_of_an_empty_batch_is_blank(line: bytes, blank: int) -> None:
    parsed = parse_content(GOOD + b"\n" + line + b"\n" + GOOD)

    assert (parsed.blank, parsed.event_lines, parsed.reasons) == (blank, [1, blank + 2], {})


def test_a_line_of_many_events_may_be_longer_than_an_event() -> None:
    events = [padded_line(300) for _ in range(LINE_BYTES_MAX // 300 + 2)]
    events[2000] = b'{"a":'
    content = b"\r\n".join([GOOD, b"".join(events), GOOD])

    whole = parse_content(content)

    assert whole.reasons == {2002: "malformed"}
    assert whole.lines == len(events) + 2
    assert whole.events.height == len(events) + 1
    for size in (1_000, 65_536):
        blocks = (content[at : at + size] for at in range(0, len(content), size))
        pieces = parse_content(content, blocks=blocks, chunk_bytes=1)
        assert pieces.events.equals(whole.events)
        assert pieces.rejections.equals(whole.rejections)


def test_an_object_with_two_arrays_of_objects_is_refused_by_name() -> None:
    parsed = parse_content(GOOD + b'\n{"a":[{}],"b":[{}]}')

    assert parsed.reasons == {2: "malformed"}
    assert "'a' and 'b'; name the one with the events" in parsed.rejections["reason"][0]
    with pytest.raises(UnreadableFileError, match="batch_member"):
        parse_content(b'{"a":[{}],"b":[{}]}')
