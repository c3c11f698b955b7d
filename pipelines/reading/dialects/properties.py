"""Properties: where an event has them, and the flat map that they become."""

from dataclasses import dataclass

from pipelines.reading.dialects.event import Field, Members, RefusedLineError, value_of
from pipelines.reading.strict_json import TYPE_NAMES, JsonValue, Number
from pipelines.vocabulary.limits import NAME_BYTES_MAX, PROPERTIES_MAX
from pipelines.vocabulary.verdicts import Reason

Properties = tuple[dict[str, str], str]
"""The flat map (property name → exact source text), and its part of the payload."""


def flat_properties(value: JsonValue, field: str = "properties") -> Properties:
    """The flat property map, and its part of the payload.

    The payload lists name, type and text of each property by name, separated by NUL. Strict JSON
    allows no NUL in a text, so nobody can forge the separator.

    Args:
        value: the object as sent. None: the event has no properties.
        field: the name of the object, for an error.

    Raises:
        RefusedLineError: `invalid_property`: a property is nested or null, or its name is too
            long. `too_large`: there are too many properties.
    """
    if value is None:
        return {}, ""
    if type(value) is not dict:
        raise RefusedLineError(
            Reason.INVALID_PROPERTY,
            f"{field} must be an object, found {TYPE_NAMES[type(value)]}",
        )
    if len(value) > PROPERTIES_MAX:
        raise RefusedLineError(
            Reason.TOO_LARGE, f"{len(value)} properties; at most {PROPERTIES_MAX} are read"
        )
    properties: dict[str, str] = {}
    payload: list[str] = []
    for name in sorted(value):
        member = value[name]
        if len(name) * 4 > NAME_BYTES_MAX and len(name.encode()) > NAME_BYTES_MAX:
            raise RefusedLineError(
                Reason.INVALID_PROPERTY, f"a property name is longer than {NAME_BYTES_MAX} bytes"
            )
        if type(member) is str:
            payload += (name, "s", member)
            properties[name] = member
        elif type(member) is Number:
            text = str(member)
            payload += (name, "n", text)
            properties[name] = text
        elif member is True or member is False:
            text = "true" if member else "false"
            payload += (name, "b", text)
            properties[name] = text
        else:
            raise RefusedLineError(
                Reason.INVALID_PROPERTY,
                f"property {name!a} must be a string, number or boolean, "
                f"found {TYPE_NAMES[type(member)]}",
            )
    return properties, "\x00".join(payload)


@dataclass(frozen=True)
class FlatObject:
    """Reads the members of one object as properties. A nested object is refused.

    Attributes:
        field: the object. Where it is absent or null, the event has no properties.
        without: names of members that are not properties.
    """

    field: Field
    without: tuple[str, ...] = ()

    def __call__(self, members: Members) -> Properties:
        """The properties of an event. Raises `RefusedLineError`."""
        return flat_properties(self.values(members), str(self.field))

    def values(self, members: Members) -> dict[str, JsonValue]:
        """The parsed values by property name. Raises `RefusedLineError`."""
        value = _object(members, self.field)
        if not self.without:
            return value
        return {name: member for name, member in value.items() if name not in self.without}


@dataclass(frozen=True)
class NestedObject:
    """Reads the members of one object as properties, those of nested objects by their paths.

    Example: `{"usage": {"total": 7}}` has the property `usage.total`. An array has no path, so
    the event is refused. Two members with the same path are refused too. An empty nested object
    is not a property.

    Attributes:
        field: the object. Where it is absent or null, the event has no properties.
    """

    field: Field

    def __call__(self, members: Members) -> Properties:
        """The properties of an event. Raises `RefusedLineError`."""
        return flat_properties(self.values(members), str(self.field))

    def values(self, members: Members) -> dict[str, JsonValue]:
        """The parsed values by property name. Raises `RefusedLineError`."""
        flat = dict[str, JsonValue]()
        self._flatten(_object(members, self.field), "", flat)
        return flat

    def _flatten(self, value: Members, prefix: str, flat: dict[str, JsonValue]) -> None:
        for name, member in value.items():
            path = prefix + name
            if type(member) is dict:
                self._flatten(member, f"{path}.", flat)
            elif path in flat:
                raise RefusedLineError(
                    Reason.INVALID_PROPERTY,
                    f"two members of {self.field} have the path {path[:64]!a}",
                )
            else:
                flat[path] = member


def _object(members: Members, field: Field) -> dict[str, JsonValue]:
    value = value_of(members, field)
    if value is not None and type(value) is not dict:
        raise RefusedLineError(
            Reason.INVALID_PROPERTY, f"{field} must be an object, found {TYPE_NAMES[type(value)]}"
        )
    return value or {}
