"""Lakes below a home: new, old, or filled from a landing; and a lake in memory for queries."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import repeat
from pathlib import Path
from types import MappingProxyType

import duckdb
import polars as pl

from pipelines.intake.batch import decide_and_commit, parse, plan
from pipelines.intake.window_index import WindowIndex
from pipelines.lake.catalog_databases import SqliteCatalog
from pipelines.lake.file_digests import RegisteredFile
from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import RunFacts
from pipelines.landing.store import Landing
from pipelines.reading.hold_rule import HoldRule
from pipelines.vocabulary.tables import LAKE_TABLES, LakeTable
from tests.worlds.deliveries import NOON
from tests.worlds.landings import VerdictRow
from tests.worlds.made_once import made_once

OLD_LAKES = Path(__file__).parent / "old_lakes"
"""Homes whose lakes the code of their day made; its README says what each one holds."""


_NOT_FOR_SMALL_LAKES = "statistics_propagation,join_order"
"""Optimizers of DuckDB. They ask DuckLake for the statistics of each column of an empty table anew:
a query takes ten times as long, and in tests most tables are empty."""


class SmallLake(Lake):
    """A lake whose queries are planned in a tenth of the time; it is opened as any other."""

    def __init__(self, catalog: SqliteCatalog, data: Path, *, read_only: bool) -> None:
        super().__init__(catalog, data, read_only=read_only, threads=1)
        self._connection.execute(f"SET disabled_optimizers = '{_NOT_FOR_SMALL_LAKES}'")

    def close(self) -> None:
        """Lets go of the lake's files, and of the setting, which is the whole database's."""
        with suppress(duckdb.Error):  # It may be closed already.
            self._connection.execute("RESET disabled_optimizers")
        super().close()


def open_lake(home: Path, *, read_only: bool) -> Lake:
    catalog = SqliteCatalog(home / "lake" / "catalog.sqlite")
    return SmallLake(catalog, home / "lake" / "data", read_only=read_only)


def migrated_lake() -> Path:
    """A home whose lake has its tables and no batch; whoever asks reads it and writes nothing."""

    def migrate(folder: Path) -> None:
        with open_lake(folder, read_only=False):
            pass

    return made_once("migrated-lake", migrate)


def start_lake(home: Path) -> Path:
    """The home with a lake of its own: a copy of the migrated one, unless it has one already."""
    if not (home / "lake").exists():
        shutil.copytree(migrated_lake(), home, dirs_exist_ok=True)
    return home


def copy_old_lake(name: str, folder: Path) -> Path:
    """A home with a copy of the old lake and the catalogs it used, which a test may change."""
    home = Path(shutil.copytree(OLD_LAKES / name, folder / name))
    for stored in (home / "lake" / "data" / "main" / "catalogs").glob("*.parquet"):
        columns = ["catalog_digest", "file_name", "content"]
        for digest, file_name, content in pl.read_parquet(stored, columns=columns).iter_rows():
            frozen = home / "catalog" / digest
            frozen.mkdir(parents=True, exist_ok=True)
            (frozen / file_name).write_bytes(content.encode())
    return home


def lake_rows(table: LakeTable, *rows: Mapping[str, object]) -> pl.DataFrame:
    """Rows of a lake table; a column that a row does not name is null."""
    complete = [{name: row.get(name) for name in table.column_names} for row in rows]
    return pl.DataFrame(complete, schema=table.schema)


def decide_landing(
    home: Path,
    landing: Landing,
    sources: pl.DataFrame,
    refusal_cuts: pl.DataFrame,
    batch_bytes: Iterator[int] | None = None,
    processes: int = 1,
    hold: HoldRule | None = None,
) -> int:
    """Decides all that is new in the landing, batch after batch; returns the number of batches."""
    facts = RunFacts(
        as_of=NOON,
        listing_started_at=NOON,
        catalog_digest="0" * 64,
        catalog_files={"sources.csv": b"source\n"},
        code_revision="1" * 64,
    )
    batches = 0
    with open_lake(start_lake(home), read_only=False) as lake:
        for size in batch_bytes or repeat(2**40):
            planned = plan(lake, landing, sources, home / "staging", size)
            if planned.files.is_empty():
                break
            index = WindowIndex(home / "lake" / "window")
            parsed = parse(
                lake, index, planned, landing, sources, lambda _: refusal_cuts, processes, hold
            )
            decide_and_commit(lake, index, planned, parsed, sources, refusal_cuts, facts)
            batches += 1
    return batches


def verdict_rows(home: Path) -> list[VerdictRow]:
    """Every verdict in the lake, by path and line."""
    with open_lake(home, read_only=True) as lake:
        rows = lake.query(
            """
            SELECT files.path, events.line, 'accepted' AS verdict, NULL AS reason_code,
                NULL AS winner_path, NULL::BIGINT AS winner_line
            FROM lake.accepted_events AS events
            JOIN lake.landing_files AS files USING (file_id)
            UNION ALL
            SELECT files.path, events.line, events.verdict, events.reason_code,
                winners.path, events.winner_line
            FROM lake.refused_events AS events
            JOIN lake.landing_files AS files USING (file_id)
            LEFT JOIN lake.landing_files AS winners ON winners.file_id = events.winner_file_id
            """
        )
    return sorted(rows.iter_rows(), key=lambda row: row[:2])


def make_lake_tables(connection: duckdb.DuckDBPyConnection, database: str) -> None:
    """Makes every table of the lake, empty, in an attached database that is not DuckLake."""
    for table in LAKE_TABLES:
        columns = ", ".join(f"{column.name} {column.sql_type}" for column in table.columns)
        connection.execute(f"CREATE TABLE {database}.{table.name} ({columns})")


class LakeInMemory(Lake):
    """Every table of the lake, with the rows given; not DuckLake."""

    def __init__(self, tables: Mapping[LakeTable, pl.DataFrame] = MappingProxyType({})) -> None:
        self._connection = duckdb.connect(":memory:", config={"threads": 1})
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("ATTACH ':memory:' AS lake")
        make_lake_tables(self._connection, "lake")
        for table, rows in tables.items():
            self.append(table, rows)

    def close(self) -> None:
        """Forgets it all."""
        self._connection.close()

    def registered_files(self) -> list[RegisteredFile]:
        """None: the rows are in memory."""
        return []

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
