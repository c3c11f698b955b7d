"""Calendar and preview: shows what billing periods cost, and what a call of preview costs.

`python -m bench.periods` measures four processes. The first makes the monthly periods of three
years of 100,000 subscriptions, the second the same with starts at times of day, changes of plan
and pauses in many zones. The third answers 5,000 cases of periods and shares with
`meterline preview`, the fourth 5,000 cases of quantities of 300 metrics. Each prints wall time, CPU
time and peak memory, start included.
"""

import argparse
import json
import random
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from bench.benchmark import describe_machine
from bench.child_usage import measure

SUBSCRIPTIONS = 100_000
CASES = 5_000
METRICS = 300
YEARS_OF_OPEN_TIME = 3

_START = datetime(2023, 1, 1, tzinfo=UTC)
_UNTIL = _START + timedelta(days=366 * YEARS_OF_OPEN_TIME - 1)
_ZONES = ("Etc/UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "America/Sao_Paulo",
          "Australia/Sydney", "Asia/Kolkata", "Europe/London", "America/Los_Angeles")  # fmt: skip


def make_periods(count: int, *, is_mixed: bool) -> int:
    """The number of periods of so many subscriptions; mixed: with instants, phases and pauses."""
    from pipelines.periods.lives import PAUSES, PHASES, Lives
    from pipelines.periods.lives import SUBSCRIPTIONS as COLUMNS
    from pipelines.periods.open_periods import open_periods
    from pipelines.vocabulary.frames import CLOSED_SPANS

    chance = random.Random(14)
    rows, phases, pauses = [], [], []
    for number in range(count):
        name = f"sub-{number:06}"
        start_at = _START + timedelta(seconds=chance.randrange(86_400 * 28) if is_mixed else 0)
        start: dict[str, object] = (
            {"date": None, "at": start_at} if is_mixed else {"date": start_at.date(), "at": None}
        )
        rows.append(
            {
                "subscription_id": name,
                "customer_id": f"customer-{number:06}",
                "plan_code": "plan",
                "currency": "USD",
                "time_zone": chance.choice(_ZONES) if is_mixed else "Europe/Berlin",
                "grace_period_days": 3,
                "late_usage_policy": "reject",
                "interval": "month",
                "interval_count": 1,
                "anchor": "anniversary" if is_mixed else "calendar",
                "start_date": start,
                "until_at": _UNTIL,
            }
        )
        if is_mixed and number % 2:
            change_at = start_at + timedelta(days=chance.randrange(30, 900))
            at = {"date": None, "at": change_at}
            phases.append({"subscription_id": name, "from": at, "plan_code": "next",
                           "currency": "USD", "realign": number % 4 == 1})  # fmt: skip
            later = {"date": None, "at": change_at + timedelta(days=20)}
            pauses.append({"subscription_id": name, "from": at, "to": later})
    lives = Lives(
        pl.DataFrame(rows, COLUMNS), pl.DataFrame(phases, PHASES), pl.DataFrame(pauses, PAUSES)
    )
    return open_periods(lives, CLOSED_SPANS.to_frame()).height


def cases(count: int) -> list[dict[str, object]]:
    """Cases of both kinds, each another one."""
    chance = random.Random(14)
    made: list[dict[str, object]] = []
    for number in range(count):
        start = _START + timedelta(seconds=chance.randrange(86_400 * 900))
        zone = chance.choice(_ZONES)
        if number % 3 == 0:
            half = f"{start + timedelta(days=15):%Y-%m-%d}"
            end = f"{start + timedelta(days=30):%Y-%m-%d}"
            spans = {"full": {"start": f"{start:%Y-%m-%d}", "end": end}}
            parts = [
                {"amount": "-30", "service": {"start": half, "end": end}, **spans},
                {"amount": "60", "service": {"start": half, "end": end}, **spans},
            ]
            made.append({"id": str(number), "kind": "prorate", "time_zone": zone, "parts": parts})
            continue
        interval = chance.choice(["day", "week", "month", "quarter", "half_year", "year"])
        life: dict[str, object] = {
            "start_date": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "interval": interval,
        }
        change = f"{start + timedelta(days=chance.randrange(2, 200)):%Y-%m-%dT%H:%M:%SZ}"
        if number % 2:
            life["phases"] = [{"from": change, "plan_code": "next", "realign": True}]
        asked: dict[str, object] = (
            {"count": 12} if number % 5 else {"at": f"{start + timedelta(days=800):%Y-%m-%d}"}
        )
        made.append({"id": str(number), "kind": "periods", "time_zone": zone,
                     "subscription": life, **asked})  # fmt: skip
    return made


