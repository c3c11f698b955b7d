"""Declarations for sources of any dialect: the fields of the key, and the event schemas."""

import pickle

import pytest

from pipelines.reading.dialects import DIALECTS, Dialect, EventFields, RefusedLineError, reader_of
from pipelines.reading.strict_json import parse_object
from pipelines.vocabulary.verdicts import Reason
from tests.worlds.dialect_samples import SAMPLES
from tests.worlds.file_lines import object_line

Declared = tuple[str, str, str, bool]
"""Event name, name, kind, is required: a row of event_schemas.csv."""


def reader(dialect: str, *key: str, schemas: tuple[Declared, ...] = ()) -> Dialect:
    names = ("event_name", "name", "kind", "is_required")
    return reader_of(
        {
            "dialect": dialect,
            "key_fields": list(key),
            "fields": [],
            "event_schemas": [dict(zip(names, row, strict=True)) for row in schemas],
        }
    )


def read(made: Dialect, dialect: str, **overrides: object) -> EventFields:
    line = object_line({**SAMPLES[dialect].fields, **overrides})
    return made.read(parse_object(line))


def refusal_of(made: Dialect, dialect: str, **overrides: object) -> RefusedLineError:
    with pytest.raises(RefusedLineError) as refusal:
        read(made, dialect, **overrides)
    return refusal.value


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_source_that_says_nothing_is_read_as_its_vendor_documents(dialect: str) -> None:
    assert reader(dialect) == DIALECTS[dialect]
    silent = {"dialect": dialect, "key_fields": None, "fields": None, "event_schemas": None}
    assert reader_of(silent) == DIALECTS[dialect]


def test_what_a_source_says_can_be_handed_to_another_process() -> None:
    made = reader("togai", "timestamp", schemas=(("ride", "km", "attribute", True),))

    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301 — our own bytes
    assert hash(made.form.key) == hash(("timestamp",))


TOGAI_KEY = ("timestamp", "accountID", "dimensions.city")


@pytest.mark.parametrize(
    "dimensions",
    [b'{"city":"Bern"}', b'[{"name":"city","value":"Bern"}]'],
    ids=["object", "array"],
)
def test_togais_key_may_be_made_of_fields_and_a_dimension(dimensions: bytes) -> None:
    made = reader("togai", *TOGAI_KEY)

    fields = read(made, "togai", id=None, dimensions=dimensions)

    assert fields.idempotency_key == '["2026-01-01T00:00:00Z","acme","Bern"]'
    assert fields.properties == {"city": "Bern"}


@pytest.mark.parametrize(
    ("overrides", "missing"),
    [
        ({"timestamp": None}, "timestamp"),
        ({"accountID": b'""'}, "accountID"),
        ({"dimensions": b"{}"}, "dimensions.city"),
        ({"dimensions": b'{"city":null}'}, "dimensions.city"),
        ({"dimensions": None}, "dimensions.city"),
    ],
)
def test_a_part_of_the_key_that_is_missing_is_named(
    overrides: dict[str, object], missing: str
) -> None:
    refusal = refusal_of(
        reader("togai", *TOGAI_KEY), "togai", **({"dimensions": b'{"city":"Bern"}'} | overrides)
    )

    assert refusal.reason is Reason.MISSING_FIELD
    assert refusal.sentence == f"field '{missing}' is missing or empty"
    assert refusal.idempotency_key is None


def test_a_key_of_several_fields_cannot_be_forged_by_its_parts() -> None:
    made = reader("lago", "external_customer_id", "transaction_id")
    pairs = [("a", 'b","c'), ('a","b', "c"), ("a,b", "c"), ("a", "b,c"), ("ä\\", "\\c")]

    keys = [
        read(made, "lago", external_customer_id=one, transaction_id=other).idempotency_key
        for one, other in pairs
    ]

    assert len(set(keys)) == len(pairs)


def test_a_number_and_its_text_are_two_parts() -> None:
    made = reader("lago", "transaction_id", "timestamp")

    assert read(made, "lago", timestamp=b"1767225600.0").idempotency_key == '["key-1",1767225600.0]'
    assert read(made, "lago", timestamp=b'"1767225600"').idempotency_key == '["key-1","1767225600"]'


@pytest.mark.parametrize(("size", "is_read"), [(255, True), (256, False)])
def test_a_key_of_several_fields_has_at_most_255_bytes_as_a_whole(size: int, is_read: bool) -> None:
    made = reader("lago", "external_customer_id", "transaction_id")
    overrides = {"transaction_id": "k" * (size - len('["acme",""]'))}

    if is_read:
        assert len(read(made, "lago", **overrides).idempotency_key or "") == size
    else:
        refusal = refusal_of(made, "lago", **overrides)
        assert refusal.reason is Reason.TOO_LARGE
        assert refusal.sentence == (
            "fields 'external_customer_id' and 'transaction_id' make a key of more than 255 bytes"
        )


def test_another_single_field_may_be_the_key() -> None:
    """In an export from Orb the key is called `id`."""
    assert read(reader("orb", "id"), "orb", id="k7").idempotency_key == "k7"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_key_is_no_part_of_the_payload(dialect: str) -> None:
    made = reader(dialect, "batch.number")

    assert (
        read(made, dialect, batch=b'{"number":1}').payload
        == read(DIALECTS[dialect], dialect).payload
    )


