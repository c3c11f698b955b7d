"""The bench of rating drafts the same by both roads, and most of its lines take the narrow one."""

from pathlib import Path

import duckdb
import pytest

from bench.rating import (
    BY_ROAD,
    ROADS,
    build,
    make_warehouse,
    measure_roads,
    references,
    show_table,
)
from bench.rating_fill import CHARGES, TIERS, WIDE_EVERY, documented, inputs
from pipelines.warehouse.metric_macros import model_sql

SUBSCRIPTIONS = 200
LINES = SUBSCRIPTIONS * CHARGES

Rows = list[tuple[object, ...]]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rating") / "warehouse.duckdb"
    make_warehouse(path, SUBSCRIPTIONS)
    return path


def drafted(connection: duckdb.DuckDBPyConnection) -> list[Rows]:
    tables = ("int_invoice_lines_rated", "int_invoice_lines_drafted", "int_invoices_drafted")
    return [connection.execute(f"from {name} order by all").fetchall() for name in tables]


def test_both_roads_draft_the_same(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        build(connection, "both")
        both = drafted(connection)
        narrow = f"from {BY_ROAD} select count(narrow_quantity), count(*)"
        assert connection.execute(narrow).fetchall() == [(LINES - LINES // WIDE_EVERY, LINES)]
        build(connection, "wide")
        assert connection.execute(narrow).fetchall() == [(0, LINES)]
        assert drafted(connection) == both
    assert [len(rows) for rows in both] == [LINES, LINES, SUBSCRIPTIONS]


@pytest.mark.parametrize("road", ROADS)
def test_no_model_compares_each_row_with_each(warehouse: Path, road: str) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        build(connection, road)
        for name, read in references().items():
            sql = model_sql(name, {each: each for each in read})
            ((_, plan),) = connection.execute(f"explain {sql}").fetchall()
            assert ("_NL_JOIN" in plan) + ("NESTED_LOOP_JOIN" in plan) == 0, name


def test_every_tier_is_reached_and_some_lines_have_no_usage(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        build(connection, "both")
        counts = connection.execute(
            "from int_invoice_lines_drafted select len(json_extract(tiers, '$[*]')), count(*) "
            "group by 1 order by 1"
        ).fetchall()
    # Half of the charges have a flat amount at 0, and so a tier.
    assert [reached for reached, _ in counts] == list(range(len(TIERS) + 1))
    assert min(lines for _, lines in counts) > LINES // 40


def test_each_road_is_a_process_that_says_its_models_and_lines(tmp_path: Path) -> None:
    costs = measure_roads(tmp_path, 3)
    assert [cost.road for cost in costs] == list(ROADS)
    for cost in costs:
        assert cost.lines == 3 * CHARGES
        assert cost.models.keys() == references().keys()
        assert cost.cpu_seconds > sum(cost.models.values()) > 0
    assert "int_invoice_lines_rated" in show_table(costs)


def test_what_is_read_is_filled_by_documented_columns() -> None:
    for name, columns in inputs(1).items():
        assert columns.keys() - {"from"} <= documented(name).keys(), name


def test_models_stand_after_what_they_read() -> None:
    done: set[str] = set()
    for name, read in references().items():
        assert read & references().keys() <= done, name
        done.add(name)
