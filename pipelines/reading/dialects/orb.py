"""Orb: `idempotency_key`, one customer field, `event_name`, `timestamp`, `properties`.

Source: Orb's API reference of ingestion: exactly one of `external_customer_id` and
`customer_id`, an ISO 8601 timestamp (without a zone it is UTC, as Orb says), properties of
strings, numbers and booleans without nesting. Keys are unique without limit of time.
"""

from pipelines.reading.dialects.form import Customer, Dialect, EventForm, Timestamp
from pipelines.vocabulary.instants import parse_iso8601_utc

DIALECT = Dialect(
    EventForm(
        key=("idempotency_key",),
        customer=Customer(("external_customer_id", "customer_id")),
        event_name="event_name",
        timestamp=Timestamp(parse_iso8601_utc, form="an ISO 8601 string"),
    ),
    dedupe_window=None,
)
"""The dialect's entry in the table of dialects."""
