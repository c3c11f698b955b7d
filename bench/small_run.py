"""Small run: shows where the time of a small run goes: imports, dbt, Dagster, lake, publication.

`python -m bench.small_run` makes a home from the sample. It then measures processes of
`meterline run` that each take in one more file of 1,000 events, and processes that find nothing. It
prints the medians, and the seconds of each part of one more such run. Time inside a part that
another part calls counts for the called part only. Seconds are wall time, so run it on idle cores.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.benchmark import describe_machine
from bench.child_usage import Usage, measure
from pipelines.settings import REPOSITORY

SAMPLE_AS_OF = datetime(2015, 5, 20, 22, tzinfo=UTC)
"""The `as_of` of the first run, just after the last file of the sample."""

EVENTS = 1_000
"""Number of events in each additional file."""

_CUSTOMERS = ("blog", "files", "images", "www")


def drop_file(landing: Path, number: int) -> datetime:
    """When one more file of the sample's sender is received, once it is written."""
    received_at = SAMPLE_AS_OF + timedelta(hours=number)
    folder = landing / "cdn_logs" / f"{received_at:%Y/%m/%d/%H}"
    folder.mkdir(parents=True, exist_ok=True)
    events = (
        {
            "transaction_id": f"small-run-{number}-{place}",
            "customer_id": _CUSTOMERS[place % len(_CUSTOMERS)],
            "event_type": "http_request",
            "timestamp": f"{received_at - timedelta(seconds=place):%Y-%m-%dT%H:%M:%SZ}",
            "properties": {"bytes": place, "status": 200},
        }
        for place in range(EVENTS)
    )
    text = "".join(json.dumps(event) + "\n" for event in events)
    (folder / f"small-run-{number}.ndjson").write_text(text)
    return received_at


def run_once(
    home: Path,
    landing: Path,
    as_of: datetime,
    program: str = "pipelines.cli",
    catalog: Path | None = None,
) -> Usage:
    """The usage of one process of `meterline run`; `bench.timed_parts` also times its parts.

    Args:
        home: folder of all state.
        landing: folder of the senders' files.
        as_of: the instant that the run speaks for.
        program: module that takes the arguments of `meterline`.
        catalog: folder of the catalog's CSV files; None is the sample's.
    """
    return measure(
        [sys.executable, "-m", program, "run", "--json", "--as-of", f"{as_of:%FT%TZ}"],
        {
            "METERLINE_HOME": str(home),
            "METERLINE_LANDING": str(landing),
            **({"METERLINE_CATALOG": str(catalog)} if catalog else {}),
        },
    )


def parts_of(usage: Usage) -> dict[str, Any]:
    """The seconds and calls of each part, from the last line that the child wrote."""
    found: dict[str, Any] = json.loads(usage.output.rstrip().rpartition("\n")[2])
    return found


def main() -> None:
    """Measures, and prints medians and parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="number of small runs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="meterline-bench-") as scratch:
        home, landing = Path(scratch) / "home", Path(scratch) / "landing"
        shutil.copytree(REPOSITORY / "landing", landing)
        first = run_once(home, landing, SAMPLE_AS_OF)
        warm_up = drop_file(landing, 1)
        run_once(home, landing, warm_up)
        small = []
        for number in range(2, 2 + arguments.runs):
            as_of = drop_file(landing, number)
            small.append(run_once(home, landing, as_of))
        as_of = drop_file(landing, 2 + arguments.runs)
        timed = run_once(home, landing, as_of, "bench.timed_parts")
        idle = [run_once(home, landing, as_of) for _ in range(arguments.runs)]
    print(describe_machine())
    print(f"first run, the sample:   {first.seconds:6.1f} s wall, {first.cpu_seconds:6.1f} s CPU")
    for name, usages in ((f"one more file of {EVENTS:,}", small), ("nothing new", idle)):
        seconds = statistics.median(usage.seconds for usage in usages)
        cpu = statistics.median(usage.cpu_seconds for usage in usages)
        print(f"{name:24} {seconds:6.1f} s wall, {cpu:6.1f} s CPU, median of {len(usages)}")
    show_parts(parts_of(timed), timed)


def show_parts(parts: dict[str, Any], usage: Usage) -> None:
    """Prints a table with the calls, the seconds and the share of each part."""
    seconds: dict[str, float] = parts["seconds"]
    named = sum(seconds.values())
    seconds["starting and ending Python"] = max(0.0, usage.seconds - named)
    print(f"\n{'part':34} {'calls':>7} {'seconds':>8} {'share':>6}")
    for part, spent in sorted(seconds.items(), key=lambda item: -item[1]):
        calls = parts["calls"].get(part, "")
        print(f"{part:34} {calls:>7} {spent:8.2f} {100 * spent / usage.seconds:5.0f} %")


if __name__ == "__main__":
    main()
