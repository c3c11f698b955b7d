"""One event like any other in each dialect, and how a dialect reads or refuses its variants."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from pipelines.reading.dialects import DIALECTS, EventFields, RefusedLineError, unwrapped
from pipelines.reading.strict_json import parse_object
from tests.worlds.file_lines import object_line


@dataclass(frozen=True)
class Sample:
    """A good event of one dialect, and the names of the fields that every dialect has."""

    fields: Mapping[str, object]
    key: str
    customer: str
    event_name: str
    timestamp: str
    properties: str
    key_read: str = "key-1"
    is_timestamp_optional: bool = False
    is_key_optional: bool = False


SAMPLES = {
    "cloudevents": Sample(
        {
            "specversion": "1.0",
            "id": "key-1",
            "source": "/gateway",
            "subject": "acme",
            "type": "http_request",
            "time": "2026-01-01T00:00:00Z",
            "data": {"bytes": "512"},
        },
        key="id",
        customer="subject",
        event_name="type",
        timestamp="time",
        properties="data",
        key_read='["/gateway","key-1"]',
        is_timestamp_optional=True,
    ),
    "custom": Sample(
        {
            "idempotency_key": "key-1",
            "customer": "acme",
            "event_name": "http_request",
            "timestamp": "2026-01-01T00:00:00Z",
            "properties": {"bytes": "512"},
        },
        key="idempotency_key",
        customer="customer",
        event_name="event_name",
        timestamp="timestamp",
        properties="properties",
    ),
    "lago": Sample(
        {
            "transaction_id": "key-1",
            "external_customer_id": "acme",
            "code": "http_request",
            "timestamp": b"1767225600",
            "properties": {"bytes": "512"},
        },
        key="transaction_id",
        customer="external_customer_id",
        event_name="code",
        timestamp="timestamp",
        properties="properties",
        is_timestamp_optional=True,
    ),
    "metronome": Sample(
        {
            "transaction_id": "key-1",
            "customer_id": "acme",
            "event_type": "http_request",
            "timestamp": "2026-01-01T00:00:00Z",
            "properties": {"bytes": "512"},
        },
        key="transaction_id",
        customer="customer_id",
        event_name="event_type",
        timestamp="timestamp",
        properties="properties",
    ),
    "orb": Sample(
        {
            "idempotency_key": "key-1",
            "external_customer_id": "acme",
            "event_name": "http_request",
            "timestamp": "2026-01-01T00:00:00Z",
            "properties": {"bytes": "512"},
        },
        key="idempotency_key",
        customer="external_customer_id",
        event_name="event_name",
        timestamp="timestamp",
        properties="properties",
    ),
    "segment": Sample(
        {
            "type": "track",
            "messageId": "key-1",
            "userId": "acme",
            "event": "http_request",
            "timestamp": "2026-01-01T00:00:00Z",
            "properties": {"bytes": "512"},
        },
        key="messageId",
        customer="userId",
        event_name="event",
        timestamp="timestamp",
        properties="properties",
    ),
    "stripe": Sample(
        {
            "identifier": "key-1",
            "event_name": "http_request",
            "timestamp": b"1767225600",
            "payload": b'{"stripe_customer_id":"acme","bytes":"512"}',
        },
        key="identifier",
        customer="payload.stripe_customer_id",
        event_name="event_name",
        timestamp="timestamp",
        properties="payload",
        is_timestamp_optional=True,
        is_key_optional=True,
    ),
    "togai": Sample(
        {
            "schemaName": "http_request",
            "id": "key-1",
            "timestamp": "2026-01-01T00:00:00Z",
            "accountID": "acme",
            "dimensions": {"bytes": "512"},
        },
        key="id",
        customer="accountID",
        event_name="schemaName",
        timestamp="timestamp",
        properties="dimensions",
    ),
}


def read(dialect: str, **overrides: object) -> EventFields:
    """The dialect's sample as it is read, or one that differs from it by `overrides`."""
    line = object_line({**SAMPLES[dialect].fields, **overrides})
    return DIALECTS[dialect].read(unwrapped(parse_object(line)))


def refusal_of(dialect: str, **overrides: object) -> RefusedLineError:
    """Why the dialect's sample is refused once it has these fields instead."""
    with pytest.raises(RefusedLineError) as refusal:
        read(dialect, **overrides)
    return refusal.value
