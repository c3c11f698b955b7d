"""The rules of single dialects: whom they bill, how they flatten, which texts they demand."""

import inspect
import re

import pytest

from pipelines.reading import dialects
from pipelines.reading.dialects import DIALECTS, EventFields, NotUsageError
from pipelines.vocabulary.verdicts import Reason
from tests.worlds.dialect_samples import read as read_any
from tests.worlds.dialect_samples import refusal_of

ABSENT = None


def test_a_vendor_is_named_in_its_own_module_alone() -> None:
    words = set(re.findall(r"\w+", inspect.getsource(dialects)))

    assert DIALECTS.keys() & words == {"custom"}


@pytest.mark.parametrize(
    ("data", "properties"),
    [
        pytest.param(b'{"usage":{"total":7}}', {"usage.total": "7"}, id="one-level"),
        pytest.param(b'{"a":{"b":{"c":"x"}},"d":1}', {"a.b.c": "x", "d": "1"}, id="two-levels"),
        pytest.param(b'{"a":{}}', {}, id="empty-object"),
        pytest.param(b'{"a.b":1}', {"a.b": "1"}, id="dot-as-sent"),
        pytest.param(b'{"a":{"b":[1, {"c":2}]}}', {"a.b": '[1, {"c":2}]'}, id="array-inside"),
        pytest.param(b'{"a":{"b":null},"a.b":2}', {"a.b": "2"}, id="null-at-the-path"),
        pytest.param(b'{"":{"":1}}', {".": "1"}, id="empty-names"),
    ],
)
def test_cloudevents_data_is_flattened_by_path(data: bytes, properties: dict[str, str]) -> None:
    assert read_any("cloudevents", data=data).properties == properties


@pytest.mark.parametrize(
    ("overrides", "reason", "sentence"),
    [
        pytest.param(
            {"data": b'{"a":{"b":1},"a.b":2}'},
            Reason.INVALID_PROPERTY,
            "two members of data have the path 'a.b'",
            id="path-twice",
        ),
        pytest.param(
            {"data": b"[]"},
            Reason.INVALID_PROPERTY,
            "data must be an object, found an array",
            id="data-is-an-array",
        ),
        pytest.param(
            {"data": ABSENT, "data_base64": "e30="},
            Reason.INVALID_PROPERTY,
            "data_base64 is not read; send data as a JSON object",
            id="binary-data",
        ),
        pytest.param(
            {"specversion": "0.3"},
            Reason.MALFORMED,
            "field 'specversion' must be '1.0', found '0.3'",
            id="older-version",
        ),
        pytest.param(
            {"specversion": ABSENT},
            Reason.MISSING_FIELD,
            "field 'specversion' is missing or empty",
            id="no-version",
        ),
        pytest.param(
            {"source": ABSENT},
            Reason.MISSING_FIELD,
            "field 'source' is missing or empty",
            id="no-source",
        ),
        pytest.param(
            {"source": "s" * 255},
            Reason.TOO_LARGE,
            "fields 'source' and 'id' make a key of more than 255 bytes",
            id="long-key-together",
        ),
    ],
)
def test_cloudevents_is_refused(
    overrides: dict[str, object], reason: Reason, sentence: str
) -> None:
    refusal = refusal_of("cloudevents", **overrides)

    assert (refusal.reason, refusal.sentence) == (reason, sentence)


def test_cloudevents_key_cannot_be_forged_by_its_parts() -> None:
    keys = {
        read_any("cloudevents", source=source, id=key).idempotency_key
        for source, key in [("a", 'b","c'), ('a","b', "c"), ("a,b", "c"), ("a", "b,c"), ("ä", "c")]
    }

    assert len(keys) == 5
    assert '["ä","c"]' in keys


@pytest.mark.parametrize(
    ("customer", "subscription"),
    [("acme", ABSENT), (ABSENT, "sub-1"), ("acme", "sub-1"), (b'""', "sub-1")],
    ids=["customer", "subscription", "both", "empty-customer"],
)
def test_lago_names_the_customer_the_subscription_or_both(
    customer: object, subscription: object
) -> None:
    fields = read_any("lago", external_customer_id=customer, external_subscription_id=subscription)

    assert fields.customer_ref == (None if customer == b'""' else customer)
    assert fields.subscription_ref == subscription


def test_lago_must_name_one_of_them() -> None:
    refusal = refusal_of("lago", external_customer_id=ABSENT)

    assert refusal.reason is Reason.MISSING_FIELD
    assert refusal.sentence == (
        "field 'external_customer_id' or 'external_subscription_id' is missing or empty"
    )


def test_lago_payloads_tell_customer_from_subscription() -> None:
    def named(**fields: object) -> str:
        return read_any("lago", **({"external_customer_id": ABSENT} | fields)).payload

    payloads = {
        named(external_customer_id="x"),
        named(external_subscription_id="x"),
        named(external_customer_id="x", external_subscription_id="x"),
    }
    assert len(payloads) == 3


