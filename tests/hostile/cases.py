"""The form of a hostile line: its bytes, its dialect, and the verdict that the design gives it.

The cases are in `lines`, `lines_of_time` and `lines_of_dialects`. Each is built from a good line of
a dialect and overrides. Bytes go into the line as they are, and None leaves a field out. `KEY` in a
line is replaced by the name of its case, so each case has its own key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from pipelines.vocabulary.verdicts import Reason, Verdict
from tests.worlds.file_lines import object_line

KEY = b"%KEY%"
"""The placeholder for the name of the case."""

PLACE_KEY = "the place"
"""Stands in an expected event for the key of an event that has its place as its key."""

RECEIVED_AT = datetime(2026, 1, 1, tzinfo=UTC)
"""When every file of the corpus was received, and when every good line happened."""

FUTURE_SKEW = timedelta(hours=24)
"""The longest time by which an event may be dated ahead, in every source of the corpus."""

DEDUPE_WINDOWS = {"metronome": timedelta(days=34), "togai": timedelta(days=45)}
"""The vendors' windows. In the other dialects a key may never be used again."""

DIALECT_FIELDS: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "cloudevents": {
            "specversion": "1.0",
            "id": b'"%KEY%"',
            "source": "/gateway",
            "subject": "acme",
            "type": "http_request",
            "time": "2026-01-01T00:00:00Z",
            "data": b'{"bytes":"512"}',
        },
        "custom": {
            "idempotency_key": b'"%KEY%"',
            "customer": "acme",
            "event_name": "http_request",
            "timestamp": "2026-01-01T00:00:00Z",
            "properties": b'{"bytes":"512"}',
        },
        "lago": {
            "transaction_id": b'"%KEY%"',
            "external_customer_id": "acme",
            "code": "http_request",
            "timestamp": b"1767225600",
            "properties": b'{"bytes":"512"}',
        },
        "metronome": {
            "transaction_id": b'"%KEY%"',
            "customer_id": "acme",
            "event_type": "http_request",
            "timestamp": "2026-01-01T00:00:00Z",
            "properties": b'{"bytes":"512"}',
        },
        "orb": {
            "idempotency_key": b'"%KEY%"',
            "external_customer_id": "acme",
            "event_name": "http_request",
            "timestamp": "2026-01-01T00:00:00Z",
            "properties": b'{"bytes":"512"}',
        },
        "segment": {
            "type": "track",
            "messageId": b'"%KEY%"',
            "userId": "acme",
            "event": "http_request",
            "timestamp": "2026-01-01T00:00:00Z",
            "properties": b'{"bytes":"512"}',
        },
        "stripe": {
            "identifier": b'"%KEY%"',
            "event_name": "http_request",
            "timestamp": b"1767225600",
            "payload": b'{"stripe_customer_id":"acme","bytes":"512"}',
        },
        "togai": {
            "id": b'"%KEY%"',
            "schemaName": "http_request",
            "timestamp": "2026-01-01T00:00:00Z",
            "accountID": "acme",
            "dimensions": b'{"bytes":"512"}',
        },
    }
)
"""The fields of a good event of each dialect. All of them report the same usage."""


@dataclass(frozen=True)
class HostileLine:
    """One line and its expected verdict.

    Attributes:
        name: the name of the case. It is also the idempotency key, unless the line has another.
        line: the bytes without the line end.
        dialect: the dialect of its source.
        verdict: one of `Verdict`, or `blank`.
        reason_code: the reason code of a rejection. None: the line is not rejected.
        sentence: a part of the reason. Empty: any reason.
        reads: the columns of an accepted event that differ from those of a good one.
        winner: the case whose key the line repeats. None: its key is new.
        records: text and verdict or reason code of each record, if the line holds several.
    """

    name: str
    line: bytes
    dialect: str
    verdict: str
    reason_code: str | None = None
    sentence: str = ""
    reads: Mapping[str, Any] = field(default_factory=dict)
    winner: str | None = None
    records: tuple[tuple[bytes, str], ...] = ()

    @property
    def content(self) -> bytes:
        """The bytes of the line as they land, with the key filled in."""
        return self.line.replace(KEY, self.name.encode())


def line_of(dialect: str, /, **overrides: object) -> bytes:
    """A good line of the dialect, changed by `overrides`."""
    return object_line({**DIALECT_FIELDS[dialect], **overrides})


def good_line(dialect: str, key: str) -> bytes:
    """A line that must be accepted beside any other lines."""
    return line_of(dialect).replace(KEY, key.encode())


def good_columns(dialect: str, key: str) -> dict[str, Any]:
    """The columns of the event that a good line becomes."""
    return {
        "idempotency_key": f'["/gateway","{key}"]' if dialect == "cloudevents" else key,
        "customer_ref": "acme",
        "subscription_ref": None,
        "event_name": "http_request",
        "occurred_at": RECEIVED_AT,
        "properties": {"bytes": "512"},
    }


def metronome(**overrides: object) -> bytes:
    """A good line of Metronome's dialect, changed by `overrides`."""
    return line_of("metronome", **overrides)


def with_property(text: bytes) -> bytes:
    """A line of Metronome's dialect whose only property `n` has this JSON text."""
    return metronome(properties=b'{"n":' + text + b"}")


def accepted(name: str, line: bytes, dialect: str = "metronome", **reads: object) -> HostileLine:
    """A line that looks hostile and is a good event. `reads` are the columns that differ."""
    return HostileLine(name, line, dialect, Verdict.ACCEPTED, reads=reads)


def rejected(
    name: str, reason: Reason, sentence: str, line: bytes, dialect: str = "metronome"
) -> HostileLine:
    """A line that is not an event, or one that happened too early or too late."""
    return HostileLine(name, line, dialect, Verdict.REJECTED, reason.value, sentence)


def malformed(name: str, sentence: str, line: bytes, dialect: str = "metronome") -> HostileLine:
    """A line that is not strict JSON, or that has a field of another type."""
    return rejected(name, Reason.MALFORMED, sentence, line, dialect)


def blank(name: str, line: bytes) -> HostileLine:
    """A line that holds only white space."""
    return HostileLine(name, line, "metronome", "blank")


def not_usage(name: str, sentence: str, line: bytes, dialect: str) -> HostileLine:
    """A line that its source calls no usage."""
    return HostileLine(name, line, dialect, Verdict.NOT_USAGE, None, sentence)


def several(
    name: str, line: bytes, *records: tuple[bytes, str], dialect: str = "metronome"
) -> HostileLine:
    """A line that holds several records, of which the first is a good event."""
    return HostileLine(name, line, dialect, Verdict.ACCEPTED, records=records)


def repeats(name: str, winner: str, line: bytes, dialect: str = "metronome") -> HostileLine:
    """A second delivery of an event."""
    sentence = f"repeats the event accepted from {dialect}/lines"
    return HostileLine(name, line, dialect, Verdict.DUPLICATE, None, sentence, winner=winner)


def contradicts(name: str, winner: str, line: bytes, dialect: str = "metronome") -> HostileLine:
    """A second delivery of a key with another payload."""
    return HostileLine(
        name, line, dialect, Verdict.CONFLICT, None, "but another payload", winner=winner
    )
