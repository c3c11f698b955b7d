"""JSON texts: members that hold an object as a text, such as a VARIANT column in CSV or Parquet."""

from dataclasses import dataclass
from typing import Any

from pipelines.reading.dialects.event import (
    Field,
    Members,
    RefusedLineError,
    quoted,
    value_of,
)
from pipelines.reading.strict_json import (
    TYPE_NAMES,
    JsonObject,
    JsonValue,
    Number,
    StrictJsonError,
    parse_object,
    with_members,
)
from pipelines.vocabulary.verdicts import Reason

_NOTHING = ("", "null")


@dataclass(frozen=True)
class JsonTexts:
    """Puts objects in place of the texts that hold them. An object stays as it is.

    Example: a cell with the text `{"n": 1}` becomes an object with the member `n`. An empty text
    and the text `null` are absent.

    Attributes:
        fields: the members that hold a text.
    """

    fields: tuple[Field, ...]

    def __call__(self, members: Members) -> Members:
        """The members with objects. Raises `RefusedLineError`."""
        for field in self.fields:
            value = value_of(members, field)
            if value is None or type(value) is dict:
                continue
            parsed = self._object(value, field)
            names = (field,) if isinstance(field, str) else field.names
            inner = parsed.texts[0].value if parsed is not None else None
            changed = with_members(members, _put(members, names, inner))
            texts = parsed.texts if parsed is not None else ()
            members = JsonObject(changed, (*changed.texts, *texts))
        return members

    @staticmethod
    def _object(value: JsonValue, field: Field) -> JsonObject | None:
        if type(value) is Number or not isinstance(value, str):
            raise RefusedLineError(
                Reason.MALFORMED,
                f"field {quoted(field)} must be an object or its JSON text, "
                f"found {TYPE_NAMES[type(value)]}",
            )
        if value.strip() in _NOTHING:
            return None
        try:
            return parse_object(value.encode())
        except StrictJsonError as error:
            raise RefusedLineError(
                Reason.MALFORMED, f"field {quoted(field)} is no JSON text of an object: {error}"
            ) from None


def _put(members: Members, names: tuple[str, ...], value: JsonValue) -> dict[str, Any]:
    """The member of the first name, with the value at the end of the path."""
    if len(names) == 1:
        return {names[0]: value}
    around = members[names[0]]
    inner = around if isinstance(around, dict) else {}
    return {names[0]: {**inner, **_put(inner, names[1:], value)}}
