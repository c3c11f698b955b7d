"""Scale: shows what a run costs beside many events and invoices that are held already.

`python -m bench.scale` lands 3,000,000 lines of 50,000 customers, who each have one monthly
subscription with two charges. It then measures four processes of `meterline run`:

1. The first takes in all lines, and closes the month before them.
2. One takes in one more file of 1,000 lines.
3. One finds nothing new.
4. One, a month later, closes the month of all that usage.

It prints wall time, CPU time and peak memory of each, then the CPU seconds of each part. The
process that finds nothing new never loads Dagster. Its parts come from one more such process, which
`bench.timed_parts` runs and which does load it.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.benchmark import describe_machine
from bench.child_usage import Usage
from bench.event_lines import Stream, make_lines
from bench.generate_events import file_path, generate, write_lines
from bench.small_run import EVENTS, parts_of, run_once

START_AT = datetime(2024, 10, 1, tzinfo=UTC)
"""The first hour of the stream. It is in the past, because a cut in the future closes nothing."""

MONTH_CLOSED_AT = datetime(2024, 11, 4, tzinfo=UTC)
"""An instant after the cut of every October period: two days of grace, and the last time zone."""

_LOADING = ("imports", "Dagster: definitions")
"""The parts that a process which finds nothing new does not have."""


@dataclass(frozen=True)
class Run:
    """One measured process of `meterline run`.

    Attributes:
        name: what was new to it.
        lines: lines that it took in.
        invoices: invoices that it finalized.
        seconds: wall time.
        cpu_seconds: CPU time of the process tree.
        peak_rss_bytes: peak memory of the process tree.
        parts: CPU seconds of the process by part, without its reading workers.
    """

    name: str
    lines: int
    invoices: int
    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    parts: Mapping[str, float]


def drop_batch(stream: Stream, landing: Path, lines: int = EVENTS) -> datetime:
    """When one more file of the stream is received, once it is written.

    Args:
        stream: the stream whose own files have landed already.
        landing: folder of the senders' files.
        lines: number of lines of the file.
    """
    first = stream.files * stream.lines_per_file
    path = landing / file_path(stream, stream.files, is_gzipped=False)
    write_lines(path, make_lines(stream, first, lines)["line"])
    return stream.received_at(stream.files)


def measured(name: str, usage: Usage, timed: Usage) -> Run:
    """One run, as it is shown.

    Args:
        name: what was new to the run.
        usage: of its process.
        timed: of the process of `bench.timed_parts` that says its parts, perhaps the same one.
    """
    parts: dict[str, float] = parts_of(timed)["cpu_seconds"]
    if usage is not timed:
        parts = {part: spent for part, spent in parts.items() if part not in _LOADING}
    run: dict[str, Any] = json.JSONDecoder().raw_decode(usage.output)[0]["run"]
    return Run(
        name=name,
        lines=int(run["lines"]),
        invoices=int(run["invoices"]),
        seconds=usage.seconds,
        cpu_seconds=usage.cpu_seconds,
        peak_rss_bytes=usage.peak_rss_bytes,
        parts=parts,
    )


def measure_runs(stream: Stream, out: Path) -> list[Run]:
    """The four runs over a stream whose landing and catalog are below `out`."""
    landing = out / "landing"

    def run(as_of: datetime, program: str = "bench.timed_parts") -> Usage:
        return run_once(out / "home", landing, as_of, program, out / "catalog")

    first = run(stream.end_at)
    as_of = drop_batch(stream, landing) + timedelta(hours=1)
    batch = run(as_of)
    idle, timed_idle = run(as_of, "pipelines.cli"), run(as_of)
    closing = run(MONTH_CLOSED_AT)
    return [
        measured("first run", first, first),
        measured(f"{EVENTS:,} lines", batch, batch),
        measured("nothing new", idle, timed_idle),
        measured("month closed", closing, closing),
    ]


def show_table(runs: list[Run]) -> str:
    """The runs as plain text, one column each: what was new, what it cost, and where."""
    rows: list[tuple[str, list[str]]] = [
        ("", [run.name for run in runs]),
        ("lines taken in", [f"{run.lines:,}" for run in runs]),
        ("invoices finalized", [f"{run.invoices:,}" for run in runs]),
        ("wall s", [f"{run.seconds:.1f}" for run in runs]),
        ("CPU s", [f"{run.cpu_seconds:.1f}" for run in runs]),
        ("peak MiB", [f"{run.peak_rss_bytes / 2**20:,.0f}" for run in runs]),
    ]
    dearest: dict[str, float] = {}
    for run in runs:
        for part, spent in run.parts.items():
            dearest[part] = max(spent, dearest.get(part, 0.0))
    for part in sorted(dearest, key=lambda part: (-dearest[part], part)):
        cells = [f"{run.parts[part]:.2f}" if part in run.parts else "" for run in runs]
        rows.append((f"  {part}", cells))
    return "\n".join(
        f"{label:<28}" + "".join(f"{cell:>14}" for cell in cells) for label, cells in rows
    )


def main() -> None:
    """Makes the world, measures the runs, and prints the table and JSON."""
    parser = argparse.ArgumentParser(description="What a run costs beside what is held already.")
    parser.add_argument("--events", type=int, default=3_000_000, help="lines of the first run")
    parser.add_argument("--customers", type=int, default=50_000, help="one subscription each")
    parser.add_argument("--events-per-file", type=int, default=100_000)
    arguments = parser.parse_args()
    stream = Stream(
        lines=arguments.events,
        lines_per_file=arguments.events_per_file,
        start_at=START_AT,
        customers=arguments.customers,
    )
    with tempfile.TemporaryDirectory(prefix="meterline-bench-") as scratch:
        generate(stream, Path(scratch), is_gzipped=False)
        runs = measure_runs(stream, Path(scratch))
    print(show_table(runs))
    print(json.dumps({"machine": describe_machine(), "runs": [asdict(run) for run in runs]}))


if __name__ == "__main__":
    main()
