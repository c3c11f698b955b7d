"""The sides of the bench of metering count the same, and what is measured is what it says."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from bench import metering_by_hand
from bench.child_usage import Usage
from bench.metering import (
    CLICKHOUSE,
    DAY,
    DUCKDB,
    MODELS_OF,
    REBUILD,
    Cost,
    Round,
    costs_of_run,
    median_costs,
    median_parts,
    median_ratios,
    require_same,
    show_parts,
    show_table,
)
from bench.metering_run import BEFORE_DBT, INVOKING, MODEL, is_up_to_usage, part_of_node, up_to
from bench.metering_world import (
    DAYS,
    FILES_PER_DAY,
    METRICS,
    MONTHS,
    START_AT,
    TIME_ZONES,
    end_of_day,
    land_day,
    make_checkout,
    name_spans,
    stream_of,
    write_catalog,
)
from bench.timed_parts import PARTS
from pipelines.catalog import calendar
from pipelines.catalog.catalog import read_catalog
from pipelines.warehouse.metric_files import read_metric_file
from tests.worlds.periods import NOTHING_CLOSED

CUSTOMERS = len(TIME_ZONES)


def test_what_names_mean_by_hand_is_what_the_calendar_says(tmp_path: Path) -> None:
    write_catalog(CUSTOMERS, tmp_path)
    catalog = read_catalog(tmp_path, frozenset(METRICS))
    november = datetime(2024, 11, 20, tzinfo=UTC)
    periods = calendar.periods_until(catalog, NOTHING_CLOSED, november)
    names = calendar.names(catalog).select("name", "customer_id")
    columns = ["name", "subscription_id", "period_start_at", "period_end_at"]
    in_the_months = periods.filter(pl.col("period_start_at") < datetime(2024, 10, 20, tzinfo=UTC))
    expected = in_the_months.join(names, on="customer_id").select(columns).sort(columns)

    assert name_spans(CUSTOMERS).sort(columns).equals(expected)
    assert expected.height == CUSTOMERS * 2 * 2
    assert expected["period_start_at"].n_unique() == len(TIME_ZONES) * 2


def test_no_period_is_cut_before_the_one_more_day_is_over(tmp_path: Path) -> None:
    write_catalog(CUSTOMERS, tmp_path)
    catalog = read_catalog(tmp_path, frozenset(METRICS))
    periods = calendar.periods_until(catalog, NOTHING_CLOSED, end_of_day(DAYS))

    assert (periods["cut_at"] > end_of_day(DAYS)).all()


def received_at(path: Path) -> datetime:
    year, month, day, hour = map(int, path.parts[-5:-1])
    return datetime(year, month, day, hour, tzinfo=UTC)


def test_files_of_a_day_are_received_on_it_and_their_events_are_in_the_periods(
    tmp_path: Path,
) -> None:
    stream = stream_of(24_000, CUSTOMERS)
    for day in (0, DAYS):
        land_day(stream, tmp_path / str(day), day)
        files = sorted((tmp_path / str(day)).rglob("*.ndjson"))
        received = [received_at(path) for path in files]
        assert len(files) == FILES_PER_DAY
        assert end_of_day(day) - timedelta(days=1) < min(received)
        assert max(received) < end_of_day(day)
    assert stream.files == FILES_PER_DAY * (DAYS + 1)
    # Some events are a day late; a time zone is at most 14 hours from UTC.
    first, last = (bound.replace(tzinfo=UTC) for bound in (MONTHS[0], MONTHS[-1]))
    assert first + timedelta(hours=14) < START_AT - timedelta(days=1)
    assert end_of_day(DAYS) < last - timedelta(hours=14)


def test_checkout_has_the_five_metrics_and_no_other(tmp_path: Path) -> None:
    make_checkout(tmp_path / "checkout")
    make_checkout(tmp_path / "checkout")
    files = (tmp_path / "checkout" / "dbt_project" / "models" / "metrics").iterdir()
    metrics = {metric.code: metric.definition for metric in map(read_metric_file, files)}

    assert metrics.keys() == METRICS.keys()
    assert {definition["aggregation"] for definition in metrics.values()} == {
        *("count", "sum", "max", "unique_count", "percentile")
    }
    assert metrics["egress_bytes"]["group_by"] == ["region", "status"]


def test_what_is_made_of_usage_is_no_part_of_metering() -> None:
    parents = {"usage": ["events", "periods"], "events": ["lake"], "invoices": ["usage", "plans"]}
    needed = up_to("usage", parents)

    assert needed == {"usage", "events", "periods", "lake"}
    assert part_of_node("model", "usage", ["events"], needed) == f"{MODEL}usage"
    assert part_of_node("test", "a", ["usage", "periods"], needed) == "metering: tests"
    assert part_of_node("test", "b", ["usage", "plans"], needed) == "dbt: other test nodes"
    assert part_of_node("model", "invoices", ["usage"], needed) == "dbt: other model nodes"
    assert part_of_node("seed", "plans", [], needed) == "dbt: other seed nodes"


def test_every_part_that_counts_is_a_part() -> None:
    known = {part for part, _, _ in PARTS}
    assert set(BEFORE_DBT) <= known
    assert {part for part in known if not is_up_to_usage(part)} >= {"publishing", "closing"}
    assert is_up_to_usage(INVOKING)


def usage_by_hand(folder: Path, events: list[dict[str, object]]) -> set[tuple[object, ...]]:
    with duckdb.connect() as connection:
        connection.register("events", pl.DataFrame(events).to_arrow())
        properties = "map_from_entries(properties) as properties"
        connection.execute(
            f"copy (select * replace ({properties}) from events) to '{folder}/events.parquet'"
        )
    name_spans(1).write_parquet(folder / "names.parquet")
    files = [str(folder / f"{name}.parquet") for name in ("events", "names", "usage")]
    statements = metering_by_hand.statements_of(metering_by_hand.DUCKDB, *files)
    metering_by_hand.run_duckdb(statements, 1, "1GiB")
    rows = pl.read_parquet(folder / "usage.parquet").drop("subscription_id").rows()
    return {(code, start.day, *rest) for code, start, *rest in rows}


def event(name: str, at: str, ref: str = "cust-00001", **properties: str) -> dict[str, object]:
    occurred_at = datetime.fromisoformat(at)
    pairs = [{"key": key, "value": value} for key, value in properties.items()]
    return {
        "customer_ref": ref, "event_name": name, "occurred_at": occurred_at, "properties": pairs
    }  # fmt: skip


def test_usage_by_hand_is_what_a_person_counts(tmp_path: Path) -> None:
    # The first customer is of Berlin: its October begins on 30 September at 22:00 UTC.
    calls = [
        event("api_call", f"2024-10-{day:02d}T00:00:00Z", endpoint="/a", latency_ms=f"{day}.5")
        for day in range(1, 21)
    ]
    others = [
        event("http_request", "2024-09-30T22:00:00Z", region="eu", status="200", bytes="7"),
        event("http_request", "2024-10-02T00:00:00Z", "acct_00001@example.com",
              region="eu", status="200", bytes="5"),
        event("http_request", "2024-09-30T21:59:59Z", region="us", status="404", bytes="1"),
        event("http_request", "2024-10-02T00:00:00Z", "ghost", region="eu", status="1", bytes="9"),
        event("storage_snapshot", "2024-10-02T00:00:00Z", gigabyte_hours="0.5000000001"),
        event("storage_snapshot", "2024-10-03T00:00:00Z", gigabyte_hours="0.5"),
        event("api_call", "2024-09-29T00:00:00Z", endpoint="/b", latency_ms="1"),
    ]  # fmt: skip
    found = usage_by_hand(tmp_path, calls + others)

    september, october = 31, 30
    eu, us = '{"region":"eu","status":"200"}', '{"region":"us","status":"404"}'
    assert found == {
        ("events", september, "{}", 2, Decimal(2)),
        ("events", october, "{}", 24, Decimal(24)),
        ("egress_bytes", september, us, 1, Decimal(1)),
        ("egress_bytes", october, eu, 2, Decimal(12)),
        ("storage_peak", october, "{}", 2, Decimal("0.5000000001")),
        ("endpoints", september, "{}", 1, Decimal(1)),
        ("endpoints", october, "{}", 20, Decimal(1)),
        ("latency_p95", september, "{}", 1, Decimal(1)),
        # The nearest rank of 20 values is the 19th.
        ("latency_p95", october, "{}", 20, Decimal("19.5")),
    }


@pytest.mark.parametrize("engine", metering_by_hand.ENGINES)
def test_each_engine_reads_and_writes_the_files_it_is_given(engine: str) -> None:
    sql, _ = metering_by_hand.ENGINES[engine]
    statements = metering_by_hand.statements_of(sql, "/e/*.parquet", "/n.parquet", "/u.parquet")

    assert "'/e/*.parquet'" in statements[0]
    assert "'/n.parquet'" in statements[0]
    assert "'/u.parquet'" in statements[-1]
    assert all(f"'{code}'" in statements[-1] for code in METRICS)
    assert """'{"region":"'""" in statements[-1]


def write_usage(path: Path, quantity: str) -> Path:
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select 'm' as metric_code, 's' as subscription_id, "
            "timestamptz '2024-10-01 00:00:00Z' as period_start_at, '{}' as group_key, "
            f"2 as event_count, {quantity} as quantity) to '{path}' (format parquet)"
        )
    return path


def test_usages_that_differ_are_no_measurement(tmp_path: Path) -> None:
    one = write_usage(tmp_path / "one.parquet", "1.5::decimal(38, 18)")
    same = write_usage(tmp_path / "same.parquet", "1.5::decimal(4, 1)")
    other = write_usage(tmp_path / "other.parquet", "1.500001::decimal(38, 18)")

    assert require_same(one, [one, same]) == 1
    with pytest.raises(AssertionError, match="other and one differ"):
        require_same(one, [same, other])


def test_what_counts_of_a_run_leaves_out_what_comes_after_usage() -> None:
    parts = {
        f"{MODEL}a": 1.0,
        f"{MODEL}b": 3.0,
        "reading and deciding": 2.0,
        "publishing": 8.0,
        "imports": 3.0,
    }
    text = json.dumps({"seconds": dict.fromkeys(parts, 0.5), "cpu_seconds": parts, "calls": {}})
    usage = Usage(30.0, 17.0, 3 * 2**20, f"{{}}\n{text}\n")

    assert costs_of_run(DAY, usage) == {
        DAY: Cost(1.5, 6.0, 3 * 2**20),
        MODELS_OF + DAY: Cost(1.0, 4.0, 3 * 2**20),
    }


def round_of(costs: dict[str, Cost], **parts: dict[str, float]) -> Round:
    return Round(costs, {name.replace("_", " "): found for name, found in parts.items()}, 7)


def test_parts_are_shown_by_side_and_what_counts_comes_first() -> None:
    found: list[tuple[float, dict[str, float]]] = [
        (1.0, {"lake: opening": 0.01}),
        (4.0, {INVOKING: 30.0, "catalog": 8.0}),
        (2.0, {INVOKING: 20.0, "catalog": 6.0}),
    ]
    rounds = [
        round_of({}, one_more_day={"imports": 9.0, INVOKING: spent}, full_rebuild=rebuild)
        for spent, rebuild in found
    ]
    parts = median_parts(rounds)

    assert parts == {
        DAY: {INVOKING: 2.0, "imports": 9.0},
        REBUILD: {INVOKING: 20.0, "catalog": 6.0, "lake: opening": 0.0},
    }
    assert [" ".join(row.split()) for row in show_parts(parts).splitlines()] == [
        f"CPU s by part {DAY} {REBUILD}",
        f"{INVOKING} 2.00 20.00",
        "catalog 0.00 6.00",
        "(does not count) imports 9.00 0.00",
    ]


def test_ratios_are_medians_of_ratios_within_a_round() -> None:
    rounds = [
        round_of(
            {DAY: Cost(1, day, 2**20), REBUILD: Cost(4, rebuild, 2**21), DUCKDB: Cost(2, 8, 2**20)}
        )
        for day, rebuild in ((1.0, 16.0), (2.0, 40.0), (4.0, 32.0))
    ]
    ratios = median_ratios(rounds)

    # 16, 20 and 8 times; the medians alone, 32 and 2, would say 16 as well, and 4 of DuckDB.
    assert ratios == {f"{REBUILD} / {DAY}": (4.0, 16.0), f"{REBUILD} / {DUCKDB}": (2.0, 4.0)}
    table = show_table(median_costs(rounds), ratios).splitlines()
    assert [row.split()[-3:] for row in table] == [
        *(["s", "peak", "MiB"], ["1.0", "2.0", "1"], ["4.0", "32.0", "2"], ["2.0", "8.0", "1"]),
        *(["day", "4.00", "16.00"], ["hand", "2.00", "4.00"]),
    ]
    assert not any(CLICKHOUSE in name for name in ratios)
