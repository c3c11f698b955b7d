"""Exports of vendors' own tools, dropped unchanged: each goes through the real stages."""

import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.landing.store import Landing
from tests.hostile.landing_run import Outcome, drop, outcome_of
from tests.worlds.lakes import start_lake

_CALLS: list[tuple[str, dict[str, object]]] = [
    ("page", {"name": "Home", "properties": {"url": "https://x/"}}),
    ("track", {"event": "Exported", "properties": {"rows": 7, "tags": ["a", None]}}),
    ("identify", {"traits": {"email": None}}),
    ("track", {"event": "Exported", "properties": {"rows": None}}),
    ("group", {"groupId": "g", "traits": {}}),
]


SEGMENT: list[dict[str, object]] = [
    {
        "anonymousId": "anon",
        "context": {"library": {"name": "analytics.js"}, "page": {"path": "/"}},
        "messageId": f"ajs-{number}",
        "originalTimestamp": "2026-01-01T00:00:00.000Z",
        "receivedAt": "2026-01-01T00:00:01.000Z",
        "sentAt": "2026-01-01T00:00:00.500Z",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "type": kind,
        "userId": "acme",
        **more,
    }
    for number, (kind, more) in enumerate(_CALLS)
]

STRIPE_CSV = """\
identifier,timestamp,event_name,payload_stripe_customer_id,payload_value
req_1,1767225600,api_call,cus_1,25
,,api_call,cus_1,1
,1767225600,api_call,,1
"""
STRIPE_JSON: list[dict[str, object]] = [
    {
        "identifier": "26ac9e54",
        "timestamp": 1767225600,
        "event_name": "api_call",
        "payload": {"value": 200, "stripe_customer_id": "cus_1"},
    },
    {
        "timestamp": 1767225600,
        "event_name": "api_call",
        "extra_key": "test",
        "payload": {"value": 500, "stripe_customer_id": "cus_1"},
    },
]


def _lines(events: list[dict[str, object]]) -> bytes:
    return "\n".join(json.dumps(event, separators=(",", ":")) for event in events).encode()


def _parquet(*, is_int96: bool = False, **columns: pa.Array) -> bytes:
    names = {
        "transaction_id": pa.array([f"{','.join(columns)}-{n}" for n in range(2)]),
        "customer_id": pa.array(["acme"] * 2),
        "event_type": pa.array(["use"] * 2),
        "timestamp": pa.array(["2026-01-01T00:00:00Z"] * 2),
        **columns,
    }
    file = io.BytesIO()
    pq.write_table(pa.table(names), file, use_deprecated_int96_timestamps=is_int96)
    return file.getvalue()


EXPORTS = {
    "segment/segment-logs/1768003200000/a.ndjson.gz": (
        gzip.compress(_lines(SEGMENT)),
        ["not_usage", "accepted", "not_usage", "accepted", "not_usage"],
    ),
    "segment/segment-logs/1768003200000/pages.ndjson": (
        _lines([SEGMENT[0]] * 3),
        ["not_usage"] * 3,
    ),
    "stripe/usage.csv": (
        STRIPE_CSV.encode(),
        ["blank", "accepted", "accepted", "missing_field"],
    ),
    "stripe/usage_again.csv": (
        STRIPE_CSV.encode(),
        ["blank", "duplicate", "duplicate", "missing_field"],
    ),
    "stripe/usage.json": (json.dumps(STRIPE_JSON, indent=2).encode(), ["accepted"] * 2),
    "stripe/usage.jsonl": (_lines(STRIPE_JSON), ["duplicate", "accepted"]),
    "metronome/unread.parquet": (
        _parquet(
            trace_id=pa.array([b"1234", None], pa.binary(4)),
            score=pa.array([float("nan"), 1.0]),
            seen=pa.array([1, 2], pa.duration("ns")),
        ),
        ["accepted"] * 2,
    ),
    "metronome/nested.parquet": (
        _parquet(properties=pa.array([{"tags": ["a"], "n": 1}, {"tags": None, "n": None}])),
        ["accepted"] * 2,
    ),
    "togai/local.ndjson": (
        _lines(
            [
                {"id": f"t{number}", "accountID": "acme", "schemaName": "use", "timestamp": text}
                for number, text in enumerate(
                    [
                        "2026-01-01 00:00:00 UTC",
                        "2026-01-01 00:00:00+00",
                        "2026-01-01 00:00:00.000 +0000",
                        "2026-01-01T24:00:00Z",
                    ]
                )
            ]
        ),
        ["accepted"] * 3 + ["invalid_timestamp"],
    ),
    "orb/nested.ndjson": (
        _lines(
            [
                {
                    "idempotency_key": f"o{number}",
                    "external_customer_id": "acme",
                    "event_name": "use",
                    "timestamp": "2026-01-01T00:00:00",
                    "properties": properties,
                }
                for number, properties in enumerate([{"n": None}, {"n": [1]}])
            ]
        ),
        ["accepted", "invalid_property"],
    ),
    "metronome/zoneless.parquet": (
        _parquet(timestamp=pa.array([0, 1], pa.timestamp("us"))),
        ["invalid_timestamp"] * 2,
    ),
    "metronome/int96.parquet": (
        _parquet(is_int96=True, timestamp=pa.array([0, 1], pa.timestamp("ns"))),
        ["invalid_timestamp"] * 2,
    ),
}
"""The bytes of each file, and the verdict or reason code of each of its lines."""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("exports")
    drop(folder / "landing", ((path, content) for path, (content, _) in EXPORTS.items()))
    return outcome_of(start_lake(folder / "home"), Landing(str(folder / "landing")))


@pytest.mark.parametrize("path", EXPORTS)
def test_each_line_of_an_export_has_its_verdict(outcome: Outcome, path: str) -> None:
    rows = outcome.files[path]
    first = 0 if path.endswith(".parquet") else 1
    doors = [outcome.door(path, number + first) for number in range(rows["lines"])]

    assert (rows["status"], doors) == ("decided", EXPORTS[path][1])


def test_the_checks_of_a_batch_find_nothing(outcome: Outcome) -> None:
    assert outcome.findings == []
    assert outcome.waiting == 0


def test_what_is_kept_of_an_export_is_what_was_sent(outcome: Outcome) -> None:
    found = {
        place: dict(outcome.accepted[place]["properties"])
        for place in [
            ("segment/segment-logs/1768003200000/a.ndjson.gz", 2),
            ("segment/segment-logs/1768003200000/a.ndjson.gz", 4),
            ("stripe/usage.csv", 2),
            ("metronome/nested.parquet", 0),
            ("metronome/nested.parquet", 1),
        ]
    }

    assert list(found.values()) == [
        {"rows": "7", "tags": '["a",null]'},
        {},
        {"value": "25"},
        {"n": "1", "tags": '["a"]'},
        {},
    ]
