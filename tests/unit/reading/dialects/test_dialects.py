"""The rules that all dialects share: fields, reasons, limits, key and payload.

The rules of single dialects are tested in `test_dialect_rules`.
"""

import pickle
from datetime import timedelta

import pytest

from pipelines.reading.dialects import DIALECTS, EventFields, RefusedLineError, unwrapped
from pipelines.reading.strict_json import parse_object
from pipelines.vocabulary.verdicts import Reason
from tests.worlds.dialect_samples import SAMPLES, read, refusal_of
from tests.worlds.file_lines import object_line

NEW_YEAR = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z


pytestmark = pytest.mark.parametrize("dialect", SAMPLES)


def read_properties(dialect: str, properties: bytes) -> EventFields:
    return read(dialect, **_with_properties(dialect, properties))


def _with_properties(dialect: str, properties: bytes) -> dict[str, object]:
    if dialect == "stripe":
        inner = properties[1:].lstrip()
        comma = b"" if inner.startswith(b"}") else b","
        properties = b'{"stripe_customer_id":"acme"' + comma + inner
    return {SAMPLES[dialect].properties: properties}


def _with_customer(dialect: str, value: bytes) -> dict[str, object]:
    if dialect == "stripe":
        return {"payload": b'{"stripe_customer_id":' + value + b',"bytes":"512"}'}
    return {SAMPLES[dialect].customer: value}


def _with_text(dialect: str, role: str, value: bytes) -> dict[str, object]:
    if role == "customer":
        return _with_customer(dialect, value)
    return {getattr(SAMPLES[dialect], role): value}


def test_event_is_read_field_by_field(dialect: str) -> None:
    assert read(dialect)[:6] == (
        SAMPLES[dialect].key_read,
        "acme",
        None,
        "http_request",
        NEW_YEAR,
        {"bytes": "512"},
    )


def test_an_event_in_an_envelope_is_the_same_event(dialect: str) -> None:
    line = b'{ "event" : ' + object_line(SAMPLES[dialect].fields) + b"}"

    assert DIALECTS[dialect].read(unwrapped(parse_object(line))) == read(dialect)


def test_an_envelope_has_nothing_beside_the_event(dialect: str) -> None:
    line = b'{"event":' + object_line(SAMPLES[dialect].fields) + b',"x":1}'

    with pytest.raises(RefusedLineError) as refusal:
        DIALECTS[dialect].read(unwrapped(parse_object(line)))

    assert refusal.value.reason is Reason.MISSING_FIELD


def test_the_catalog_knows_the_dialect_and_its_window(dialect: str) -> None:
    days = {"metronome": timedelta(days=34), "togai": timedelta(days=45)}

    assert DIALECTS[dialect].dedupe_window == days.get(dialect)


def test_there_is_no_dialect_without_a_sample(dialect: str) -> None:
    assert dialect in DIALECTS
    assert SAMPLES.keys() == DIALECTS.keys()


@pytest.mark.parametrize("value", [b"null", b'""'])
@pytest.mark.parametrize("role", ["key", "customer", "event_name"])
def test_missing_text_is_refused(dialect: str, role: str, value: bytes) -> None:
    if role == "key" and SAMPLES[dialect].is_key_optional:
        assert read(dialect, **{SAMPLES[dialect].key: value}).idempotency_key is None
        return
    refusal = refusal_of(dialect, **_with_text(dialect, role, value))

    assert refusal.reason is Reason.MISSING_FIELD
    assert f"'{getattr(SAMPLES[dialect], role)}'" in refusal.sentence
    assert refusal.sentence.endswith("is missing or empty")


@pytest.mark.parametrize("role", ["key", "customer", "event_name"])
def test_absent_text_is_refused(dialect: str, role: str) -> None:
    if role == "key" and SAMPLES[dialect].is_key_optional:
        assert read(dialect, **{SAMPLES[dialect].key: None}).idempotency_key is None
        return
    absent: dict[str, object] | None = {} if role == "customer" and dialect == "stripe" else None
    field = "payload" if absent is not None else getattr(SAMPLES[dialect], role)

    assert refusal_of(dialect, **{field: absent}).reason is Reason.MISSING_FIELD


