"""Metronome: `transaction_id`, `customer_id`, `timestamp`, `event_type`, `properties`.

Source: Metronome's ingest API. Timestamps are RFC 3339. `customer_id` is the customer's id or an
ingest alias. Properties are strings. Numbers and booleans are accepted too, as they are written.
Events are deduplicated by `transaction_id` for 34 days. Other top-level fields are ignored.
"""

from datetime import timedelta

from pipelines.reading.dialects.form import Customer, Dialect, EventForm, Timestamp
from pipelines.vocabulary.instants import parse_rfc3339

DIALECT = Dialect(
    EventForm(
        key=("transaction_id",),
        customer=Customer(("customer_id",)),
        event_name="event_type",
        timestamp=Timestamp(parse_rfc3339, expected="an RFC 3339 string"),
        has_plain_payload=True,
    ),
    dedupe_window=timedelta(days=34),
)
"""The reader of events of Metronome."""
