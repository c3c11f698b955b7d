"""Lago: `transaction_id`, `external_subscription_id`, `code`, `timestamp`, `properties`.

Source: Lago's API reference of events. An event needs `external_subscription_id` or the older
`external_customer_id`. The timestamp is in Unix seconds, with a fraction for milliseconds, as a
number or a text. In the event objects that Lago returns it is RFC 3339. An event without a
timestamp happened when it was received. Keys are unique without limit of time.
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
            expected="Unix seconds",
            takes_numbers=True,
            is_optional=True,
        ),
    ),
    dedupe_window=None,
)
"""The reader of events of Lago."""