@pytest.mark.parametrize("value", [b"17", b"true", b"[]", b"{}"])
@pytest.mark.parametrize("role", ["key", "customer", "event_name"])
def test_text_of_another_type_is_malformed(dialect: str, role: str, value: bytes) -> None:
    overrides = _with_text(dialect, role, value)
    if dialect == "custom" and value == b"17" and role != "event_name":
        # The dialect `custom` accepts numbers as keys and customers.
        assert "17" in read(dialect, **overrides)
        return
    refusal = refusal_of(dialect, **overrides)

    assert refusal.reason is Reason.MALFORMED
    assert refusal.sentence.startswith(f"field '{getattr(SAMPLES[dialect], role)}' must be ")
    assert ", found " in refusal.sentence


@pytest.mark.parametrize("text", ["k" * 255, "é" * 127 + "k", "漢" * 85, " ", "a\u200bb"])
@pytest.mark.parametrize("role", ["customer", "event_name"])
def test_text_of_up_to_255_bytes_is_read(dialect: str, role: str, text: str) -> None:
    assert text in read(dialect, **_with_text(dialect, role, f'"{text}"'.encode()))


@pytest.mark.parametrize("text", ["k" * 256, "é" * 128, "漢" * 85 + "k"])
@pytest.mark.parametrize("role", ["key", "customer", "event_name"])
def test_text_of_256_bytes_is_too_large(dialect: str, role: str, text: str) -> None:
    refusal = refusal_of(dialect, **_with_text(dialect, role, f'"{text}"'.encode()))

    assert refusal.reason is Reason.TOO_LARGE
    assert "255 bytes" in refusal.sentence


def test_key_of_255_bytes_is_read_and_of_256_is_not(dialect: str) -> None:
    sample = SAMPLES[dialect]
    room = 255 - len(sample.key_read) + len("key-1")

    key = read(dialect, **{sample.key: "k" * room}).idempotency_key

    assert key is not None
    assert len(key.encode()) == 255
    refusal = refusal_of(dialect, **{sample.key: "k" * (room + 1)})
    assert refusal.reason is Reason.TOO_LARGE
    assert refusal.idempotency_key is None


@pytest.mark.parametrize("value", [b"null", None], ids=["null", "absent"])
def test_missing_timestamp_is_refused_or_left_to_received_at(
    dialect: str, value: bytes | None
) -> None:
    sample = SAMPLES[dialect]
    overrides = {sample.timestamp: value}
    if sample.is_timestamp_optional:
        assert read(dialect, **overrides).occurred_at is None
        return
    refusal = refusal_of(dialect, **overrides)
    assert refusal.reason is Reason.MISSING_FIELD
    assert refusal.sentence == f"field '{sample.timestamp}' is missing"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b'""', id="empty"),
        pytest.param(b'"yesterday"', id="word"),
        pytest.param(b'"2026-01-01"', id="date-alone"),
        pytest.param(b'"2016-12-31T23:59:60Z"', id="leap-second"),
        pytest.param(b'"2026-01-01T24:00:00Z"', id="hour-24"),
        pytest.param(b'"2026-01-01T00:00:00+14:01"', id="zone"),
        pytest.param(b'"2026-02-29T00:00:00Z"', id="no-such-day"),
        pytest.param(b'"0000-01-01T00:00:00Z"', id="year-0"),
        pytest.param(b"1767225600000", id="milliseconds"),
        pytest.param(b'"1767225600000"', id="milliseconds-as-text"),
        pytest.param(b"true", id="boolean"),
        pytest.param(b"{}", id="object"),
        pytest.param(b"[]", id="array"),
    ],
)
def test_invalid_timestamp_is_refused(dialect: str, value: bytes) -> None:
    field = SAMPLES[dialect].timestamp

    refusal = refusal_of(dialect, **{field: value})

    assert refusal.reason is Reason.INVALID_TIMESTAMP
    assert refusal.sentence.startswith(f"field '{field}'")
    assert refusal.idempotency_key == SAMPLES[dialect].key_read


