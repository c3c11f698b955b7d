"""CloudEvents 1.0: `source` and `id`, `subject`, `type`, `time`, `data`.

Source: the CloudEvents specification (JSON format) and OpenMeter's use of it: source and id
together are unique, the subject is the customer, the type is the event's name. Without a time
the event happened when it was received. Extension attributes are no part of the event.

A property's name is its JSONPath in `data` without the leading `$.`: `{"usage": {"total": 7}}`
has the property `usage.total`. Arrays have no such name and are refused.
"""

from pipelines.dialects.event import RefusedLineError, flat_properties
from pipelines.dialects.form import (
    Constant,
    Customer,
    EventForm,
    Members,
    Properties,
    Timestamp,
    dialect,
)
from pipelines.schemas import Reason
from pipelines.strict_json import JsonValue
from pipelines.timestamps import parse_rfc3339


def _data(members: Members) -> Properties:
    if members.get("data_base64") is not None:
        raise RefusedLineError(
            Reason.INVALID_PROPERTY, "data_base64 is not read; send data as a JSON object"
        )
    data = members.get("data")
    if type(data) is not dict:
        return flat_properties(data, "data")
    flat = dict[str, JsonValue]()
    _flatten(data, "", flat)
    return flat_properties(flat, "data")


def _flatten(value: dict[str, JsonValue], prefix: str, flat: dict[str, JsonValue]) -> None:
    for name, member in value.items():
        path = prefix + name
        if type(member) is dict:
            _flatten(member, f"{path}.", flat)
        elif path in flat:
            raise RefusedLineError(
                Reason.INVALID_PROPERTY, f"two members of data have the path {path[:64]!a}"
            )
        else:
            flat[path] = member


DIALECT = dialect(
    EventForm(
        key=("source", "id"),
        constants=(Constant("specversion", "1.0", is_required=True),),
        customer=Customer(("subject",)),
        event_name="type",
        timestamp=Timestamp(
            parse_rfc3339, form="an RFC 3339 string", field="time", is_optional=True
        ),
        properties=_data,
    ),
    dedupe_window=None,
)
"""The dialect's entry in the table of dialects."""
