"""Files of two dialects through the parser and the verdicts, as one batch."""

from dataclasses import replace
from datetime import timedelta

import polars as pl

from pipelines.intake.decide import KNOWN_KEYS_COLUMNS, decide
from pipelines.reading.parse import FileOrigin
from pipelines.vocabulary.frames import PARSED_EVENTS
from tests.worlds.deliveries import NO_CUTS, source_rows
from tests.worlds.file_lines import ORIGIN, parse_content
from tests.worlds.oracle import Sender

DAY_MICROSECONDS = 24 * 3_600 * 1_000_000

LAGO = b"""\
{"transaction_id":"k1","external_subscription_id":"sub-1","code":"calls","properties":{"n":1.10}}
{"event":{"properties":{"n":1.10},"code":"calls","external_subscription_id":"sub-1","transaction_id":"k1"}}
{"transaction_id":"k1","external_subscription_id":"sub-1","code":"calls","properties":{"n":1.1}}
{"transaction_id":"k1","external_subscription_id":"sub-1","code":"calls","timestamp":1767225600}

{"transaction_id":"k2","code":"calls"}
{"transaction_id":"k3","external_customer_id":"acme","code":"calls","timestamp":"1767225600.5"}
{"transaction_id":"k4","external_customer_id":"acme","code":"calls","timestamp":1767315600}
"""
"""A file received at 2026-01-01T00:00:00Z; its last line occurred 25 hours later."""

TOGAI = b"""\
{"schemaName":"trip","id":"k1","timestamp":"2025-12-31T23:00:00.5","accountId":"acme",\
"attributes":[{"name":"km","value":"12.30","unit":"km"}],"dimensions":{"city":"Bern"}}
{"id":"k1","schemaName":"trip","accountId":"acme","timestamp":"2025-12-31T23:00:00.5",\
"dimensions":{"city":"Bern"},"attributes":[{"unit":"km","value":"12.30","name":"km"}]}
"""

SENDERS = source_rows(
    {
        "lago_app": Sender("lago_app", None, None, timedelta(days=1)),
        "trips": Sender("trips", timedelta(days=45), timedelta(days=100), timedelta(days=1)),
    }
)


def origin(file_id: int, source: str, days: int = 0) -> FileOrigin:
    received_at = ORIGIN.received_at + days * DAY_MICROSECONDS
    return replace(
        ORIGIN, file_id=file_id, source=source, dedupe_scope=source, received_at=received_at
    )


def test_two_dialects_are_decided_in_one_batch() -> None:
    files = [
        parse_content(LAGO, origin=origin(1, "lago_app"), dialect="lago"),
        parse_content(TOGAI, origin=origin(2, "trips"), dialect="togai"),
        # A day later the same lines are the same events. Lago's first line has another instant
        # then, but the instant is no part of its payload.
        parse_content(LAGO, origin=origin(3, "lago_app", days=1), dialect="lago"),
        parse_content(TOGAI, origin=origin(4, "trips", days=44), dialect="togai"),
        parse_content(TOGAI, origin=origin(5, "trips", days=45), dialect="togai"),
    ]

    verdicts = decide(
        pl.concat([file.events for file in files]),
        pl.DataFrame(schema={name: PARSED_EVENTS[name] for name in KNOWN_KEYS_COLUMNS}),
        SENDERS,
        NO_CUTS,
    )

    assert [(file.lines, file.blank, file.reasons) for file in files] == [
        (8, 1, {6: "missing_field"}),
        (2, 0, {}),
        (8, 1, {6: "missing_field"}),
        (2, 0, {}),
        (2, 0, {}),
    ]
    assert verdicts.accepted.select(
        "file_id", "line", "idempotency_key", "customer_ref", "subscription_ref"
    ).rows() == [
        (1, 1, "k1", None, "sub-1"),
        (1, 7, "k3", "acme", None),
        (2, 1, "k1", "acme", None),
        # A day later, that instant is only an hour ahead.
        (3, 8, "k4", "acme", None),
        (5, 1, "k1", "acme", None),
    ]
    assert verdicts.refused.select(
        "file_id", "line", "verdict", "reason_code", "winner_file_id", "winner_line"
    ).rows() == [
        (1, 2, "duplicate", None, 1, 1),
        (1, 3, "conflict", None, 1, 1),
        (1, 4, "conflict", None, 1, 1),
        (1, 8, "rejected", "future", None, None),
        (2, 2, "duplicate", None, 2, 1),
        (3, 1, "duplicate", None, 1, 1),
        (3, 2, "duplicate", None, 1, 1),
        (3, 3, "conflict", None, 1, 1),
        (3, 4, "conflict", None, 1, 1),
        (3, 7, "duplicate", None, 1, 7),
        (4, 1, "duplicate", None, 2, 1),
        (4, 2, "duplicate", None, 2, 1),
        (5, 2, "duplicate", None, 5, 1),
    ]


def test_a_timestamp_left_out_is_received_at() -> None:
    (first, *_) = parse_content(LAGO, origin=origin(1, "lago_app"), dialect="lago").events.rows(
        named=True
    )

    assert first["occurred_at"] == first["received_at"]
    assert dict(first["properties"]) == {"n": "1.10"}


def test_the_envelope_leaves_the_line_where_it_is() -> None:
    events = parse_content(LAGO, origin=origin(1, "lago_app"), dialect="lago").events
    lines = LAGO.split(b"\n")

    for line, start, length in events.select("line", "byte_offset", "byte_length").iter_rows():
        assert LAGO[start : start + length] == lines[line - 1]
