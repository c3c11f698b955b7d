"""Orb: `idempotency_key`, one customer field, `event_name`, `timestamp`, `properties`.

Source: Orb's API reference of ingestion. An event has exactly one of `external_customer_id` and
`customer_id`. The timestamp is ISO 8601, in UTC if it has no zone. Properties are strings, numbers
and booleans, not nested. Keys are unique without limit of time.
"""

from pipelines.reading.dialects.form import Customer, Dialect, EventForm, Timestamp
from pipelines.reading.dialects.properties import FlatObject
from pipelines.vocabulary.instants import parse_iso8601_utc

DIALECT = Dialect(
    EventForm(
        key=("idempotency_key",),
        customer=Customer(("external_customer_id", "customer_id")),
        event_name="event_name",
        timestamp=Timestamp(parse_iso8601_utc, expected="an ISO 8601 string"),
        properties=FlatObject("properties", keeps_nested=False),
    ),
    dedupe_window=None,
)
"""The reader of events of Orb."""
