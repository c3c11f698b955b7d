"""Rating: shows what it costs to rate and draft everything, and what the narrow road spares.

`python -m bench.rating` fills a warehouse with the usage of 100,000 subscriptions that charge ten
metrics by graduated tiers. It then builds the models of rating and invoicing by their own files, a
process for each road, and prints CPU time, wall time and peak memory, and the CPU time by model.
dbt's own time and its tests are not in it.
"""

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb

from bench.benchmark import describe_machine
from bench.child_usage import measure
from bench.rating_fill import fill
from pipelines.settings import DBT_PROJECT
from pipelines.warehouse.metric_macros import model_sql

FOLDERS = ("rating", "invoicing")
"""The folders of the models that are built."""

BY_ROAD = "int_parts_converted"
"""The model that says which lines are narrow."""

ROADS = ("both", "wide")
"""Lines take the road that they need, or all of them the wide one."""

_REFERENCE = re.compile(r"ref\('(\w+)'\)")


@dataclass(frozen=True)
class Cost:
    """What a process cost that rated everything.

    Attributes:
        road: one of `ROADS`.
        seconds: wall time.
        cpu_seconds: CPU time.
        peak_rss_bytes: peak memory.
        models: CPU seconds by model.
        lines: lines that were drafted.
    """

    road: str
    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    models: Mapping[str, float]
    lines: int


def references() -> dict[str, set[str]]:
    """The models of the folders, in the order in which they are built, each with what it reads."""
    paths = [path for folder in FOLDERS for path in (DBT_PROJECT / "models" / folder).glob("*.sql")]
    found = {path.stem: set(_REFERENCE.findall(path.read_text())) for path in paths}
    inner = {name: read & found.keys() for name, read in found.items()}
    return {name: found[name] for name in TopologicalSorter(inner).static_order()}


def make_warehouse(path: Path, subscriptions: int) -> None:
    """Fills what the models read and do not make."""
    models = references()
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        fill(connection, set().union(*models.values()) - models.keys(), subscriptions)


def build(connection: duckdb.DuckDBPyConnection, road: str) -> dict[str, float]:
    """Builds the models, and gives the CPU seconds of each."""
    spent = {}
    for name, read in references().items():
        sql = model_sql(name, {each: each for each in read})
        if name == BY_ROAD and road == "wide":
            sql = f"select * replace (cast(null as decimal(18, 6)) as narrow_quantity) from ({sql})"
        kind = "view" if _is_view(name) else "table"
        began = time.process_time()
        connection.execute(f"create or replace {kind} {name} as ({sql})")
        spent[name] = round(time.process_time() - began, 2)
    return spent


def _is_view(model: str) -> bool:
    (path,) = (DBT_PROJECT / "models").rglob(f"{model}.sql")
    return "materialized='view'" in path.read_text()


def run(path: Path, road: str, threads: int, memory_limit: str) -> tuple[Mapping[str, float], int]:
    """The CPU seconds by model of a process that rates, and the number of lines."""
    config: dict[str, str | bool | int | float | list[str]]
    config = {"threads": threads, "memory_limit": memory_limit}
    with duckdb.connect(str(path), config=config) as connection:
        connection.execute("set TimeZone = 'UTC'")
        models = build(connection, road)
        ((lines,),) = connection.execute(
            "from int_invoice_lines_drafted select count(*)"
        ).fetchall()
    return models, lines


def measure_roads(
    folder: Path, subscriptions: int, threads: int = 2, memory_limit: str = "2GiB"
) -> list[Cost]:
    """The cost of each road, a process each, over one warehouse."""
    path = folder / "warehouse.duckdb"
    make_warehouse(path, subscriptions)
    found = []
    for road in ROADS:
        usage = measure(
            [sys.executable, "-m", "bench.rating", "--run", road, "--warehouse", str(path),
             "--threads", str(threads), "--memory-limit", memory_limit]
        )  # fmt: skip
        models, lines = json.loads(usage.output)
        peak = usage.peak_rss_bytes
        found.append(Cost(road, usage.seconds, usage.cpu_seconds, peak, models, lines))
    return found


def show_table(costs: list[Cost]) -> str:
    """The costs as plain text: a column for each road."""
    rows: list[tuple[str, list[float]]] = [
        ("CPU s", [cost.cpu_seconds for cost in costs]),
        ("wall s", [cost.seconds for cost in costs]),
        ("peak MiB", [cost.peak_rss_bytes / 2**20 for cost in costs]),
        ("lines", [cost.lines for cost in costs]),
    ]
    models = sorted(costs[0].models, key=lambda name: -costs[0].models[name])
    rows += [(f"  CPU s of {name}", [cost.models[name] for cost in costs]) for name in models]
    lines = [f"{'':<44}" + "".join(f"{cost.road:>14}" for cost in costs)]
    lines += [f"{name:<44}" + "".join(f"{each:>14,.1f}" for each in row) for name, row in rows]
    return "\n".join(lines)


def main() -> None:
    """Fills the warehouse, measures both roads, and prints the table and JSON."""
    parser = argparse.ArgumentParser(description="What rating and drafting cost.")
    parser.add_argument("--subscriptions", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-limit", default="2GiB", help="DuckDB's, as in the settings")
    parser.add_argument("--run", choices=ROADS, help=argparse.SUPPRESS)
    parser.add_argument("--warehouse", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        said = run(arguments.warehouse, arguments.run, arguments.threads, arguments.memory_limit)
        print(json.dumps(said))
        return
    with tempfile.TemporaryDirectory(prefix="meterline-bench-") as scratch:
        costs = measure_roads(
            Path(scratch), arguments.subscriptions, arguments.threads, arguments.memory_limit
        )
    print(show_table(costs))
    print(json.dumps({"machine": describe_machine(), "costs": [asdict(cost) for cost in costs]}))


if __name__ == "__main__":
    main()
