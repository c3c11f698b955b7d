"""Lakes for tests: one in memory, those of old schemas, and what a lake says of its tables.

The lake in memory has the tables of a lake where SQL means the same, and where rows can be changed.
It serves tests of queries, a hundred times faster than DuckLake. For commits, files or readers only
a real lake is a witness.
"""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import duckdb
import polars as pl

from pipelines.lake.lake import Lake
from pipelines.vocabulary.tables import LAKE_TABLES, LakeTable

OLD_LAKES = Path(__file__).parent / "old_lakes"
"""Homes whose lakes the code of their day made; its README says what each one holds."""


def copy_old_lake(name: str, folder: Path) -> Path:
    """A home with a copy of the old lake, which a test may change."""
    return Path(shutil.copytree(OLD_LAKES / name, folder / name))


class LakeInMemory(Lake):
    """Every table of the lake, with the rows given; not DuckLake."""

    def __init__(self, tables: Mapping[LakeTable, pl.DataFrame] = MappingProxyType({})) -> None:
        self._connection = duckdb.connect(":memory:", config={"threads": 1})
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("ATTACH ':memory:' AS lake")
        for table in LAKE_TABLES:
            columns = ", ".join(f"{column.name} {column.sql_type}" for column in table.columns)
            self.change(f"CREATE TABLE lake.{table.name} ({columns})")
        for table, rows in tables.items():
            self.append(table, rows)

    def close(self) -> None:
        """Forgets it all."""
        self._connection.close()

    def append(self, table: LakeTable, rows: pl.DataFrame) -> None:
        """Adds the rows; their columns are those of the table."""
        self._connection.register("rows", rows.select(table.column_names).to_arrow())
        self.change(f"INSERT INTO lake.{table.name} SELECT * FROM rows")
        self._connection.unregister("rows")

    def change(self, statement: str) -> None:
        """Runs a statement that a lake would never see."""
        self._connection.execute(statement)


Described = dict[str, tuple[str | None, list[tuple[str, str, str | None]]]]
"""By table: its comment, and name, type and comment of each column in order."""


def described(lake: Lake) -> Described:
    """What the lake itself says of its tables."""
    tables = lake.query(
        "SELECT table_name, comment FROM duckdb_tables() WHERE database_name = 'lake'"
    )
    columns = lake.query(
        """
        SELECT table_name, column_name, data_type, comment FROM duckdb_columns()
        WHERE database_name = 'lake' ORDER BY table_name, column_index
        """
    )
    return {
        name: (comment, [tuple(column) for table, *column in columns.rows() if table == name])
        for name, comment in tables.rows()
    }


def declared(tables: Iterable[LakeTable]) -> Described:
    """What the code says of the tables, in the form of `described`."""
    return {
        table.name: (
            table.meaning,
            [
                (column.name, _as_duckdb_prints(column.sql_type), column.meaning)
                for column in table.columns
            ],
        )
        for table in tables
    }


def _as_duckdb_prints(sql_type: str) -> str:
    return sql_type.replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE")
