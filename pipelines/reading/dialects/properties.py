"""Properties: where an event has them, and the flat map that they become."""

from dataclasses import dataclass

from pipelines.reading.dialects.event import Field, Members, RefusedLineError, value_of
from pipelines.reading.strict_json import TYPE_NAMES, JsonValue, Number, exact_text
from pipelines.vocabulary.limits import NAME_BYTES_MAX, PROPERTIES_MAX
from pipelines.vocabulary.verdicts import Reason
from pipelines.vocabulary.visible import beginning

Properties = tuple[dict[str, str], str]
"""The flat map (property name → exact source text), and its part of the payload."""


def flat_properties(
    value: JsonValue,
    members: Members,
    field: str = "properties",
    *,
    keeps_nested: bool = True,
) -> Properties:
    """The flat property map, and its part of the payload.

    A null is no property. An array or object is kept as its exact JSON text.

    The payload lists name, type and text of each property by name, separated by NUL. Strict JSON
    allows no NUL in a text, so nobody can forge the separator.

    Example: `{"a": null, "b": [1, 2]}` has one property, `b`, with the text `[1, 2]`.

    Args:
        value: the object as sent. None: the event has no properties.
        members: the members of the event, which hold the object.
        field: the name of the object, for an error.
        keeps_nested: False: an array or object is refused.

    Raises:
        RefusedLineError: `invalid_property`: a property is nested where that is refused, or its
            name is too long. `too_large`: there are too many properties.
    """
    if value is None:
        return {}, ""
    if type(value) is not dict:
        raise RefusedLineError(
            Reason.INVALID_PROPERTY,
            f"{field} must be an object, found {TYPE_NAMES[type(value)]}",
        )
    if None in value.values():
        value = {name: member for name, member in value.items() if member is not None}
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
            nested = exact_text(members, member) if keeps_nested else None
            if nested is None:
                raise RefusedLineError(
                    Reason.INVALID_PROPERTY,
                    f"property {beginning(name)} must be a string, number or boolean, "
                    f"found {TYPE_NAMES[type(member)]}",
                )
            payload += (name, "j", nested)
            properties[name] = nested
    return properties, "\x00".join(payload)


@dataclass(frozen=True)
class FlatObject:
    """Reads the members of one object as properties. A nested value is its exact JSON text.

    Attributes:
        field: the object. Where it is absent or null, the event has no properties.
        without: names of members that are not properties.
        keeps_nested: False: an event with a nested value is refused.
    """

    field: Field
    without: tuple[str, ...] = ()
    keeps_nested: bool = True

    def __call__(self, members: Members) -> Properties:
        """The properties of an event. Raises `RefusedLineError`."""
        return flat_properties(
            self.values(members), members, str(self.field), keeps_nested=self.keeps_nested
        )

    def values(self, members: Members) -> dict[str, JsonValue]:
        """The parsed values by property name. Raises `RefusedLineError`."""
        value = _object(members, self.field)
        if not self.without:
            return value
        return {name: member for name, member in value.items() if name not in self.without}


@dataclass(frozen=True)
class NestedObject:
    """Reads the members of one object as properties, those of nested objects by their paths.

    Example: `{"usage": {"total": 7}}` has the property `usage.total`. An array is its exact JSON
    text. Two members with the same path are refused. An empty nested object is not a property.

    Attributes:
        field: the object. Where it is absent or null, the event has no properties.
    """

    field: Field

    def __call__(self, members: Members) -> Properties:
        """The properties of an event. Raises `RefusedLineError`."""
        return flat_properties(self.values(members), members, str(self.field))

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
            elif member is None:
                continue
            elif path in flat:
                raise RefusedLineError(
                    Reason.INVALID_PROPERTY,
                    f"two members of {self.field} have the path {beginning(path)}",
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
