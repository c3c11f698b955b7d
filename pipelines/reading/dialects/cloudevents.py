"""CloudEvents 1.0: `source` and `id`, `subject`, `type`, `time`, `data`.

Source: the CloudEvents specification (JSON format), and how OpenMeter uses it. `source` and `id`
together are unique. `subject` is the customer, and `type` is the event's name. An event without
`time` happened when it was received. Extension attributes are ignored.

The name of a property is its JSONPath in `data` without the leading `$.`. Example:
`{"usage": {"total": 7}}` has the property `usage.total`. An array is its exact JSON text. Where
the catalog maps single properties of `data`, the rest of `data` is ignored.
"""

from pipelines.reading.dialects.form import (
    Customer,
    Dialect,
    EventForm,
    FixedField,
    Timestamp,
    Unread,
)
from pipelines.reading.dialects.properties import NestedObject
from pipelines.vocabulary.instants import parse_rfc3339

DIALECT = Dialect(
    EventForm(
        key=("source", "id"),
        fixed_fields=(FixedField("specversion", "1.0", is_required=True),),
        customer=Customer(("subject",)),
        event_name="type",
        timestamp=Timestamp(
            parse_rfc3339, expected="an RFC 3339 string", field="time", is_optional=True
        ),
        unread=(Unread("data_base64", "data_base64 is not read; send data as a JSON object"),),
        properties=NestedObject("data"),
    ),
    dedupe_window=None,
)
"""The reader of events of CloudEvents."""