@pytest.mark.parametrize(
    ("value", "readers"),
    [
        pytest.param(b"1767225600", {"lago", "stripe"}, id="unix-number"),
        pytest.param(b'"1767225600"', {"lago", "stripe"}, id="unix-text"),
        pytest.param(b'"2026-01-01T00:00:00"', {"orb", "togai"}, id="no-zone"),
        pytest.param(b'"2026-01-01T00:00:00Z"', SAMPLES.keys(), id="rfc-3339"),
    ],
)
def test_a_form_of_time_is_read_where_the_vendor_has_it(
    dialect: str, value: bytes, readers: set[str]
) -> None:
    overrides: dict[str, object] = {SAMPLES[dialect].timestamp: value}

    if dialect in readers:
        assert read(dialect, **overrides).occurred_at == NEW_YEAR
    else:
        assert refusal_of(dialect, **overrides).reason is Reason.INVALID_TIMESTAMP


@pytest.mark.parametrize(
    "text",
    ["0.1234567890123456789", "1e400", "-0", "1.0", "1.2222222222222222e-05", "7" * 5_000],
    ids=lambda text: text[:24],
)
def test_number_property_keeps_its_source_text(dialect: str, text: str) -> None:
    assert read_properties(dialect, f'{{"n":{text}}}'.encode()).properties == {"n": text}


def test_text_and_boolean_properties_are_read(dialect: str) -> None:
    properties = b'{"t":"1.50","yes":true,"no":false,"":"x"}'

    assert read_properties(dialect, properties).properties == {
        "t": "1.50",
        "yes": "true",
        "no": "false",
        "": "x",
    }


def test_event_without_properties_has_none(dialect: str) -> None:
    assert read_properties(dialect, b"{}").properties == {}
    if dialect != "stripe":
        assert read(dialect, **{SAMPLES[dialect].properties: None}).properties == {}
        assert read_properties(dialect, b"null").properties == {}


@pytest.mark.parametrize("properties", [b'"x"', b"1", b"true"])
def test_properties_of_another_type_are_refused(dialect: str, properties: bytes) -> None:
    refusal = refusal_of(dialect, **{SAMPLES[dialect].properties: properties})

    # In Stripe's events this object holds the customer, which is read first.
    expected = Reason.MALFORMED if dialect == "stripe" else Reason.INVALID_PROPERTY
    assert refusal.reason is expected
    assert "object, found " in refusal.sentence
    assert refusal.idempotency_key == SAMPLES[dialect].key_read


@pytest.mark.parametrize(
    "properties",
    [
        pytest.param(b'{"' + b"p" * 256 + b'":1}', id="name-of-256-bytes"),
    ],
)
def test_invalid_property_is_refused(dialect: str, properties: bytes) -> None:
    refusal = refusal_of(dialect, **_with_properties(dialect, properties))

    assert refusal.reason is Reason.INVALID_PROPERTY


def test_a_null_property_is_absent_in_the_payload_too(dialect: str) -> None:
    nulls = read_properties(dialect, b'{"a":null,"b":1,"c":null}')

    assert nulls.properties == {"b": "1"}
    assert nulls == read_properties(dialect, b'{"b":1}')
    assert read_properties(dialect, b'{"a":null}') == read_properties(dialect, b"{}")


def test_nulls_do_not_count_among_the_properties(dialect: str) -> None:
    many = b",".join(b'"p%d":1' % number for number in range(200))

    assert len(read_properties(dialect, b'{"null":null,%b}' % many).properties) == 200


@pytest.mark.parametrize("text", [b"[]", b"[1]", b'[ {"x" : [1.0, null, "\\u00e9]"]} ]'])
def test_an_array_is_its_exact_text_unless_the_vendor_forbids_it(dialect: str, text: bytes) -> None:
    array = b'{"a":%b,"b":1}' % text

    if dialect == "orb":
        refusal = refusal_of(dialect, **_with_properties(dialect, array))
        assert refusal.reason is Reason.INVALID_PROPERTY
        assert refusal.sentence == (
            "property 'a' must be a string, number or boolean, found an array"
        )
    else:
        found = read_properties(dialect, array)
        assert found.properties == {"a": text.decode(), "b": "1"}
        assert found.payload != read_properties(dialect, array.replace(b"[", b"[ ", 1)).payload


