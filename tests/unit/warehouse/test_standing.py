from pathlib import Path

import duckdb
import pytest

from pipelines.warehouse.standing import forget, remember, stands

RELATIONS = {("catalog", "prices"), ("staging", "stg_prices")}
MADE_FROM = "project-1 catalog-1"


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """A warehouse that was just built."""
    path = tmp_path / "warehouse.duckdb"
    change(
        path,
        """
        create schema catalog; create schema staging;
        create table catalog.prices as select 1 as price;
        create view staging.stg_prices as select * from catalog.prices;
        """,
    )
    forget(path, "billing")
    remember(path, "billing", MADE_FROM, RELATIONS)
    return path


def change(warehouse: Path, sql: str) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(sql)


def test_what_was_built_from_the_same_stands(warehouse: Path) -> None:
    assert stands(warehouse, "billing", MADE_FROM, RELATIONS)


def test_other_tables_may_come_and_go(warehouse: Path) -> None:
    change(warehouse, "create table catalog.of_somebody_else as select 1")
    assert stands(warehouse, "billing", MADE_FROM, RELATIONS)


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("drop table catalog.prices", id="a table is gone"),
        pytest.param("drop view staging.stg_prices", id="a view is gone"),
        pytest.param("insert into catalog.prices values (2)", id="a row more"),
        pytest.param("update catalog.prices set price = 2", id="another value"),
        pytest.param("delete from catalog.prices", id="a row less"),
        pytest.param("alter table catalog.prices add column currency varchar", id="a column more"),
        pytest.param(
            "create or replace view staging.stg_prices as select 2 as price", id="another view"
        ),
        pytest.param("drop table main.standing", id="nothing is remembered"),
    ],
)
def test_nothing_stands_in_a_damaged_warehouse(warehouse: Path, sql: str) -> None:
    change(warehouse, sql)
    assert not stands(warehouse, "billing", MADE_FROM, RELATIONS)


@pytest.mark.parametrize(
    ("phase", "made_from", "relations"),
    [
        pytest.param("billing", "project-2 catalog-1", RELATIONS, id="another project"),
        pytest.param("billing", "project-1 catalog-2", RELATIONS, id="another catalog"),
        pytest.param("marts", MADE_FROM, RELATIONS, id="a phase that was never built"),
        pytest.param("billing", MADE_FROM, {("catalog", "prices")}, id="fewer relations"),
    ],
)
def test_what_was_built_from_something_else_does_not_stand(
    warehouse: Path, phase: str, made_from: str, relations: set[tuple[str, str]]
) -> None:
    assert not stands(warehouse, phase, made_from, relations)


def test_a_phase_that_is_being_built_does_not_stand(warehouse: Path) -> None:
    forget(warehouse, "marts")
    assert stands(warehouse, "billing", MADE_FROM, RELATIONS)
    forget(warehouse, "billing")
    assert not stands(warehouse, "billing", MADE_FROM, RELATIONS)
    remember(warehouse, "billing", MADE_FROM, RELATIONS)
    assert stands(warehouse, "billing", MADE_FROM, RELATIONS)


def test_nothing_stands_in_a_new_warehouse(tmp_path: Path) -> None:
    new = tmp_path / "new.duckdb"
    change(new, "select 1")
    assert not stands(new, "billing", MADE_FROM, RELATIONS)