def test_cloudevents_data_may_be_mapped() -> None:
    fields = [{"field": "properties.tokens", "path": "$.data.usage.tokens", "form": None}]
    made = reader_of(
        {"dialect": "cloudevents", "key_fields": [], "fields": fields, "event_schemas": []}
    )
    data = b'{"usage":{"tokens":7},"models":["a","b"],"note":null}'

    assert read(made, "cloudevents", data=data).properties == {"tokens": "7"}
    assert read(made, "cloudevents", data=data).idempotency_key == '["/gateway","key-1"]'
    assert read(DIALECTS["cloudevents"], "cloudevents", data=data).properties == {
        "usage.tokens": "7",
        "models": '["a","b"]',
    }
    refusal = refusal_of(made, "cloudevents", data=None, data_base64="e30=")
    assert refusal.sentence.startswith("data_base64 is not read")


RIDE: tuple[Declared, ...] = (
    ("ride", "km", "attribute", True),
    ("ride", "minutes", "attribute", False),
    ("ride", "city", "dimension", True),
)


def ride(**overrides: object) -> dict[str, object]:
    return {
        "schemaName": "ride",
        "attributes": b'[{"name":"km","value":"7.50"}]',
        "dimensions": b'{"city":"Bern"}',
        **overrides,
    }


def test_an_event_with_all_that_its_schema_declares_is_read() -> None:
    made = reader("togai", schemas=RIDE)

    assert read(made, "togai", **ride()) == read(DIALECTS["togai"], "togai", **ride())
    more = ride(attributes=b'{"km":1,"minutes":2,"undeclared":3}')
    assert read(made, "togai", **more).properties["undeclared"] == "3"


@pytest.mark.parametrize(
    ("overrides", "what"),
    [
        ({"attributes": b"[]"}, "attribute 'km'"),
        ({"attributes": None}, "attribute 'km'"),
        ({"attributes": b'{"minutes":1}'}, "attribute 'km'"),
        ({"dimensions": b"{}"}, "dimension 'city'"),
        # A dimension does not count as an attribute, nor an attribute as a dimension.
        ({"attributes": b'{"city":1,"km":1}', "dimensions": b"{}"}, "dimension 'city'"),
        ({"attributes": b"{}", "dimensions": b'{"km":"1","city":"Bern"}'}, "attribute 'km'"),
    ],
)
def test_a_missing_attribute_or_dimension_is_a_schema_violation(
    overrides: dict[str, object], what: str
) -> None:
    refusal = refusal_of(reader("togai", schemas=RIDE), "togai", **ride(**overrides))

    assert refusal.reason is Reason.SCHEMA_VIOLATION
    assert refusal.sentence == f"the {what} that event schema 'ride' declares is missing"
    assert refusal.idempotency_key == "key-1"


def test_an_event_of_no_declared_schema_is_a_schema_violation() -> None:
    refusal = refusal_of(reader("togai", schemas=RIDE), "togai", **ride(schemaName="Ride"))

    assert refusal.reason is Reason.SCHEMA_VIOLATION
    assert refusal.sentence == "no event schema is declared for 'Ride'"
    assert read(reader("togai"), "togai", **ride(schemaName="Ride")).event_name == "Ride"


def test_togais_own_schemas_need_no_declaration() -> None:
    made = reader("togai", schemas=RIDE)
    usage: dict[str, object] = {"schemaName": "togai-usage", "dimensions": {"usage_meter_id": "m"}}

    assert read(made, "togai", **usage, attributes={"usage": "1"}).event_name == "togai-usage"
    assert refusal_of(made, "togai", **usage).reason is Reason.SCHEMA_VIOLATION
    loose = reader("togai", schemas=(("togai-usage", "usage", "attribute", False),))
    assert read(loose, "togai", **usage).event_name == "togai-usage"


def test_what_is_wrong_for_another_reason_keeps_that_reason() -> None:
    made = reader("togai", schemas=RIDE)

    assert refusal_of(made, "togai", **ride(timestamp="x")).reason is Reason.INVALID_TIMESTAMP
    wrong = ride(attributes=b'{"km":"7.50","km2":1,"city":1}')
    assert refusal_of(made, "togai", **wrong).reason is Reason.INVALID_PROPERTY


@pytest.mark.parametrize(
    "attributes",
    [b'{"km":null}', b'[{"name":"km","value":null,"unit":"km"}]', b'[{"name":"km"}]'],
)
def test_a_required_attribute_that_is_null_is_missing(attributes: bytes) -> None:
    refusal = refusal_of(reader("togai", schemas=RIDE), "togai", **ride(attributes=attributes))

    assert refusal.reason is Reason.SCHEMA_VIOLATION
    assert refusal.sentence == ("the attribute 'km' that event schema 'ride' declares is missing")


def test_other_dialects_do_not_tell_attributes_from_dimensions() -> None:
    schemas = (("http_request", "bytes", "dimension", True),)
    made = reader("orb", schemas=schemas)

    assert read(made, "orb").properties == {"bytes": "512"}
    refusal = refusal_of(made, "orb", properties={"byte": "512"})
    assert refusal.reason is Reason.SCHEMA_VIOLATION
