"""Metering fill: a home that holds a month of accepted events, taken in day by day.

    <out>/landing/…      the files of the held days          <out>/catalog/*.csv
    <out>/one-more-day/  those of the day after them         <out>/home/    lake and index of keys
    <out>/checkout/      the code with the five metrics      <out>/names.parquet  what names mean
    <out>/world.json     how it was made

`python -m bench.metering_fill <out> --events 50000000`. Nothing is metered yet: `bench.metering`
does and measures that.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from bench.child_usage import Usage, measure
from bench.metering_world import (
    DAYS,
    end_of_day,
    land_day,
    make_checkout,
    name_spans,
    stream_of,
    write_catalog,
)
from pipelines.settings import REPOSITORY


def run_in_checkout(world: Path, module: str, arguments: list[str], **settings: object) -> Usage:
    """The usage of a module of bench that runs with the code of a world's checkout.

    Args:
        world: folder of the world.
        module: its name.
        arguments: its arguments.
        settings: those of Meterline, by name, as in `threads=2`.
    """
    # -P: the code of the current folder must not stand before that of the checkout.
    return measure(
        [sys.executable, "-P", "-m", module, *arguments],
        {
            "PYTHONPATH": f"{world / 'checkout'}:{REPOSITORY}",
            **{f"METERLINE_{name.upper()}": str(value) for name, value in settings.items()},
        },
    )


def fill(world: Path, events: int, customers: int, threads: int) -> dict[str, Any]:
    """What was made, and the seconds that it took.

    Args:
        world: folder for all of it; it must not exist.
        events: about how many events of the held days are accepted.
        customers: of the catalog.
        threads: of an ingestion.
    """
    world.mkdir(parents=True)
    stream = stream_of(events, customers)
    write_catalog(customers, world / "catalog")
    name_spans(customers).write_parquet(world / "names.parquet")
    make_checkout(world / "checkout")
    made_seconds = ingested_seconds = accepted = 0.0
    for day in range(DAYS):
        began = time.perf_counter()
        land_day(stream, world / "landing", day)
        landed = time.perf_counter()
        arguments = [str(world / "home"), str(world), f"--threads={threads}"]
        as_of = f"--as-of={end_of_day(day).isoformat()}"
        usage = run_in_checkout(world, "bench.ingest_once", [*arguments, as_of])
        accepted += json.loads(usage.output)["accepted"]
        made_seconds += landed - began
        ingested_seconds += time.perf_counter() - landed
        print(f"day {day + 1}: {accepted:,.0f} accepted", file=sys.stderr, flush=True)
    land_day(stream, world / "one-more-day", DAYS)
    made = {
        "events": int(accepted),
        "customers": customers,
        "lines_of_one_more_day": stream.lines // (DAYS + 1),
        "seconds_making": round(made_seconds),
        "seconds_ingesting": round(ingested_seconds),
    }
    (world / "world.json").write_text(json.dumps(made) + "\n", encoding="utf-8")
    return made


def main() -> None:
    """Makes the world, and prints how."""
    parser = argparse.ArgumentParser(description="A home with a month of usage.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--events", type=int, default=50_000_000, help="accepted ones")
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    made = fill(arguments.out.resolve(), arguments.events, arguments.customers, arguments.threads)
    print(json.dumps(made))


if __name__ == "__main__":
    main()
