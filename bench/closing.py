"""Closing: shows what it costs to make drafts that are due into invoices of the lake.

`python -m bench.closing` has 10,000 subscriptions rated and drafted as in `bench.rating`: ten
lines each, by graduated tiers. A process then closes all of them, as a run does between dbt's two
phases: terms, sums, documents, chain, one transaction. It prints CPU time, wall time and peak
memory, and the CPU time of each part. `--invoices 100000` is ten times as much.
"""

import argparse
import csv
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from bench.benchmark import describe_machine
from bench.child_usage import measure
from bench.rating import build, make_warehouse
from bench.rating_fill import CHARGES, TIERS
from pipelines.catalog import calendar
from pipelines.catalog.catalog import TABLES, Catalog, read_catalog
from pipelines.home import Home
from pipelines.invoicing.chain import last_link
from pipelines.invoicing.closed_book import closed_rows
from pipelines.invoicing.document_values import canonical_json
from pipelines.invoicing.finalize import ClosingFacts, finalize
from pipelines.lake.acts import newest_links
from pipelines.lake.closed_book import closed_spans
from pipelines.lake.file_states import file_states
from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import RunFacts
from pipelines.operations.closing import Moment, judged, known_to
from pipelines.settings import load_settings
from pipelines.vocabulary.frames import DRAFT_LINES, DRAFTS, FINALIZED, SOURCE_CUSTOMERS, WAITING
from pipelines.vocabulary.tables import (
    BATCHES,
    CATALOGS,
    CLOSED_PERIODS,
    DEFINITIONS,
    INVOICE_LINES,
    INVOICES,
    TERMS,
)
from pipelines.warehouse.definitions import Definitions
from pipelines.warehouse.terms import terms_of_drafts, terms_rows

AS_OF = datetime(2026, 11, 3, tzinfo=UTC)
"""The instant of the closing; the cuts of October lie before it."""

METRICS = frozenset(f"metric_{number:02d}" for number in range(CHARGES))


@dataclass(frozen=True)
class Cost:
    """What a process cost that closed all invoices.

    Attributes:
        invoices: how many were finalized.
        lines: how many lines they have.
        seconds: wall time, with the start of the process.
        cpu_seconds: CPU time.
        peak_rss_bytes: peak memory.
        parts: CPU seconds by part.
    """

    invoices: int
    lines: int
    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    parts: Mapping[str, float]


