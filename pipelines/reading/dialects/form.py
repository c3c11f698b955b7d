"""Event forms: where a vendor's event has its fields, declared, and the one reader of them all.

Belongs here: what can be said of a vendor by naming fields and choosing among rules. Must not
be put here: a vendor's field names (see its module), JSON (see `strict_json`).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from pipelines.reading.dialects.event import (
    EventFields,
    Field,
    Members,
    RefusedLineError,
    is_absent,
    named,
    text_field,
    value_of,
)
from pipelines.reading.dialects.properties import FlatObject, Properties
from pipelines.reading.strict_json import TYPE_NAMES, Number
from pipelines.vocabulary.instants import TimestampError
from pipelines.vocabulary.limits import NAME_BYTES_MAX
from pipelines.vocabulary.verdicts import Reason


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
class Always:
    """A name that every event of a form has, and none says."""

    text: str


@dataclass(frozen=True)
class EventSchema:
    """What events of one name must have.

    Attributes:
        event_name: the events.
        attributes: names that must be there as attributes.
        dimensions: names that must be there as dimensions.
    """

    event_name: str
    attributes: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()


@dataclass(frozen=True)
class EventSchemas:
    """All names that events may have, each with what it must have; each name once."""

    declared: tuple[EventSchema, ...]

    @cached_property
    def by_name(self) -> dict[str, EventSchema]:
        """Schema by name of event."""
        return {schema.event_name: schema for schema in self.declared}


_MEMBERS_OF_PROPERTIES = FlatObject("properties")


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
        schemas: what must be there by event name; None is not checked.
        names_of_kind: members and `attribute` or `dimension` → names of that kind; None
            where properties are of one kind.
        prepared_for_key: members → members in which the key's fields are found.
        takes_numbers: whether numbers name customers and subscriptions: their source text.
        key_takes_numbers: whether numbers are parts of the key.
        constants: what tells an event of this form from others.
        unread: what an event of this form must not have.
        has_plain_payload: whether the payload names neither the customer's field, nor a
            subscription, nor the timestamp's type: the oldest shape, which is in lakes.
    """

    key: tuple[Field, ...]
    customer: Customer
    event_name: Field | Always
    timestamp: Timestamp
    properties: Callable[[Members], Properties] = _MEMBERS_OF_PROPERTIES
    subscription: Field | None = None
    constants: tuple[Constant, ...] = ()
    unread: tuple[Unread, ...] = ()
    has_plain_payload: bool = False
    schemas: EventSchemas | None = None
    names_of_kind: Callable[[Members, str], frozenset[str]] | None = None
    prepared_for_key: Callable[[Members], Members] | None = None
    takes_numbers: bool = False
    key_takes_numbers: bool = False


@dataclass(frozen=True)
class Dialect:
    """How a vendor's customers send events.

    Attributes:
        form: where an event has its fields.
        dedupe_window: how long the vendor remembers a key. None: without limit.
        own_schemas: event schemas that the vendor knows without a declaration. They are checked
            only in sources whose catalog declares event schemas.
        prepared_for_key: becomes `EventForm.prepared_for_key` in sources whose catalog names the
            fields of the key. None: the fields are found in the event as sent.
    """

    form: EventForm
    dedupe_window: timedelta | None
    own_schemas: tuple[EventSchema, ...] = ()
    prepared_for_key: Callable[[Members], Members] | None = None

    def read(self, members: Members) -> EventFields:
        """The typed fields of one object.

        Raises:
            RefusedLineError: it is no event of this form.
        """
        return _read(self.form, members)


def _read(form: EventForm, members: Members) -> EventFields:
    key = read_key(form, members)
    try:
        for constant in form.constants:
            _check_constant(constant, members)
        subscription_ref = _subscription(form, members)
        customer_field, customer_ref = _customer(form, members, subscription_ref)
        event_name = (
            form.event_name.text
            if isinstance(form.event_name, Always)
            else text_field(members, form.event_name)
        )
        occurred_at, occurred_text = _instant(form.timestamp, members)
        for unread in form.unread:
            if value_of(members, unread.field) is not None:
                raise RefusedLineError(Reason.INVALID_PROPERTY, unread.sentence)
        properties, payload = form.properties(members)
        if form.schemas is not None:
            _check_schema(form, form.schemas, event_name, members, properties)
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
    if form.takes_numbers:
        # What a customer or subscription is written as: 17 and "17" are one name, sent twice.
        fields = (f"{_type(customer_ref)}{_type(subscription_ref)}", *fields)
    if form.has_plain_payload:
        fields = (customer_ref or "", event_name, occurred_text[1:])
    return EventFields(
        idempotency_key=key,
        customer_ref=None if customer_ref is None else str(customer_ref),
        subscription_ref=None if subscription_ref is None else str(subscription_ref),
        event_name=event_name,
        occurred_at=occurred_at,
        properties=properties,
        payload="\x00".join((*fields, payload)),
    )


def _type(text: str | None) -> str:
    return "n" if type(text) is Number else "s"


def read_key(form: EventForm, members: Members) -> str:
    """The key of an event, all that a void has of one; raises `RefusedLineError`."""
    fields = form.key
    if form.prepared_for_key is not None:
        members = form.prepared_for_key(members)
    parts = [text_field(members, field, takes_numbers=form.key_takes_numbers) for field in fields]
    if len(parts) == 1:
        return str(parts[0])
    # A number keeps its source text, so that 17 and "17" are two keys.
    texts = [p if type(p) is Number else json.dumps(p, ensure_ascii=False) for p in parts]
    key = f"[{','.join(texts)}]"
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


def _check_schema(
    form: EventForm,
    schemas: EventSchemas,
    event_name: str,
    members: Members,
    properties: dict[str, str],
) -> None:
    schema = schemas.by_name.get(event_name)
    if schema is None:
        raise RefusedLineError(
            Reason.SCHEMA_VIOLATION, f"no event schema is declared for {event_name[:64]!a}"
        )
    for kind, names in (("attribute", schema.attributes), ("dimension", schema.dimensions)):
        found = properties if form.names_of_kind is None else form.names_of_kind(members, kind)
        for name in names:
            if name not in found:
                raise RefusedLineError(
                    Reason.SCHEMA_VIOLATION,
                    f"the {kind} {name[:64]!a} that event schema {event_name[:64]!a} declares "
                    "is missing",
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
