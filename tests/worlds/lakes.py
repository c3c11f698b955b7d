"""A lake in memory: the tables of a lake where SQL means the same, and where they can be changed.

Belongs here: what tests of queries need, a hundred times faster than DuckLake. Must not be put
here: anything about commits, files or readers, for which only a real lake is a witness.
"""

from collections.abc import Mapping
from types import MappingProxyType

import duckdb
import polars as pl

from pipelines.lake.lake import Lake
from pipelines.vocabulary.tables import LAKE_TABLES, LakeTable


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
