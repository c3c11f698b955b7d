"""The Metronome dialect by field: what is read, what is refused, and what the digest covers."""

from datetime import timedelta

import pytest

from pipelines.reading.dialects import DIALECTS, EventFields, RefusedLineError
from pipelines.reading.strict_json import parse_object
from pipelines.vocabulary.verdicts import Reason
from tests.worlds.file_lines import event_line

ABSENT = None


def _read(**overrides: object) -> EventFields:
    return DIALECTS["metronome"].read(parse_object(event_line(**overrides)))


def _refusal(**overrides: object) -> RefusedLineError:
    with pytest.raises(RefusedLineError) as refusal:
        _read(**overrides)
    return refusal.value


def test_event_is_read_field_by_field() -> None:
    fields = _read(
        transaction_id="ключ-1",
        customer_id="acme",
        event_type="http_request",
        timestamp="2026-01-01T02:00:00.25+02:00",
        properties=b'{"bytes": 512, "path": "/a b", "is_cached": true, "was_cached": false}',
    )

    assert fields[:6] == (
        "ключ-1",
        "acme",
        None,
        "http_request",
        1_767_225_600_250_000,
        {"bytes": "512", "path": "/a b", "is_cached": "true", "was_cached": "false"},
    )


def test_window_is_metronomes_34_days() -> None:
    assert DIALECTS["metronome"].dedupe_window == timedelta(days=34)


@pytest.mark.parametrize(
    "text",
    ["0.1234567890123456789", "1e400", "-0", "1.0", "1.2222222222222222e-05", "7" * 5_000],
    ids=lambda text: text[:24],
)
def test_number_property_keeps_its_source_text(text: str) -> None:
    assert _read(properties=f'{{"n": {text}}}'.encode()).properties == {"n": text}


@pytest.mark.parametrize("properties", [ABSENT, b"null", b"{}"])
def test_event_without_properties_has_none(properties: bytes | None) -> None:
    assert _read(properties=properties).properties == {}


@pytest.mark.parametrize("value", [ABSENT, b"null", b'""'], ids=["absent", "null", "empty"])
@pytest.mark.parametrize("field", ["transaction_id", "customer_id", "event_type"])
def test_missing_text_is_refused(field: str, value: bytes | None) -> None:
    refusal = _refusal(**{field: value})

    assert refusal.reason is Reason.MISSING_FIELD
    assert refusal.sentence == f"field '{field}' is missing or empty"


@pytest.mark.parametrize("value", [ABSENT, b"null"], ids=["absent", "null"])
def test_missing_timestamp_is_refused(value: bytes | None) -> None:
    refusal = _refusal(timestamp=value)

    assert refusal.reason is Reason.MISSING_FIELD
    assert refusal.sentence == "field 'timestamp' is missing"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        pytest.param(b"17", "a number", id="number"),
        pytest.param(b"0", "a number", id="zero"),
        pytest.param(b"true", "a boolean", id="true"),
        pytest.param(b"false", "a boolean", id="false"),
        pytest.param(b"{}", "an object", id="object"),
        pytest.param(b"[]", "an array", id="array"),
    ],
)
@pytest.mark.parametrize("field", ["transaction_id", "customer_id", "event_type"])
def test_text_of_another_type_is_malformed(field: str, value: bytes, found: str) -> None:
    refusal = _refusal(**{field: value})

    assert refusal.reason is Reason.MALFORMED
    assert refusal.sentence == f"field '{field}' must be a string, found {found}"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("k" * 255, id="255-of-1-byte"),
        pytest.param("é" * 127 + "k", id="255-with-2-byte-letters"),
        pytest.param("漢" * 85, id="255-of-3-bytes"),
        pytest.param("😀" * 63 + "abc", id="255-with-4-byte-letters"),
        pytest.param(" ", id="one-space"),
    ],
)
@pytest.mark.parametrize("field", ["transaction_id", "customer_id", "event_type"])
def test_text_of_255_bytes_is_read(field: str, text: str) -> None:
    assert text in _read(**{field: text})


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("k" * 256, id="256-of-1-byte"),
        pytest.param("é" * 128, id="256-of-2-bytes"),
        pytest.param("漢" * 85 + "k", id="256-with-3-byte-letters"),
        pytest.param("😀" * 64, id="256-of-4-bytes"),
    ],
)
@pytest.mark.parametrize("field", ["transaction_id", "customer_id", "event_type"])
def test_text_of_256_bytes_is_too_large(field: str, text: str) -> None:
    refusal = _refusal(**{field: text})

    assert refusal.reason is Reason.TOO_LARGE
    assert refusal.sentence == f"field '{field}' is longer than 255 bytes"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        pytest.param(b'""', "'' is not an RFC 3339 instant", id="empty"),
        pytest.param(b'"2026-01-01"', "is not an RFC 3339 instant", id="date-alone"),
        pytest.param(b'"2026-01-01T00:00:00"', "is not an RFC 3339 instant", id="no-zone"),
        pytest.param(b'"2016-12-31T23:59:60Z"', "is not an RFC 3339 instant", id="leap-second"),
        pytest.param(b'"2026-01-01T24:00:00Z"', "is not an RFC 3339 instant", id="hour-24"),
        pytest.param(b'"2026-01-01T00:00:00+14:01"', "zone beyond ±14:00", id="zone"),
        pytest.param(b'"2026-02-29T00:00:00Z"', "is not a day of the calendar", id="no-such-day"),
        pytest.param(b"1767225600", "must be an RFC 3339 string, found a number", id="number"),
        pytest.param(b"true", "must be an RFC 3339 string, found a boolean", id="boolean"),
        pytest.param(b"{}", "must be an RFC 3339 string, found an object", id="object"),
    ],
)
def test_invalid_timestamp_is_refused(value: bytes, sentence: str) -> None:
    refusal = _refusal(timestamp=value)

    assert refusal.reason is Reason.INVALID_TIMESTAMP
    assert refusal.sentence.startswith("field 'timestamp'")
    assert sentence in refusal.sentence