def test_an_object_is_flattened_or_its_exact_text(dialect: str) -> None:
    nested = _with_properties(dialect, b'{"a":{"b" :1},"c":{}}')

    if dialect in ("cloudevents", "custom", "segment"):
        assert read(dialect, **nested).properties == {"a.b": "1"}
    elif dialect == "orb":
        assert refusal_of(dialect, **nested).reason is Reason.INVALID_PROPERTY
    else:
        assert read(dialect, **nested).properties == {"a": '{"b" :1}', "c": "{}"}


def test_an_array_and_its_text_as_a_string_are_different_payloads(dialect: str) -> None:
    if dialect != "orb":
        array = read_properties(dialect, b'{"a":[1]}')
        text = read_properties(dialect, b'{"a":"[1]"}')
        assert array.properties == text.properties
        assert array.payload != text.payload


def test_a_nested_value_in_an_envelope_has_its_own_text(dialect: str) -> None:
    fields = {**SAMPLES[dialect].fields, **_with_properties(dialect, b'{"a":[1],"b":[2,{}]}')}
    line = b'{"event":' + object_line({"x": [1], **fields}) + b"}"

    if dialect != "orb":
        read_again = DIALECTS[dialect].read(unwrapped(parse_object(line)))
        assert read_again.properties == {"a": "[1]", "b": "[2,{}]"}


@pytest.mark.parametrize("count", [200, 201])
def test_200_properties_are_read_and_201_are_not(dialect: str, count: int) -> None:
    properties = object_line({f"p{number}": str(number) for number in range(count)})

    if count == 200:
        assert len(read_properties(dialect, properties).properties) == 200
    else:
        refusal = refusal_of(dialect, **_with_properties(dialect, properties))
        assert refusal.reason is Reason.TOO_LARGE


def test_payload_ignores_the_order_of_members(dialect: str) -> None:
    fields = {
        **SAMPLES[dialect].fields,
        **_with_properties(dialect, b'{"a":1,"b":"x"}'),
    }
    turned = {
        **dict(reversed(fields.items())),
        **_with_properties(dialect, b'{ "b" : "\\u0078", "a" : 1 }'),
    }

    assert DIALECTS[dialect].read(parse_object(object_line(turned))) == DIALECTS[dialect].read(
        parse_object(object_line(fields))
    )


def test_payload_ignores_the_key_and_what_is_no_part_of_the_event(dialect: str) -> None:
    sample = SAMPLES[dialect]

    again = read(dialect, **{sample.key: "key-2", "extra": [1]})

    assert again.payload == read(dialect).payload


def test_payload_covers_each_typed_field(dialect: str) -> None:
    sample = SAMPLES[dialect]
    variants = [
        read(dialect),
        read(dialect, **_with_customer(dialect, b'"initech"')),
        read(dialect, **{sample.event_name: "http_response"}),
        read(dialect, **{sample.timestamp: "2026-01-01T00:00:00.0000001Z"}),
        *(
            read_properties(dialect, properties)
            for properties in (
                b"{}",
                b'{"bytes":512}',
                b'{"bytes":512.0}',
                b'{"bytes":"513"}',
                b'{"bytes":true}',
                b'{"bytes":"true"}',
                b'{"byte":"s512"}',
                b'{"bytes":"512","":""}',
                b'{"bytes":"5","12":"","3":"4"}',
            )
        ),
    ]
    if sample.is_timestamp_optional:
        variants.append(read(dialect, **{sample.timestamp: None}))

    payloads = [fields.payload for fields in variants]
    assert len(set(payloads)) == len(payloads)


def test_a_dialect_is_data_that_another_process_can_be_given(dialect: str) -> None:
    again = pickle.loads(pickle.dumps(DIALECTS[dialect]))  # noqa: S301 — our own bytes

    assert again == DIALECTS[dialect]
    assert again.read(parse_object(object_line(SAMPLES[dialect].fields))) == read(dialect)
