"""Metronome: `transaction_id`, `customer_id`, `timestamp`, `event_type`, `properties`.

Source: Metronome's ingest API: RFC 3339 timestamps, customer id or ingest alias, properties
of strings (numbers and booleans are taken as well, exactly), events deduplicated by
`transaction_id` for 34 days. Other top-level fields are no part of the event.
"""

from collections.abc import Mapping
from datetime import timedelta

from pipelines.dialects.event import (
    Dialect,
    EventFields,
    RefusedLineError,
    flat_properties,
    instant_field,
    text_field,
)
from pipelines.strict_json import JsonValue


def _read(members: Mapping[str, JsonValue]) -> EventFields:
    key = text_field(members, "transaction_id")
    try:
        customer_ref = text_field(members, "customer_id")
        event_name = text_field(members, "event_type")
        occurred_at, occurred_text = instant_field(members, "timestamp")
        properties, payload = flat_properties(members.get("properties"))
    except RefusedLineError as refusal:
        refusal.idempotency_key = key
        raise
    return EventFields(
        idempotency_key=key,
        customer_ref=customer_ref,
        subscription_ref=None,
        event_name=event_name,
        occurred_at=occurred_at,
        properties=properties,
        payload="\x00".join((customer_ref, event_name, occurred_text, payload)),
    )


DIALECT = Dialect(read=_read, dedupe_window=timedelta(days=34))
"""The dialect's entry in the table of dialects."""
