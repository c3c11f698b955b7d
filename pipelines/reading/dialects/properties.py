"""Properties: where an event has them, and their one flat form."""

from dataclasses import dataclass

from pipelines.reading.dialects.event import Field, Members, RefusedLineError, value_of
from pipelines.reading.strict_json import TYPE_NAMES, JsonValue, Number
from pipelines.vocabulary.limits import NAME_BYTES_MAX, PROPERTIES_MAX
from pipelines.vocabulary.verdicts import Reason

Properties = tuple[dict[str, str], str]
"""The flat property map, and its part of the payload."""


def flat_properties(value: JsonValue, field: str = "properties") -> Properties:
    """The flat property map, and its part of the payload (sorted, typed, NUL-separated).

    Strict JSON admits no NUL in a text, so the separator cannot be forged.

    Args:
        value: the member as sent; null and absent are no properties.
        field: how its vendor calls it.

    Raises:
        RefusedLineError: invalid_property for nesting, null or a name too long; too_large
            for too many.
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
    """Properties that are the members of one object, nothing nested.

    Attributes:
        field: the object; absent or null is no properties.
        without: members that are no properties.
    """

    field: Field
    without: tuple[str, ...] = ()

    def __call__(self, members: Members) -> Properties:
        """The properties of an event; raises `RefusedLineError`."""
        return flat_properties(self.values(members), str(self.field))

    def values(self, members: Members) -> dict[str, JsonValue]:
        """Property name → value as parsed; raises `RefusedLineError`."""
        value = _object(members, self.field)
        if not self.without:
            return value
        return {name: member for name, member in value.items() if name not in self.without}


@dataclass(frozen=True)
class NestedObject:
    """Properties that are the members of one object, nested objects by their paths.

    `{"usage": {"total": 7}}` has the property `usage.total`. Arrays have no such name and are
    refused, and so are two members with one path. An empty object inside is no property.

    Attributes:
        field: the object; absent or null is no properties.
    """

    field: Field

    def __call__(self, members: Members) -> Properties:
        """The properties of an event; raises `RefusedLineError`."""
        return flat_properties(self.values(members), str(self.field))

    def values(self, members: Members) -> dict[str, JsonValue]:
        """Property name → value as parsed; raises `RefusedLineError`."""
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
