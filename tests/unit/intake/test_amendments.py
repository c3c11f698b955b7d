"""Voids and amends as lines of a file: they have the same form in every dialect."""

import pytest

from pipelines.reading.dialects import (
    DIALECTS,
    EventFields,
    RefusedLineError,
    read_event,
    reader_of,
    unwrapped,
)
from pipelines.reading.strict_json import parse_object
from tests.worlds.dialect_samples import SAMPLES
from tests.worlds.file_lines import FIELDS, ORIGIN, event_line, object_line, parse_content

KEY_FIELDS = {name: [sample.key] for name, sample in SAMPLES.items()} | {
    "cloudevents": ["id", "source"],
    "metronome": ["transaction_id"],
}
"""The fields that a void of each dialect needs beside the two members of an amendment."""


def fields_of(dialect: str) -> dict[str, object]:
    return dict(FIELDS if dialect == "metronome" else SAMPLES[dialect].fields)


def read(dialect: str, members: dict[str, object]) -> EventFields:
    return read_event(DIALECTS[dialect], unwrapped(parse_object(object_line(members))))


def refusal_of(dialect: str, members: dict[str, object]) -> RefusedLineError:
    with pytest.raises(RefusedLineError) as refusal:
        read(dialect, members)
    return refusal.value


each_dialect = pytest.mark.parametrize("dialect", sorted(DIALECTS))


@each_dialect
def test_an_event_like_any_other_is_read_as_before(dialect: str) -> None:
    members = fields_of(dialect)

    event = read(dialect, members)

    assert event == DIALECTS[dialect].read(parse_object(object_line(members)))
    assert (event.amendment, event.target_key) == (None, None)
    # A null is a missing field, and a target without an action is no amendment.
    assert read(dialect, members | {"amendment": b"null", "target_key": "k0"}) == event


@each_dialect
def test_an_amend_is_the_whole_event_with_a_target(dialect: str) -> None:
    event = read(dialect, fields_of(dialect))

    amend = read(dialect, fields_of(dialect) | {"amendment": "amend", "target_key": "k0"})

    assert (amend.amendment, amend.target_key) == ("amend", "k0")
    assert amend[:6] == event[:6]
    assert amend.payload == f"\x00amendment\x00amend\x00k0\x00{event.payload}"


@each_dialect
def test_a_void_needs_its_own_key_and_its_target_alone(dialect: str) -> None:
    event = read(dialect, fields_of(dialect))
    own_key = {name: fields_of(dialect)[name] for name in KEY_FIELDS[dialect]}

    void = read(dialect, own_key | {"amendment": "void", "target_key": "k0"})

    assert void[:6] == (event.idempotency_key, None, None, None, None, {})
    assert void.payload == "\x00amendment\x00void\x00k0\x00"
    assert read(dialect, fields_of(dialect) | {"amendment": "void", "target_key": "k0"}) == void


@each_dialect
def test_an_amendment_may_come_in_an_envelope(dialect: str) -> None:
    amend = fields_of(dialect) | {"amendment": "amend", "target_key": "k0"}

    assert read(dialect, {"event": object_line(amend)}) == read(dialect, amend)


