"""Digests of payloads that lakes hold: no later reader of events may change them.

An event is a duplicate only if its digest is that of the accepted one. If a digest changed, a
second delivery of an old event would be a conflict.
"""

import pytest

from pipelines.reading.dialects import DIALECTS, read_event, unwrapped
from pipelines.reading.strict_json import parse_object
from pipelines.vocabulary.hashing import payload_digest
from tests.worlds.dialect_samples import SAMPLES
from tests.worlds.file_lines import object_line

HELD_IN_LAKES: list[tuple[str, dict[str, object], str]] = [
    (
        "cloudevents",
        {},
        "6335dec74b1a0999163b3f58d6187f50",
    ),
    (
        "cloudevents",
        {"data": b'{"a":{"b":0.10,"c":true},"d":"x","e":{}}', "time": None},
        "74c2c5622796c4613388450ca45bf368",
    ),
    (
        "custom",
        {},
        "532a9f789126844893774daa8bf3304c",
    ),
    (
        "custom",
        {"customer": b"17", "properties": b'{"a":{"b":1e3},"c":false,"d":""}'},
        "e2ef4cf60d00eb134f0d44b796f967fd",
    ),
    (
        "lago",
        {},
        "b52fc255e4eb1814762aaf2b1f603eab",
    ),
    (
        "lago",
        {
            "external_subscription_id": "sub-1",
            "timestamp": None,
            "properties": b'{"n":1.0,"t":"1.0"}',
        },
        "8c07499f7ac0c1899ac81b794339a0e8",
    ),
    (
        "metronome",
        {},
        "d25edf488a578dbeabf2ce8e55613260",
    ),
    (
        "metronome",
        {"properties": b'{"n":0.1234567890123456789,"b":true,"\\u00e9":"x"}'},
        "8efb7a88fb68a7b668ebddfb77477ad4",
    ),
    (
        "orb",
        {},
        "6c96c53e79befdcb4983d889fe46fcc9",
    ),
    (
        "orb",
        {"external_customer_id": None, "customer_id": "c1", "timestamp": "2026-01-01T00:00:00"},
        "496bb2cee1493840d901888a751b0bc6",
    ),
    (
        "segment",
        {},
        "a7324633d6f22552a6e5c69159d7f099",
    ),
    (
        "segment",
        {"userId": None, "anonymousId": "a1", "properties": b'{"products":{"n":7}}'},
        "e820e879b718244d89c4f9268247af6a",
    ),
    (
        "stripe",
        {},
        "867234917f47d435b2e4bac2c4aa7d89",
    ),
    (
        "stripe",
        {
            "payload": b'{"stripe_customer_id":"acme","value":25,"model":"large"}',
            "timestamp": "2026-01-01T00:00:00Z",
        },
        "91f89651e39c402a6e01445fd20e3594",
    ),
    (
        "togai",
        {},
        "8c8e2096617465a3e35c1aa226ecce38",
    ),
    (
        "togai",
        {"attributes": b'[{"name":"km","value":12.30,"unit":"km"}]'},
        "2c175293ecc5f83ff5457f8601ead3fa",
    ),
]
"""Dialect, changes of its sample, and digest, by the code that refused nulls and nested values."""


@pytest.mark.parametrize(("dialect", "overrides", "digest"), HELD_IN_LAKES)
def test_a_digest_is_the_one_that_lakes_hold(
    dialect: str, overrides: dict[str, object], digest: str
) -> None:
    line = object_line({**SAMPLES[dialect].fields, **overrides})

    event = read_event(DIALECTS[dialect], unwrapped(parse_object(line)))

    assert payload_digest(event.payload).hex() == digest
