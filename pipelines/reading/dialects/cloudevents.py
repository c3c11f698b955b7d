"""CloudEvents 1.0: `source` and `id`, `subject`, `type`, `time`, `data`.

Source: the CloudEvents specification (JSON format) and OpenMeter's use of it: source and id
together are unique, the subject is the customer, the type is the event's name. Without a time
the event happened when it was received. Extension attributes are no part of the event.

A property's name is its JSONPath in `data` without the leading `$.`: `{"usage": {"total": 7}}`
has the property `usage.total`. Arrays have no such name and are refused, unless the catalog maps
single properties of `data`: then the rest of it is no part of the event.
"""

from pipelines.reading.dialects.form import (
    Constant,
    Customer,
    Dialect,
    EventForm,
    Timestamp,
    Unread,
)
from pipelines.reading.dialects.properties import NestedObject
from pipelines.vocabulary.instants import parse_rfc3339

DIALECT = Dialect(
    EventForm(
        key=("source", "id"),
        constants=(Constant("specversion", "1.0", is_required=True),),
        customer=Customer(("subject",)),
        event_name="type",
        timestamp=Timestamp(
            parse_rfc3339, form="an RFC 3339 string", field="time", is_optional=True
        ),
        unread=(Unread("data_base64", "data_base64 is not read; send data as a JSON object"),),
        properties=NestedObject("data"),
    ),
    dedupe_window=None,
)
"""The dialect's entry in the table of dialects."""
