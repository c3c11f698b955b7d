"""Metering: what one more day of usage costs, beside a full rebuild and beside SQL by hand.

`python -m bench.metering <world>` takes a world of `bench.metering_fill`, with 50,000,000 accepted
events of 20,000 customers in 30 daily batches. It meters them once. Each round then copies that
home, and measures a process for each of these:

1. `meterline run` takes in one more day. What counts is from landed files to metered usage.
2. `meterline publish`, after the warehouse was deleted, meters all events again.
3. DuckDB computes the same quantities by SQL that a person wrote (`bench.metering_by_hand`).
4. So does ClickHouse, where `--chdb` names the Python of an environment that has it.

All four must give the same usage: the same rows, with the same counts and quantities. It prints the
medians, the medians of the ratios within a round, and JSON.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import duckdb

from bench.benchmark import describe_machine
from bench.child_usage import Usage, measure
from bench.held_keys import copy_home
from bench.metering_fill import run_in_checkout
from bench.metering_run import MODEL, is_up_to_usage
from bench.metering_world import DAYS, end_of_day, make_checkout
from bench.small_run import parts_of

BY_HAND = Path(__file__).with_name("metering_by_hand.py")

HAND_MEMORY_LIMIT = "4GiB"
"""Of the sides by hand: what the processes of Meterline together may use."""

SHOWN_SECONDS = 0.1
"""CPU seconds from which on a part is shown in the table."""

DAY = "one more day"
REBUILD = "full rebuild"
DUCKDB = "DuckDB by hand"
CLICKHOUSE = "ClickHouse by hand"
MODELS_OF = "models of "
"""Before the name of a side of Meterline: the models of dbt alone."""

RATIOS = (
    (REBUILD, DAY),
    (MODELS_OF + REBUILD, MODELS_OF + DAY),
    (REBUILD, DUCKDB),
    (MODELS_OF + REBUILD, DUCKDB),
    (MODELS_OF + REBUILD, CLICKHOUSE),
    (DUCKDB, CLICKHOUSE),
)
"""What is divided by what."""


@dataclass(frozen=True)
class Cost:
    """The cost of one side, or the median of several.

    Attributes:
        seconds: wall time of what counts.
        cpu_seconds: CPU time of what counts.
        peak_rss_bytes: peak memory of the whole process tree.
    """

    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int


@dataclass(frozen=True)
class Round:
    """What each side cost.

    Attributes:
        costs: by side.
        parts: CPU seconds by part, by side of Meterline.
        rows: of the usage, the same for all sides.
    """

    costs: dict[str, Cost]
    parts: dict[str, dict[str, float]]
    rows: int


def costs_of_run(name: str, usage: Usage) -> dict[str, Cost]:
    """What counts of a process of `bench.metering_run`: all up to usage, and dbt's models alone."""
    parts = parts_of(usage)

    def cost(counts: Callable[[str], bool]) -> Cost:
        seconds, cpu = (
            sum(spent for part, spent in parts[clock].items() if counts(part))
            for clock in ("seconds", "cpu_seconds")
        )
        return Cost(seconds, cpu, usage.peak_rss_bytes)

    return {
        name: cost(is_up_to_usage),
        MODELS_OF + name: cost(lambda part: part.startswith(MODEL)),
    }


def median_costs(rounds: list[Round]) -> dict[str, Cost]:
    """The median of each side, field by field."""
    return {
        name: Cost(
            median(each.costs[name].seconds for each in rounds),
            median(each.costs[name].cpu_seconds for each in rounds),
            int(median(each.costs[name].peak_rss_bytes for each in rounds)),
        )
        for name in rounds[0].costs
    }


def median_ratios(rounds: list[Round]) -> dict[str, tuple[float, float]]:
    """The medians of the `RATIOS` within a round, of wall time and of CPU time."""
    pairs = [(above, below) for above, below in RATIOS if {above, below} <= rounds[0].costs.keys()]
    return {
        f"{above} / {below}": (
            median(each.costs[above].seconds / each.costs[below].seconds for each in rounds),
            median(
                each.costs[above].cpu_seconds / each.costs[below].cpu_seconds for each in rounds
            ),
        )
        for above, below in pairs
    }


