"""The typed fields of a usage event, and the strict field readers that all dialects share."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pipelines.reading.strict_json import TYPE_NAMES, JsonObject, JsonValue, Number
from pipelines.vocabulary.limits import NAME_BYTES_MAX
from pipelines.vocabulary.verdicts import Reason

Members = Mapping[str, JsonValue]
"""The members of one event's object."""


class RefusedLineError(ValueError):
    """The line is not a usage event of its dialect, and is rejected.

    Attributes:
        reason: the reason code.
        sentence: says to a person what is wrong.
        idempotency_key: the event's key. None: the key could not be read.
        customer_ref: the customer as the line names it. None: it could not be read.
        subscription_ref: the subscription as the line names it. None: it could not be read.
    """

    def __init__(self, reason: Reason, sentence: str) -> None:
        self.reason = reason
        self.sentence = sentence
        self.idempotency_key: str | None = None
        self.customer_ref: str | None = None
        self.subscription_ref: str | None = None
        super().__init__(sentence)


class EventFields(NamedTuple):
    """The typed fields of one usage event.

    Attributes:
        idempotency_key: two events with the same key are the same event. None: the key is the
            event's place, which the dialect does not know.
        customer_ref: the customer as the event names it. None: it names only a subscription.
        subscription_ref: the subscription as the event names it. None: it names none.
        event_name: the name as sent. None: the event is a void.
        occurred_at: microseconds since 1970. None: the event has no timestamp, so it happened
            when its file was received.
        properties: name → exact source text.
        payload: the text that the payload digest covers. An absent timestamp is not part of it.
        amendment: `void` or `amend`. None: the event amends no other.
        target_key: the key of the amended event. None: the event amends no other.
    """

    idempotency_key: str | None
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
    """The path to an inner member: `FieldPath(("payload", "value"))` is `value` in `payload`."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        steps = (f"['{name}']" if "." in name else f".{name}" for name in self.names)
        return "".join(steps).removeprefix(".")


Field = str | FieldPath
"""A field of an event: the name of a member, or the path to an inner one."""


def unwrapped(members: Members) -> Members:
    """The members of the event inside the envelope `{"event": {...}}`, or of the object itself.

    Raises:
        RefusedLineError: `malformed`: the object is a batch of events.
    """
    if len(members) == 1 and type(members.get("events")) is list:
        raise RefusedLineError(
            Reason.MALFORMED,
            "a batch of events stands where one event does; a file of batches begins with one",
        )
    inner = members.get("event")
    if type(inner) is not dict or len(members) != 1:
        return members
    return JsonObject(inner, members.texts) if isinstance(members, JsonObject) else inner


_STEP = re.compile(r"""\.([^.\[\]'"$*\s][^.\[\]'"$*]*)|\['([^']+)'\]|\["([^"]+)"\]""")


def parse_path(text: str) -> Field:
    """The field at a path.

    Examples: `id`, `usage.total`, `$.usage.total`, `$['a.b'].c`.

    Raises:
        ValueError: the text is not such a path. An element of an array has no path.
    """
    rest = text.removeprefix("$") if text.startswith(("$", "[")) else f".{text}"
    names: list[str] = []
    while match := _STEP.match(rest):
        names.append(match.group(match.lastindex or 0))
        rest = rest[match.end() :]
    if rest or not names:
        raise ValueError(
            f"{text[:64]!r} is not a path of members; write a path like id, usage.total, "
            "$.usage.total or $['dotted.name'].total"
        )
    return names[0] if len(names) == 1 else FieldPath(tuple(names))


def quoted(field: Field) -> str:
    """The field in quotes, for a sentence."""
    return f"{str(field)!a}"


def value_of(members: Members, field: Field) -> JsonValue:
    """The value of a field. None: the field, or an object around it, is absent or null.

    Raises:
        RefusedLineError: `malformed`: a value around the field is not an object.
    """
    if isinstance(field, str):
        return members.get(field)
    value = members.get(field.names[0])
    for depth, name in enumerate(field.names[1:], start=1):
        if value is None:
            return None
        if type(value) is not dict:
            around = quoted(FieldPath(field.names[:depth]))
            raise RefusedLineError(
                Reason.MALFORMED,
                f"field {around} must be an object, found {TYPE_NAMES[type(value)]}",
            )
        value = value.get(name)
    return value


def is_absent(members: Members, field: Field) -> bool:
    """True if the field is absent, null or an empty text."""
    value = value_of(members, field)
    return value is None or value == ""


def text_field(members: Members, field: Field, *, takes_numbers: bool = False) -> str:
    """The text of a required field, with 1 to 255 bytes.

    Args:
        members: the members of the event.
        field: the field to read.
        takes_numbers: True: a JSON number is accepted too, and its source text is returned as a
            `Number`.

    Raises:
        RefusedLineError: `missing_field`: the field is absent, null or empty. `malformed`: it has
            another type. `too_large`: it is longer.
    """
    value = value_of(members, field)
    if value is None or value == "":
        raise RefusedLineError(Reason.MISSING_FIELD, f"field {quoted(field)} is missing or empty")
    if not (type(value) is str or (takes_numbers and type(value) is Number)):
        kinds = "a string or number" if takes_numbers else "a string"
        raise RefusedLineError(
            Reason.MALFORMED,
            f"field {quoted(field)} must be {kinds}, found {TYPE_NAMES[type(value)]}",
        )
    # A character has at most four bytes in UTF-8, so short texts need not be encoded.
    if len(value) * 4 > NAME_BYTES_MAX and len(value.encode()) > NAME_BYTES_MAX:
        raise RefusedLineError(
            Reason.TOO_LARGE, f"field {quoted(field)} is longer than {NAME_BYTES_MAX} bytes"
        )
    return value
