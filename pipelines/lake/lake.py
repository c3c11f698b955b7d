"""The lake: DuckLake tables, written by one writer in one transaction a batch.

Rules kept here (design §1): files are stored relative to the data path; registered files are moved
into the data path first and never registered twice; no UPDATE or DELETE on any table; a lake of
another schema is migrated or refused.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import polars as pl

from pipelines import durable
from pipelines.lake import staged_batch
from pipelines.lake.catalog_databases import SqliteCatalog
from pipelines.lake.commit import ROWS_FILE, Placed, as_stored, commit, place
from pipelines.lake.ducklake import METADATA, Attached, damage_is_explained
from pipelines.lake.file_digests import (
    Digests,
    RegisteredFile,
    listed_digests,
    noted_digests,
    registered_files,
)
from pipelines.lake.migrate import (
    SCHEMA_VERSION,
    is_recorded_migration,
    migrate,
    require_newest_schema,
)
from pipelines.vocabulary.counted import counted
from pipelines.vocabulary.errors import DamagedLakeError, LakeError, OlderSchemaError
from pipelines.vocabulary.tables import LAKE_TABLES, LakeTable

_LATER = "later"
"""End of the names of `lake_files` files that list what earlier versions committed."""


class Lake:
    """One open connection to the lake; use it as a context manager.

    Args:
        catalog: the catalog database.
        data: DATA_PATH; a copied home passes its own.
        read_only: True for every reader.
        snapshot_id: one state of the catalog for all statements; None is the newest.
        before_batch: queries and `files` see the lake as it was before this batch, for readers.
            None: all of it.
        is_for_checks: True to open it also if its schema is an earlier one, or the records of its
            schema cannot be read, for readers.
        threads: threads of DuckDB.
        memory_limit: DuckDB's memory limit, with its unit.
    """

    def __init__(
        self,
        catalog: SqliteCatalog,
        data: Path,
        *,
        read_only: bool = True,
        snapshot_id: int | None = None,
        before_batch: int | None = None,
        is_for_checks: bool = False,
        threads: int = 2,
        memory_limit: str = "2GiB",
    ) -> None:
        self._data = data
        self._catalog = catalog
        self._before_batch = before_batch
        self._copied_after = 0
        if not read_only:
            if not catalog.holds_lake():
                self._require_no_data_files()
            durable.make_folder(data)
            catalog.make()
        elif not catalog.exists():
            self._require_no_data_files()
            raise LakeError(f"there is no lake at {catalog}; run `meterline run` first")
        try:
            self._attached = Attached(
                catalog,
                data,
                read_only=read_only,
                snapshot_id=snapshot_id,
                before_batch=before_batch,
                threads=threads,
                memory_limit=memory_limit,
            )
        except duckdb.InvalidInputException as error:
            if not read_only or snapshot_id is not None:
                raise
            self._require_no_data_files()
            # A kill while the lake was made leaves a database without DuckLake's own tables.
            raise OlderSchemaError(
                f"the lake at {catalog} was not made to its end; `meterline run` makes it"
            ) from error
        except duckdb.Error as error:
            raise LakeError(
                f"the lake at {catalog} cannot be opened ({error}); nothing was changed. If its "
                f"catalog is damaged, {catalog.copies.how_to_restore()}"
            ) from error
        self._connection = self._attached.connection
        try:
            with damage_is_explained():
                if read_only:
                    require_newest_schema(self._attached)
                else:
                    migrate(self._attached)
        except (DamagedLakeError, OlderSchemaError):
            if not is_for_checks:
                self.close()
                raise
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
        """Lets go of the lake's files; nothing can be asked any more.

        The catalog is copied now if a batch was committed: before, its locks would be lost.
        """
        if self._copied_after:
            self._attached.empty_log()
        self._attached.close()
        batch_id, self._copied_after = self._copied_after, 0
        if batch_id:
            self._catalog.copies.keep(batch_id)

    def query(
        self, sql: str, parameters: Mapping[str, Any] | None = None, **frames: pl.DataFrame
    ) -> pl.DataFrame:
        """The result of a SELECT; `frames` are readable in it by their keyword names."""
        for name, frame in frames.items():
            self._connection.register(name, frame.to_arrow())
        try:
            with damage_is_explained():
                return self._connection.execute(sql, dict(parameters or {})).pl()
        finally:
            for name in frames:
                self._connection.unregister(name)

    def table(self, table: LakeTable) -> pl.DataFrame:
        """All rows of a small table, with its schema."""
        rows = self.query(f"SELECT * FROM lake.{table.name}")
        return rows.select(pl.col(column.name).cast(column.dtype) for column in table.columns)

    def row_count(self, table: str) -> int:
        """The number of rows of the lake table; DuckLake knows it without reading a file."""
        return int(self.query(f"SELECT count(*) AS n FROM lake.{table}")["n"][0])

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

    def last_written_at(self) -> datetime | None:
        """When the newest transaction was written; None before the first."""
        found = self.query("SELECT max(committed_at) AS written_at FROM lake.batches")
        written_at: datetime | None = found["written_at"][0]
        return written_at

    def files(self, table: LakeTable, batch_id: int | None = None) -> list[Path]:
        """The Parquet files that are the table (as of a batch): any engine can read them."""
        found = self.query(
            f"SELECT data_file FROM ducklake_list_files('{self._attached.name}', $table)",
            {"table": table.name},
        )
        paths = [Path(path) for path in found["data_file"].to_list()]
        if self._before_batch is not None:
            paths = [path for path in paths if _batch_of(path) < self._before_batch]
        if batch_id is None:
            return paths
        return [path for path in paths if _batch_of(path) <= batch_id]

    def files_after(
        self, table: LakeTable, batch_id: int, until_batch: int | None = None
    ) -> list[Path]:
        """The Parquet files that batches after one added to the table (up to another)."""
        return [path for path in self.files(table, until_batch) if _batch_of(path) > batch_id]

    def commit_batch(
        self,
        batch_id: int,
        rows: Mapping[LakeTable, pl.DataFrame],
        staged_files: Mapping[LakeTable, list[Path]],
    ) -> None:
        """Makes a batch visible: all of its rows and files, or none.

        Its files and their folders are on disk before the catalog commits. A power cut right after
        the commit then leaves no row without its file.

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
        placing = [
            *(self._placed_rows(table, batch_id, frame) for table, frame in rows.items()),
            *(
                place(self._data, table, batch_id, path.name, path)
                for table, paths in staged_files.items()
                for path in paths
            ),
        ]
        placed = [each for each in placing if each is not None]
        commit(self._attached, placed, batch_id, batch_id, ROWS_FILE)
        self._copied_after = batch_id

    def list_digests(self) -> int:
        """Adds the digests of files that have none, because an earlier version committed them.

        Call it only under the writer lock, after the sweep.

        Returns:
            The number of such files.
        """
        listed = listed_digests(self._attached).keys()
        known = listed | noted_digests(self._data.parent).keys()
        files = self.registered_files()
        # The records of migrations are listed by the next batch.
        lacking = [
            file
            for file in files
            if file.key not in known and file.table_name != SCHEMA_VERSION.name
        ]
        if lacking:
            batch_id = self.last_batch_id()
            before = sum(file.file_name.endswith(f"-{_LATER}.parquet") for file in files)
            name = f"{before:04d}-{_LATER}.parquet"
            commit(self._attached, [], batch_id + 1, batch_id, name)
            self._copied_after = batch_id
        return len(lacking)

    def registered_files(self) -> list[RegisteredFile]:
        """Every file of the lake, by table and name; those of `lake_files` first."""
        return registered_files(self._attached)

    def digests(self) -> Digests:
        """The digest of each file that has one, by the name of the file within the lake."""
        return {**noted_digests(self._data.parent), **listed_digests(self._attached)}

    def identity(self) -> str:
        """A text that this lake and its copies have, and no other lake."""
        found = self.query(
            f"SELECT table_uuid::VARCHAR AS id FROM {METADATA}.ducklake_table "
            "WHERE table_name = $table",
            {"table": SCHEMA_VERSION.name},
        )
        return str(found["id"][0])

    def listed_digests(self) -> Digests:
        """The digests that stand in the lake itself, in `lake_files`."""
        return listed_digests(self._attached)

    @property
    def data(self) -> Path:
        """DATA_PATH: the folder of all its Parquet files."""
        return self._data

    def sweep(self) -> int:
        """Deletes what an unfinished batch or migration of this lake moved in; under the lock.

        Returns:
            The number of deleted files.

        Raises:
            LakeError: there is any other file that the catalog does not know. The catalog is older
                than its files then, or they are another lake's. Nothing was deleted.
        """
        batch_id = self.last_batch_id()
        unknown = self._unknown_files()
        staged = staged_batch.unfinished(self._attached, self._data.parent, batch_id + 1)
        own = {self._data / file for file in staged.files} if staged else set()
        foreign = [
            path
            for path in unknown
            if path not in own and not is_recorded_migration(self._attached, path)
        ]
        if foreign:
            raise LakeError(
                f"the lake's catalog {self._catalog} ends with batch {batch_id} and does not know "
                f"{counted(len(foreign), 'file')} below {self._data}, the first is "
                f"{foreign[0].relative_to(self._data)}: the catalog is older than its files, or "
                "the files are of another lake; nothing was deleted. Move files away that do not "
                f"belong to this lake; otherwise {self._catalog.copies.how_to_restore()}"
            )
        for path in unknown:
            path.unlink()
        staged_batch.forget(self._data.parent)
        if batch_id and not self._catalog.copies.has(batch_id):
            self._copied_after = batch_id
        return len(unknown)

    def _unknown_files(self) -> list[Path]:
        known = {path for table in (SCHEMA_VERSION, *LAKE_TABLES) for path in self.files(table)}
        data = self._data.resolve()
        found = sorted(self._data.rglob("*.parquet"))
        return [path for path in found if data / path.relative_to(self._data) not in known]

    def _require_no_data_files(self) -> None:
        for path in self._data.rglob("*.parquet"):
            raise LakeError(
                f"expected the lake's catalog {self._catalog}, found none or an empty one, and "
                f"beside it files of a lake, such as {path.relative_to(self._data)}; nothing was "
                f"changed. Rather than begin anew, {self._catalog.copies.how_to_restore()}"
            )

    def _placed_rows(self, table: LakeTable, batch_id: int, frame: pl.DataFrame) -> Placed | None:
        if frame.is_empty():
            return None
        if set(frame["batch_id"].unique()) != {batch_id}:
            raise LakeError(f"rows for {table.name} carry another batch_id than {batch_id}")
        return place(self._data, table, batch_id, ROWS_FILE, as_stored(table, frame))


def _batch_of(path: Path) -> int:
    # Every file is named by the batch that moved it in: batch-<id>-<part>.parquet.
    return int(path.name.split("-")[1])