def median_parts(rounds: list[Round]) -> dict[str, dict[str, float]]:
    """The median CPU seconds of each part of each side of Meterline."""
    return {
        side: {
            part: median(each.parts[side].get(part, 0.0) for each in rounds)
            for part in sorted({part for each in rounds for part in each.parts[side]})
        }
        for side in rounds[0].parts
    }


def show_table(costs: Mapping[str, Cost], ratios: Mapping[str, tuple[float, float]]) -> str:
    """Costs and ratios as plain text."""
    rows = [f"{'':<50}{'wall s':>10}{'CPU s':>10}{'peak MiB':>10}"]
    for name, cost in costs.items():
        peak = cost.peak_rss_bytes / 2**20
        rows.append(f"{name:<50}{cost.seconds:>10.1f}{cost.cpu_seconds:>10.1f}{peak:>10,.0f}")
    rows += [f"{name:<50}{wall:>10.2f}{cpu:>10.2f}" for name, (wall, cpu) in ratios.items()]
    return "\n".join(rows)


def show_parts(parts: Mapping[str, Mapping[str, float]]) -> str:
    """CPU seconds by part as plain text, what counts first; one column for each side.

    Parts of less than `SHOWN_SECONDS` are left out.
    """
    rows = [f"{'CPU s by part':<50}" + "".join(f"{side:>20}" for side in parts)]
    dearest = {
        part: max(each.get(part, 0.0) for each in parts.values())
        for part in {part for each in parts.values() for part in each}
    }
    shown = [part for part, spent in dearest.items() if spent >= SHOWN_SECONDS]
    for part in sorted(shown, key=lambda part: (not is_up_to_usage(part), -dearest[part], part)):
        label = part if is_up_to_usage(part) else f"(does not count) {part}"
        cells = "".join(f"{each.get(part, 0.0):>20.2f}" for each in parts.values())
        rows.append(f"{label:<50}{cells}")
    return "\n".join(rows)


class World:
    """A world of `bench.metering_fill`, and how its sides are run.

    Attributes:
        folder: of the world.
        threads: of every side.
        memory_limit: DuckDB's inside Meterline.
        chdb: Python of an environment that has `chdb`, or None.
    """

    def __init__(self, folder: Path, threads: int, memory_limit: str, chdb: Path | None) -> None:
        self.folder, self.threads = folder, threads
        self.memory_limit, self.chdb = memory_limit, chdb

    def meter(self, home: Path, landing: str, *arguments: str) -> Usage:
        """The usage of a command of `meterline` with a landing of the world."""
        return run_in_checkout(
            self.folder,
            "bench.metering_run",
            [*arguments, "--json"],
            home=home,
            landing=self.folder / landing,
            catalog=self.folder / "catalog",
            threads=self.threads,
            memory_limit=self.memory_limit,
        )

    def take_in_until(self, day: int, home: Path, landing: str) -> Usage:
        """The usage of a run at the end of a day, counted from 0."""
        return self.meter(home, landing, "run", "--as-of", f"{end_of_day(day):%FT%TZ}")

    def by_hand(self, engine: str, home: Path, usage_file: Path) -> Cost:
        """The cost of the SQL by hand over the lake of a home, which writes its usage."""
        python = self.chdb if engine == "clickhouse" else sys.executable
        events = home / "lake" / "data" / "main" / "accepted_events" / "*.parquet"
        files = [str(events), str(self.folder / "names.parquet"), str(usage_file)]
        limits = [f"--threads={self.threads}", f"--memory-limit={HAND_MEMORY_LIMIT}"]
        usage = measure([str(python), "-P", str(BY_HAND), engine, *files, *limits])
        spent = json.loads(usage.output)
        return Cost(spent["seconds"], spent["cpu_seconds"], usage.peak_rss_bytes)