def quantity_cases(count: int, metrics: int) -> list[dict[str, object]]:
    """Cases of 20 events each, which ask for so many metrics of every aggregation."""
    chance = random.Random(15)
    by_aggregation: list[dict[str, object]] = [
        {"aggregation": "count"},
        {"aggregation": "sum", "value": "bytes / 1000", "group_by": ["region"]},
        {"aggregation": "max", "value": "bytes", "bucket": "hour", "combine": "sum"},
        {"aggregation": "average", "value": "bytes"},
        {"aggregation": "latest", "value": "seats", "recurring": True},
        {"aggregation": "unique_count", "value": "user"},
        {"aggregation": "weighted_sum", "value": "seats"},
        {"aggregation": "percentile", "value": "bytes", "percentile": 95},
    ]
    made: list[dict[str, object]] = []
    for number in range(count):
        least = number % metrics
        metric = by_aggregation[least % len(by_aggregation)]
        instants = [timedelta(seconds=chance.randrange(86_400 * 31)) for _ in range(20)]
        events = [
            {
                "occurred_at": f"{_START + after:%Y-%m-%dT%H:%M:%SZ}",
                "properties": {
                    "bytes": str(chance.randrange(10**9)),
                    "seats": str(chance.randrange(1, 9)),
                    "user": f"user {chance.randrange(7)}",
                    "region": chance.choice(["eu", "us"]),
                },
            }
            for after in instants
        ]
        made.append(
            {
                "id": str(number),
                "kind": "aggregate",
                "metric": metric | {"filters": {"bytes": {"gte": str(least)}}},
                "events": events,
                "period": {"start": f"{_START:%Y-%m-%d}", "end": "2023-02-01"},
            }
        )
    return made


def main() -> None:
    """Measures the three processes, or is one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=["dates", "mixed"])
    part = parser.parse_args().part
    if part:
        print(make_periods(SUBSCRIPTIONS, is_mixed=part == "mixed"))
        return
    print(describe_machine())
    with tempfile.TemporaryDirectory() as folder:
        path, quantities = Path(folder) / "cases.ndjson", Path(folder) / "quantities.ndjson"
        path.write_text("".join(f"{json.dumps(case)}\n" for case in cases(CASES)))
        asked = quantity_cases(CASES, METRICS)
        quantities.write_text("".join(f"{json.dumps(case)}\n" for case in asked))
        answers = Path(folder) / "answers.ndjson"
        module = [sys.executable, "-m"]
        for name, command in (
            ("100,000 monthly, by dates", [*module, "bench.periods", "--part", "dates"]),
            ("100,000 monthly, mixed", [*module, "bench.periods", "--part", "mixed"]),
            (
                "5,000 cases of periods and shares",
                [*module, "pipelines.cli", "preview", str(path), "--out", str(answers)],
            ),
            (
                "5,000 cases of quantities",
                [*module, "pipelines.cli", "preview", str(quantities), "--out", str(answers)],
            ),
        ):
            usage = measure(command)
            peak = usage.peak_rss_bytes / 2**20
            print(f"{name}: {usage.seconds:.1f} s, {usage.cpu_seconds:.1f} CPU s, {peak:.0f} MiB")
            print(f"  rows: {usage.output.strip() or CASES}")


if __name__ == "__main__":
    main()