@pytest.mark.parametrize(
    ("properties", "sentence"),
    [
        pytest.param(b'"x"', "properties must be an object, found a string", id="string"),
        pytest.param(b"1", "properties must be an object, found a number", id="number"),
        pytest.param(b"false", "properties must be an object, found a boolean", id="boolean"),
        pytest.param(b"[]", "properties must be an object, found an array", id="array"),
        pytest.param(
            b'{"' + b"p" * 256 + b'":1}', "a property name is longer than 255 bytes", id="256-bytes"
        ),
        pytest.param(
            ('{"' + "é" * 128 + '":1}').encode(),
            "a property name is longer than 255 bytes",
            id="256-bytes-of-2-byte-letters",
        ),
    ],
)
def test_invalid_property_is_refused(properties: bytes, sentence: str) -> None:
    refusal = _refusal(properties=properties)

    assert refusal.reason is Reason.INVALID_PROPERTY
    assert refusal.sentence == sentence


@pytest.mark.parametrize("name", ["", "p" * 255, "é" * 127 + "p", "bytes.total"])
def test_property_name_of_up_to_255_bytes_is_read(name: str) -> None:
    assert _read(properties={name: "1"}).properties == {name: "1"}


def test_200_properties_are_read() -> None:
    properties = {f"p{number}": str(number) for number in range(200)}

    assert _read(properties=properties).properties == properties


def test_201_properties_are_too_large() -> None:
    refusal = _refusal(properties={f"p{number}": "" for number in range(201)})

    assert refusal.reason is Reason.TOO_LARGE
    assert refusal.sentence == "201 properties; at most 200 are read"


@pytest.mark.parametrize(
    "overrides",
    [
        {"customer_id": ABSENT},
        {"event_type": 17},
        {"timestamp": "yesterday"},
        {"properties": []},
    ],
    ids=lambda overrides: next(iter(overrides)),
)
def test_refusal_names_the_key_when_it_could_be_read(overrides: dict[str, object]) -> None:
    assert _refusal(**overrides).idempotency_key == "key-1"


def test_refusal_of_the_key_itself_names_none() -> None:
    assert _refusal(transaction_id="k" * 256).idempotency_key is None


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param({"transaction_id": "key-2"}, id="another-key"),
        pytest.param({"properties": b'{"b":"x", "a":1}'}, id="order-and-space-of-properties"),
        pytest.param({"properties": b'{"a":1,"b":"\\u0078"}'}, id="escape-in-a-text"),
        pytest.param({"ingest_alias": "x"}, id="field-that-is-no-part-of-the-event"),
    ],
)
def test_payload_ignores_what_is_no_part_of_the_event(overrides: dict[str, object]) -> None:
    properties = {"properties": b'{"a":1,"b":"x"}'}

    assert _read(**properties | overrides).payload == _read(**properties).payload


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param({"customer_id": "initech"}, id="another-customer"),
        pytest.param({"event_type": "http_response"}, id="another-name"),
        pytest.param({"timestamp": "2026-01-01T00:00:00.0000001Z"}, id="digit-that-is-cut-off"),
        pytest.param({"properties": ABSENT}, id="no-properties"),
        pytest.param({"properties": b'{"a":1,"b":"y"}'}, id="another-text"),
        pytest.param({"properties": b'{"a":1.0,"b":"x"}'}, id="another-text-of-the-number"),
        pytest.param({"properties": b'{"a":"1","b":"x"}'}, id="text-for-number"),
        pytest.param({"properties": b'{"a":1,"b":"x","c":""}'}, id="one-more"),
        pytest.param({"properties": b'{"a":1,"bs":"x"}'}, id="another-property-name"),
    ],
)
def test_payload_covers_each_typed_field_as_sent(overrides: dict[str, object]) -> None:
    properties = {"properties": b'{"a":1,"b":"x"}'}

    assert _read(**properties | overrides).payload != _read(**properties).payload


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(b'{"a":true}', b'{"a":"true"}', id="boolean-and-text"),
        pytest.param(b'{"a":"bsc"}', b'{"a":"b","c":""}', id="text-and-two-properties"),
        pytest.param(b'{"ab":"c"}', b'{"a":"bc"}', id="where-the-name-ends"),
        pytest.param(b"{}", b'{"":""}', id="nothing-and-an-empty-name"),
    ],
)
def test_payloads_of_different_properties_differ(one: bytes, other: bytes) -> None:
    assert _read(properties=one).payload != _read(properties=other).payload
