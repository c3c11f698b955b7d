"""Every table and column of the lake says what it means, in the code and in the lake itself."""

from pathlib import Path

import pytest

from pipelines.vocabulary.tables import LAKE_TABLES, Column, LakeTable
from tests.worlds.files import open_lake

COLUMNS = [
    pytest.param(table, column, id=f"{table.name}.{column.name}")
    for table in LAKE_TABLES
    for column in table.columns
]

PROMISED_TYPES = {"_at": "TIMESTAMPTZ", "_bytes": "BIGINT", "_amount": "DECIMAL(38,15)"}
"""What the end of a name promises."""


@pytest.mark.parametrize("table", LAKE_TABLES, ids=lambda table: table.name)
def test_table_says_what_a_row_is(table: LakeTable) -> None:
    assert "one row per" in table.meaning.lower()
    assert table.meaning.endswith(".")


@pytest.mark.parametrize("table", LAKE_TABLES, ids=lambda table: table.name)
def test_every_row_carries_its_batch(table: LakeTable) -> None:
    assert table.column_names[0] == "batch_id"
    assert len(set(table.column_names)) == len(table.column_names)


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_column_says_what_it_means(table: LakeTable, column: Column) -> None:
    assert column.meaning.endswith(".")
    assert len(column.meaning) > 10


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_name_keeps_its_promise_about_the_type(table: LakeTable, column: Column) -> None:
    for suffix, sql_type in PROMISED_TYPES.items():
        assert column.sql_type == sql_type or not column.name.endswith(suffix)


def test_column_of_one_name_has_one_type_everywhere() -> None:
    types: dict[str, set[str]] = {}
    for table in LAKE_TABLES:
        for column in table.columns:
            types.setdefault(column.name, set()).add(column.sql_type)

    assert {name: found for name, found in types.items() if len(found) > 1} == {}


def test_lake_holds_the_tables_as_documented(migrated_home: Path) -> None:
    with open_lake(migrated_home, read_only=True) as lake:
        tables = lake.query(
            "SELECT table_name, comment FROM duckdb_tables() WHERE database_name = 'lake'"
        )
        columns = lake.query(
            """
            SELECT table_name, column_name, data_type, comment FROM duckdb_columns()
            WHERE database_name = 'lake' ORDER BY table_name, column_index
            """
        )

    documented = {table.name: table.meaning for table in LAKE_TABLES}
    found = dict(tables.rows())
    assert found.pop("schema_version")
    assert found == documented
    by_table = {
        name: [(column, sql_type, comment) for _, column, sql_type, comment in rows.rows()]
        for (name,), rows in columns.partition_by("table_name", as_dict=True).items()
    }
    assert all(comment for _, _, comment in by_table.pop("schema_version"))
    assert by_table == {
        table.name: [
            (column.name, _as_duckdb_prints(column.sql_type), column.meaning)
            for column in table.columns
        ]
        for table in LAKE_TABLES
    }


def _as_duckdb_prints(sql_type: str) -> str:
    return sql_type.replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE")
