from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.defs.dbt import LineageTranslator, built_tables, count_rows


def node(folders: str, tag: str, resource_type: str = "model") -> dict[str, Any]:
    fqn = ["meterline", *folders.split("/"), "node"]
    return {"resource_type": resource_type, "tags": [tag], "fqn": fqn}


@pytest.mark.parametrize(
    ("properties", "group"),
    [
        pytest.param(node("seeds", "billing", "seed"), "1_catalog", id="seed"),
        pytest.param(node("staging/catalog", "billing"), "1_catalog", id="staged seed"),
        pytest.param(node("staging/lake", "billing"), "3_events", id="staged event"),
        pytest.param(node("staging/calendar", "billing"), "4_calendar", id="staged period"),
        pytest.param(node("metrics", "billing"), "5_metrics", id="metric"),
        pytest.param(node("rating", "billing"), "6_rating", id="rated"),
        pytest.param(node("invoices", "billing"), "7_invoices", id="drafted"),
        pytest.param(node("intermediate", "marts"), "8_marts", id="after the close"),
        pytest.param(node("marts", "marts"), "8_marts", id="mart"),
    ],
)
def test_group_follows_the_flow(properties: dict[str, Any], group: str) -> None:
    assert LineageTranslator().get_group_name(properties) == group


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
