"""Scan forms: turns the form of a dialect into the scanner's tables, if the scanner can read it."""

from collections.abc import Callable

import numpy as np

from pipelines.reading.dialects import EventForm
from pipelines.reading.dialects.properties import FlatObject
from pipelines.reading.scanner.compiled import WORD_BYTES
from pipelines.reading.scanner.lines import (
    CUSTOMER,
    EVENT_NAME,
    INSTANT,
    KEY,
    PROPERTIES,
    RFC3339,
    SUBSCRIPTION,
    UNIX_OR_RFC3339,
    UNUSUAL,
    Form,
)
from pipelines.vocabulary.instants import (
    parse_iso8601,
    parse_iso8601_utc,
    parse_rfc3339,
    parse_unix_seconds_or_rfc3339,
)

_INSTANTS: dict[Callable[[str], int], int] = {
    parse_rfc3339: RFC3339,
    # An instant of another form, or without a zone, is left to the strict reader.
    parse_iso8601: RFC3339,
    parse_iso8601_utc: RFC3339,
    parse_unix_seconds_or_rfc3339: UNIX_OR_RFC3339,
}
_ALWAYS_UNUSUAL = ("event", "amendment", "target_key")


def scan_form(form: EventForm, dedupe_scope: str) -> Form | None:
    """The scanner's form of a dialect. None: only the strict reader can read the dialect.

    Args:
        form: the form of the dialect.
        dedupe_scope: the scope of the keys. Every key's hash covers it.
    """
    instant = _INSTANTS.get(form.timestamp.parse)
    is_simple = (
        instant is not None
        and form.timestamp.takes_numbers == (instant == UNIX_OR_RFC3339)
        and len(form.key) == 1
        and not (form.key_may_be_place or form.prepared)
        and form.prepared_for_key is None
        and not (form.key_takes_numbers or form.takes_numbers)
        and form.customer.is_exclusive
        and form.customer.constant is None
        and not (form.fixed_fields or form.not_usage)
        and form.schemas is None
        and isinstance(form.properties, FlatObject)
        and not form.properties.without
    )
    if not is_simple or instant is None or not isinstance(form.properties, FlatObject):
        return None
    fields = [
        (form.key[0], KEY),
        *((field, CUSTOMER) for field in form.customer.fields),
        (form.event_name, EVENT_NAME),
        (form.timestamp.field, INSTANT),
        (form.properties.field, PROPERTIES),
        *((unread.field, UNUSUAL) for unread in form.unread),
        *((name, UNUSUAL) for name in _ALWAYS_UNUSUAL),
    ]
    if form.subscription is not None:
        fields.append((form.subscription, SUBSCRIPTION))
    names = [field.encode() for field, _ in fields if isinstance(field, str)]
    if len(set(names)) != len(fields):
        return None
    joined = b"".join(names) + bytes(WORD_BYTES)
    return Form(
        names=np.frombuffer(joined, np.uint8).copy(),
        name_ends=np.cumsum([len(name) for name in names]).astype(np.int64),
        roles=np.array([role for _, role in fields], np.int64),
        instant=instant,
        instant_is_optional=form.timestamp.is_optional,
        names_customer_field=not form.has_plain_payload,
        scope_bytes=len(dedupe_scope.encode()) + 1,
    )
