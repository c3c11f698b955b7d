"""Event forms: where a vendor's event has its fields, declared, and the one reader of them all.

Belongs here: what can be said of a vendor by naming fields and choosing among rules. Must not
be put here: a vendor's field names (see its module), JSON (see `strict_json`).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from pipelines.dialects.event import (
    EventFields,
    Field,
    Members,
    Properties,
    RefusedLineError,
    flat_properties,
    is_absent,
    named,
    text_field,
    value_of,
)
from pipelines.schemas import NAME_BYTES_MAX, Reason
from pipelines.strict_json import TYPE_NAMES, JsonValue, Number
from pipelines.timestamps import TimestampError


@dataclass(frozen=True)
class Customer:
    """Which fields name the customer, in order of preference.

    Attributes:
        fields: the first that is present counts.
        is_exclusive: whether two of them at once are refused.
    """

    fields: tuple[Field, ...]
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
    field: Field = "timestamp"
    takes_numbers: bool = False
    is_optional: bool = False


@dataclass(frozen=True)
class Constant:
    """A field that must have one value, if it is there at all or in any case."""

    field: Field
    text: str
    is_required: bool


@dataclass(frozen=True)
class Unread:
    """A field that holds what would be lost: where it is present, the line is refused."""

    field: Field
    sentence: str


@dataclass(frozen=True)
class FlatObject:
    """Properties that are the members of one object, nothing nested.

    Attributes:
        field: the object; absent or null is no properties.
        without: members that are no properties.
    """

    field: Field = "properties"
    without: tuple[str, ...] = ()

    def __call__(self, members: Members) -> Properties:
        """The properties of an event; raises `RefusedLineError`."""
        value = value_of(members, self.field)
        if self.without and type(value) is dict:
            value = {name: member for name, member in value.items() if name not in self.without}
        return flat_properties(value, str(self.field))


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
        value = value_of(members, self.field)
        if type(value) is dict:
            flat = dict[str, JsonValue]()
            self._flatten(value, "", flat)
            value = flat
        return flat_properties(value, str(self.field))

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


@dataclass(frozen=True)
class EventForm:
    """Where an event has its fields: data, so that a faster reader can be made of it.

    Attributes:
        key: fields of the idempotency key; several are kept as a JSON array, never as joined
            text, since joined text is ambiguous.
        customer: who used it.
        event_name: what was used.
        timestamp: when.
        properties: event → properties; raises `RefusedLineError`.
        subscription: field of the subscription; where it is there, no customer need be.
        constants: what tells an event of this form from others.
        unread: what an event of this form must not have.
        has_plain_payload: whether the payload names neither the customer's field, nor a
            subscription, nor the timestamp's type: the oldest shape, which is in lakes.
    """

    key: tuple[Field, ...]
    customer: Customer
    event_name: Field
    timestamp: Timestamp
    properties: Callable[[Members], Properties] = FlatObject()
    subscription: Field | None = None
    constants: tuple[Constant, ...] = ()
    unread: tuple[Unread, ...] = ()
    has_plain_payload: bool = False


@dataclass(frozen=True)
class Dialect:
    """How a vendor's customers send events.

    Attributes:
        form: where an event has its fields.
        dedupe_window: the vendor's window; None is unlimited.
    """

    form: EventForm
    dedupe_window: timedelta | None

    def read(self, members: Members) -> EventFields:
        """The typed fields of one object.

        Raises:
            RefusedLineError: it is no event of this form.
        """
        return _read(self.form, members)


def _read(form: EventForm, members: Members) -> EventFields:
    key = _key(form.key, members)
    try:
        for constant in form.constants:
            _check_constant(constant, members)
        subscription_ref = _optional_text(members, form.subscription)
        customer_field, customer_ref = _customer(form, members, subscription_ref)
        event_name = text_field(members, form.event_name)
        occurred_at, occurred_text = _instant(form.timestamp, members)
        for unread in form.unread:
            if value_of(members, unread.field) is not None:
                raise RefusedLineError(Reason.INVALID_PROPERTY, unread.sentence)
        properties, payload = form.properties(members)
    except RefusedLineError as refusal:
        refusal.idempotency_key = key
        raise
    # A field that is there is not empty, so the empty text stands for one that is not.
    fields: tuple[str, ...] = (
        customer_field,
        customer_ref or "",
        subscription_ref or "",
        event_name,
        occurred_text,
    )
    if form.has_plain_payload:
        fields = (customer_ref or "", event_name, occurred_text[1:])
    return EventFields(
        idempotency_key=key,
        customer_ref=customer_ref,
        subscription_ref=subscription_ref,
        event_name=event_name,
        occurred_at=occurred_at,
        properties=properties,
        payload="\x00".join((*fields, payload)),
    )


def _key(fields: tuple[Field, ...], members: Members) -> str:
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
    if value_of(members, constant.field) is None and not constant.is_required:
        return
    text = text_field(members, constant.field)
    if text != constant.text:
        raise RefusedLineError(
            Reason.MALFORMED,
            f"field {named(constant.field)} must be {constant.text!a}, found {text[:64]!a}",
        )


def _optional_text(members: Members, field: Field | None) -> str | None:
    if field is None or is_absent(members, field):
        return None
    return text_field(members, field)


def _customer(
    form: EventForm, members: Members, subscription_ref: str | None
) -> tuple[str, str | None]:
    present = [field for field in form.customer.fields if not is_absent(members, field)]
    if not present:
        if subscription_ref is not None:
            return "", None
        fields = form.customer.fields
        if form.subscription is not None:
            fields = (*fields, form.subscription)
        raise RefusedLineError(
            Reason.MISSING_FIELD, f"field {_listed(fields, 'or')} is missing or empty"
        )
    if len(present) > 1 and form.customer.is_exclusive:
        raise RefusedLineError(
            Reason.MALFORMED,
            f"fields {_listed(tuple(present), 'and')} both name the customer; send exactly one",
        )
    return str(present[0]), text_field(members, present[0])


def _listed(fields: tuple[Field, ...], conjunction: str) -> str:
    return f" {conjunction} ".join(named(field) for field in fields)


def _instant(timestamp: Timestamp, members: Members) -> tuple[int | None, str]:
    # The text in the payload begins with its type: the number 17 is not the text "17".
    value = value_of(members, timestamp.field)
    if value is None:
        if timestamp.is_optional:
            return None, ""
        raise RefusedLineError(Reason.MISSING_FIELD, f"field {named(timestamp.field)} is missing")
    is_number = type(value) is Number
    if not (type(value) is str or (is_number and timestamp.takes_numbers)):
        raise RefusedLineError(
            Reason.INVALID_TIMESTAMP,
            f"field {named(timestamp.field)} must be {timestamp.form}, "
            f"found {TYPE_NAMES[type(value)]}",
        )
    text = str(value)
    try:
        return timestamp.parse(text), f"{'n' if is_number else 's'}{text}"
    except TimestampError as error:
        raise RefusedLineError(
            Reason.INVALID_TIMESTAMP, f"field {named(timestamp.field)}: {error}"
        ) from None
