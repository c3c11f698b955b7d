"""Amendments: events that void or replace another event, in every dialect.

    {"amendment": "void", "target_key": "k1", "transaction_id": "k2"}
    {"amendment": "amend", "target_key": "k1", "transaction_id": "k2", …the whole new event…}

The dbt project finds the target, and decides what an amendment does to a bill.

Source: Orb's API reference. `PUT /events/{event_id}` carries the event that replaces the one sent
under that key, any number of times. `PUT /events/{event_id}/deprecate` has no body. A line of a
file has no path and may be delivered twice. So it names its target in a member, and has an
idempotency key of its own. Lago documents no amendment.
"""

from enum import StrEnum

from pipelines.reading.dialects.event import EventFields, Members, RefusedLineError, text_field
from pipelines.reading.dialects.form import Dialect, prepared, read_key
from pipelines.reading.strict_json import TYPE_NAMES, JsonValue
from pipelines.vocabulary.verdicts import Reason
from pipelines.vocabulary.visible import beginning


class Amendment(StrEnum):
    """The effect of an event on the accepted event that its `target_key` names."""

    VOID = "void"
    AMEND = "amend"


AMENDMENT_FIELD = "amendment"
"""The member that says `void` or `amend`. It is absent or null in any other event."""

TARGET_FIELD = "target_key"
"""The member with the idempotency key of the amended event, as Meterline stores it."""


def read_event(dialect: Dialect, members: Members) -> EventFields:
    """The typed fields of one object: an event or an amendment.

    A void has two fields, its own key and its target's. Its other members are ignored.

    An event that replaces another must have a timestamp, even where the vendor makes it optional.
    Otherwise it would take the `received_at` of the correction. Example: usage of 3 May that is
    corrected on 20 June would be billed in June.

    The payload of an amendment covers its kind and its target. It begins with a NUL and a letter.
    The payload of an event never does, so the two cannot be confused.

    Args:
        dialect: the reader of the source's events.
        members: the members of one object.

    Raises:
        NotUsageError: the object is no usage, and the source says so.
        RefusedLineError: the object is neither an event of the dialect nor an amendment.
    """
    kind = members.get(AMENDMENT_FIELD)
    if kind is None:
        return dialect.read(members)
    members = prepared(dialect.form, members)
    key = read_key(dialect.form, members)
    if key is None:
        # At its place, a second delivery of an amendment would be another amendment.
        raise RefusedLineError(Reason.MISSING_FIELD, "an amendment must have a key of its own")
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
    found = beginning(kind) if type(kind) is str else TYPE_NAMES[type(kind)]
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
