"""The dialect `custom`: which fields a catalog may declare, and what is read at their paths."""

import pytest

from pipelines.reading.dialects import EventFields, RefusedLineError, reader_of
from pipelines.reading.dialects.custom import MappingError
from pipelines.reading.dialects.event import Field, FieldPath, Members, parse_path
from pipelines.reading.strict_json import parse_object
from pipelines.vocabulary.verdicts import Reason

Mapped = tuple[str, str, str | None]
"""Field, path and form: a row of source_fields.csv."""

NEW_YEAR = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z

LOG: tuple[Mapped, ...] = (
    ("customer", "$.account.id", None),
    ("event_name", "api_call", "constant"),
    ("timestamp", "at", "unix_milliseconds"),
    ("properties", "$.usage", None),
)
"""A log with one kind of event, whose numbers are nested."""

LINE = b'{"id":"k1","account":{"id":"acme"},"at":1767225600000,"usage":{"tokens":{"in":7}}}'


def read(
    line: bytes, fields: tuple[Mapped, ...] = LOG, key: tuple[str, ...] = ("id",)
) -> EventFields:
    source = {
        "dialect": "custom",
        "key_fields": list(key),
        "fields": [dict(zip(("field", "path", "form"), row, strict=True)) for row in fields],
        "event_schemas": [],
    }
    return reader_of(source).read(parse_object(line))


def refusal_of(line: bytes, *fields: Mapped) -> tuple[Reason, str]:
    with pytest.raises(RefusedLineError) as refusal:
        read(line, fields or LOG)
    return refusal.value.reason, refusal.value.sentence


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("id", "id"),
        ("$.id", "id"),
        ("$['id']", "id"),
        ("usage.total", FieldPath(("usage", "total"))),
        ("$.usage.total", FieldPath(("usage", "total"))),
        ("$['usage']['total']", FieldPath(("usage", "total"))),
        ('$["a.b"].c', FieldPath(("a.b", "c"))),
        ("x['a b']", FieldPath(("x", "a b"))),
        ("x.a b", FieldPath(("x", "a b"))),
        ("größe.µ", FieldPath(("größe", "µ"))),
    ],
)
def test_a_path_is_read(text: str, field: Field) -> None:
    assert parse_path(text) == field


@pytest.mark.parametrize(
    "text", ["", "$", ".a", "a.", "a..b", "$a", "$.", "a[0]", "$.*", "['']", "$..a", "a['b", " a"]
)
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a path of members"):
        parse_path(text)


@pytest.mark.parametrize("text", ["usage.total", "['a.b'].c", "x['a.b']"])
def test_a_path_is_shown_as_it_can_be_written(text: str) -> None:
    assert str(parse_path(text)) == text


def test_fields_are_read_where_the_catalog_says() -> None:
    assert read(LINE)[:6] == ("k1", "acme", None, "api_call", NEW_YEAR, {"tokens.in": "7"})


def test_what_no_row_names_has_our_own_name() -> None:
    line = (
        b'{"idempotency_key":"k1","customer":"acme","event_name":"call",'
        b'"timestamp":"2026-01-01T00:00:00Z","properties":{"a":{"b":1}},"note":null}'
    )

    assert read(line, (), ())[:6] == ("k1", "acme", None, "call", NEW_YEAR, {"a.b": "1"})


@pytest.mark.parametrize(
    ("line", "reason", "sentence"),
    [
        pytest.param(
            b'{"id":"k1","account":{},"at":1767225600000}',
            Reason.MISSING_FIELD,
            "field 'account.id' is missing or empty",
            id="missing-inside",
        ),
        pytest.param(
            b'{"id":"k1","at":1767225600000}',
            Reason.MISSING_FIELD,
            "field 'account.id' is missing or empty",
            id="nothing-around-it",
        ),
        pytest.param(
            b'{"id":"k1","account":"acme","at":1767225600000}',
            Reason.MALFORMED,
            "field 'account' must be an object, found a string",
            id="no-object-around-it",
        ),
        pytest.param(
            b'{"id":"k1","account":{"id":true},"at":1767225600000}',
            Reason.MALFORMED,
            "field 'account.id' must be a string or number, found a boolean",
            id="of-another-type",
        ),
        pytest.param(
            b'{"id":"k1","account":{"id":"acme"}}',
            Reason.MISSING_FIELD,
            "field 'at' is missing",
            id="no-timestamp",
        ),
        pytest.param(
            b'{"id":"k1","account":{"id":"acme"},"at":1767225600000,"usage":[7]}',
            Reason.INVALID_PROPERTY,
            "usage must be an object, found an array",
            id="properties-are-an-array",
        ),
    ],
)
def test_a_refusal_names_the_path(line: bytes, reason: Reason, sentence: str) -> None:
    assert refusal_of(line) == (reason, sentence)


