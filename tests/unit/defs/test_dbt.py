from pathlib import Path
from typing import Any

import duckdb

from pipelines.defs.dbt import built_tables, count_rows


def ended(relation: str, materialized: str, status: str = "success") -> dict[str, Any]:
    relation_names = {"relation_name": relation}
    return {
        "data": {
            "status": status,
            "node_info": {"materialized": materialized, "node_relation": relation_names},
        }
    }


def test_rows_are_counted_of_what_holds_rows(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create table usage as from range(3)")
        connection.execute("create table prices as from range(0)")
    tables = built_tables(
        [
            ended('"warehouse"."main"."usage"', "table"),
            ended('"warehouse"."main"."prices"', "seed"),
            ended('"warehouse"."main"."seen"', "view"),
            ended('"warehouse"."main"."never_built"', "table", "error"),
            ended("", "test"),
        ]
    )
    assert count_rows(warehouse, tables) == {
        '"warehouse"."main"."usage"': 3,
        '"warehouse"."main"."prices"': 0,
    }
    assert count_rows(warehouse, []) == {}
