"""Event forms: where a vendor's event has its fields, declared, and the one reader of them all.

Belongs here: what can be said of a vendor by naming fields and choosing among rules. Must not
be put here: a vendor's field names (see its module), JSON (see `strict_json`).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from pipelines.dialects.event import Dialect, EventFields, RefusedLineError, text_field
from pipelines.schemas import NAME_BYTES_MAX, Reason
from pipelines.strict_json import TYPE_NAMES, JsonValue, Number
from pipelines.timestamps import TimestampError

Members = Mapping[str, JsonValue]
"""The members of one event's object."""

Properties = tuple[dict[str, str], str]
"""The flat property map, and its part of the payload."""


@dataclass(frozen=True)
class Customer:
    """Which fields name the customer, in order of preference.

    Attributes:
        fields: the first that is present counts.
        is_exclusive: whether two of them at once are refused.
    """

    fields: tuple[str, ...]
    is_exclusive: bool = True


@dataclass(frozen=True)
class Timestamp:
    """How the instant of the event is written.

    Attributes:
        parse: text → microseconds since the epoch; raises `TimestampError`.
        form: what a person calls the form.
        field: its name.
        takes_numbers: whether a JSON number is such a text as well.
        is_optional: whether `received_at` stands for one that is absent.
    """

    parse: Callable[[str], int]
    form: str
    field: str = "timestamp"
    takes_numbers: bool = False
    is_optional: bool = False


@dataclass(frozen=True)
class Constant:
    """A field that must have one value, if it is there at all or in any case."""

    field: str
    text: str
    is_required: bool


@dataclass(frozen=True)
class EventForm:
    """Where an event has its fields.

    Attributes:
        key: fields of the idempotency key; several are kept as a JSON array, never as joined
            text, since joined text is ambiguous.
        customer: who used it.
        event_name: what was used.
        timestamp: when.
        properties: event → properties; raises `RefusedLineError`.
        subscription: field of the subscription; where it is there, no customer need be.
        constants: what tells an event of this form from others.
        lifted: object of the line → one with the fields above at its top.
    """

    key: tuple[str, ...]
    customer: Customer
    event_name: str
    timestamp: Timestamp
    properties: Callable[[Members], Properties]
    subscription: str | None = None
    constants: tuple[Constant, ...] = ()
    lifted: Callable[[Members], Members] = lambda members: members


def dialect(form: EventForm, dedupe_window: timedelta | None) -> Dialect:
    """The dialect whose events have this form."""
    return Dialect(read=lambda members: _read(form, members), dedupe_window=dedupe_window)


def _read(form: EventForm, members: Members) -> EventFields:
    key = _key(form.key, members)
    try:
        for constant in form.constants:
            _check_constant(constant, members)
        lifted = form.lifted(members)
        subscription_ref = _optional_text(lifted, form.subscription)
        customer_field, customer_ref = _customer(form, lifted, subscription_ref)
        event_name = text_field(lifted, form.event_name)
        occurred_at, occurred_text = _instant(form.timestamp, lifted)
        properties, payload = form.properties(lifted)
    except RefusedLineError as refusal:
        refusal.idempotency_key = key
        raise
    # A field that is there is not empty, so the empty text stands for one that is not.
    fields = (customer_field, customer_ref or "", subscription_ref or "", event_name)
    return EventFields(
        idempotency_key=key,
        customer_ref=customer_ref,
        subscription_ref=subscription_ref,
        event_name=event_name,
        occurred_at=occurred_at,
        properties=properties,
        payload="\x00".join((*fields, occurred_text, payload)),
    )


def _key(fields: tuple[str, ...], members: Members) -> str:
    parts = [text_field(members, field) for field in fields]
    if len(parts) == 1:
        return parts[0]
    key = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    if len(key.encode()) > NAME_BYTES_MAX:
        raise RefusedLineError(
            Reason.TOO_LARGE,
            f"fields {_listed(fields, 'and')} make a key of more than {NAME_BYTES_MAX} bytes",
        )
    return key


def _check_constant(constant: Constant, members: Members) -> None:
    if members.get(constant.field) is None and not constant.is_required:
        return
    text = text_field(members, constant.field)
    if text != constant.text:
        raise RefusedLineError(
            Reason.MALFORMED,
            f"field {constant.field!a} must be {constant.text!a}, found {text[:64]!a}",
        )


def _optional_text(members: Members, field: str | None) -> str | None:
    if field is None or _is_absent(members, field):
        return None
    return text_field(members, field)


def _is_absent(members: Members, field: str) -> bool:
    return members.get(field) is None or members[field] == ""


def _customer(
    form: EventForm, members: Members, subscription_ref: str | None
) -> tuple[str, str | None]:
    present = [field for field in form.customer.fields if not _is_absent(members, field)]
    if not present:
        if subscription_ref is not None:
            return "", None
        fields = (*form.customer.fields, *filter(None, [form.subscription]))
        raise RefusedLineError(
            Reason.MISSING_FIELD, f"field {_listed(fields, 'or')} is missing or empty"
        )
    if len(present) > 1 and form.customer.is_exclusive:
        raise RefusedLineError(
            Reason.MALFORMED,
            f"fields {_listed(tuple(present), 'and')} both name the customer; send exactly one",
        )
    return present[0], text_field(members, present[0])


def _listed(fields: tuple[str, ...], conjunction: str) -> str:
    return f" {conjunction} ".join(f"{field!a}" for field in fields)


def _instant(timestamp: Timestamp, members: Members) -> tuple[int | None, str]:
    # The text in the payload begins with its type: the number 17 is not the text "17".
    value = members.get(timestamp.field)
    if value is None:
        if timestamp.is_optional:
            return None, ""
        raise RefusedLineError(Reason.MISSING_FIELD, f"field {timestamp.field!a} is missing")
    is_number = type(value) is Number
    if not (type(value) is str or (is_number and timestamp.takes_numbers)):
        raise RefusedLineError(
            Reason.INVALID_TIMESTAMP,
            f"field {timestamp.field!a} must be {timestamp.form}, found {TYPE_NAMES[type(value)]}",
        )
    text = str(value)
    try:
        return timestamp.parse(text), f"{'n' if is_number else 's'}{text}"
    except TimestampError as error:
        raise RefusedLineError(
            Reason.INVALID_TIMESTAMP, f"field {timestamp.field!a}: {error}"
        ) from None