def one_round(world: World, base: Path, scratch: Path) -> Round:
    """The cost of each side, once all of them gave the same usage.

    Args:
        world: the world.
        base: a home that has metered all but the one more day.
        scratch: an empty folder.
    """
    home, usages = scratch / "home", scratch / "usages"
    copy_home(base, home)
    usages.mkdir()
    costs: dict[str, Cost] = {}
    parts: dict[str, dict[str, float]] = {}

    def metered(name: str, usage: Usage) -> None:
        parts[name] = parts_of(usage)["cpu_seconds"]
        costs.update(costs_of_run(name, usage))
        save_usage(home, usages / f"{name}.parquet")

    metered(DAY, world.take_in_until(DAYS, home, "one-more-day"))
    shutil.rmtree(home / "warehouse")
    metered(REBUILD, world.meter(home, "one-more-day", "publish"))
    sides = {DUCKDB: "duckdb"} | ({CLICKHOUSE: "clickhouse"} if world.chdb else {})
    for name, engine in sides.items():
        costs[name] = world.by_hand(engine, home, usages / f"{name}.parquet")
    rows = require_same(usages / f"{REBUILD}.parquet", sorted(usages.iterdir()))
    return Round(costs, parts, rows)


def save_usage(home: Path, target: Path) -> None:
    """Writes the published usage of a home as the sides by hand write theirs."""
    marts = home / "published" / "current" / "marts.duckdb"
    with duckdb.connect(str(marts), read_only=True) as connection:
        connection.execute(
            "copy (select metric_code, subscription_id, period_start_at, group_key, event_count, "
            f"quantity from fct_metered_usage) to '{target}' (format parquet)"
        )


def require_same(expected: Path, files: list[Path]) -> int:
    """The number of rows, which all files have in common.

    Raises:
        AssertionError: a file has other rows.
    """
    columns = (
        "metric_code, subscription_id, cast(period_start_at as timestamptz), group_key, "
        "cast(event_count as hugeint), cast(quantity as decimal(38, 18))"
    )
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"create table expected as select {columns} from '{expected}'")
        for file in files:
            found = f"select {columns} from '{file}'"
            for one, other in (("from expected", found), (found, "from expected")):
                rows = connection.execute(f"({one} except all {other}) limit 3").fetchall()
                assert not rows, f"{file.stem} and {expected.stem} differ: {rows}"
        counted = connection.execute("select count(*) from expected").fetchone()
    assert counted is not None
    return int(counted[0])


def run_rounds(world: World, rounds: int, scratch: Path) -> list[Round]:
    """What each round found, after all but the one more day was metered.

    Args:
        world: the world; its checkout is made again, of today's code.
        rounds: how many.
        scratch: a folder for homes, on the disk of the world.
    """
    make_checkout(world.folder / "checkout")
    base = scratch / "base"
    copy_home(world.folder / "home", base)
    first = world.take_in_until(DAYS - 1, base, "landing")
    print(json.dumps({"metered first": parts_of(first)}), file=sys.stderr, flush=True)
    found = []
    for number in range(rounds):
        folder = scratch / f"round-{number}"
        folder.mkdir()
        found.append(one_round(world, base, folder))
        print(json.dumps(asdict(found[-1])), file=sys.stderr, flush=True)
        shutil.rmtree(folder)
    return found


def main() -> None:
    """Measures, and prints the table and JSON."""
    parser = argparse.ArgumentParser(description="What one more day costs.")
    parser.add_argument("world", type=Path, help="folder made by bench.metering_fill")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2, help="of every side")
    parser.add_argument("--memory-limit", default="2GiB", help="DuckDB's inside Meterline")
    parser.add_argument("--chdb", type=Path, help="Python of an environment that has chdb")
    arguments = parser.parse_args()
    folder: Path = arguments.world.resolve()
    world = World(folder, arguments.threads, arguments.memory_limit, arguments.chdb)
    # Below the world, because files are linked from its disk.
    with tempfile.TemporaryDirectory(prefix="measuring-", dir=folder) as scratch:
        rounds = run_rounds(world, arguments.rounds, Path(scratch))
    costs, ratios, parts = median_costs(rounds), median_ratios(rounds), median_parts(rounds)
    made = json.loads((folder / "world.json").read_text(encoding="utf-8"))
    print(show_table(costs, ratios), show_parts(parts), sep="\n\n")
    outcome = {
        "machine": describe_machine(),
        "world": made,
        "rounds": len(rounds),
        "rows_of_usage": rounds[0].rows,
        "medians": {name: asdict(cost) for name, cost in costs.items()},
        "ratios": {name: {"wall": wall, "cpu": cpu} for name, (wall, cpu) in ratios.items()},
        "cpu_seconds_by_part": parts,
    }
    print(json.dumps(outcome, indent=2))


if __name__ == "__main__":
    main()
