"""The examples of `docs/metrics.md`, with the figures worked out by hand."""

from typing import Any

import pytest

from tests.worlds.previews import Case, result_of

APRIL = {"start": "2026-04-01", "end": "2026-05-01"}


def event(clock: str, **properties: object) -> Case:
    return {"occurred_at": f"2026-04-{clock}Z", "properties": properties}


def groups(metric: Case, events: list[Case], period: Case = APRIL) -> Any:
    asked = {"kind": "aggregate", "metric": metric, "events": events, "period": period}
    return [(each["group"], each["quantity"]) for each in result_of(asked)["groups"]]


def test_gigabytes_by_region() -> None:
    metric = {"aggregation": "sum", "value": "bytes / 1000000000", "group_by": ["region"]}
    events = [
        event("02T10:00:00", bytes=2500000000, region="eu"),
        event("03T10:00:00", bytes="1", region="eu"),
        event("04T10:00:00", bytes=1000000000, region="us"),
    ]
    assert groups(metric, events) == [({"region": "eu"}, "2.500000001"), ({"region": "us"}, "1")]


def test_cpu_minutes_of_heartbeats_whose_keys_repeat() -> None:
    metric = {"aggregation": "sum", "value": "cpus * 30 / 60"}
    events = [
        event(f"01T00:0{minute}:{second}", cpus=4) | {"key": f"m1/{minute}/{second}"}
        for minute, second in ((0, "00"), (0, "30"), (1, "00"), (0, "30"))
    ]
    asked = {"kind": "aggregate", "metric": metric, "events": events, "period": APRIL}
    # Three heartbeats of half a minute on four processors.
    assert result_of(asked | {"dedupe": "first"})["groups"][0]["quantity"] == "6"


def test_tokens_that_are_not_cached() -> None:
    metric = {
        "aggregation": "sum",
        "value": "coalesce(input_tokens, 0) + coalesce(output_tokens, 0)",
        "exclude": [{"cached": "true"}],
    }
    events = [
        event("01T00:00:00", input_tokens=1200, output_tokens=340),
        event("01T00:00:01", input_tokens=800),
        event("01T00:00:02", input_tokens=5000, output_tokens=1, cached=True),
    ]
    assert groups(metric, events) == [({}, "2340")]


def test_storage_of_levels() -> None:
    metric = {"aggregation": "weighted_sum", "value": "gb", "values": "levels"}
    events = [event("11T00:00:00", gb=300), event("21T00:00:00", gb=600)]
    # Nothing for 10 days, 300 for 10 and 600 for 10.
    assert groups(metric, events) == [({}, "300")]


def test_seats_by_days() -> None:
    metric = {"aggregation": "unique_count", "value": "user", "operation": "op", "by_days": True}
    events = [
        event("01T09:00:00", user="ada", op="add"),
        event("16T00:00:00", user="ada", op="remove"),
        event("28T12:00:00", user="bob"),
    ]
    # Ada has 15 days, for the 16th begins without her; Bob has the 28th to the 30th.
    assert groups(metric, events) == [({}, "0.6")]


@pytest.mark.parametrize(("empty", "expected"), [("zero", "2"), ("skip", "3")])
def test_95th_percentile_of_bandwidth(empty: str, expected: str) -> None:
    metric = {
        "aggregation": "sum",
        "value": "mbit / 300",
        "bucket": "5 minutes",
        "combine": "percentile",
        "percentile": 95,
        "empty_buckets": empty,
    }
    hours = {"start": "2026-04-01T00:00:00Z", "end": "2026-04-01T02:00:00Z"}
    # 24 buckets; the 23rd of them in order is the second largest of these.
    events = [event(f"01T00:{minute:02}:01", mbit=mbit) for minute, mbit in
              ((0, 300), (5, 600), (10, 450), (11, 450))]  # fmt: skip
    assert groups(metric, events, hours) == [({}, expected)]


def test_slow_answers() -> None:
    metric = {"aggregation": "count", "filters": {"ms": {"gt": "1000"}}}
    events = [event("01T00:00:00", ms=ms) for ms in ("1000", 1000.5, "1e4", "slow")]
    assert groups(metric, [*events, event("01T00:00:00")]) == [({}, "2")]
