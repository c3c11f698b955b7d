"""CSV: strict records, columns as members, and wrong records that are refused alone."""

import hashlib
from collections.abc import Iterator

import pytest

from pipelines.reading.dialects import RefusedLineError
from pipelines.reading.formats.csv_records import CsvForm, csv_records
from pipelines.reading.formats.field_names import FieldNames
from pipelines.reading.layout import Layout
from pipelines.vocabulary.errors import UnreadableFileError
from pipelines.vocabulary.limits import LINE_BYTES_MAX
from tests.worlds.formats import parse_cut_out, parse_file

HEADER = b"transaction_id,customer_id,event_type,timestamp,properties.bytes\n"
GOOD = b"%b,acme,hit,2026-01-01T00:00:00Z,1.50\n"


def _members(content: bytes) -> list[object]:
    """One entry per record: its members, the sentence of its refusal, or None if it is blank."""
    found: list[object] = []
    for record in csv_records([content]):
        if record is None:
            found.append(None)
        else:
            is_refused = isinstance(record.content, RefusedLineError)
            found.append(record.content.sentence if is_refused else record.content)  # type: ignore[union-attr]
    return found


@pytest.mark.parametrize(
    ("content", "members"),
    [
        pytest.param(b"", [], id="empty file"),
        pytest.param(b"a,b", [None], id="header alone"),
        pytest.param(b"a,b\n1,2\n", [None, {"a": "1", "b": "2"}], id="a record"),
        pytest.param(b"a,b\r\n1,2", [None, {"a": "1", "b": "2"}], id="last line end left out"),
        pytest.param(b"a,b\r\n1,2\r", [None, {"a": "1", "b": "2"}], id="half a line end"),
        pytest.param(b"\xef\xbb\xbfa\n1\n", [None, {"a": "1"}], id="byte order mark"),
        pytest.param(b'a,b\n,""\n', [None, None], id="nothing but separators"),
        pytest.param(b"a,b\n1,\n", [None, {"a": "1"}], id="empty last cell"),
        pytest.param(
            b'a,b\n"x,""y""","p\r\nq"\n', [None, {"a": 'x,"y"', "b": "p\r\nq"}], id="quotes"
        ),
        pytest.param(b'"a","b.c"\n1,2\n', [None, {"a": "1", "b": {"c": "2"}}], id="quoted header"),
        pytest.param(b"p.x,p.y.z\n1,2\n", [None, {"p": {"x": "1", "y.z": "2"}}], id="members"),
        pytest.param(b"p.x,p.y,z\n,,1\n", [None, {"z": "1"}], id="no member is there"),
        pytest.param(b"a,b,c\n,,,,\n,\n", [None, None, None], id="more and fewer separators"),
        pytest.param(b"a,b\n , \n", [None, {"a": " ", "b": " "}], id="a space is a text"),
        pytest.param(
            b"a,b\r\n1,2\r\na,b\r\n3,4\r\n",
            [None, {"a": "1", "b": "2"}, None, {"a": "3", "b": "4"}],
            id="the header twice",
        ),
        pytest.param(b"a\n\n \t\n\r\n1\n", [None, None, None, None, {"a": "1"}], id="blank lines"),
        pytest.param(
            "a\nü\u2028\x85\n".encode(), [None, {"a": "ü\u2028\x85"}], id="line ends of Unicode"
        ),
    ],
)
def test_records_are_members(content: bytes, members: list[object]) -> None:
    assert _members(content) == members


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        pytest.param(b"1,2,3", "3 cells; the header has 2", id="too many"),
        pytest.param(b"1", "1 cells; the header has 2", id="too few"),
        pytest.param(b'1,x"y"', "a quote stands inside a cell at byte 4", id="bare quote"),
        pytest.param(b'1,"x"y', "text follows a closing quote at byte 6", id="text after a quote"),
        pytest.param(b'1,"x" ', "text follows a closing quote", id="space after a quote"),
        pytest.param(b'1, "x"', "a quote stands inside a cell", id="space before a quote"),
        pytest.param(b"1,x\ry", "a carriage return stands alone", id="bare carriage return"),
        pytest.param(b"1,\xff", "invalid UTF-8 at byte 2 of the record", id="invalid UTF-8"),
        pytest.param(b"1,\x00", "U+0000 (NUL) stands in a cell", id="NUL"),
        pytest.param(b'1,"\n\x00"', "U+0000 (NUL) stands in a cell", id="NUL in quotes"),
    ],
)
def test_a_wrong_record_is_refused_alone(record: bytes, sentence: str) -> None:
    before, wrong, after = _members(b"a,b\n1,2\n" + record + b"\n3,4\n")[1:]

    assert (before, after) == ({"a": "1", "b": "2"}, {"a": "3", "b": "4"})
    assert sentence in str(wrong)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b'a,b\n1,"2\n3,4\n', "record 2, from byte 4 on, has a quote", id="not closed"),
        pytest.param(b'a,b\n1,"2""', "a quote that is not closed", id="closed and opened again"),
        pytest.param(b'"a,b\n', "a quote that is not closed", id="in the header"),
        pytest.param(b"\na,b\n", "no header: it is blank", id="a blank header"),
        pytest.param(b'a,b"\n', "no header: not CSV: a quote stands inside", id="a bad header"),
        pytest.param(b"a,\xff\n", "no header: invalid UTF-8", id="a header of no text"),
        pytest.param(b"a,a\n", "two columns have the name 'a'", id="a name twice"),
        pytest.param(b"a,,b\n", "a column has the name ''", id="a name missing"),
        pytest.param(b"p.\n", "a column has the name 'p.'", id="a member without name"),
        pytest.param(b".x\n", "a column has the name '.x'", id="a member of nothing"),
        pytest.param(b"p,p.x\n", "'p.x' stands beside column 'p'", id="a whole and its part"),
        pytest.param(
            b"a" * (LINE_BYTES_MAX + 1), "no header: the line has 1048577 bytes", id="a long header"
        ),
    ],
)
def test_a_file_without_records_to_tell_apart_is_unreadable(content: bytes, reason: str) -> None:
    for window_bytes in (1, 2**21):
        with pytest.raises(UnreadableFileError) as refused:
            list(csv_records([content], window_bytes))
        assert reason in str(refused.value)