@each_dialect
@pytest.mark.parametrize(
    ("members", "reason", "sentence"),
    [
        pytest.param(
            {"amendment": "delete", "target_key": "k0"},
            "malformed",
            "field 'amendment' must be 'void' or 'amend', found 'delete'",
            id="another word",
        ),
        pytest.param(
            {"amendment": "VOID", "target_key": "k0"},
            "malformed",
            "field 'amendment' must be 'void' or 'amend', found 'VOID'",
            id="another spelling",
        ),
        pytest.param(
            {"amendment": "", "target_key": "k0"},
            "malformed",
            "field 'amendment' must be 'void' or 'amend', found ''",
            id="empty",
        ),
        pytest.param(
            {"amendment": b"true", "target_key": "k0"},
            "malformed",
            "field 'amendment' must be 'void' or 'amend', found a boolean",
            id="a boolean",
        ),
        pytest.param(
            {"amendment": "void"},
            "missing_field",
            "field 'target_key' is missing or empty",
            id="no target",
        ),
        pytest.param(
            {"amendment": "amend", "target_key": ""},
            "missing_field",
            "field 'target_key' is missing or empty",
            id="an empty target",
        ),
        pytest.param(
            {"amendment": "void", "target_key": b"7"},
            "malformed",
            "field 'target_key' must be a string, found a number",
            id="a number",
        ),
        pytest.param(
            {"amendment": "void", "target_key": "k" * 256},
            "too_large",
            "field 'target_key' is longer than 255 bytes",
            id="too long a target",
        ),
    ],
)
def test_what_is_no_amendment_is_refused_under_its_own_key(
    dialect: str, members: dict[str, object], reason: str, sentence: str
) -> None:
    refusal = refusal_of(dialect, fields_of(dialect) | members)

    assert (refusal.reason, refusal.sentence) == (reason, sentence)
    assert refusal.idempotency_key == read(dialect, fields_of(dialect)).idempotency_key


@each_dialect
def test_an_amendment_of_itself_is_refused(dialect: str) -> None:
    key = read(dialect, fields_of(dialect)).idempotency_key

    refusal = refusal_of(dialect, fields_of(dialect) | {"amendment": "void", "target_key": key})

    assert refusal.reason == "malformed"
    assert refusal.sentence == "field 'target_key' is the amendment's own key; give it another one"


@pytest.mark.parametrize(
    "dialect", sorted(name for name, sample in SAMPLES.items() if sample.is_timestamp_optional)
)
def test_an_amend_must_say_when_where_an_event_need_not(dialect: str) -> None:
    members = {**fields_of(dialect), SAMPLES[dialect].timestamp: None}
    assert read(dialect, members).occurred_at is None

    refusal = refusal_of(dialect, members | {"amendment": "amend", "target_key": "k0"})

    assert refusal.reason == "missing_field"
    assert refusal.sentence == "an event that replaces another must say when it happened"


def test_parsed_amendments_stand_beside_their_events() -> None:
    event = event_line()
    void = object_line({"amendment": "void", "target_key": "key-1", "transaction_id": "key-2"})
    amend = event_line(amendment="amend", target_key="key-1", transaction_id="key-3")

    parsed = parse_content(b"\n".join([event, void, amend]))

    assert parsed.events.select("idempotency_key", "amendment", "target_key").rows() == [
        ("key-1", None, None),
        ("key-2", "void", "key-1"),
        ("key-3", "amend", "key-1"),
    ]
    _, voided, amended = parsed.events.to_dicts()
    assert (voided["customer_ref"], voided["event_name"], voided["properties"]) == (None, None, {})
    assert voided["occurred_at"].timestamp() == ORIGIN.received_at // 1_000_000
    assert (amended["customer_ref"], amended["event_name"]) == ("acme", "http_request")
    assert len({*parsed.events["payload_digest"]}) == 3


@pytest.mark.parametrize(
    ("dialect", "key_fields", "own_key", "target_key"),
    [
        pytest.param(
            "lago",
            ["external_subscription_id", "transaction_id"],
            {"external_subscription_id": "s1", "transaction_id": "k2"},
            '["s1","k1"]',
            id="text",
        ),
        pytest.param(
            "custom",
            ["$.tenant.id", "seq"],
            {"tenant": b'{"id": 42}', "seq": b"18"},
            "[42,17]",
            id="numbers inside",
        ),
    ],
)
def test_a_key_of_several_fields_is_a_target_as_it_is_kept(
    dialect: str, key_fields: list[str], own_key: dict[str, object], target_key: str
) -> None:
    source = {"dialect": dialect, "key_fields": key_fields, "fields": [], "event_schemas": []}
    members = own_key | {"amendment": "void", "target_key": target_key}

    void = read_event(reader_of(source), parse_object(object_line(members)))

    assert void.target_key == target_key
    assert void.idempotency_key == {"lago": '["s1","k2"]', "custom": "[42,18]"}[dialect]
