from pathlib import Path
from typing import Any

import duckdb

from pipelines.defs.dbt import count_rows, counted_relations


def ended(relation: str, materialized: str, status: str = "success") -> dict[str, Any]:
    node = {
        "materialized": materialized,
        "node_name": relation.rpartition(".")[2].strip('"'),
        "node_relation": {"relation_name": relation},
    }
    return {"data": {"status": status, "node_info": node}}


def test_rows_are_counted_of_what_holds_rows(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create table usage as from range(3)")
        connection.execute("create table prices as from range(0)")
        connection.execute("create schema states")
        connection.execute("create table states.state_calls as select 4 as event_count")
    relations = counted_relations(
        [
            ended('"warehouse"."main"."usage"', "table"),
            ended('"warehouse"."main"."prices"', "seed"),
            ended('"warehouse"."main"."seen"', "view"),
            ended('"warehouse"."metrics"."metric_calls"', "view"),
            ended('"warehouse"."main"."never_built"', "table", "error"),
            ended("", "test"),
        ]
    )
    assert count_rows(warehouse, relations) == {
        '"warehouse"."main"."usage"': 3,
        '"warehouse"."main"."prices"': 0,
        '"warehouse"."metrics"."metric_calls"': 4,
    }
    assert count_rows(warehouse, {}) == {}
