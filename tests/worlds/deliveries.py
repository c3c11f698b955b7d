"""Deliveries and their senders as the frames that stages hand each other, and verdicts in the
oracle's words.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

import polars as pl

from pipelines.intake.decide import Verdicts
from pipelines.vocabulary.frames import PARSED_EVENTS, REFUSAL_CUTS, SOURCES
from tests.worlds.oracle import Cuts, Delivery, Position, Sender, Verdict

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
"""An instant without a story: no clock change, no month's end is near."""

TICK = timedelta(microseconds=1)
"""The smallest difference between two instants."""

NO_CUTS = pl.DataFrame(schema=REFUSAL_CUTS)
"""No billing period is closed: nothing is refused as backdated."""


def key_hash(scope: str, key: str) -> int:
    """Any well-spread hash will do; tests of collisions hand in a worse one."""
    digest = hashlib.sha256(f"{scope}\x00{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def event_rows(
    deliveries: Iterable[Delivery],
    senders: Mapping[str, Sender],
    hashed: Callable[[str, str], int] = key_hash,
) -> pl.DataFrame:
    """The deliveries as parsed events, in the order given."""
    rows = []
    for delivery in deliveries:
        scope = senders[delivery.source].dedupe_scope
        rows.append(
            {
                "file_id": delivery.file_id,
                "line": delivery.line,
                "byte_offset": 100 * (delivery.line - 1),
                "byte_length": 99,
                "source": delivery.source,
                "dedupe_scope": scope,
                "key_hash": hashed(scope, delivery.idempotency_key),
                "idempotency_key": delivery.idempotency_key,
                "customer_ref": delivery.customer_ref,
                "subscription_ref": delivery.subscription_ref,
                "event_name": "http_request",
                "occurred_at": delivery.occurred_at,
                "received_at": delivery.received_at,
                "properties": {},
                "payload_digest": delivery.payload,
                "amendment": delivery.amendment,
                "target_key": delivery.target_key,
                "line_sha256": hashlib.sha256(repr(delivery).encode()).digest(),
            }
        )
    return pl.DataFrame(rows, schema=PARSED_EVENTS)


def source_rows(
    senders: Mapping[str, Sender],
    received_at_from: str = "last_modified",
    dialects: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """The senders as the catalog hands them to the stages."""
    rows = [
        {
            "source": source,
            "dialect": (dialects or {}).get(source, "metronome"),
            "dedupe_scope": sender.dedupe_scope,
            "dedupe_window": sender.dedupe_window,
            "max_lateness": sender.max_lateness,
            "future_skew": sender.future_skew,
            "received_at_from": received_at_from,
            "late_lookup": sender.late_lookup,
            "conflicts_expected": sender.conflicts_expected,
        }
        for source, sender in senders.items()
    ]
    return pl.DataFrame(rows, schema=SOURCES)


CDN = source_rows({"cdn": Sender("cdn", None, None, timedelta(days=1))})
"""One sender, `cdn`, whose events are never too late and whose keys are held for ever."""


def cut_rows(cuts: Cuts) -> pl.DataFrame:
    """The step functions of refusal cuts as one frame."""
    rows = [(*ref, from_at, cut) for ref, steps in cuts.items() for from_at, cut in steps]
    return pl.DataFrame(rows, schema=REFUSAL_CUTS, orient="row").sort("kind", "name", "from_at")


def verdicts_found(verdicts: Verdicts) -> dict[Position, Verdict]:
    """What `decide` said, in the oracle's words."""
    found = {
        (file_id, line): Verdict("accepted")
        for file_id, line in verdicts.accepted.select("file_id", "line").iter_rows()
    }
    refused = verdicts.refused.select(
        "file_id", "line", "verdict", "reason_code", "winner_file_id", "winner_line"
    )
    for file_id, line, verdict, reason_code, winner_file_id, winner_line in refused.iter_rows():
        winner = None if winner_file_id is None else (winner_file_id, winner_line)
        found[file_id, line] = Verdict(verdict, reason_code, winner)
    return found
