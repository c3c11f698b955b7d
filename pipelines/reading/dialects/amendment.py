"""Amendments: an event that voids or replaces another one, in every dialect.

Belongs here: the two members that make an event an amendment. Must not be put here: a vendor's
field names, finding the target or what an amendment does to a bill (see the dbt project).

    {"amendment": "void", "target_key": "k1", "transaction_id": "k2"}
    {"amendment": "amend", "target_key": "k1", "transaction_id": "k2", …the whole new event…}

Source: Orb's API reference: `PUT /events/{event_id}` carries the event that replaces the one
ingested under that idempotency key, any number of times, and `PUT /events/{event_id}/deprecate`
has no body. A line of a file has no path and may be delivered twice, so it names the target as
a member and has an idempotency key of its own. Lago documents no amendment.
"""

from enum import StrEnum

from pipelines.reading.dialects.event import EventFields, Members, RefusedLineError, text_field
from pipelines.reading.dialects.form import Dialect, read_key
from pipelines.reading.strict_json import TYPE_NAMES, JsonValue
from pipelines.vocabulary.verdicts import Reason


class Amendment(StrEnum):
    """What an event does to the accepted event that its `target_key` names."""

    VOID = "void"
    AMEND = "amend"


AMENDMENT_FIELD = "amendment"
"""`void` or `amend`; absent or null in an event like any other."""

TARGET_FIELD = "target_key"
"""The idempotency key of the event amended, as Meterline keeps it."""


def read_event(dialect: Dialect, members: Members) -> EventFields:
    """The typed fields of one object, be it an event or an amendment.

    A void has nothing but its own key and its target's; what else stands in it is no part of
    it. The payload of an amendment covers its kind and its target. It begins with a NUL and a
    letter, as no event's does, so the two are never taken for each other.

    Raises:
        RefusedLineError: it is neither; an amendment without time, which would move usage to
            the day of the correction, is refused even where events may leave the time out.
    """
    kind = members.get(AMENDMENT_FIELD)
    if kind is None:
        return dialect.read(members)
    key = read_key(dialect.form, members)
    try:
        amendment = _amendment(kind)
        target_key = text_field(members, TARGET_FIELD)
        if target_key == key:
            raise RefusedLineError(
                Reason.MALFORMED,
                f"field {TARGET_FIELD!a} is the amendment's own key; give it another one",
            )
        fields = _void(key) if amendment is Amendment.VOID else dialect.read(members)
        if amendment is Amendment.AMEND and fields.occurred_at is None:
            raise RefusedLineError(
                Reason.MISSING_FIELD, "an event that replaces another must say when it happened"
            )
    except RefusedLineError as refusal:
        refusal.idempotency_key = key
        raise
    return fields._replace(
        payload="\x00".join(("", "amendment", amendment.value, target_key, fields.payload)),
        amendment=amendment.value,
        target_key=target_key,
    )


def _amendment(kind: JsonValue) -> Amendment:
    kinds = {amendment.value: amendment for amendment in Amendment}
    if type(kind) is str and kind in kinds:
        return kinds[kind]
    found = f"{kind[:64]!a}" if type(kind) is str else TYPE_NAMES[type(kind)]
    raise RefusedLineError(
        Reason.MALFORMED, f"field {AMENDMENT_FIELD!a} must be 'void' or 'amend', found {found}"
    )


def _void(key: str) -> EventFields:
    return EventFields(
        idempotency_key=key,
        customer_ref=None,
        subscription_ref=None,
        event_name=None,
        occurred_at=None,
        properties={},
        payload="",
    )
