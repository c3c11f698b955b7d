"""Benchmark: Meterline beside a plain DuckDB refresh over the same files.

The two do not do the same work. The refresh drops repeated ids and lines that it cannot parse.
Meterline gives every line a verdict, commits it to the lake, rates, invoices and publishes. The
column `rows` of the table shows how many events each of them keeps, and how many are right. The row
`ingest` is the part of a Meterline run from the listing of the landing to the committed batch.

`python -m bench.benchmark --events 10000000 --runs 3` prints a table, then JSON.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.child_usage import Usage, measure
from bench.event_lines import Stream
from bench.generate_events import generate

METERLINE = Path(sys.executable).with_name("meterline")
"""The command `meterline` that is installed beside this Python."""


@dataclass(frozen=True)
class Measurement:
    """One run of one side, or one part of it.

    Attributes:
        name: name of the side or the part.
        seconds: wall time.
        cpu_seconds: CPU time of the process tree; None for a part of a run.
        peak_rss_bytes: peak memory of the process tree; None for a part of a run.
        rows: number of events that the side keeps.
    """

    name: str
    seconds: float
    cpu_seconds: float | None
    peak_rss_bytes: int | None
    rows: int


def run_pipeline(
    home: Path, landing: Path, catalog: Path, as_of: datetime, memory_limit: str, threads: int
) -> list[Measurement]:
    """The first `meterline run` of a new home: the whole run, and its part `ingest`."""
    used = measure(
        [str(METERLINE), "run", "--json", "--as-of", f"{as_of:%Y-%m-%dT%H:%M:%SZ}"],
        {
            "METERLINE_HOME": str(home),
            "METERLINE_LANDING": str(landing),
            "METERLINE_CATALOG": str(catalog),
            "METERLINE_MEMORY_LIMIT": memory_limit,
            "METERLINE_THREADS": str(threads),
        },
    )
    report = json.loads(used.output)
    rows = sum(int(file_class["accepted"]) for file_class in report["file_classes"])
    return [
        _whole("meterline run", used, rows),
        Measurement("  ingest", float(report["run"]["ingest_seconds"]), None, None, rows),
    ]


def run_duckdb(database: Path, landing: Path, threads: int) -> list[Measurement]:
    """One plain refresh into a new database."""
    used = measure(
        [
            sys.executable,
            "-m",
            "bench.duckdb_refresh",
            str(landing),
            str(database),
            f"--threads={threads}",
        ]
    )
    return [_whole("duckdb refresh", used, int(json.loads(used.output)["rows"]))]


def _whole(name: str, used: Usage, rows: int) -> Measurement:
    return Measurement(name, used.seconds, used.cpu_seconds, used.peak_rss_bytes, rows)


def compare(
    data: Path, truth: dict[str, Any], runs: int, memory_limit: str, threads: int
) -> list[Measurement]:
    """The median of each side and part, field by field, in the order of the table.

    Both sides run in turn, each time with a new home or database.

    Args:
        data: folder with landing/ and catalog/.
        truth: the counts of `truth.json`.
        runs: number of runs of each side.
        memory_limit: DuckDB's memory limit inside Meterline, with its unit.
        threads: threads of both sides.
    """
    last_received_at = datetime.fromisoformat(truth["last_received_at"])
    sides: list[Callable[[Path], list[Measurement]]] = [
        lambda scratch: run_duckdb(scratch / "events.duckdb", data / "landing", threads),
        lambda scratch: run_pipeline(
            scratch / "home",
            data / "landing",
            data / "catalog",
            last_received_at + timedelta(hours=1),
            memory_limit,
            threads,
        ),
    ]
    measured: dict[str, list[Measurement]] = {}
    for _ in range(runs):
        for side in sides:
            scratch = Path(tempfile.mkdtemp(prefix="side-", dir=data))
            try:
                for measurement in side(scratch):
                    measured.setdefault(measurement.name, []).append(measurement)
            finally:
                shutil.rmtree(scratch)
    return [median_measurement(measurements) for measurements in measured.values()]


def median_measurement(measurements: list[Measurement]) -> Measurement:
    """One measurement with the median of each field; `rows` is the same in all of them."""
    cpu_seconds = [each.cpu_seconds for each in measurements if each.cpu_seconds is not None]
    peaks = [each.peak_rss_bytes for each in measurements if each.peak_rss_bytes is not None]
    return Measurement(
        name=measurements[0].name,
        seconds=statistics.median(each.seconds for each in measurements),
        cpu_seconds=statistics.median(cpu_seconds) if cpu_seconds else None,
        peak_rss_bytes=int(statistics.median(peaks)) if peaks else None,
        rows=measurements[0].rows,
    )


def show_table(measurements: list[Measurement], truth: dict[str, Any]) -> str:
    """The comparison as plain text."""
    lines = int(truth["lines"])
    rows = [f"{'':<16}{'seconds':>9}{'events/s':>12}{'CPU s':>9}{'peak MiB':>10}{'rows':>14}"]
    for each in measurements:
        cpu = "" if each.cpu_seconds is None else f"{each.cpu_seconds:.1f}"
        peak = "" if each.peak_rss_bytes is None else f"{each.peak_rss_bytes / 2**20:,.0f}"
        rows.append(
            f"{each.name:<16}{each.seconds:>9.1f}{lines / each.seconds:>12,.0f}{cpu:>9}{peak:>10}"
            f"{each.rows:>14,}"
        )
    rows.append(f"{'true':<46}{'':>10}{int(truth['verdicts']['accepted']):>14,}")
    return "\n".join(rows)


def describe_machine() -> dict[str, str | int]:
    """The parts of the machine on which the numbers depend."""
    cpu_names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    described: dict[str, str | int] = {
        "cpu": cpu_names[0] if cpu_names else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
    for package in ("duckdb", "polars", "dagster", "dbt-core"):
        described[package] = version(package)
    return described


def main() -> None:
    """Makes the files if they are not given, runs both sides, and prints the table and JSON."""
    parser = argparse.ArgumentParser(description="Meterline beside a plain DuckDB refresh.")
    parser.add_argument("--events", type=int, default=1_000_000, help="lines in all")
    parser.add_argument("--events-per-file", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=3, help="runs of which the median is taken")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="files are not compressed")
    parser.add_argument("--memory-limit", default="2GiB", help="DuckDB's inside Meterline")
    parser.add_argument("--threads", type=int, default=2, help="for both sides")
    parser.add_argument(
        "--data", type=Path, help="folder made by generate_events; by default a temporary one"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="meterline-bench-") as temporary:
        data: Path = arguments.data or Path(temporary)
        if arguments.data is None:
            stream = Stream(
                seed=arguments.seed,
                lines=arguments.events,
                lines_per_file=arguments.events_per_file,
            )
            generate(stream, data, is_gzipped=not arguments.plain)
        truth = json.loads((data / "truth.json").read_text(encoding="utf-8"))
        print(f"{truth['lines']:,} lines in {truth['files']} files, {truth['bytes']:,} bytes raw")
        measurements = compare(
            data, truth, arguments.runs, arguments.memory_limit, arguments.threads
        )
    print(show_table(measurements, truth))
    outcome = {
        "machine": describe_machine(),
        "runs": arguments.runs,
        "truth": truth,
        "medians": [asdict(measurement) for measurement in measurements],
    }
    print(json.dumps(outcome, indent=2))


if __name__ == "__main__":
    main()