@pytest.mark.parametrize(
    ("form", "value", "microseconds"),
    [
        ("rfc3339", b'"2026-01-01T01:00:00+01:00"', NEW_YEAR),
        ("iso8601", b'"2026-01-01 01:00:00 +0100"', NEW_YEAR),
        ("iso8601_utc", b'"2026-01-01T00:00:00"', NEW_YEAR),
        ("iso8601_utc", b'"2026-01-01 00:00:00 UTC"', NEW_YEAR),
        ("iso8601+05:30", b'"2026-01-01T05:30:00"', NEW_YEAR),
        ("iso8601+05:30", b'"2026-01-01T00:00:00Z"', NEW_YEAR),
        ("iso8601-14:00", b'"20251231T10"', NEW_YEAR),
        ("unix_microseconds", b"1767225600000001", NEW_YEAR + 1),
        ("unix_microseconds", b'"1767225600000000.9"', NEW_YEAR),
        ("unix_seconds", b"1767225600.000001", NEW_YEAR + 1),
        ("unix_seconds", b'"1767225600"', NEW_YEAR),
        ("unix_milliseconds", b"1767225600000.001", NEW_YEAR + 1),
        ("unix_milliseconds", b'"1767225600001"', NEW_YEAR + 1000),
    ],
)
def test_a_timestamp_has_the_declared_form(form: str, value: bytes, microseconds: int) -> None:
    line = b'{"id":"k1","customer":"acme","event_name":"x","t":{"at":' + value + b"}}"

    assert read(line, (("timestamp", "t.at", form),)).occurred_at == microseconds


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("rfc3339", b'"2026-01-01T00:00:00"'),
        ("rfc3339", b"1767225600"),
        ("iso8601", b'"2026-01-01T00:00:00"'),
        ("iso8601_utc", b"1767225600"),
        ("iso8601+05:30", b'"2026-01-01T24:00:00"'),
        ("unix_microseconds", b"1767225600000"),
        ("unix_microseconds", b"1767225600"),
        ("iso8601_utc", b'"2026-01-01"'),
        ("unix_seconds", b'"2026-01-01T00:00:00Z"'),
        ("unix_seconds", b"1767225600000"),
        ("unix_milliseconds", b'"2026-01-01T00:00:00Z"'),
        ("unix_milliseconds", b"1767225600"),
    ],
)
def test_a_timestamp_of_another_form_is_refused(form: str, value: bytes) -> None:
    line = b'{"id":"k1","customer":"acme","event_name":"x","t":{"at":' + value + b"}}"

    reason, sentence = refusal_of(line, ("timestamp", "t.at", form))

    # The declared path is read, and not the field `timestamp`. So only the form is wrong.
    assert reason is Reason.INVALID_TIMESTAMP
    assert sentence.startswith("field 't.at'")


@pytest.mark.parametrize("at", [b"", b',"at":null'], ids=["absent", "null"])
def test_an_optional_timestamp_is_left_to_received_at(at: bytes) -> None:
    line = b'{"id":"k1","customer":"acme","event_name":"x"' + at + b"}"

    assert read(line, (("optional_timestamp", "at", "rfc3339"),)).occurred_at is None
    assert refusal_of(line, ("timestamp", "at", "rfc3339")) == (
        Reason.MISSING_FIELD,
        "field 'at' is missing",
    )


