"""Stripe meter events: `identifier`, `event_name`, `timestamp`, `payload`.

Source: Stripe's API reference of meter events: Unix seconds (version 1) or RFC 3339
(version 2); the payload holds `stripe_customer_id`, `value` and further dimensions as texts
(numbers are taken as well, exactly). `value` may be absent: a meter that counts needs none.
"""

from pipelines.dialects.event import RefusedLineError, flat_properties
from pipelines.dialects.form import Customer, EventForm, Members, Timestamp, dialect
from pipelines.schemas import Reason
from pipelines.strict_json import TYPE_NAMES
from pipelines.timestamps import parse_unix_seconds_or_rfc3339

_CUSTOMER = "stripe_customer_id"


def _lifted(members: Members) -> Members:
    # The customer stands among the properties; it is taken out, and is none of them.
    payload = members.get("payload")
    if payload is None:
        raise RefusedLineError(Reason.MISSING_FIELD, "field 'payload' is missing")
    if type(payload) is not dict:
        raise RefusedLineError(
            Reason.INVALID_PROPERTY, f"payload must be an object, found {TYPE_NAMES[type(payload)]}"
        )
    properties = {name: value for name, value in payload.items() if name != _CUSTOMER}
    return {**members, _CUSTOMER: payload.get(_CUSTOMER), "payload": properties}


DIALECT = dialect(
    EventForm(
        key=("identifier",),
        lifted=_lifted,
        customer=Customer((_CUSTOMER,)),
        event_name="event_name",
        timestamp=Timestamp(
            parse=parse_unix_seconds_or_rfc3339, form="Unix seconds", takes_numbers=True
        ),
        properties=lambda members: flat_properties(members["payload"], "payload"),
    ),
    dedupe_window=None,
)
"""The dialect's entry in the table of dialects."""
