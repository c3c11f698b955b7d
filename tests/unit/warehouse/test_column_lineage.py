"""Where the columns of a model come from, through views, joins and `select *`."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.warehouse import column_lineage
from pipelines.warehouse.column_lineage import Place, kept_lineage, lineage_of_columns, origins
from pipelines.warehouse.dbt_runner import PreparedProject

EVENTS, PRICES, SEEN, RATED, MART = (
    "source.m.lake.events",
    "seed.m.prices",
    "model.m.stg_events",
    "model.m.int_rated",
    "model.m.fct_bill",
)


def node(name: str, kind: str, folder: str, **more: Any) -> dict[str, Any]:
    table = name.rpartition(".")[2]
    return {
        "resource_type": kind,
        "schema": folder,
        "database": "warehouse",
        "columns": {},
        "fqn": ["m", folder, table],
        "package_name": "m",
        "original_file_path": f"models/{table}.sql",
        "config": {"materialized": "table"},
        "depends_on": {"nodes": []},
        **({"identifier": table} if kind == "source" else {"alias": table}),
        **more,
    }


def columns(*names: str) -> dict[str, Any]:
    return {name: {"data_type": "varchar"} for name in names}


MANIFEST: dict[str, Any] = {
    "sources": {EVENTS: node(EVENTS, "source", "main", columns=columns("customer", "bytes"))},
    "nodes": {
        # Against the order of reading: a model is written before what it reads.
        MART: node(MART, "model", "marts", depends_on={"nodes": [RATED]}),
        RATED: node(RATED, "model", "rating", depends_on={"nodes": [SEEN, PRICES]}),
        SEEN: node(
            SEEN,
            "model",
            "staging",
            config={"materialized": "view"},
            depends_on={"nodes": [EVENTS]},
        ),
        PRICES: node(PRICES, "seed", "catalog", columns=columns("customer", "price")),
    },
}
STATEMENTS = {
    SEEN: 'select customer, bytes as quantity from "warehouse"."main"."events"',
    RATED: """
        with seen as (select * from "warehouse"."staging"."stg_events")
        select seen.customer, seen.quantity * prices.price as amount, count(*) over () as rows_seen
        from seen left join "warehouse"."catalog"."prices" as prices
            on seen.customer = prices.customer
    """,
    MART: """
        select customer, sum(amount) as total, 'EUR' as currency
        from "warehouse"."rating"."int_rated" group by customer
    """,
}


def test_columns_come_from_tables_and_views_are_passed_through() -> None:
    lineage = lineage_of_columns(MANIFEST, STATEMENTS)
    assert lineage == {
        RATED: {
            "customer": (Place(EVENTS, "customer"),),
            "amount": (Place(PRICES, "price"), Place(EVENTS, "bytes")),
            "rows_seen": (),
        },
        MART: {
            "customer": (Place(RATED, "customer"),),
            "total": (Place(RATED, "amount"),),
            "currency": (),
        },
    }


def test_column_goes_back_to_the_sources_and_seeds() -> None:
    lineage = lineage_of_columns(MANIFEST, STATEMENTS)
    assert origins(lineage, Place(MART, "total")) == {
        Place(PRICES, "price"),
        Place(EVENTS, "bytes"),
    }
    assert origins(lineage, Place(MART, "currency")) == set()


def test_union_by_name_pairs_columns_by_their_names() -> None:
    united = """
        with prices as (
            select customer, bytes as quantity from "warehouse"."main"."events"
            union all by name
            select cast(null as varchar) as name, customer from "warehouse"."catalog"."prices"
        )
        select customer, quantity, name from prices
    """
    lineage = lineage_of_columns(MANIFEST, {**STATEMENTS, RATED: united, MART: STATEMENTS[SEEN]})
    assert lineage[RATED] == {
        "customer": (Place(PRICES, "customer"), Place(EVENTS, "customer")),
        "quantity": (Place(EVENTS, "bytes"),),
        "name": (),
    }


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    folder = tmp_path / "compiled"
    for name, statement in STATEMENTS.items():
        file = folder / "m" / MANIFEST["nodes"][name]["original_file_path"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(statement)
    return folder


def test_lineage_is_computed_once_for_a_project(
    tmp_path: Path, compiled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = PreparedProject(tmp_path, tmp_path)
    computed = kept_lineage(project, MANIFEST, compiled)
    assert computed == lineage_of_columns(MANIFEST, STATEMENTS)
    monkeypatch.delattr(column_lineage, "lineage_of_columns")
    assert kept_lineage(project, MANIFEST, compiled) == computed


def test_lineage_is_not_kept_before_every_model_is_compiled(tmp_path: Path, compiled: Path) -> None:
    project = PreparedProject(tmp_path, tmp_path)
    missing = compiled / "m" / "models" / "int_rated.sql"
    missing.rename(tmp_path / "elsewhere.sql")
    assert kept_lineage(project, MANIFEST, compiled) == {}
    (tmp_path / "elsewhere.sql").rename(missing)
    assert kept_lineage(project, MANIFEST, compiled).keys() == {RATED, MART}
