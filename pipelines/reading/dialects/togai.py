"""Togai: `schemaName`, `id`, `timestamp`, `accountID`, `attributes`, `dimensions`.

Source: Togai's API reference of ingestion. Timestamps are ISO 8601, in UTC if they have no zone,
as in its examples. The account is `accountId` or `accountID`. Attributes are an array of name,
value and unit, and dimensions are an object. Each may have the other's form as well. Both become
properties. A unit is not a property, but the payload digest covers it.

Togai refuses an event whose schema is not declared, or that lacks an attribute or dimension of its
schema. So does Meterline, for sources whose catalog declares event schemas. Togai's own two
schemas need no declaration.

Togai makes an `id` of other fields for events that have none. The catalog then names these fields
as the source's key. A dimension is named by its path, such as `dimensions.city`, in both forms.
"""

from collections.abc import Iterator
from datetime import timedelta

from pipelines.reading.dialects.event import Members, RefusedLineError
from pipelines.reading.dialects.form import (
    Customer,
    Dialect,
    EventForm,
    Timestamp,
)
from pipelines.reading.dialects.properties import Properties, flat_properties
from pipelines.reading.dialects.schemas import EventSchema
from pipelines.reading.strict_json import TYPE_NAMES, JsonValue, Number
from pipelines.vocabulary.instants import parse_iso8601_utc
from pipelines.vocabulary.limits import NAME_BYTES_MAX
from pipelines.vocabulary.verdicts import Reason
from pipelines.vocabulary.visible import beginning

_OWN_SCHEMAS = (
    EventSchema("togai-usage", attributes=("usage",), dimensions=("usage_meter_id",)),
    EventSchema("togai-named-license", attributes=("action",), dimensions=("license_id", "name")),
)
"""The event schemas that every account of Togai has."""


def _names_of_kind(members: Members, kind: str) -> frozenset[str]:
    values, _ = _named_values(members, f"{kind}s")
    return frozenset(values)


def _by_name(members: Members) -> Members:
    """The event with its attributes and dimensions as objects, whichever form was sent."""
    return {**members, **{f: _named_values(members, f)[0] for f in ("attributes", "dimensions")}}


def _properties(members: Members) -> Properties:
    """Attributes and dimensions in one map, and their part of the payload.

    The payload tells attributes from dimensions: it lists the names of the dimensions. It begins
    with the two counts, so that no two different events have the same payload.
    """
    attributes, units = _named_values(members, "attributes")
    dimensions, dimension_units = _named_values(members, "dimensions")
    for name in dimensions:
        if name in attributes:
            raise RefusedLineError(
                Reason.INVALID_PROPERTY,
                f"{beginning(name)} stands among the attributes and among the dimensions",
            )
    properties, payload = flat_properties(
        attributes | dimensions, members, "attributes and dimensions"
    )
    counts = (str(len(properties)), str(len(dimensions)))
    unit_texts = [text for pair in sorted((units | dimension_units).items()) for text in pair]
    return properties, "\x00".join((*counts, *sorted(dimensions), *unit_texts, payload))


def _named_values(members: Members, field: str) -> tuple[dict[str, JsonValue], dict[str, str]]:
    """The values by name, and the units by name of those that have one."""
    value = members.get(field)
    if value is None:
        return {}, {}
    if type(value) is dict:
        return {name: member for name, member in value.items() if member is not None}, {}
    if type(value) is not list:
        raise _refused(f"{field} must be an array or an object, found {TYPE_NAMES[type(value)]}")
    values, units = dict[str, JsonValue](), dict[str, str]()
    for name, element in _named_elements(value, field):
        if name in values:
            raise _refused(f"{beginning(name)} stands twice among the {field}")
        if element.get("value") is None:
            continue  # As if it were not there.
        values[name] = element["value"]
        unit = element.get("unit")
        if unit is not None and unit != "":
            if type(unit) is not str or len(unit.encode()) > NAME_BYTES_MAX:
                raise _refused(
                    f"the unit of {beginning(name)} must be a string of at most "
                    f"{NAME_BYTES_MAX} bytes"
                )
            units[name] = unit
    return values, units


def _named_elements(
    elements: list[JsonValue], field: str
) -> Iterator[tuple[str, dict[str, JsonValue]]]:
    for element in elements:
        if type(element) is not dict:
            raise _refused(
                f"an element of {field} must be an object, found {TYPE_NAMES[type(element)]}"
            )
        name = element.get("name")
        if type(name) is not str or isinstance(name, Number) or not name:
            raise _refused(f"an element of {field} has no name")
        yield name, element


def _refused(sentence: str) -> RefusedLineError:
    return RefusedLineError(Reason.INVALID_PROPERTY, sentence)


DIALECT = Dialect(
    EventForm(
        key=("id",),
        customer=Customer(("accountID", "accountId")),
        event_name="schemaName",
        timestamp=Timestamp(parse_iso8601_utc, expected="an ISO 8601 string"),
        properties=_properties,
        also_reads=("attributes", "dimensions"),
        names_of_kind=_names_of_kind,
    ),
    dedupe_window=timedelta(days=45),
    own_schemas=_OWN_SCHEMAS,
    prepared_for_key=_by_name,
)
"""The reader of events of Togai."""