def test_places_are_those_of_the_records() -> None:
    content = HEADER + GOOD % b'"k\n1"' + b"\n" + b"bad\r\n" + GOOD % b"k2"

    parsed = parse_file("cdn/a.csv", content)

    assert (parsed.lines, parsed.blank, parsed.event_lines) == (5, 2, [2, 5])
    assert parsed.reasons == {4: "malformed"}
    texts = [
        (content[start : start + length], digest)
        for start, length, digest in parsed.events.select(
            "byte_offset", "byte_length", "line_sha256"
        ).iter_rows()
    ]
    expected = [(GOOD % key)[:-1] for key in (b'"k\n1"', b"k2")]
    assert texts == [(text, hashlib.sha256(text).digest()) for text in expected]
    assert parsed.rejections.select("byte_length").item() == len(b"bad")


def test_cells_are_texts_and_keep_their_digits() -> None:
    (event,) = parse_file("cdn/a.csv", HEADER + GOOD % b"k").events.rows(named=True)
    (in_json,) = parse_file(
        "cdn/a.json",
        b'{"transaction_id":"k","customer_id":"acme","event_type":"hit",'
        b'"timestamp":"2026-01-01T00:00:00Z","properties":{"bytes":"1.50"}}',
    ).events.rows(named=True)

    assert dict(event["properties"]) == {"bytes": "1.50"}
    assert event["payload_digest"] == in_json["payload_digest"]


