"""Ingest once: one timed ingestion, from the listing of the landing to the committed verdicts.

Its stages are those of the job, in the same order. The window index is brought up after the commit,
as in the job, and timed separately.
"""

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from pipelines.home import Home
from pipelines.intake import batch
from pipelines.lake.run_facts import RunFacts
from pipelines.settings import Settings


def ingest(settings: Settings, as_of: datetime | None = None) -> dict[str, object]:
    """The counts of one batch with every new file, and the seconds of each step.

    Args:
        settings: of the home.
        as_of: the instant that the batch speaks for; None is the present.
    """
    home = Home(settings)
    catalog = home.catalog()
    began = time.perf_counter()
    now = datetime.now(UTC)
    facts = RunFacts(as_of or now, now, catalog.digest, catalog.files, "0" * 64)
    landing, index = home.landing(), home.window_index()
    with home.lake_for_writing() as lake:
        plan = batch.plan(lake, landing, catalog.sources, settings.staging, 2**62, now)
        cuts = home.refusal_cuts(lake, catalog, plan.files["received_at"])
        planned = time.perf_counter()
        parsed = batch.parse(
            lake, index, plan, landing, catalog.sources, lambda _: cuts, settings.threads
        )
        was_parsed = time.perf_counter()
        decisions = batch.decide_and_commit(lake, index, plan, parsed, catalog.sources, cuts, facts)
        ended = time.perf_counter()
        index.bring_up(lake)
        indexed = time.perf_counter()
    lines = int(decisions["lines"].sum())
    return {
        "lines": lines,
        "accepted": int(decisions["accepted"].sum()),
        "duplicate": int(decisions["duplicate"].sum()),
        "conflict": int(decisions["conflict"].sum()),
        "scanned_share": round(parsed.scanned / lines, 4),
        "held_keys": index.keys,
        "index_bytes": sum(file.stat().st_size for file in settings.window_index.iterdir()),
        "plan_seconds": round(planned - began, 2),
        "parse_seconds": round(was_parsed - planned, 2),
        "decide_seconds": round(ended - was_parsed, 2),
        "index_seconds": round(indexed - ended, 2),
        "seconds": round(ended - began, 2),
    }


def main() -> None:
    """Ingests once, and prints counts and seconds as JSON."""
    parser = argparse.ArgumentParser(description="One ingestion, timed.")
    parser.add_argument("home", type=Path)
    parser.add_argument("data", type=Path, help="folder with landing/ and catalog/")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--as-of", type=datetime.fromisoformat, help="with its zone")
    arguments = parser.parse_args()
    settings = Settings(
        home=arguments.home,
        landing=str(arguments.data / "landing"),
        catalog=arguments.data / "catalog",
        threads=arguments.threads,
    )
    json.dump(ingest(settings, arguments.as_of), sys.stdout)


if __name__ == "__main__":
    main()
