"""Segment: `track` calls with `messageId`, `userId`, `event`, `timestamp`, `properties`.

Source: Segment's spec of common fields and of track calls. `userId` names the customer, or
`anonymousId` where there is no `userId`. The timestamp is ISO 8601. Nested properties are named by
their paths, as in Segment's warehouses. `context`, `integrations` and the other times of a call are
ignored. A call of another type that the spec has is not usage: `page`, `screen`, `identify`,
`group` and `alias`. They stand among the tracks in Segment's own files in S3.
"""

from pipelines.reading.dialects.form import (
    Customer,
    Dialect,
    EventForm,
    FixedField,
    Timestamp,
)
from pipelines.reading.dialects.not_usage import NotUsage
from pipelines.reading.dialects.properties import NestedObject
from pipelines.vocabulary.instants import parse_iso8601

DIALECT = Dialect(
    EventForm(
        key=("messageId",),
        fixed_fields=(FixedField("type", "track", is_required=False),),
        not_usage=(NotUsage("type", ("page", "screen", "identify", "group", "alias")),),
        customer=Customer(("userId", "anonymousId"), is_exclusive=False),
        event_name="event",
        timestamp=Timestamp(parse_iso8601, expected="an ISO 8601 string"),
        properties=NestedObject("properties"),
    ),
    dedupe_window=None,
)
"""The reader of events of Segment."""
