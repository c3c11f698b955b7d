"""The lake: DuckLake tables, written by one writer in one transaction a batch.

Belongs here: migrations, committing, reading as of a batch, sweeping leftovers.
Must not be put here: what the rows mean or which are right (see `decide`, `conservation`).

Rules kept here (design §1): absolute DATA_PATH with OVERRIDE_DATA_PATH, files stored relative
to it; no inlining; registered files are moved into the data path first and never registered
twice; no UPDATE or DELETE on any table; a newer schema is refused; WAL on the catalog.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import polars as pl

from pipelines.lake.ducklake import Attached, quoted
from pipelines.vocabulary.errors import LakeError
from pipelines.vocabulary.tables import LAKE_TABLES, Column, LakeTable


class Lake:
    """One open connection to the lake; use it as a context manager."""

    def __init__(
        self,
        catalog: Path,
        data: Path,
        *,
        read_only: bool = True,
        snapshot_id: int | None = None,
        threads: int = 2,
        memory_limit: str = "2GiB",
    ) -> None:
        self._data = data
        self._catalog = catalog
        if not read_only:
            data.mkdir(parents=True, exist_ok=True)
            _use_wal(catalog)
        elif not catalog.is_file():
            raise LakeError(f"there is no lake at {catalog}; run `meterline run` first")
        self._attached = Attached(
            catalog,
            data,
            read_only=read_only,
            snapshot_id=snapshot_id,
            threads=threads,
            memory_limit=memory_limit,
        )
        self._connection = self._attached.connection
        try:
            version = self._schema_version()
            if not read_only and version < len(MIGRATIONS):
                version = self._migrate(version)
            _refuse_other_schema(version)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the lake's files; nothing can be asked any more."""
        self._attached.close()

    def query(
        self, sql: str, parameters: Mapping[str, Any] | None = None, **frames: pl.DataFrame
    ) -> pl.DataFrame:
        """The result of a SELECT; `frames` are readable in it by their keyword names."""
        for name, frame in frames.items():
            self._connection.register(name, frame.to_arrow())
        try:
            return self._connection.execute(sql, dict(parameters or {})).pl()
        finally:
            for name in frames:
                self._connection.unregister(name)

    def table(self, table: LakeTable) -> pl.DataFrame:
        """All rows of a small table, with its schema."""
        rows = self.query(f"SELECT * FROM lake.{table.name}")
        return rows.select(pl.col(column.name).cast(column.dtype) for column in table.columns)

    def snapshot_id(self) -> int:
        """The newest committed state; readers attach at it to see one state throughout."""
        found = self.query("SELECT max(snapshot_id) AS id FROM ducklake_snapshots('lake')")
        return int(found["id"][0])

    def last_batch_id(self, kind: str | None = None) -> int:
        """The newest batch, of one kind or of any; 0 when there is none."""
        found = self.query(
            "SELECT coalesce(max(batch_id), 0) AS id FROM lake.batches "
            "WHERE $kind IS NULL OR kind = $kind",
            {"kind": kind},
        )
        return int(found["id"][0])

    def files(self, table: LakeTable, batch_id: int | None = None) -> list[Path]:
        """The Parquet files that are the table (as of a batch): any engine can read them."""
        found = self.query(
            "SELECT data_file FROM ducklake_list_files('lake', $table)", {"table": table.name}
        )
        paths = [Path(path) for path in found["data_file"].to_list()]
        if batch_id is None:
            return paths
        return [path for path in paths if _batch_of(path) <= batch_id]

    def files_after(self, table: LakeTable, batch_id: int) -> list[Path]:
        """The Parquet files that batches after one added to the table."""
        return [path for path in self.files(table) if _batch_of(path) > batch_id]

    def commit_batch(
        self,
        batch_id: int,
        rows: Mapping[LakeTable, pl.DataFrame],
        staged_files: Mapping[LakeTable, list[Path]],
    ) -> None:
        """Makes a batch visible: all of its rows and files, or none.

        Args:
            batch_id: one more than the last.
            rows: small tables' rows, with `batch_id`.
            staged_files: Parquet written by workers; they are moved into the data path.

        Raises:
            LakeError: the batch exists, a path is registered already, or the commit failed;
                the lake is as before.
        """
        expected = self.last_batch_id() + 1
        if batch_id != expected:
            raise LakeError(f"expected batch {expected}, found batch {batch_id}; run again")
        moved: dict[LakeTable, list[Path]] = {}
        for table, frame in rows.items():
            if frame.height:
                moved.setdefault(table, []).append(self._write(table, batch_id, frame))
        for table, paths in staged_files.items():
            moved.setdefault(table, []).extend(
                self._move_in(table, batch_id, path) for path in paths
            )
        with self._transaction():
            for table, paths in moved.items():
                self._register(table, paths)

    def sweep(self) -> int:
        """Deletes data files that no commit registered; call it only under the writer lock."""
        swept = 0
        for table in LAKE_TABLES:
            registered = {path.name for path in self.files(table)}
            for path in self._folder(table).glob("*.parquet"):
                if path.name not in registered:
                    path.unlink()
                    swept += 1
        return swept

    def _folder(self, table: LakeTable) -> Path:
        return self._data / "main" / table.name

    def _place(self, table: LakeTable, batch_id: int, name: str) -> Path:
        folder = self._folder(table)
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"batch-{batch_id:09d}-{name}"
        if target.exists():
            raise LakeError(f"{target.name} is in the lake already; run again, the sweep heals it")
        return target

    def _move_in(self, table: LakeTable, batch_id: int, staged: Path) -> Path:
        return staged.rename(self._place(table, batch_id, staged.name))

    def _write(self, table: LakeTable, batch_id: int, frame: pl.DataFrame) -> Path:
        if set(frame["batch_id"].unique()) != {batch_id}:
            raise LakeError(f"rows for {table.name} carry another batch_id than {batch_id}")
        target = self._place(table, batch_id, "rows.parquet")
        frame.select(
            pl.col(column.name).cast(column.dtype) for column in table.columns
        ).write_parquet(target)
        return target

    def _register(self, table: LakeTable, paths: list[Path]) -> None:
        registered = {path.name for path in self.files(table)}
        for path in paths:
            if path.name in registered:
                raise LakeError(
                    f"{path.name} is registered already; registering twice doubles rows"
                )
            registered.add(path.name)
            self._connection.execute(
                "CALL ducklake_add_data_files('lake', $table, $path)",
                {"table": table.name, "path": str(path)},
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN")
        try:
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            # A commit that fails has rolled back by itself.
            self._connection.execute("COMMIT")
        except duckdb.Error as error:
            raise LakeError(f"nothing was committed, the lake is as before: {error}") from error

    def _schema_version(self) -> int:
        try:
            found = self._connection.execute(
                "SELECT max(version) FROM lake.schema_version"
            ).fetchone()
        except duckdb.CatalogException:  # a new lake
            return 0
        return int(found[0]) if found and found[0] is not None else 0

    def _migrate(self, found: int) -> int:
        """Brings the lake from the schema that was found to the newest, whose version it gives."""
        if 0 < found < HASHED_SINCE and self._holds_events():
            raise LakeError(
                f"the lake has schema {found}, whose keys are hashed otherwise: "
                "no copy of an event would be found; set METERLINE_HOME to a new folder and run "
                "again, the landing still has every event"
            )
        for version, (name, statements) in enumerate(MIGRATIONS[found:], start=found + 1):
            with self._transaction():
                for statement in statements:
                    self._connection.execute(statement)
                self._connection.execute(
                    "INSERT INTO lake.schema_version VALUES ($version, $name, $applied_at)",
                    {"version": version, "name": name, "applied_at": datetime.now(UTC)},
                )
        return len(MIGRATIONS)

    def _holds_events(self) -> bool:
        return bool(self._connection.execute("SELECT 1 FROM lake.accepted_events").fetchone())


def _use_wal(catalog: Path) -> None:
    # Without WAL an open reader makes another process's commit fail. It is set before DuckDB
    # opens the file: closing it here would drop the locks that DuckDB's own SQLite holds.
    connection = sqlite3.connect(catalog)
    try:
        (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    finally:
        connection.close()
    if mode != "wal":
        raise LakeError(f"expected the lake's catalog in WAL mode, found {mode}: {catalog}")


def _refuse_other_schema(version: int) -> None:
    if version > len(MIGRATIONS):
        raise LakeError(
            f"the lake has schema {version}, this Meterline knows up to {len(MIGRATIONS)}; "
            "use the newer Meterline that wrote it"
        )
    if version < len(MIGRATIONS):
        raise LakeError(
            f"the lake has schema {version}, this Meterline needs {len(MIGRATIONS)}; "
            "`meterline run` migrates it"
        )


def _batch_of(path: Path) -> int:
    # Every file is named by the batch that moved it in: batch-<id>-<part>.parquet.
    return int(path.name.split("-")[1])


def _create_statements() -> tuple[str, ...]:
    statements = [
        "CREATE TABLE lake.schema_version (version INTEGER, name VARCHAR, applied_at TIMESTAMPTZ)",
        "COMMENT ON TABLE lake.schema_version IS 'One row per migration applied to this lake.'",
        "COMMENT ON COLUMN lake.schema_version.version IS 'Number of the migration, from 1.'",
        "COMMENT ON COLUMN lake.schema_version.name IS 'What the migration did.'",
        "COMMENT ON COLUMN lake.schema_version.applied_at IS 'When it was applied (UTC).'",
    ]
    for table in LAKE_TABLES:
        first = [column for column in table.columns if column.since == 1]
        columns = ", ".join(f"{column.name} {column.sql_type}" for column in first)
        statements.append(f"CREATE TABLE lake.{table.name} ({columns})")
        statements.append(f"COMMENT ON TABLE lake.{table.name} IS {quoted(table.meaning)}")
        statements.extend(_comment_on(table, column) for column in first)
    return tuple(statements)


def _add_statements(since: int) -> tuple[str, ...]:
    """SQL that adds the columns of a migration; rows written before read as null in them."""
    statements = []
    for table in LAKE_TABLES:
        added = [column for column in table.columns if column.since == since]
        if added:
            statements.append(f"COMMENT ON TABLE lake.{table.name} IS {quoted(table.meaning)}")
        for column in added:
            statements.append(
                f"ALTER TABLE lake.{table.name} ADD COLUMN {column.name} {column.sql_type}"
            )
            statements.append(_comment_on(table, column))
    return tuple(statements)


def _comment_on(table: LakeTable, column: Column) -> str:
    return f"COMMENT ON COLUMN lake.{table.name}.{column.name} IS {quoted(column.meaning)}"


HASHED_SINCE = 2
"""The first schema whose keys are hashed as `digests` does it."""

MIGRATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("the first tables", _create_statements()),
    ("amendments", _add_statements(since=2)),
    ("held files and revisions of refused lines", _add_statements(since=3)),
)
"""Numbered from 1; a migration that has shipped is never changed, only followed."""
