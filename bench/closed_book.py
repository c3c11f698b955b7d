"""Closed book: shows what a long closed book costs a run before it looks at any event.

`python -m bench.closed_book` makes a lake of 100,000 daily subscriptions, of which 364 days are
closed. It then measures a process for each question that a run asks of the closed book, and prints
its CPU time and its peak memory. Each process also imports the code, opens the lake and reads the
catalog. The first row is a process that does nothing else.
"""

import argparse
import csv
import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from bench.benchmark import describe_machine
from bench.child_usage import measure
from pipelines.catalog import calendar
from pipelines.catalog.catalog import TABLES, Catalog, read_catalog
from pipelines.catalog.closed_time import collisions
from pipelines.home import Home
from pipelines.lake.closed_book import closed_spans
from pipelines.lake.lake import Lake
from pipelines.settings import load_settings, metric_codes
from pipelines.vocabulary.tables import BATCHES, CLOSED_PERIODS

START = datetime(2025, 1, 1)  # noqa: DTZ001 — a label
"""The first day of every subscription."""

DAYS_PER_CLOSING = 7
"""Days that one transaction of the bench closes for every subscription."""

GRACE = timedelta(days=2)

RECEIVED_AT = pl.Series([START.replace(tzinfo=UTC) + timedelta(days=366)])
"""When the file was received whose events are decided: the day after next."""


@dataclass(frozen=True)
class Question:
    """One measured process.

    Attributes:
        name: what was asked.
        rows: rows of the answer.
        seconds: wall time.
        cpu_seconds: CPU time.
        peak_rss_bytes: peak memory.
    """

    name: str
    rows: int
    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int


