"""Metronome: `transaction_id`, `customer_id`, `timestamp`, `event_type`, `properties`.

Source: Metronome's ingest API: RFC 3339 timestamps, customer id or ingest alias, properties
of strings (numbers and booleans are taken as well, exactly), events deduplicated by
`transaction_id` for 34 days. Other top-level fields are no part of the event.
"""

from datetime import timedelta

from pipelines.reading.dialects.form import Customer, Dialect, EventForm, Timestamp
from pipelines.vocabulary.instants import parse_rfc3339

DIALECT = Dialect(
    EventForm(
        key=("transaction_id",),
        customer=Customer(("customer_id",)),
        event_name="event_type",
        timestamp=Timestamp(parse_rfc3339, form="an RFC 3339 string"),
        has_plain_payload=True,
    ),
    dedupe_window=timedelta(days=34),
)
"""The dialect's entry in the table of dialects."""
