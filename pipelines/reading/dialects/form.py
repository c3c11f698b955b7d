"""Event forms: a vendor's fields and rules, declared as data, and the one reader of them all.

A vendor's module makes an `EventForm` and a `Dialect` of these parts. `Dialect.read` then reads
one event by that form.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from pipelines.reading.dialects.constants import Constant, in_file, text_of
from pipelines.reading.dialects.event import (
    EventFields,
    Field,
    FieldPath,
    Members,
    RefusedLineError,
    is_absent,
    quoted,
    text_field,
    value_of,
)
from pipelines.reading.dialects.not_usage import NotUsage
from pipelines.reading.dialects.properties import FlatObject, Properties
from pipelines.reading.dialects.schemas import EventSchema, EventSchemas
from pipelines.reading.layout import USUAL, Layout
from pipelines.reading.strict_json import TYPE_NAMES, Number
from pipelines.vocabulary.instants import TimestampError, ZonelessError
from pipelines.vocabulary.limits import NAME_BYTES_MAX
from pipelines.vocabulary.verdicts import Reason
from pipelines.vocabulary.visible import beginning


@dataclass(frozen=True)
class Customer:
    """The fields that may name the customer.

    Attributes:
        fields: in order of preference. The first one that is present names the customer.
        is_exclusive: True: an event with two of them is refused.
        constant: the customer of an event in which none is present. None: it is refused.
    """

    fields: tuple[Field, ...]
    is_exclusive: bool = True
    constant: Constant | None = None


@dataclass(frozen=True)
class Timestamp:
    """The field that says when an event happened, and its form.

    Attributes:
        parse: text → microseconds since 1970. Raises `TimestampError`.
        expected: what a rejection says was expected, such as `an RFC 3339 string`.
        field: the field that holds it.
        takes_numbers: True: a JSON number is accepted too, by its source text.
        is_optional: True: an event without a timestamp happened at its `received_at`.
    """

    parse: Callable[[str], int]
    expected: str
    field: Field = "timestamp"
    takes_numbers: bool = False
    is_optional: bool = False


@dataclass(frozen=True)
class FixedField:
    """A field with one accepted text. An event with another text is refused.

    Attributes:
        field: the field.
        text: its accepted text.
        is_required: True: the field must be there. False: it may be absent.
    """

    field: Field
    text: str
    is_required: bool


@dataclass(frozen=True)
class Unread:
    """A field that is not read. An event that has it is refused, so that nothing is lost.

    Attributes:
        field: the field.
        sentence: the reason of the rejection.
    """

    field: Field
    sentence: str


_MEMBERS_OF_PROPERTIES = FlatObject("properties")


@dataclass(frozen=True)
class EventForm:
    """The fields of events, and the rules for them. It is data, which sets up the scanner too.

    Attributes:
        key: the fields of the idempotency key. Several make a JSON array, since joined text would
            be ambiguous.
        customer: the fields that may name the customer.
        event_name: the field of the event's name, or the name of every event.
        timestamp: when the event happened.
        properties: event → properties. Raises `RefusedLineError`.
        subscription: the field of the subscription. An event that has it needs no customer. None:
            events name no subscription.
        fixed_fields: fields that tell events of this form from others.
        unread: fields that an event of this form must not have.
        not_usage: fields that tell lines that are no usage from events.
        has_plain_payload: True: the payload leaves out the customer's field, the subscription and
            the type of the timestamp. This is the oldest shape, and lakes hold digests of it.
        schemas: the properties that must be there, by event name. None: they are not checked.
        names_of_kind: (members, `attribute` or `dimension`) → the names of that kind. None:
            properties have only one kind.
        key_may_be_place: True: an event without a key has its place in its file as the key.
        prepared: steps that bring an event as sent into the shape that the other fields describe.
            A second time, they change nothing.
        also_reads: names of members that the steps and `properties` read. A name that ends with
            `*` stands for all names that begin so.
        prepared_for_key: members → members in which the key's fields are found. None: they are
            found in the event as sent.
        takes_numbers: True: a number may name a customer or subscription, by its source text.
        key_takes_numbers: True: a number may be part of the key, by its source text.
    """

    key: tuple[Field, ...]
    customer: Customer
    event_name: Field | Constant
    timestamp: Timestamp
    properties: Callable[[Members], Properties] = _MEMBERS_OF_PROPERTIES
    subscription: Field | None = None
    fixed_fields: tuple[FixedField, ...] = ()
    unread: tuple[Unread, ...] = ()
    not_usage: tuple[NotUsage, ...] = ()
    has_plain_payload: bool = False
    schemas: EventSchemas | None = None
    names_of_kind: Callable[[Members, str], frozenset[str]] | None = None
    key_may_be_place: bool = False
    prepared: tuple[Callable[[Members], Members], ...] = ()
    also_reads: tuple[str, ...] = ()
    prepared_for_key: Callable[[Members], Members] | None = None
    takes_numbers: bool = False
    key_takes_numbers: bool = False


@dataclass(frozen=True)
class Dialect:
    """The reader of the events that the customers of a vendor send.

    Attributes:
        form: the fields of an event and the rules for them.
        dedupe_window: how long the vendor remembers a key. None: without limit.
        own_schemas: event schemas that the vendor knows without a declaration. They are checked
            only in sources whose catalog declares event schemas.
        prepared_for_key: becomes `EventForm.prepared_for_key` in sources whose catalog names the
            fields of the key. None: the fields are found in the event as sent.
        layout: how the source writes its files.
    """

    form: EventForm
    dedupe_window: timedelta | None
    own_schemas: tuple[EventSchema, ...] = ()
    prepared_for_key: Callable[[Members], Members] | None = None
    layout: Layout = USUAL

    def in_file(self, path: str) -> "Dialect":
        """The reader of the events in one file. Parts of its path may stand for fields.

        Args:
            path: the path of the file below the landing.
        """
        form, name, customer = self.form, self.form.event_name, self.form.customer
        if not isinstance(name, str | FieldPath):
            form = replace(form, event_name=in_file(name, path))
        if customer.constant is not None:
            customer = replace(customer, constant=in_file(customer.constant, path))
        return replace(self, form=replace(form, customer=customer))

    def read(self, members: Members) -> EventFields:
        """The typed fields of one object.

        Raises:
            NotUsageError: it is no usage, and the form says so.
            RefusedLineError: it is no event of this form.
        """
        return _read(self.form, prepared(self.form, members))


def prepared(form: EventForm, members: Members) -> Members:
    """The members in the shape that the form describes.

    Raises:
        NotUsageError: the object is no usage, and the form says so.
        RefusedLineError: a step finds that the object is no event of this form.
    """
    for step in form.prepared:
        members = step(members)
    for kind in form.not_usage:
        kind.check(members)
    return members


def _read(form: EventForm, members: Members) -> EventFields:
    key = read_key(form, members)
    customer_ref: str | None = None
    subscription_ref: str | None = None
    try:
        for fixed in form.fixed_fields:
            _check_fixed(fixed, members)
        subscription_ref = _subscription(form, members)
        customer_field, customer_ref = _customer(form, members, subscription_ref)
        event_name = (
            text_field(members, form.event_name)
            if isinstance(form.event_name, str | FieldPath)
            else text_of(form.event_name)
        )
        occurred_at, occurred_text = _instant(form.timestamp, members)
        for unread in form.unread:
            if value_of(members, unread.field) is not None:
                raise RefusedLineError(Reason.INVALID_PROPERTY, unread.sentence)
        properties, payload = form.properties(members)
        if form.schemas is not None:
            form.schemas.check(event_name, members, properties, form.names_of_kind)
    except RefusedLineError as refusal:
        refusal.idempotency_key = key
        refusal.customer_ref = _as_text(customer_ref)
        refusal.subscription_ref = _as_text(subscription_ref)
        raise
    # A field that is present is never empty, so an empty text means that it is absent.
    fields: tuple[str, ...] = (
        customer_field,
        customer_ref or "",
        subscription_ref or "",
        event_name,
        occurred_text,
    )
    if form.takes_numbers:
        # 17 and "17" name the same customer. The payload keeps which one was sent.
        fields = (f"{_type(customer_ref)}{_type(subscription_ref)}", *fields)
    if form.has_plain_payload:
        fields = (customer_ref or "", event_name, occurred_text[1:])
    return EventFields(
        idempotency_key=key,
        customer_ref=_as_text(customer_ref),
        subscription_ref=_as_text(subscription_ref),
        event_name=event_name,
        occurred_at=occurred_at,
        properties=properties,
        payload="\x00".join((*fields, payload)),
    )


def _as_text(ref: str | None) -> str | None:
    """The name as a plain text: a number gives its source text."""
    return None if ref is None else str(ref)


def _type(text: str | None) -> str:
    return "n" if type(text) is Number else "s"


def read_key(form: EventForm, members: Members) -> str | None:
    """The idempotency key of an event. None: the event has none, and its place is its key.

    Raises:
        RefusedLineError: a field of the key is missing, of another type, or too long.
    """
    fields = form.key
    if form.prepared_for_key is not None:
        members = form.prepared_for_key(members)
    if form.key_may_be_place and all(is_absent(members, field) for field in fields):
        return None
    parts = [text_field(members, field, takes_numbers=form.key_takes_numbers) for field in fields]
    if len(parts) == 1:
        return str(parts[0])
    # A number keeps its source text: 17 and "17" are two different keys.
    texts = [p if type(p) is Number else json.dumps(p, ensure_ascii=False) for p in parts]
    key = f"[{','.join(texts)}]"
    if len(key.encode()) > NAME_BYTES_MAX:
        raise RefusedLineError(
            Reason.TOO_LARGE,
            f"fields {_listed(fields, 'and')} make a key of more than {NAME_BYTES_MAX} bytes",
        )
    return key


def _check_fixed(fixed: FixedField, members: Members) -> None:
    if value_of(members, fixed.field) is None and not fixed.is_required:
        return
    text = text_field(members, fixed.field)
    if text != fixed.text:
        raise RefusedLineError(
            Reason.MALFORMED,
            f"field {quoted(fixed.field)} must be {fixed.text!a}, found {beginning(text)}",
        )


def _subscription(form: EventForm, members: Members) -> str | None:
    if form.subscription is None or is_absent(members, form.subscription):
        return None
    return text_field(members, form.subscription, takes_numbers=form.takes_numbers)


def _customer(
    form: EventForm, members: Members, subscription_ref: str | None
) -> tuple[str, str | None]:
    present = [field for field in form.customer.fields if not is_absent(members, field)]
    if not present:
        if form.customer.constant is not None:
            return "", text_of(form.customer.constant)
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
    return str(present[0]), text_field(members, present[0], takes_numbers=form.takes_numbers)


def _listed(fields: tuple[Field, ...], conjunction: str) -> str:
    return f" {conjunction} ".join(quoted(field) for field in fields)


def _instant(timestamp: Timestamp, members: Members) -> tuple[int | None, str]:
    # The payload's text begins with its type, since the number 17 is not the text "17".
    value = value_of(members, timestamp.field)
    if value is None:
        if timestamp.is_optional:
            return None, ""
        raise RefusedLineError(Reason.MISSING_FIELD, f"field {quoted(timestamp.field)} is missing")
    is_number = type(value) is Number
    if not (type(value) is str or (is_number and timestamp.takes_numbers)):
        raise RefusedLineError(
            Reason.INVALID_TIMESTAMP,
            f"field {quoted(timestamp.field)} must be {timestamp.expected}, "
            f"found {TYPE_NAMES[type(value)]}",
        )
    text = str(value)
    try:
        return timestamp.parse(text), f"{'n' if is_number else 's'}{text}"
    except ZonelessError as error:
        raise RefusedLineError(
            Reason.INVALID_TIMESTAMP,
            f"field {quoted(timestamp.field)}: {error}; declare it as iso8601_utc, or with an "
            "offset like iso8601+01:00, in source_fields.csv",
        ) from None
    except TimestampError as error:
        raise RefusedLineError(
            Reason.INVALID_TIMESTAMP, f"field {quoted(timestamp.field)}: {error}"
        ) from None