def test_the_first_customer_that_is_present_counts() -> None:
    fields: tuple[Mapped, ...] = (
        ("customer", "org", None),
        ("customer", "user.id", None),
        ("optional_timestamp", "at", "rfc3339"),
    )

    def customer(members: bytes) -> str | None:
        return read(b'{"id":"k1","event_name":"x"' + members + b"}", fields).customer_ref

    assert customer(b',"org":"acme","user":{"id":"u1"}') == "acme"
    assert customer(b',"org":"","user":{"id":"u1"}') == "u1"
    assert refusal_of(b'{"id":"k1","event_name":"x"}', *fields) == (
        Reason.MISSING_FIELD,
        "field 'org' or 'user.id' is missing or empty",
    )


def test_a_subscription_can_stand_alone() -> None:
    fields: tuple[Mapped, ...] = (
        ("subscription", "sub", None),
        ("optional_timestamp", "at", "rfc3339"),
    )
    # A subscription is declared and no customer, so the member `customer` is ignored.
    found = read(b'{"id":"k1","event_name":"x","sub":"s1","customer":[1]}', fields)

    assert (found.customer_ref, found.subscription_ref) == (None, "s1")
    assert refusal_of(b'{"id":"k1","event_name":"x","customer":"acme"}', *fields) == (
        Reason.MISSING_FIELD,
        "field 'sub' is missing or empty",
    )


NAMED: tuple[Mapped, ...] = (
    ("optional_timestamp", "at", "rfc3339"),
    ("properties.bytes", "$.usage.total", None),
    ("properties.region", "dc", None),
)


def named(members: bytes, *more: Mapped) -> EventFields:
    line = b'{"id":"k1","customer":"acme","event_name":"x"' + members + b"}"
    return read(line, (*NAMED, *more))


def test_single_properties_have_the_names_that_are_declared() -> None:
    found = named(b',"usage":{"total":0.10,"other":1},"dc":"fra"').properties

    assert found == {"bytes": "0.10", "region": "fra"}
    assert named(b"").properties == {}


def test_single_properties_stand_beside_those_of_an_object() -> None:
    found = named(b',"dc":"fra","tags":{"a":{"b":true}}', ("properties", "tags", "nested"))

    assert found.properties == {"a.b": "true", "region": "fra"}


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        (
            b',"dc":"fra","tags":{"region":"x"}',
            "field 'dc' and a member of 'tags' are both the property 'region'",
        ),
    ],
)
def test_a_single_property_is_refused_by_its_path(members: bytes, sentence: str) -> None:
    with pytest.raises(RefusedLineError) as refusal:
        named(members, ("properties", "tags", "flat"))

    assert refusal.value.reason is Reason.INVALID_PROPERTY
    assert refusal.value.sentence == sentence
    assert refusal.value.idempotency_key == "k1"


@pytest.mark.parametrize(
    ("members", "properties"),
    [
        (b',"dc":null', {}),
        (b',"usage":{"total":null},"tags":{"region":null}', {}),
        (b',"dc":"fra","tags":{"region":null}', {"region": "fra"}),
        (b',"dc":null,"tags":{"region":"x"}', {"region": "x"}),
        (b',"usage":{"total":{}}', {"bytes": "{}"}),
        (b',"dc":[1, 2.0]', {"region": "[1, 2.0]"}),
    ],
)
def test_a_single_property_may_be_null_or_nested(
    members: bytes, properties: dict[str, str]
) -> None:
    assert named(members, ("properties", "tags", "flat")).properties == properties


def test_an_object_that_no_text_holds_is_no_property() -> None:
    # In CSV, the column `usage.total.x` makes an object that nobody wrote as JSON.
    members: Members = {
        "id": "k1",
        "customer": "acme",
        "event_name": "x",
        "usage": {"total": {"x": "1"}},
    }
    reader = reader_of(
        {
            "dialect": "custom",
            "key_fields": ["id"],
            "fields": [dict(zip(("field", "path", "form"), row, strict=True)) for row in NAMED],
            "event_schemas": [],
        }
    )

    with pytest.raises(RefusedLineError, match="must be a string, number or boolean, found an"):
        reader.read(members)