@pytest.mark.parametrize(
    ("dialect", "header", "record"),
    [
        ("lago", "transaction_id,external_customer_id,code,timestamp,properties.n", "k,c,e,{},1"),
        (
            "stripe",
            "identifier,payload.stripe_customer_id,event_name,timestamp,payload.n",
            "k,c,e,{},1",
        ),
    ],
)
@pytest.mark.parametrize("instant", ["1767225600.5", "2026-01-01T00:00:00.5Z"])
def test_unix_seconds_are_read_as_text(
    dialect: str, header: str, record: str, instant: str
) -> None:
    content = f"{header}\n{record.format(instant)}\n".encode()

    (event,) = parse_file("x/a.csv", content, dialect).events.rows(named=True)

    assert event["occurred_at"].isoformat() == "2026-01-01T00:00:00.500000+00:00"
    assert (event["customer_ref"], dict(event["properties"])) == ("c", {"n": "1"})


@pytest.mark.parametrize(
    ("dialect", "content", "properties"),
    [
        (
            "cloudevents",
            b"specversion,source,id,subject,type,data.usage.total\n1.0,s,i,c,t,7\n",
            {"usage.total": "7"},
        ),
        (
            "togai",
            b"id,accountId,schemaName,timestamp,attributes.km,dimensions.city\n"
            b"i,c,t,2026-01-01T00:00:00,12.30,Bern\n",
            {"km": "12.30", "city": "Bern"},
        ),
        (
            "segment",
            b"messageId,userId,event,timestamp,properties.n\ni,c,t,2026-01-01T00:00:00Z,7\n",
            {"n": "7"},
        ),
    ],
)
def test_every_dialect_has_columns(
    dialect: str, content: bytes, properties: dict[str, str]
) -> None:
    (event,) = parse_file("x/a.csv", content, dialect).events.rows(named=True)

    assert dict(event["properties"]) == properties


def _blocks(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), 65_536):
        yield content[start : start + 65_536]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b""])
@pytest.mark.parametrize("window_bytes", [1000, 2**20, 2**23])
@pytest.mark.parametrize(
    ("size", "reason"),
    [
        (LINE_BYTES_MAX, "malformed"),
        (LINE_BYTES_MAX + 1, "too_large"),
        (LINE_BYTES_MAX + 2, "too_large"),
        (2**22, "too_large"),
    ],
)
def test_longest_record_is_read_and_a_longer_one_is_passed_over(
    size: int, reason: str, window_bytes: int, line_end: bytes
) -> None:
    long = b"x" * size + line_end
    content = HEADER + GOOD % b"a" + long + (GOOD % b"b" if line_end else b"")

    parsed = parse_cut_out(csv_records(_blocks(content), window_bytes))

    assert parsed.reasons == {3: reason}
    assert parsed.event_lines == ([2, 4] if line_end else [2])
    assert parsed.rejections.select("byte_length", "line_sha256").rows() == [
        (size, hashlib.sha256(b"x" * size).digest())
    ]


@pytest.mark.parametrize("window_bytes", [1000, 2**20, 2**23])
@pytest.mark.parametrize("quoted", [b'"%b"', b'%b,"a"', b'"%b'], ids=["whole", "one cell", "open"])
def test_a_long_record_with_quotes_costs_the_file(quoted: bytes, window_bytes: int) -> None:
    content = HEADER + quoted % (b"x" * LINE_BYTES_MAX) + b"\n" + GOOD % b"b"

    with pytest.raises(UnreadableFileError, match="record 2 has quotes and more than"):
        list(csv_records(_blocks(content), window_bytes))


NAMES = FieldNames(frozenset({"key", "who", "at"}), frozenset({"key", "at"}))


def _read(content: bytes, **layout: str) -> list[object]:
    form = CsvForm(Layout(**layout), NAMES)
    return [
        None if record is None else record.content for record in csv_records([content], form=form)
    ]


