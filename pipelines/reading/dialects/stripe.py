"""Stripe meter events: `identifier`, `event_name`, `timestamp`, `payload`.

Source: Stripe's API reference of meter events: Unix seconds (version 1) or RFC 3339
(version 2); the payload holds `stripe_customer_id`, `value` and further dimensions as texts
(numbers are taken as well, exactly). `value` may be absent: a meter that counts needs none.
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
            parse=parse_unix_seconds_or_rfc3339, form="Unix seconds", takes_numbers=True
        ),
        # The customer stands among the properties, and is none of them.
        properties=FlatObject("payload", without=(_CUSTOMER,)),
    ),
    dedupe_window=None,
)
"""The dialect's entry in the table of dialects."""
