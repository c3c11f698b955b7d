"""Fields that no member of an event holds as it is: constants, folders, and JSON texts."""

import io
import pickle

import pyarrow as pa
import pytest

from pipelines.reading.dialects import DIALECTS, Dialect, EventFields, RefusedLineError, reader_of
from pipelines.reading.dialects.reach import reach_of_form
from pipelines.reading.files import parsed_again, read_chunks
from pipelines.reading.parse import ParsedChunk, parse_chunk
from pipelines.reading.scanner.forms import scan_form
from pipelines.reading.strict_json import parse_object
from pipelines.vocabulary.verdicts import Reason
from tests.worlds.dialect_samples import SAMPLES
from tests.worlds.file_lines import ORIGIN, event_line, object_line
from tests.worlds.formats import parquet_bytes

Mapped = tuple[str, str, str | None]
"""Field, path and form: a row of source_fields.csv."""


def reader(dialect: str, *fields: Mapped, key: tuple[str, ...] = ()) -> Dialect:
    return reader_of(
        {
            "dialect": dialect,
            "key_fields": list(key),
            "fields": [dict(zip(("field", "path", "form"), row, strict=True)) for row in fields],
            "event_schemas": [],
        }
    )


def refusal_of(made: Dialect, line: bytes) -> tuple[Reason, str]:
    with pytest.raises(RefusedLineError) as refusal:
        made.read(parse_object(line))
    return refusal.value.reason, refusal.value.sentence


def chunk_of(made: Dialect, path: str, content: bytes) -> ParsedChunk:
    """The events of a file, which are the same when they are read again."""
    size = len(content)
    (chunk,) = read_chunks(io.BytesIO(content), path, size, ORIGIN, made, parse_chunk)
    assert isinstance(chunk, ParsedChunk)
    places = chunk.events.select("line", "byte_offset", "byte_length")
    assert parsed_again(io.BytesIO(content), path, size, ORIGIN, made, places).equals(chunk.events)
    return chunk


@pytest.mark.parametrize("dialect", SAMPLES)
def test_customer_and_event_name_may_be_constants_in_every_dialect(dialect: str) -> None:
    made = reader(dialect, ("customer", "initech", "constant"), ("event_name", "use", "constant"))

    event = made.read(parse_object(object_line(SAMPLES[dialect].fields)))

    assert (event.customer_ref, event.event_name) == ("initech", "use")
    assert event.properties["bytes"] == "512"
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301 -- our own bytes


def test_a_constant_customer_is_that_of_events_without_one() -> None:
    made = reader("custom", ("customer", "who", None), ("customer", "acme", "constant"))

    def customer(**members: object) -> str | None:
        line = {"idempotency_key": "k", "event_name": "x", "timestamp": "2026-01-01T00:00:00Z"}
        return made.read(parse_object(object_line(line | members))).customer_ref

    assert (customer(who="initech"), customer(who=""), customer()) == ("initech", "acme", "acme")


def test_payloads_of_constants_cannot_be_confused() -> None:
    line = event_line()
    made = [
        reader("metronome", ("customer", customer, "constant"), ("event_name", name, "constant"))
        for customer, name in [("a", "b"), ("b", "a"), ("a", "a"), ("ab", "b")]
    ]

    assert len({each.read(parse_object(line)).payload for each in made}) == 4


@pytest.mark.parametrize(
    ("path", "folder", "customer"),
    [
        ("cdn/acme/usage.ndjson", "1", "acme"),
        ("cdn/acme/2026/01/usage.ndjson", "1", "acme"),
        ("cdn/eu/acme/usage.ndjson", "2", "acme"),
        ("cdn/tenant=acme/usage.ndjson", "tenant", "acme"),
        ("cdn/year=2026/tenant=a=b/usage.ndjson", "tenant", "a=b"),
        ("cdn/tenant=a/tenant=b/usage.ndjson", "tenant", "a"),
        ("cdn/ä ö/usage.ndjson", "1", "ä ö"),
    ],
)
def test_a_folder_names_the_customer(path: str, folder: str, customer: str) -> None:
    made = reader("metronome", ("customer", folder, "folder"))

    events = chunk_of(made, path, event_line(customer_id=None)).events

    assert events["customer_ref"].to_list() == [customer]


@pytest.mark.parametrize(
    ("path", "folder", "sentence"),
    [
        ("cdn/usage.ndjson", "1", "no folder 1 below its source's"),
        ("cdn/acme/usage.ndjson", "2", "no folder 2 below its source's"),
        ("cdn/acme/usage.ndjson", "tenant", "no folder tenant=…"),
        ("cdn/tenant=/usage.ndjson", "tenant", "no folder tenant=…"),
        ("cdn/" + "a" * 256 + "/usage.ndjson", "1", "is longer than 255 bytes"),
    ],
)
def test_a_path_without_the_promised_folder_refuses_each_line(
    path: str, folder: str, sentence: str
) -> None:
    made = reader("metronome", ("event_name", folder, "folder"))

    chunk = chunk_of(made, path, event_line() + b"\n" + event_line())

    assert chunk.rejections["reason_code"].to_list() == ["missing_field"] * 2
    assert sentence in chunk.rejections["reason"][0]
    assert chunk.rejections["idempotency_key"].to_list() == ["key-1"] * 2


TEXTS: tuple[Mapped, ...] = (
    ("json_text", "PROPS", None),
    ("customer", "CUSTOMER", None),
    ("event_name", "EVENT", None),
    ("timestamp", "AT", "iso8601"),
    ("properties", "PROPS", "nested"),
)
"""An export of a table with a VARIANT column."""

