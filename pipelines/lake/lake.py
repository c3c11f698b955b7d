"""The lake: DuckLake tables, written by one writer in one transaction a batch.

Rules kept here (design §1): files are stored relative to the data path; registered files are moved
into the data path first and never registered twice; no UPDATE or DELETE on any table; a lake of
another schema is migrated or refused.
"""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import polars as pl

from pipelines.lake.catalog_databases import SqliteCatalog
from pipelines.lake.ducklake import Attached
from pipelines.lake.migrate import SCHEMA_VERSION, migrate, require_newest_schema
from pipelines.vocabulary.errors import LakeError, OlderSchemaError
from pipelines.vocabulary.tables import LAKE_TABLES, LakeTable


class Lake:
    """One open connection to the lake; use it as a context manager."""

    def __init__(
        self,
        catalog: SqliteCatalog,
        data: Path,
        *,
        read_only: bool = True,
        snapshot_id: int | None = None,
        threads: int = 2,
        memory_limit: str = "2GiB",
    ) -> None:
        self._data = data
        if not read_only:
            data.mkdir(parents=True, exist_ok=True)
            catalog.make()
        elif not catalog.exists():
            raise LakeError(f"there is no lake at {catalog}; run `meterline run` first")
        try:
            self._attached = Attached(
                catalog,
                data,
                read_only=read_only,
                snapshot_id=snapshot_id,
                threads=threads,
                memory_limit=memory_limit,
            )
        except duckdb.InvalidInputException as error:
            if not read_only or snapshot_id is not None:
                raise
            # A kill while the lake was made leaves a database without DuckLake's own tables.
            raise OlderSchemaError(
                f"the lake at {catalog} was not made to its end; `meterline run` makes it"
            ) from error
        self._connection = self._attached.connection
        try:
            if read_only:
                require_newest_schema(self._attached)
            else:
                migrate(self._attached)
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
        with self._attached.transaction():
            for table, paths in moved.items():
                self._register(table, paths)

    def sweep(self) -> int:
        """Deletes data files that no commit registered; call it only under the writer lock."""
        swept = 0
        for table in (SCHEMA_VERSION, *LAKE_TABLES):
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


def _batch_of(path: Path) -> int:
    # Every file is named by the batch that moved it in: batch-<id>-<part>.parquet.
    return int(path.name.split("-")[1])
