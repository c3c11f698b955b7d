"""What a hostile line is: its bytes, its dialect, and the verdict that the design gives it.

Belongs here: the form of a case, and good lines of each dialect to build it from. Must not be
put here: the cases (see `lines`, `lines_of_time`, `lines_of_dialects`), or how they are run.

A line is written with overrides of a good one: bytes stand in it as they are, None leaves a
field out. `KEY` in a line is replaced by the case's name, so each case has a key of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from pipelines.vocabulary.verdicts import Reason, Verdict
from tests.worlds.file_lines import object_line

KEY = b"%KEY%"
"""Stands for the name of its case."""

RECEIVED_AT = datetime(2026, 1, 1, tzinfo=UTC)
"""When every file of the corpus was received, and when a good line says it happened."""

FUTURE_SKEW = timedelta(hours=24)
"""How far ahead an event may be dated, in every source of the corpus."""

DEDUPE_WINDOWS = {"metronome": timedelta(days=34), "togai": timedelta(days=45)}
"""The vendors' windows; the other dialects' keys repeat never."""

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
"""A good event of each dialect, field by field; all of them say the same."""


@dataclass(frozen=True)
class HostileLine:
    """One line and what must become of it.

    Attributes:
        name: of the case, and its idempotency key unless the line says another.
        line: its bytes without the line end.
        dialect: of the source it is landed for.
        verdict: one of `Verdict`, or `blank`.
        reason_code: where it is rejected.
        sentence: a part of the reason a person reads.
        reads: what differs from a good event's columns where it is accepted.
        winner: the case it repeats or contradicts.
    """

    name: str
    line: bytes
    dialect: str
    verdict: str
    reason_code: str | None = None
    sentence: str = ""
    reads: Mapping[str, Any] = field(default_factory=dict)
    winner: str | None = None

    @property
    def content(self) -> bytes:
        """The line as it lands."""
        return self.line.replace(KEY, self.name.encode())


def line_of(dialect: str, /, **overrides: object) -> bytes:
    """A good line of the dialect, or one that differs from it by `overrides`."""
    return object_line({**DIALECT_FIELDS[dialect], **overrides})


def good_line(dialect: str, key: str) -> bytes:
    """A line that must be accepted, whatever stands beside it."""
    return line_of(dialect).replace(KEY, key.encode())


def good_columns(dialect: str, key: str) -> dict[str, Any]:
    """How a good line reads."""
    return {
        "idempotency_key": f'["/gateway","{key}"]' if dialect == "cloudevents" else key,
        "customer_ref": "acme",
        "subscription_ref": None,
        "event_name": "http_request",
        "occurred_at": RECEIVED_AT,
        "properties": {"bytes": "512"},
    }


def metronome(**overrides: object) -> bytes:
    """A line of Metronome's dialect: see `line_of`."""
    return line_of("metronome", **overrides)


def with_property(text: bytes) -> bytes:
    """A line of Metronome's dialect whose one property `n` is this JSON text."""
    return metronome(properties=b'{"n":' + text + b"}")


def accepted(name: str, line: bytes, dialect: str = "metronome", **reads: object) -> HostileLine:
    """A line that looks hostile and is a good event; `reads` are its columns that differ."""
    return HostileLine(name, line, dialect, Verdict.ACCEPTED, reads=reads)


def rejected(
    name: str, reason: Reason, sentence: str, line: bytes, dialect: str = "metronome"
) -> HostileLine:
    """A line that is no event, or one out of time."""
    return HostileLine(name, line, dialect, Verdict.REJECTED, reason.value, sentence)


def malformed(name: str, sentence: str, line: bytes, dialect: str = "metronome") -> HostileLine:
    """A line that is not strict JSON, or whose field has another type."""
    return rejected(name, Reason.MALFORMED, sentence, line, dialect)


def blank(name: str, line: bytes) -> HostileLine:
    """A line of white space."""
    return HostileLine(name, line, "metronome", "blank")


def repeats(name: str, winner: str, line: bytes, dialect: str = "metronome") -> HostileLine:
    """A second delivery of an event."""
    sentence = "repeats the event accepted from file"
    return HostileLine(name, line, dialect, Verdict.DUPLICATE, None, sentence, winner=winner)


def contradicts(name: str, winner: str, line: bytes, dialect: str = "metronome") -> HostileLine:
    """A second delivery of a key with another payload."""
    return HostileLine(
        name, line, dialect, Verdict.CONFLICT, None, "but another payload", winner=winner
    )
