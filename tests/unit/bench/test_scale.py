import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.child_usage import Usage
from bench.event_lines import Stream
from bench.generate_events import file_path, generate
from bench.scale import MONTH_CLOSED_AT, START_AT, Run, drop_batch, measured, show_table
from bench.timed_parts import PARTS, Clock, owner_of
from pipelines.catalog.calendar import periods_until
from pipelines.home import Home
from pipelines.settings import Settings
from tests.worlds.periods import NOTHING_CLOSED

STREAM = Stream(lines=250, lines_per_file=100, start_at=START_AT, customers=5)


def usage_of(run: dict[str, int], parts: dict[str, float]) -> Usage:
    """What `measure` finds of a child that printed its report, and then its parts."""
    report = json.dumps({"run": run}, indent=2)
    seconds = json.dumps({"seconds": {}, "cpu_seconds": parts, "calls": {}})
    return Usage(12.5, 14.25, 3 * 2**20, f"{report}\n{seconds}\n")


def test_a_batch_lands_after_all_files_of_the_stream(tmp_path: Path) -> None:
    generate(STREAM, tmp_path, is_gzipped=False)
    landed = sorted((tmp_path / "landing").rglob("*.ndjson"))
    assert len(landed) == STREAM.files == 3
    received_at = drop_batch(STREAM, tmp_path / "landing", 7)
    assert received_at > STREAM.received_at(2)
    (new,) = set((tmp_path / "landing").rglob("*.ndjson")) - set(landed)
    assert new == tmp_path / "landing" / file_path(STREAM, 3, is_gzipped=False)
    lines = new.read_bytes().splitlines()
    assert len(lines) == 7
    assert not set(lines) & {line for path in landed for line in path.read_bytes().splitlines()}


def test_the_first_and_the_last_run_each_close_a_month_of_every_customer(tmp_path: Path) -> None:
    generate(STREAM, tmp_path, is_gzipped=False)
    catalog = Home(Settings(home=tmp_path / "home", catalog=tmp_path / "catalog")).catalog()
    cuts = periods_until(catalog, NOTHING_CLOSED, MONTH_CLOSED_AT)["cut_at"].sort()
    first_at = STREAM.end_at
    assert first_at >= STREAM.received_at(STREAM.files - 1)
    batch_at = STREAM.received_at(STREAM.files) + timedelta(hours=1)
    assert sum(cut <= first_at for cut in cuts) == 5
    assert sum(first_at < cut <= batch_at for cut in cuts) == 0
    assert sum(batch_at < cut <= MONTH_CLOSED_AT for cut in cuts) == 5
    assert datetime.now(UTC) > MONTH_CLOSED_AT


def test_a_run_is_shown_with_what_was_new_and_what_each_part_cost() -> None:
    new = usage_of({"lines": 1_000, "invoices": 0}, {"dbt: model nodes": 2.5, "imports": 3.0})
    idle = usage_of({"lines": 0, "invoices": 0}, {"catalog": 0.125, "imports": 3.0})
    plain = Usage(1.0, 1.5, 2**20, '{"run": {"lines": 0, "invoices": 0}}\n')
    runs = [measured("1,000 lines", new, new), measured("nothing new", plain, idle)]
    assert runs[0] == Run(
        "1,000 lines", 1_000, 0, 12.5, 14.25, 3 * 2**20, {"dbt: model nodes": 2.5, "imports": 3.0}
    )
    # The plain process loads no Dagster, so the imports of the timed one are not its own.
    assert runs[1] == Run("nothing new", 0, 0, 1.0, 1.5, 2**20, {"catalog": 0.125})
    assert [row.split() for row in show_table(runs).splitlines()] == [
        ["1,000", "lines", "nothing", "new"],
        ["lines", "taken", "in", "1,000", "0"],
        ["invoices", "finalized", "0", "0"],
        ["wall", "s", "12.5", "1.0"],
        ["CPU", "s", "14.2", "1.5"],
        ["peak", "MiB", "3", "1"],
        ["imports", "3.00"],
        ["dbt:", "model", "nodes", "2.50"],
        ["catalog", "0.12"],
    ]


@pytest.mark.parametrize(("module", "path"), [each[1:] for each in PARTS])
def test_every_timed_part_is_a_function_of_today(module: str, path: str) -> None:
    owner, name = owner_of(module, path)
    assert callable(getattr(owner, name))


def test_time_inside_another_part_counts_for_that_part_alone() -> None:
    passed = {"wall": 0.0, "cpu": 0.0}
    clock = Clock(lambda: passed["wall"], lambda: passed["cpu"])

    def pass_time(wall: float, cpu: float) -> None:
        passed["wall"] += wall
        passed["cpu"] += cpu

    pass_time(64, 32)  # Within no part.
    with clock.part("outer"):
        pass_time(4, 2)
        with clock.part("inner"):
            pass_time(0.5, 0.25)
        pass_time(1, 1)

    assert clock.calls == {"outer": 1, "inner": 1}
    assert clock.seconds == {"outer": 5, "inner": 0.5}
    assert clock.cpu_seconds == {"outer": 3, "inner": 0.25}