@pytest.mark.parametrize(
    ("timestamp", "microseconds"),
    [
        (b"1767225600.25", 1_767_225_600_250_000),
        (b'"1767225600.123"', 1_767_225_600_123_000),
        (b"1.7672256E9", 1_767_225_600_000_000),
        (b"0", 0),
    ],
)
def test_lago_seconds_may_have_a_fraction(timestamp: bytes, microseconds: int) -> None:
    assert read_any("lago", timestamp=timestamp).occurred_at == microseconds


def test_lago_payload_covers_the_timestamp_as_sent() -> None:
    forms = [b"1767225600", b'"1767225600"', b"1767225600.0", b'"2026-01-01T00:00:00Z"', ABSENT]

    assert len({read_any("lago", timestamp=form).payload for form in forms}) == 5


def test_orb_takes_either_name_of_the_customer() -> None:
    fields = read_any("orb", external_customer_id=ABSENT, customer_id="acme")

    assert fields.customer_ref == "acme"
    assert fields.payload != read_any("orb").payload


def test_orb_refuses_both_names_and_none() -> None:
    both = refusal_of("orb", customer_id="acme")
    none = refusal_of("orb", external_customer_id=ABSENT)

    assert both.reason is Reason.MALFORMED
    assert both.sentence == (
        "fields 'external_customer_id' and 'customer_id' both name the customer; send exactly one"
    )
    assert none.reason is Reason.MISSING_FIELD
    assert none.sentence == "field 'external_customer_id' or 'customer_id' is missing or empty"


@pytest.mark.parametrize(
    ("overrides", "customer_ref"),
    [
        ({"anonymousId": "visitor"}, "acme"),
        ({"userId": ABSENT, "anonymousId": "visitor"}, "visitor"),
        ({"userId": b"null", "anonymousId": "visitor"}, "visitor"),
    ],
    ids=["both", "anonymous", "null-user"],
)
def test_segment_prefers_the_user(overrides: dict[str, object], customer_ref: str) -> None:
    assert read_any("segment", **overrides).customer_ref == customer_ref


def test_segment_reads_a_call_that_does_not_say_it_is_one() -> None:
    assert read_any("segment", type=ABSENT) == read_any("segment")


@pytest.mark.parametrize("kind", ["identify", "page", "screen", "group", "alias"])
def test_segment_call_of_another_type_is_no_usage(kind: str) -> None:
    with pytest.raises(NotUsageError) as found:
        # Such a call has no event and no properties, and need not have a key.
        read_any("segment", type=kind, event=ABSENT, messageId=ABSENT)

    assert str(found.value) == f"field 'type' is '{kind}', which is no usage of this source"


@pytest.mark.parametrize("kind", ["Track", "Page", "delete", "tracks"])
def test_segment_call_of_a_type_that_is_not_documented_is_malformed(kind: str) -> None:
    refusal = refusal_of("segment", type=kind)

    assert refusal.reason is Reason.MALFORMED
    assert refusal.sentence == f"field 'type' must be 'track', found '{kind}'"
    assert refusal.idempotency_key == "key-1"


def test_segment_context_may_be_as_deep_as_its_vendor_writes_it() -> None:
    context = b'{"userAgentData":{"brands":[{"brand":"Chromium","version":"113"}]}}'

    assert read_any("segment", context=context) == read_any("segment")


@pytest.mark.parametrize("payload", [ABSENT, b"null", b"{}"], ids=["absent", "null", "empty"])
def test_stripe_payload_names_the_customer(payload: bytes | None) -> None:
    refusal = refusal_of("stripe", payload=payload)

    assert (refusal.reason, refusal.sentence) == (
        Reason.MISSING_FIELD,
        "field 'payload.stripe_customer_id' is missing or empty",
    )


def test_stripe_payload_is_an_object() -> None:
    refusal = refusal_of("stripe", payload=b"[]")

    assert (refusal.reason, refusal.sentence) == (
        Reason.MALFORMED,
        "field 'payload' must be an object, found an array",
    )


def test_stripe_value_is_a_property_and_the_customer_is_none() -> None:
    fields = read_any(
        "stripe",
        payload=b'{"value":"25","stripe_customer_id":"acme","model":"large"}',
        # A field of that name outside the payload is ignored.
        stripe_customer_id="initech",
    )

    assert fields.customer_ref == "acme"
    assert fields.properties == {"value": "25", "model": "large"}


FLAT: dict[str, object] = {
    "payload": ABSENT,
    "payload_stripe_customer_id": "acme",
    "payload_value": b"25",
    "payload_model": "large",
}


def test_stripe_payload_may_stand_in_parts_as_in_its_files_for_s3() -> None:
    flat = read_any("stripe", **FLAT)

    assert flat.customer_ref == "acme"
    assert flat.properties == {"value": "25", "model": "large"}
    assert flat == read_any(
        "stripe", payload=b'{"stripe_customer_id":"acme","value":25,"model":"large"}'
    )


