"""Stripe meter events: `identifier`, `event_name`, `timestamp`, `payload`.

Source: Stripe's API reference of meter events. The timestamp is in Unix seconds (version 1) or
RFC 3339 (version 2). The payload holds `stripe_customer_id`, `value` and further dimensions as
texts. Numbers are accepted too, as they are written. `value` may be absent, since a meter that
counts events needs none.
"""

from pipelines.reading.dialects.event import FieldPath
from pipelines.reading.dialects.form import Customer, Dialect, EventForm, Timestamp
from pipelines.reading.dialects.properties import FlatObject
from pipelines.vocabulary.instants import parse_unix_seconds_or_rfc3339

_CUSTOMER = "stripe_customer_id"

DIALECT = Dialect(
    EventForm(
        key=("identifier",),
        customer=Customer((FieldPath(("payload", _CUSTOMER)),)),
        event_name="event_name",
        timestamp=Timestamp(
            parse=parse_unix_seconds_or_rfc3339, expected="Unix seconds", takes_numbers=True
        ),
        # The payload holds the customer too, which is not a property.
        properties=FlatObject("payload", without=(_CUSTOMER,)),
    ),
    dedupe_window=None,
)
"""The reader of meter events of Stripe."""