HEADER = b"ID,CUSTOMER,EVENT,AT,PROPS\n"


def _csv(*cells: str) -> bytes:
    rows = [
        f'k{number},acme,use,2026-01-10 10:00:00.000 +0000,"{cell.replace(chr(34), chr(34) * 2)}"\n'
        for number, cell in enumerate(cells)
    ]
    return HEADER + "".join(rows).encode()


def test_an_object_may_stand_as_json_text_in_a_cell() -> None:
    texts = ['{"n":1.50,"a":{"b":true},"l":[1, 2],"z":null}', "", "null", "{}", ' {"n": "x"}\n']

    chunk = chunk_of(reader("custom", *TEXTS, key=("ID",)), "own/a.csv", _csv(*texts))

    assert chunk.rejections.height == 0
    assert [dict(found) for found in chunk.events["properties"]] == [
        {"a.b": "true", "l": "[1, 2]", "n": "1.50"},
        {},
        {},
        {},
        {"n": "x"},
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "field 'PROPS' is no JSON text of an object: not JSON"),
        ("x", "field 'PROPS' is no JSON text of an object: not JSON"),
        ("[1]", "expected a JSON object, found an array"),
        ('"{}"', "expected a JSON object, found a string"),
        ("17", "expected a JSON object, found a number"),
        ('{"a":1,"a":2}', "key 'a' stands twice in one object"),
        ('{"a":NaN}', "NaN is not JSON"),
        ('{"a":"\\u0000"}', "U+0000"),
        ('{"a":[[[[[[[[1]]]]]]]]}', "nested deeper than 8 levels"),
    ],
)
def test_json_text_that_is_no_object_refuses_its_line_alone(text: str, sentence: str) -> None:
    made = reader("custom", *TEXTS, key=("ID",))

    chunk = chunk_of(made, "own/a.csv", _csv("{}", text, "{}"))

    assert chunk.events["idempotency_key"].to_list() == ["k0", "k2"]
    assert chunk.rejections["reason_code"].to_list() == ["malformed"]
    assert sentence in chunk.rejections["reason"].item()


@pytest.mark.parametrize("value", [b"1", b"true", b"[]"])
def test_a_json_text_is_a_text(value: bytes) -> None:
    line = b'{"transaction_id":"k","properties":%b}' % value

    assert refusal_of(reader("metronome", ("json_text", "properties", None)), line)[0] is (
        Reason.MALFORMED
    )


@pytest.mark.parametrize("dialect", ["metronome", "lago", "custom", "segment"])
def test_an_object_and_its_text_are_the_same_event(dialect: str) -> None:
    made = reader(dialect, ("json_text", "properties", None))
    as_text = object_line({**SAMPLES[dialect].fields, "properties": '{"bytes": "512"}'})

    event = made.read(parse_object(as_text))

    assert event == made.read(parse_object(object_line(SAMPLES[dialect].fields)))
    assert event == DIALECTS[dialect].read(parse_object(object_line(SAMPLES[dialect].fields)))


def test_a_whole_event_may_stand_in_one_column() -> None:
    fields: tuple[Mapped, ...] = (
        ("json_text", "RECORD.content", None),
        ("customer", "RECORD.content.customer_id", None),
        ("event_name", "RECORD.content.event_type", None),
        ("timestamp", "RECORD.content.timestamp", "rfc3339"),
        ("properties", "RECORD.content.properties", "flat"),
    )
    made = reader("custom", *fields, key=("RECORD.content.transaction_id",))
    text = event_line(properties=b'{"l":[1, 2]}').decode()
    table = pa.table(
        {
            "RECORD": [{"content": text, "offset": b"\xff"}],
            "LOADED_AT": pa.array([1], pa.duration("us")),
        }
    )

    chunk = chunk_of(made, "own/a.parquet", parquet_bytes(table))

    (event,) = chunk.events.rows(named=True)
    assert (event["idempotency_key"], event["customer_ref"]) == ("key-1", "acme")
    assert dict(event["properties"]) == {"l": "[1, 2]"}


def test_texts_of_two_columns_keep_their_own_nested_texts() -> None:
    fields: tuple[Mapped, ...] = (
        ("json_text", "a", None),
        ("json_text", "b", None),
        ("optional_timestamp", "at", "rfc3339"),
        ("properties.x", "a.x", None),
        ("properties.y", "b.y", None),
        ("properties.z", "c", None),
        ("properties.whole", "a", None),
    )
    line = {
        "idempotency_key": "k",
        "customer": "acme",
        "event_name": "use",
        "a": '{"x":[1 ]}',
        "b": '{"y":{"n" :1}}',
        "c": [{}],
    }

    event: EventFields = reader("custom", *fields).read(parse_object(object_line(line)))

    assert event.properties == {
        "x": "[1 ]",
        "y": '{"n" :1}',
        "z": "[{}]",
        "whole": '{"x":[1 ]}',
    }


@pytest.mark.parametrize("row", [("customer", "a", "constant"), ("customer", "1", "folder")])
def test_the_scanner_leaves_such_sources_to_the_strict_reader(row: Mapped) -> None:
    assert scan_form(reader("metronome", row).form, "s") is None
    assert scan_form(reader("metronome", ("json_text", "properties", None)).form, "s") is None


def test_a_json_text_is_within_reach() -> None:
    reach = reach_of_form(reader("metronome", ("json_text", "blob", None)).form)

    assert reach.reads(("blob",))