@dataclass
class Clock:
    """CPU seconds of the parts of a process."""

    parts: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Counts what is done within as this part."""
        began = time.process_time()
        yield
        self.parts[name] = round(time.process_time() - began, 2)


def make_catalog(folder: Path, subscriptions: int) -> None:
    """Writes the catalog by which `bench.rating_fill` has periods and prices."""
    own = {"plan_code": "plan", "valid_from": "2020-01-01"}
    codes = [f"charge-{number:02d}" for number in range(CHARGES)]
    numbers = range(subscriptions)
    rows: dict[str, list[dict[str, Any]]] = {
        "sources.csv": [
            {"source": "cdn", "dialect": "metronome", "dedupe_window_days": "unlimited",
             "received_at_from": "last_modified"},
        ],
        "plans.csv": [{"plan_code": "plan", "name": "Plan", "currency": "USD"}],
        "charges.csv": [
            {**own, "charge_code": code, "charge_model": "graduated",
             "metric_code": f"metric_{number:02d}", "flat_at_zero": "yes" if number < 5 else "no"}
            for number, code in enumerate(codes)
        ],
        "charge_tiers.csv": [
            {**own, "charge_code": code, "from_units": low, "up_to_units": high,
             "unit_price": price, "flat_amount": "3" if low == "0" else "0"}
            for code in codes
            for low, high, price in TIERS
        ],
        "customers.csv": [
            {"customer_id": f"customer-{number:07d}", "name": "Some Customer", "currency": "USD",
             "time_zone": "Etc/UTC", "grace_period_days": "0", "late_usage_policy": "reject"}
            for number in numbers
        ],
        "subscriptions.csv": [
            {"subscription_id": f"subscription-{number:07d}",
             "customer_id": f"customer-{number:07d}", "plan_code": "plan", "interval": "month",
             "interval_count": "1", "anchor": "calendar", "start_date": "2026-10-01"}
            for number in numbers
        ],
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in TABLES.items():
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [column.name for column in table.columns])
            writer.writeheader()
            writer.writerows(rows.get(name, []))


def make_drafts(warehouse: Path, subscriptions: int) -> None:
    """Fills a warehouse, and rates and drafts it by the models of the project."""
    make_warehouse(warehouse, subscriptions)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        build(connection, "both")


def close(lake: Lake, catalog: Catalog, warehouse: Path, clock: Clock) -> tuple[int, int]:
    """The numbers of invoices and lines that are closed, once they are in the lake."""
    definitions = Definitions(canonical_json({"metrics": {code: {} for code in METRICS}}))
    facts = RunFacts(AS_OF, AS_OF, catalog.digest, catalog.files, "0" * 64)
    moment = Moment(AS_OF, AS_OF, past_allowance_days=3)
    with clock.part("drafts and lines are read"), duckdb.connect(str(warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        drafts, lines = (
            connection.execute(f"select {', '.join(schema)} from {name}").pl()
            for name, schema in (
                ("int_invoices_drafted", DRAFTS), ("int_invoice_lines_drafted", DRAFT_LINES),
            )
        )  # fmt: skip
    with clock.part("calendar"):
        periods = calendar.periods_until(catalog, closed_spans(lake), AS_OF)
    with clock.part("what can be closed"):
        known = known_to(lake, catalog, moment)
        states, fed = file_states(lake, WAITING.to_frame()), SOURCE_CUSTOMERS.to_frame()
        closable = judged(drafts, states, fed, known, moment).closing.closable
    with clock.part("terms"):
        terms = terms_of_drafts(closable, lines, periods, catalog, definitions)
    with clock.part("sums, documents and chain"):
        batch_id = lake.last_batch_id() + 1
        closed = finalize(
            closable,
            lines,
            lake.query(f"SELECT {', '.join(FINALIZED)} FROM lake.invoices").cast(FINALIZED),
            ClosingFacts(batch_id, 0, AS_OF, catalog.digest, facts.code_revision),
            last_link(newest_links(lake)),
            terms,
        )
    with clock.part("one transaction of the lake"):
        metrics = calendar.charged_metrics(catalog)
        rows: dict[Any, pl.DataFrame] = {
            BATCHES: facts.batch_row(batch_id, "close"),
            CATALOGS: facts.catalog_rows(batch_id, lake),
            DEFINITIONS: definitions.rows(lake, batch_id),
            TERMS: terms_rows(lake, terms, closed.terms_digests, batch_id),
            INVOICES: closed.invoices,
            INVOICE_LINES: closed.invoice_lines,
            CLOSED_PERIODS: closed_rows(
                periods, closed.closings, metrics, batch_id, definitions.digest
            ),
        }
        lake.commit_batch(batch_id, rows, {})
    return closed.invoices.height, closed.invoice_lines.height


def run(folder: Path) -> tuple[int, int, Mapping[str, float]]:
    """What a process closed in the home of the settings, and the CPU seconds of its parts."""
    clock = Clock()
    with clock.part("catalog"):
        catalog = read_catalog(folder / "catalog", METRICS)
    with Home(load_settings()).lake_for_writing() as lake:
        return *close(lake, catalog, folder / "warehouse.duckdb", clock), clock.parts


def measure_closing(folder: Path, invoices: int) -> Cost:
    """The cost of a process that closes as many invoices."""
    make_catalog(folder / "catalog", invoices)
    make_drafts(folder / "warehouse.duckdb", invoices)
    usage = measure(
        [sys.executable, "-m", "bench.closing", "--close", str(folder)],
        environment={"METERLINE_HOME": str(folder / "home")},
    )
    closed, lines, parts = json.loads(usage.output)
    return Cost(closed, lines, usage.seconds, usage.cpu_seconds, usage.peak_rss_bytes, parts)


def show_table(cost: Cost) -> str:
    """The cost as plain text."""
    rows: list[tuple[str, float]] = [
        ("invoices", cost.invoices),
        ("lines", cost.lines),
        ("CPU s", cost.cpu_seconds),
        ("wall s", cost.seconds),
        ("peak MiB", cost.peak_rss_bytes / 2**20),
        *((f"  CPU s of: {name}", seconds) for name, seconds in cost.parts.items()),
    ]
    return "\n".join(f"{name:<44}{value:>14,.1f}" for name, value in rows)


def main() -> None:
    """Drafts the invoices, measures their closing, and prints the table and JSON."""
    parser = argparse.ArgumentParser(description="What closing due invoices costs.")
    parser.add_argument("--invoices", type=int, default=10_000)
    parser.add_argument("--close", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.close:
        print(json.dumps(run(arguments.close)))
        return
    with tempfile.TemporaryDirectory(prefix="meterline-bench-") as scratch:
        cost = measure_closing(Path(scratch), arguments.invoices)
    print(show_table(cost))
    print(json.dumps({"machine": describe_machine(), "cost": asdict(cost)}))


if __name__ == "__main__":
    main()
