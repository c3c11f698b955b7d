"""Lago: `transaction_id`, `external_subscription_id`, `code`, `timestamp`, `properties`.

Source: Lago's API reference of events. Either `external_subscription_id` or the older
`external_customer_id` is needed. The timestamp counts Unix seconds, with a fraction where
milliseconds matter, as number or text; the event object that Lago gives back has RFC 3339.
Without one the event happened when it was received. Keys are unique without limit of time.
"""

from pipelines.reading.dialects.form import Customer, Dialect, EventForm, Timestamp
from pipelines.vocabulary.instants import parse_unix_seconds_or_rfc3339

DIALECT = Dialect(
    EventForm(
        key=("transaction_id",),
        customer=Customer(("external_customer_id",)),
        subscription="external_subscription_id",
        event_name="code",
        timestamp=Timestamp(
            parse=parse_unix_seconds_or_rfc3339,
            form="Unix seconds",
            takes_numbers=True,
            is_optional=True,
        ),
    ),
    dedupe_window=None,
)
"""The dialect's entry in the table of dialects."""