def make_catalog(folder: Path, subscriptions: int, lateness_days: int | None) -> None:
    """Writes a catalog of daily subscriptions, one of each customer.

    Args:
        folder: of the CSV files.
        subscriptions: their number.
        lateness_days: days after which usage is refused as too late; None: any usage is taken.
    """
    window = ("unlimited", "") if lateness_days is None else (lateness_days + 1, lateness_days)
    rows: dict[str, list[tuple[object, ...]]] = {
        "sources.csv": [("cdn", "metronome", "", *window, 24, "path")],
        "plans.csv": [("edge", "Edge", "USD")],
        "charges.csv": [("edge", "calls", "requests", "standard", "0.5", "", "2020-01-01")],
        "customers.csv": [
            (f"customer-{number:07d}", "Some Customer", "USD", "Etc/UTC", GRACE.days, "reject")
            for number in range(subscriptions)
        ],
        "subscriptions.csv": [
            (f"subscription-{number:07d}", f"customer-{number:07d}", "edge", "day", 1, "calendar",
             START.date(), "")
            for number in range(subscriptions)
        ],
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in TABLES.items():
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            names = [column.name for column in table.columns]
            writer.writerow(names)
            writer.writerows([*row, *[""] * (len(names) - len(row))] for row in rows.get(name, []))


def close_days(lake: Lake, subscriptions: int, days: int) -> None:
    """Closes as many days of every subscription, a few in each transaction."""
    for first in range(0, days, DAYS_PER_CLOSING):
        batch_id = lake.last_batch_id() + 1
        closed = closed_days(subscriptions, first, min(first + DAYS_PER_CLOSING, days), batch_id)
        as_of = START.replace(tzinfo=UTC) + timedelta(days=first) + GRACE
        batch = (batch_id, "close", as_of, as_of, as_of, "c" * 64, "d" * 64)
        rows = {
            BATCHES: pl.DataFrame([batch], BATCHES.schema, orient="row"),
            CLOSED_PERIODS: closed,
        }
        lake.commit_batch(batch_id, rows, {})


def closed_days(subscriptions: int, first: int, last: int, batch_id: int) -> pl.DataFrame:
    """Rows of `closed_periods` for the days from one up to another, of every subscription."""
    number = pl.int_range(subscriptions, eager=True).cast(pl.String).str.zfill(7)
    names = pl.DataFrame({"number": number}).select(
        subscription_id=pl.format("subscription-{}", "number"),
        customer_id=pl.format("customer-{}", "number"),
    )
    day = pl.lit(START) + pl.duration(days="day")
    next_day = day + timedelta(days=1)
    known = {
        "batch_id": pl.lit(batch_id),
        "revision": pl.lit(0),
        "state": pl.lit("closed"),
        "plan_code": pl.lit("edge"),
        "currency": pl.lit("USD"),
        "time_zone": pl.lit("Etc/UTC"),
        "late_usage_policy": pl.lit("reject"),
        "interval": pl.lit("day"),
        "interval_count": pl.lit(1),
        "anchor_label": pl.lit(START),
        "phase_start_label": pl.lit(START),
        "period_start_label": day,
        "period_end_label": next_day,
        "full_start_label": day,
        "full_end_label": next_day,
        "service_days": pl.lit(1),
        "full_days": pl.lit(1),
        "metric_codes": pl.lit("requests"),
        "event_batch_id": pl.lit(1),
        "catalog_digest": pl.lit("c" * 64),
        "invoice_id": pl.format("{}/{}", "subscription_id", day.dt.strftime("%Y-%m-%d")),
    } | {
        name: bound.dt.replace_time_zone("UTC")
        for name, bound in (
            ("period_start_at", day),
            ("full_start_at", day),
            ("period_end_at", next_day),
            ("full_end_at", next_day),
            ("cut_at", next_day + GRACE),
        )
    }
    rows = names.join(pl.DataFrame({"day": range(first, last)}), how="cross").with_columns(**known)
    missing = [name for name in CLOSED_PERIODS.column_names if name not in rows.columns]
    return rows.with_columns(pl.lit(None).alias(name) for name in missing).select(
        pl.col(name).cast(dtype) for name, dtype in CLOSED_PERIODS.schema.items()
    )


@dataclass(frozen=True)
class Opened:
    """What a process has opened before it asks."""

    home: Home
    lake: Lake
    catalog: Catalog

    def spans(self) -> int:
        """Which time is closed."""
        return closed_spans(self.lake).height

    def collisions(self) -> int:
        """What the catalog contradicts."""
        return len(collisions(self.catalog, closed_spans(self.lake), metric_codes()))

    def calendar(self) -> int:
        """The periods of open time."""
        spans = closed_spans(self.lake)
        return calendar.periods_until(self.catalog, spans, RECEIVED_AT[0]).height

    def cuts(self) -> int:
        """From when on usage is late."""
        return self.home.refusal_cuts(self.lake, self.catalog, RECEIVED_AT).height


QUESTIONS: Mapping[str, tuple[str, Callable[[Opened], int], int | None]] = {
    "opened": ("the lake is opened, the catalog read", lambda _: 0, 34),
    "spans": ("which time is closed", Opened.spans, 34),
    "collisions": ("what the catalog contradicts", Opened.collisions, 34),
    "calendar": ("the calendar of open time", Opened.calendar, 34),
    "cuts": ("late from when on, 34 days back", Opened.cuts, 34),
    "all_cuts": ("late from when on, without a bound", Opened.cuts, None),
}
"""What is asked: its name, its function, and the days that usage may be late."""


def ask(name: str, folder: Path) -> int:
    """The number of rows of the answer."""
    home = Home(load_settings())
    _, question, lateness = QUESTIONS[name]
    catalog = read_catalog(folder / f"catalog-{lateness}", metric_codes())
    with home.lake_for_writing() as lake:
        return question(Opened(home, lake, catalog))


def measure_questions(folder: Path, subscriptions: int, days: int) -> list[Question]:
    """The usage of a process for each question, once the lake is made."""
    for _, _, lateness in QUESTIONS.values():
        make_catalog(folder / f"catalog-{lateness}", subscriptions, lateness)
    environment = {"METERLINE_HOME": str(folder / "home")}
    program = [sys.executable, "-m", "bench.closed_book", "--folder", str(folder)]
    made = [*program, "--subscriptions", str(subscriptions), "--days", str(days)]
    measure([*made, "--close"], environment)
    found = []
    for name, (shown, _, _) in QUESTIONS.items():
        usage = measure([*program, "--ask", name], environment)
        rows = int(usage.output)
        found.append(Question(shown, rows, usage.seconds, usage.cpu_seconds, usage.peak_rss_bytes))
    return found


def show_table(questions: list[Question]) -> str:
    """The questions as plain text, one row each."""
    lines = [f"{'':<38}{'rows':>14}{'wall s':>9}{'CPU s':>9}{'peak MiB':>10}"]
    lines += [
        f"{each.name:<38}{each.rows:>14,}{each.seconds:>9.1f}{each.cpu_seconds:>9.1f}"
        f"{each.peak_rss_bytes / 2**20:>10,.0f}"
        for each in questions
    ]
    return "\n".join(lines)


def main() -> None:
    """Makes the lake, measures the questions, and prints the table and JSON."""
    parser = argparse.ArgumentParser(description="What a long closed book costs a run.")
    parser.add_argument("--subscriptions", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=364, help="closed days of each")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--close", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--ask", choices=QUESTIONS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.close:
        with Home(load_settings()).lake_for_writing() as lake:
            close_days(lake, arguments.subscriptions, arguments.days)
        return
    if arguments.ask:
        print(ask(arguments.ask, arguments.folder))
        return
    with tempfile.TemporaryDirectory(prefix="meterline-bench-") as scratch:
        questions = measure_questions(Path(scratch), arguments.subscriptions, arguments.days)
    print(show_table(questions))
    print(json.dumps({"machine": describe_machine(), "questions": [asdict(q) for q in questions]}))


if __name__ == "__main__":
    main()
