"""Every table and column of the lake says what it means: in the code, the lake, docs and dbt."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.lake.migrate import SCHEMA_VERSION
from pipelines.vocabulary.tables import LAKE_TABLES, Column, LakeTable
from tests.worlds.lakes import declared, described, open_lake

REPOSITORY = Path(__file__).parents[2]

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


def test_table_has_a_name_of_its_own() -> None:
    names = [table.name for table in (SCHEMA_VERSION, *LAKE_TABLES)]
    assert len(set(names)) == len(names)


def test_lake_holds_the_tables_as_documented(migrated_home: Path) -> None:
    """The migrations give what is declared: columns, their order, types and comments."""
    with open_lake(migrated_home, read_only=True) as lake:
        assert described(lake) == declared((SCHEMA_VERSION, *LAKE_TABLES))


@pytest.mark.parametrize(
    ("module", "file"),
    [
        ("pipelines.lake.reference", "docs/lake.md"),
        (
            "pipelines.warehouse.lake_sources",
            "dbt_project/models/staging/lake/_lake__sources.yml",
        ),
    ],
)
def test_file_written_from_the_tables_is_current(module: str, file: str) -> None:
    written = subprocess.run(
        [sys.executable, "-m", module], cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    assert (REPOSITORY / file).read_text() == written.stdout, "run `make docs` and commit"