@pytest.mark.parametrize(
    ("separator", "text"),
    [
        pytest.param(";", 'key;who;at;p.n\n1;"a;b";2;1,5\n', id="semicolons"),
        pytest.param("\t", 'key\twho\tat\tp.n\n1\t"a;b"\t2\t1,5\n', id="tabs"),
        pytest.param("|", "key|who|at|p.n\n1|a;b|2|1,5\n", id="pipes"),
        pytest.param(",", 'key,who,at,p.n\n1,a;b,2,"1,5"\n', id="commas"),
    ],
)
def test_a_declared_separator_separates_cells(separator: str, text: str) -> None:
    members = {"key": "1", "who": "a;b", "at": "2", "p": {"n": "1,5"}}

    assert _read(text.encode(), separator=separator) == [None, members]


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("1,50", "1.50"),
        ("-1,5", "-1.5"),
        ("1.5", "1.5"),
        ("12", "12"),
        ("1,2,3", "1,2,3"),
        ("1.234,5", "1.234,5"),
        ("a,5", "a,5"),
        (",5", ",5"),
    ],
)
def test_a_declared_decimal_separator_becomes_a_point(cell: str, read: str) -> None:
    text = f"key;p.n;n\n1,5;{cell};{cell}\n".encode()

    assert _read(text, separator=";", decimal_separator=",") == [
        None,
        {"key": "1,5", "p": {"n": read}, "n": read},
    ]


@pytest.mark.parametrize(
    ("cell", "is_refused"),
    [
        ("1.000", True),
        ("-12.345", True),
        ("+999.999", True),
        ("1234.567", False),
        ("1.00", False),
        ("1.0000", False),
        ("10.000.000.001", False),
    ],
)
def test_a_point_that_may_separate_thousands_is_not_guessed_at(cell: str, is_refused: bool) -> None:
    text = f"key;at;p.n\n1.000;2.000;{cell}\n3;4;5\n".encode()

    _, row, after = _read(text, separator=";", decimal_separator=",")

    assert after == {"key": "3", "at": "4", "p": {"n": "5"}}
    if is_refused:
        assert isinstance(row, RefusedLineError)
        assert row.reason == "invalid_property"
        assert row.sentence.startswith(f"property 'n': {cell!r} may be a thousand or a fraction")
    else:
        assert row == {"key": "1.000", "at": "2.000", "p": {"n": cell}}


def test_a_declared_null_is_an_empty_cell_and_never_a_key() -> None:
    text = b"key,who,p.n\n\\N,a,\\N\n1,NULL,\\N2\n\\N,\\N,\\N\n"

    assert _read(text, null_text="\\N") == [
        None,
        {"who": "a"},
        {"key": "1", "who": "NULL", "p": {"n": "\\N2"}},
        None,
    ]
    assert _read(text)[1] == {"key": "\\N", "who": "a", "p": {"n": "\\N"}}


@pytest.mark.parametrize(
    ("text", "separator", "sentence"),
    [
        pytest.param(
            "key;who;at\n1;2;3\n",
            ",",
            "its header separates names by semicolons, expected commas; write ; as `separator`",
            id="semicolons",
        ),
        pytest.param("key\twho\n", ",", "by tabs, expected commas; write tab", id="tabs"),
        pytest.param('"key"|"who"\n', ",", "by pipes, expected commas", id="quoted-pipes"),
        pytest.param("key,who\n", ";", "by commas, expected semicolons; write ,", id="commas"),
        pytest.param(
            "1,acme,2026-01-01T00:00:00Z\n",
            ",",
            "expected names such as at, key, found '1,acme,2026-01-01T00:00:00Z'",
            id="no-header",
        ),
        pytest.param("<html>\n<p>", ",", "found '<html>'; land it with a header", id="a-page"),
    ],
)
def test_a_file_without_the_sources_header_waits_with_one_sentence(
    text: str, separator: str, sentence: str
) -> None:
    with pytest.raises(UnreadableFileError) as refused:
        _read(text.encode(), separator=separator)

    assert sentence in str(refused.value)
    assert refused.value.reason == "not_declared_format"


def test_a_header_of_one_known_name_is_a_header() -> None:
    assert _read(b"x,at\n1,2\n") == [None, {"x": "1", "at": "2"}]
    assert _read(b"event.key\n1\n") == [None, {"event": {"key": "1"}}]
