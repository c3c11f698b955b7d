"""The bench of settling settles what it fills, and each step has something to do."""

from pathlib import Path

import duckdb
import polars as pl
import pytest

from bench.settling import (
    FILLED,
    INVOICES_OF_EACH,
    LINES_OF_EACH,
    fill,
    measure_parts,
    settle,
    show_table,
)
from pipelines.warehouse import settling
from pipelines.warehouse.settling import STAGES

CUSTOMERS = 200
INVOICES = CUSTOMERS * INVOICES_OF_EACH


@pytest.fixture(scope="module")
def settled() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    fill(connection, CUSTOMERS)
    settle(connection)
    return connection


def test_every_step_changes_something(settled: duckdb.DuckDBPyConnection) -> None:
    ((invoices, discount, tax, credit, due),) = settled.execute(
        "from totals_settled select count(*), sum(discount_minor), sum(tax_minor), "
        "sum(credit_minor), sum(due_minor)"
    ).fetchall()

    assert invoices == INVOICES
    assert min(discount, tax, credit, due) > 0
    kinds = settled.execute("from lines_settled select kind, count(*) group by all").fetchall()
    assert dict(kinds) | {"minimum": 1, "maximum": 1} == {
        "flat": INVOICES, "usage": INVOICES * (LINES_OF_EACH - 1), "minimum": 1, "maximum": 1,
    }  # fmt: skip
    assert {"minimum", "maximum"} <= dict(kinds).keys()


def test_what_is_left_moves_from_invoice_to_invoice(settled: duckdb.DuckDBPyConnection) -> None:
    ((partly, used),) = settled.execute(
        "from credits_settled select count(*) filter (left_minor > 0 and drawn_minor > 0), "
        "count(*) filter (left_minor = 0)"
    ).fetchall()

    assert min(partly, used) > 0


def test_the_bench_fills_what_settling_reads(settled: duckdb.DuckDBPyConnection) -> None:
    schemas = {
        "invoices": settling.INVOICES, "lines": settling.INVOICE_LINES,
        "discounts": settling.DISCOUNTS, "taxes": settling.TAXES, "credits": settling.CREDITS,
    }  # fmt: skip

    assert FILLED.keys() == schemas.keys()
    for name, schema in schemas.items():
        found = settled.execute(f"from {name} limit 1").pl()
        assert {each: found.schema[each] for each in found.columns if "_key" not in each} == {
            each: kind if kind != pl.Int64() else found.schema[each]
            for each, kind in schema.items()
            if "_key" not in each
        }, name


def test_both_parts_are_measured(tmp_path: Path) -> None:
    costs = measure_parts(tmp_path, customers=4, cases=3)

    assert [(cost.part, cost.count) for cost in costs] == [("invoices", 20), ("preview", 3)]
    assert costs[0].steps.keys() == STAGES.keys()
    assert "lines_settled" in show_table(costs)
