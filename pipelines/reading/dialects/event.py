"""The typed fields of a usage event, and the field readers that dialects share.

Belongs here: what every dialect needs to read a field strictly. Must not be put here:
a vendor's field names.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pipelines.reading.strict_json import TYPE_NAMES, JsonValue, Number
from pipelines.vocabulary.limits import NAME_BYTES_MAX
from pipelines.vocabulary.verdicts import Reason

Members = Mapping[str, JsonValue]
"""The members of one event's object."""


class RefusedLineError(ValueError):
    """The line is not a usage event of its dialect.

    Attributes:
        reason: from the closed list.
        sentence: what is wrong, for a person.
        idempotency_key: the key, when it could be read.
    """

    def __init__(self, reason: Reason, sentence: str) -> None:
        self.reason = reason
        self.sentence = sentence
        self.idempotency_key: str | None = None
        super().__init__(sentence)


class EventFields(NamedTuple):
    """A usage event as its dialect reads it.

    Attributes:
        idempotency_key: what makes two events the same.
        customer_ref: None where only the subscription is named.
        subscription_ref: None where none is named.
        event_name: as sent; None for a void.
        occurred_at: microseconds since the epoch; None where the vendor lets the instant be
            left out: then the file's `received_at` stands for it.
        properties: name → exact source text.
        payload: what the digest covers; a timestamp that was left out is no part of it.
        amendment: `void` or `amend`; None for an event that amends no other.
        target_key: the key of the event amended; None with `amendment`.
    """

    idempotency_key: str
    customer_ref: str | None
    subscription_ref: str | None
    event_name: str | None
    occurred_at: int | None
    properties: dict[str, str]
    payload: str
    amendment: str | None = None
    target_key: str | None = None


@dataclass(frozen=True)
class FieldPath:
    """A member of a member: `FieldPath(("payload", "value"))` is `value` inside `payload`."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        steps = (f"['{name}']" if "." in name else f".{name}" for name in self.names)
        return "".join(steps).removeprefix(".")


Field = str | FieldPath
"""A member of the event's object, or one further inside."""


def unwrapped(members: Members) -> Members:
    """The event inside the envelope `{"event": {...}}`, or the object itself.

    Raises:
        RefusedLineError: malformed for a batch of events where one event stands.
    """
    if len(members) == 1 and type(members.get("events")) is list:
        raise RefusedLineError(
            Reason.MALFORMED,
            "a batch of events stands where one event does; a file of batches begins with one",
        )
    inner = members.get("event")
    return inner if type(inner) is dict and len(members) == 1 else members


_STEP = re.compile(r"""\.([^.\[\]'"$*\s][^.\[\]'"$*]*)|\['([^']+)'\]|\["([^"]+)"\]""")


def parse_path(text: str) -> Field:
    """The field that a path names: `id`, `usage.total`, `$.usage.total`, `$['a.b'].c`.

    Raises:
        ValueError: it is no such path; arrays have none.
    """
    rest = text.removeprefix("$") if text.startswith(("$", "[")) else f".{text}"
    names: list[str] = []
    while match := _STEP.match(rest):
        names.append(match.group(match.lastindex or 0))
        rest = rest[match.end() :]
    if rest or not names:
        raise ValueError(
            f"{text[:64]!r} is no path of members; write it like id, usage.total, $.usage.total "
            "or $['dotted.name'].total"
        )
    return names[0] if len(names) == 1 else FieldPath(tuple(names))


def named(field: Field) -> str:
    """The field as a sentence names it."""
    return f"{str(field)!a}"


def value_of(members: Members, field: Field) -> JsonValue:
    """The value of a field; None where it or an object around it is absent or null.

    Raises:
        RefusedLineError: malformed when what stands around it is no object.
    """
    if isinstance(field, str):
        return members.get(field)
    value = members.get(field.names[0])
    for depth, name in enumerate(field.names[1:], start=1):
        if value is None:
            return None
        if type(value) is not dict:
            around = named(FieldPath(field.names[:depth]))
            raise RefusedLineError(
                Reason.MALFORMED,
                f"field {around} must be an object, found {TYPE_NAMES[type(value)]}",
            )
        value = value.get(name)
    return value


def is_null(members: Members, field: Field) -> bool:
    """Whether a field is there, and null."""
    names = (field,) if isinstance(field, str) else field.names
    around = value_of(members, FieldPath(names[:-1])) if names[1:] else dict(members)
    return isinstance(around, dict) and names[-1] in around and around[names[-1]] is None


def is_absent(members: Members, field: Field) -> bool:
    """Whether a text is absent, null or empty."""
    value = value_of(members, field)
    return value is None or value == ""


def text_field(members: Members, field: Field, *, takes_numbers: bool = False) -> str:
    """The required, non-empty text of a field, at most 255 bytes.

    Args:
        members: of the event.
        field: where the text stands.
        takes_numbers: whether a number is such a text as well: a `Number`, its source text.

    Raises:
        RefusedLineError: missing_field when absent, null or empty; malformed when it is of
            another type; too_large when longer.
    """
    value = value_of(members, field)
    if value is None or value == "":
        raise RefusedLineError(Reason.MISSING_FIELD, f"field {named(field)} is missing or empty")
    if not (type(value) is str or (takes_numbers and type(value) is Number)):
        kinds = "a string or number" if takes_numbers else "a string"
        raise RefusedLineError(
            Reason.MALFORMED,
            f"field {named(field)} must be {kinds}, found {TYPE_NAMES[type(value)]}",
        )
    # Four bytes is the longest UTF-8 sequence, so short texts need no encoding.
    if len(value) * 4 > NAME_BYTES_MAX and len(value.encode()) > NAME_BYTES_MAX:
        raise RefusedLineError(
            Reason.TOO_LARGE, f"field {named(field)} is longer than {NAME_BYTES_MAX} bytes"
        )
    return value
