"""Growth: how the time of an ingestion grows with the size of a batch and with the keys held.

`python -m bench.growth measure docs/growth.json` measures both, and needs hours on an idle machine.
`python -m bench.growth draw docs/growth.json docs/growth.svg` draws the measurements.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.benchmark import describe_machine
from bench.event_lines import Stream
from bench.generate_events import generate
from bench.held_keys import compare, run_ingest

Point = dict[str, Any]

_MILLION = 1_000_000


def by_batch_size(sizes: list[int], runs: int, threads: int, scratch: Path) -> list[Point]:
    """The median time and memory for each size of a batch, with no keys held.

    Args:
        sizes: the numbers of events in a batch.
        runs: number of runs for each size.
        threads: threads of an ingestion.
        scratch: folder for the files and homes.
    """
    empty = scratch / "nothing-held"
    empty.mkdir()
    points: list[Point] = []
    for size in sizes:
        data = scratch / f"batch-{size}"
        generate(Stream(lines=size), data, is_gzipped=False)
        usages = [run_ingest(empty, data, threads) for _ in range(runs)]
        outcomes = [json.loads(usage.output) for usage in usages]
        points.append(
            {
                "events": size,
                "seconds": statistics.median(outcome["seconds"] for outcome in outcomes),
                "peak_rss_mib": round(statistics.median(u.peak_rss_bytes for u in usages) / 2**20),
            }
        )
        print(json.dumps(points[-1]), file=sys.stderr, flush=True)
        shutil.rmtree(data)
    return points


def draw(measured: dict[str, Any], target: Path) -> None:
    """Draws both series side by side as an SVG file."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    # With a fixed salt, the same measurements always give the same file.
    mpl.rcParams.update({"svg.hashsalt": "growth", "svg.fonttype": "none"})
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    sizes, held = measured["by_batch_size"], measured["by_keys_held"]
    left.plot(
        [point["events"] / _MILLION for point in sizes],
        [point["seconds"] for point in sizes],
        marker="o",
        color="#1f6feb",
    )
    left.set_xscale("log")
    left.set_yscale("log")
    left.set_xlabel("million events in the batch, nothing held")
    right.plot(
        [point["held_before"] / _MILLION for point in held],
        [point["seconds"] for point in held],
        marker="o",
        color="#1f6feb",
        label="Meterline",
    )
    for refresh, label, color in (
        ("refresh_seconds", "DuckDB row_number(), new events alone written", "#8b949e"),
        ("refresh_of_all_seconds", "DuckDB row_number(), all events written", "#57606a"),
    ):
        compared = [point for point in held if refresh in point]
        right.plot(
            [point["held_before"] / _MILLION for point in compared],
            [point[refresh] for point in compared],
            marker="s",
            linestyle="--",
            color=color,
            label=label,
        )
    right.set_ylim(bottom=0)
    right.set_xlabel(f"million keys held, {held[0]['lines'] / _MILLION:g} million new events")
    right.legend(frameon=False)
    for axes in (left, right):
        axes.set_ylabel("seconds")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(target, metadata={"Date": None})


def main() -> None:
    """Measures or draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("target", type=Path)
    measuring.add_argument(
        "--sizes", type=int, nargs="+", default=[10_000, 100_000, _MILLION, 5 * _MILLION]
    )
    measuring.add_argument("--held", type=int, nargs="+", default=[0, 50 * _MILLION])
    measuring.add_argument("--events", type=int, default=5 * _MILLION, help="with keys held")
    measuring.add_argument("--refresh-held-max", type=int, default=50 * _MILLION)
    measuring.add_argument("--runs", type=int, default=3)
    measuring.add_argument("--threads", type=int, default=2)
    drawing = commands.add_parser("draw")
    drawing.add_argument("measured", type=Path)
    drawing.add_argument("target", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "draw":
        draw(json.loads(arguments.measured.read_text()), arguments.target)
        return
    with tempfile.TemporaryDirectory(prefix="meterline-growth-") as temporary:
        scratch = Path(temporary)
        sizes = by_batch_size(arguments.sizes, arguments.runs, arguments.threads, scratch)
        data = scratch / "data"
        generate(Stream(lines=arguments.events), data, is_gzipped=False)
        held = compare(
            data,
            scratch,
            arguments.held,
            arguments.refresh_held_max,
            arguments.runs,
            arguments.threads,
        )
    found = {"machine": describe_machine(), "by_batch_size": sizes, "by_keys_held": held}
    arguments.target.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