def test_flat_properties_are_not_flattened() -> None:
    line = b'{"id":"k1","customer":"acme","event_name":"x","p":{"a":{"b":1}}}'
    fields: tuple[Mapped, ...] = (("optional_timestamp", "at", "rfc3339"),)

    assert read(line, (*fields, ("properties", "p", "flat"))).properties == {"a": '{"b":1}'}
    assert read(line, (*fields, ("properties", "p", "nested"))).properties == {"a.b": "1"}


def test_numbers_name_keys_and_customers_by_their_text() -> None:
    line = b'{"id":%s,"account":{"id":%s},"at":1767225600000}'
    number, text = read(line % (b"17", b"42")), read(line % (b'"17"', b'"42"'))

    assert (number.idempotency_key, number.customer_ref) == ("17", "42")
    assert (text.idempotency_key, text.customer_ref) == ("17", "42")
    assert type(number.idempotency_key) is type(number.customer_ref) is str
    # The keys are equal, but the payloads differ: a copy would send the same bytes.
    assert number.payload != text.payload
    assert number.payload == read(line % (b'"18"', b"42")).payload


@pytest.mark.parametrize(
    ("fields", "number", "column", "sentence"),
    [
        pytest.param(
            (("customer_id", "a", None),),
            0,
            "field",
            "is not a field of an event",
            id="unknown-field",
        ),
        pytest.param(
            (("properties.", "a", None),), 0, "field", "is not a field of an event", id="no-name"
        ),
        pytest.param(
            (("event_name", "a", None), ("event_name", "b", None)),
            1,
            "field",
            "'event_name' is declared twice; keep one",
            id="twice",
        ),
        pytest.param(
            (("timestamp", "a", "rfc3339"), ("optional_timestamp", "b", "rfc3339")),
            1,
            "field",
            "'timestamp' is declared twice; keep one",
            id="two-timestamps",
        ),
        pytest.param(
            (("properties.a", "a", None), ("properties.a", "b", None)),
            1,
            "field",
            "'properties.a' is declared twice; keep one",
            id="one-property-twice",
        ),
        pytest.param(
            (("timestamp", "a", None),),
            0,
            "form",
            "write one of: rfc3339, iso8601, iso8601_utc, unix_seconds, unix_milliseconds, "
            "unix_microseconds, iso8601+01:00",
            id="timestamp-without-form",
        ),
        *(
            pytest.param(
                (("timestamp", "a", form),), 0, "form", "is not a form of 'timestamp'", id=form
            )
            for form in (
                "iso8601+14:01",
                "iso8601+1:00",
                "iso8601 01:00",
                "+01:00",
                "rfc3339+01:00",
            )
        ),
        pytest.param(
            (("customer", "a", "constant"), ("customer", "1", "folder")),
            1,
            "form",
            "two customers stand for every event; keep one",
            id="two-constant-customers",
        ),
        pytest.param(
            (("subscription", "a", "constant"),),
            0,
            "form",
            "'constant' is not a form of 'subscription'; leave the cell empty",
            id="constant-subscription",
        ),
        *(
            pytest.param(
                (("event_name", folder, "folder"),),
                0,
                "path",
                f"{folder!r} names no folder; write its number below the source's folder, from 1",
                id=f"folder-{number}",
            )
            for number, folder in enumerate(["0", "-1", "100", "1a", "a=b", "a/b", "=a"])
        ),
        pytest.param(
            (("json_text", "a[0]", None),), 0, "path", "is not a path of members", id="json-array"
        ),
        pytest.param(
            (("properties.a", "a", "flat"),),
            0,
            "form",
            "'flat' is not a form of 'properties.a'; leave the cell empty",
            id="form-of-one-property",
        ),
        pytest.param(
            (("customer", "a", None), ("customer", "a[0]", None)),
            1,
            "path",
            "'a[0]' is not a path of members",
            id="array",
        ),
    ],
)
def test_a_field_that_cannot_be_is_named(
    fields: tuple[Mapped, ...], number: int, column: str, sentence: str
) -> None:
    with pytest.raises(MappingError) as error:
        read(LINE, fields)

    assert (error.value.number, error.value.column) == (number, column)
    assert sentence in str(error.value)
