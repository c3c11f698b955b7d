"""Stripe meter events: `identifier`, `event_name`, `timestamp`, `payload`.

Source: Stripe's API reference of meter events, and its pages on recording usage by way of S3. The
timestamp is in Unix seconds (version 1) or RFC 3339 (version 2). The payload holds
`stripe_customer_id`, `value` and further dimensions as texts. Numbers are accepted too, as they are
written. `value` may be absent, since a meter that counts events needs none.

In files for S3, a member or column `payload_value` may stand for `value` inside `payload`. It is
the same event in both forms.

Stripe makes an identifier for an event that has none, and takes the present for its time. Here, the
key is then the place of the event: the digest of its file and its number in it. The time is that of
the file's receipt.
"""

from pipelines.reading.dialects.event import FieldPath, Members
from pipelines.reading.dialects.form import Customer, Dialect, EventForm, Timestamp
from pipelines.reading.dialects.properties import FlatObject
from pipelines.reading.strict_json import with_members
from pipelines.vocabulary.instants import parse_unix_seconds_or_rfc3339

_CUSTOMER = "stripe_customer_id"
_PART = "payload_"


def _with_payload(members: Members) -> Members:
    """The event with its payload as one object, where its parts stand beside each other."""
    if members.get("payload") is not None:
        return members
    parts = {
        name.removeprefix(_PART): member
        for name, member in members.items()
        if name.startswith(_PART)
    }
    return with_members(members, {"payload": parts}) if parts else members


DIALECT = Dialect(
    EventForm(
        key=("identifier",),
        key_may_be_place=True,
        prepared=(_with_payload,),
        also_reads=(f"{_PART}*",),
        customer=Customer((FieldPath(("payload", _CUSTOMER)),)),
        event_name="event_name",
        timestamp=Timestamp(
            parse=parse_unix_seconds_or_rfc3339,
            expected="Unix seconds",
            takes_numbers=True,
            is_optional=True,
        ),
        # The payload holds the customer too, which is not a property.
        properties=FlatObject("payload", without=(_CUSTOMER,)),
    ),
    dedupe_window=None,
)
"""The reader of meter events of Stripe."""
