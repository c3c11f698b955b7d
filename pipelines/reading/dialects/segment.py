"""Segment: `track` calls with `messageId`, `userId`, `event`, `timestamp`, `properties`.

Source: Segment's spec of common fields and of track calls. `anonymousId` names the customer
where no `userId` does. Properties may be nested, as its warehouses flatten them: by their paths.
`context`, `integrations` and the other times of a call are no part of the event; calls of another
type are no usage and are refused.
"""

from pipelines.reading.dialects.form import (
    Constant,
    Customer,
    Dialect,
    EventForm,
    Timestamp,
)
from pipelines.reading.dialects.properties import NestedObject
from pipelines.vocabulary.instants import parse_rfc3339

DIALECT = Dialect(
    EventForm(
        key=("messageId",),
        constants=(Constant("type", "track", is_required=False),),
        customer=Customer(("userId", "anonymousId"), is_exclusive=False),
        event_name="event",
        timestamp=Timestamp(parse_rfc3339, form="an RFC 3339 string"),
        properties=NestedObject("properties"),
    ),
    dedupe_window=None,
)
"""The dialect's entry in the table of dialects."""