def test_stripe_parts_are_nothing_beside_a_payload() -> None:
    assert read_any("stripe", payload_value="7", payload_stripe_customer_id="x") == (
        read_any("stripe")
    )


def test_stripe_parts_may_be_nested_or_null() -> None:
    flat = read_any("stripe", **(FLAT | {"payload_tags": b"[1, 2]", "payload_model": b"null"}))

    assert flat.properties == {"value": "25", "tags": "[1, 2]"}


def test_stripe_parts_must_name_the_customer() -> None:
    refusal = refusal_of("stripe", **(FLAT | {"payload_stripe_customer_id": ABSENT}))

    assert refusal.reason is Reason.MISSING_FIELD
    assert refusal.sentence == "field 'payload.stripe_customer_id' is missing or empty"


def togai(**fields: object) -> EventFields:
    return read_any("togai", **({"dimensions": ABSENT} | fields))


def test_togai_attributes_and_dimensions_are_properties() -> None:
    fields = togai(
        attributes=b'[{"name":"distance","value":"50.10","unit":"Miles"},'
        b'{"name":"minutes","value":60,"unit":null}]',
        dimensions={"city": "Seattle"},
    )

    assert fields.properties == {"distance": "50.10", "minutes": "60", "city": "Seattle"}


def test_togai_attribute_without_value_is_absent() -> None:
    nulls = b'[{"name":"a","unit":"km"},{"name":"b","value":null},{"name":"c","value":[1]}]'

    assert togai(attributes=nulls) == togai(attributes=b'{"c":[1]}')
    assert togai(attributes=nulls).properties == {"c": "[1]"}


@pytest.mark.parametrize("field", ["attributes", "dimensions"])
def test_togai_array_and_object_say_the_same(field: str) -> None:
    array = togai(**{field: b'[{"name":"a","value":1},{"name":"b","value":"x"}]'})

    assert togai(**{field: b'{"b":"x","a":1}'}) == array


def test_togai_takes_either_spelling_of_the_account_and_refuses_both() -> None:
    assert togai(accountID=ABSENT, accountId="acme").customer_ref == "acme"
    assert refusal_of("togai", accountId="acme").reason is Reason.MALFORMED


def test_togai_payload_covers_role_and_unit() -> None:
    payloads = [
        togai(**fields).payload
        for fields in (
            {"attributes": b'{"a":"s","b":"s"}'},
            {"attributes": b'{"a":"s"}', "dimensions": b'{"b":"s"}'},
            {"attributes": b'{"b":"s"}', "dimensions": b'{"a":"s"}'},
            {"dimensions": b'{"a":"s","b":"s"}'},
            {"dimensions": b'{"s":"dimensions"}'},
            {"attributes": b'{"dimensions":"s"}'},
            {"attributes": b'[{"name":"a","value":"s"}]'},
            {"attributes": b'[{"name":"a","value":"s","unit":"km"}]'},
            {"attributes": b'[{"name":"a","value":"s","unit":"miles"}]'},
            {"attributes": b'[{"name":"a","value":"km","unit":"s"}]'},
        )
    ]

    assert len(set(payloads)) == len(payloads)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        pytest.param(
            {"attributes": b'[{"name":"a","value":1},{"name":"a","value":1}]'},
            "'a' stands twice among the attributes",
            id="attribute-twice",
        ),
        pytest.param(
            {"attributes": b'{"a":1}', "dimensions": b'{"a":1}'},
            "'a' stands among the attributes and among the dimensions",
            id="attribute-and-dimension",
        ),
        pytest.param(
            {"attributes": b"[1]"},
            "an element of attributes must be an object, found a number",
            id="element-is-a-number",
        ),
        *(
            pytest.param(
                {"dimensions": element},
                "an element of dimensions has no name",
                id=f"name-{number}",
            )
            for number, element in enumerate(
                [b'[{"value":1}]', b'[{"name":"","value":1}]', b'[{"name":7,"value":1}]']
            )
        ),
        *(
            pytest.param(
                {"attributes": b'[{"name":"a","value":1,"unit":' + unit + b"}]"},
                "the unit of 'a' must be a string of at most 255 bytes",
                id=f"unit-{number}",
            )
            for number, unit in enumerate([b"1", b"{}", b'"' + b"u" * 256 + b'"'])
        ),
        pytest.param(
            {"attributes": b'"x"'},
            "attributes must be an array or an object, found a string",
            id="attributes-are-a-text",
        ),
    ],
)
def test_togai_property_is_refused(fields: dict[str, object], sentence: str) -> None:
    refusal = refusal_of("togai", **({"dimensions": ABSENT} | fields))

    assert (refusal.reason, refusal.sentence) == (Reason.INVALID_PROPERTY, sentence)
