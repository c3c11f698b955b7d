"""DuckLake in DuckDB: its extensions, how a lake is attached, and a spare database kept ready.

The data path is absolute and overrides the stored one, so that a copied home reads its own files.
No row is kept in the catalog: everything is Parquet, which any engine can read.
"""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.lake.catalog_databases import SqliteCatalog
from pipelines.vocabulary.errors import DamagedLakeError, LakeError

METADATA = "__ducklake_metadata_lake.main"
"""Schema of the catalog database itself, as DuckLake attaches it with a lake called `lake`."""

EXTENSIONS = (SqliteCatalog.extension, "ducklake")
"""DuckDB extensions the lake needs, in loading order; they come as signed wheels."""


def extension_file(name: str) -> Path:
    """The signed extension file inside its wheel, for the installed DuckDB.

    Raises:
        LakeError: the wheel is missing or was built for another DuckDB.
    """
    package = f"duckdb_extension_{name}"
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise LakeError(
            f"the package {package.replace('_', '-')} is not installed; run `make install`"
        )
    path = Path(places[0]) / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not path.is_file():
        raise LakeError(
            f"{package} holds no file for DuckDB {duckdb.__version__}; run `make install`"
        )
    return path


def quoted(text: str | Path) -> str:
    """A SQL string literal, for statements that take no parameters (ATTACH, LOAD)."""
    return "'" + str(text).replace("'", "''") + "'"


def attach_statements(
    catalog: SqliteCatalog, data: Path, *, read_only: bool, snapshot_id: int | None = None
) -> list[str]:
    """SQL that loads the extensions and attaches the lake as database `lake`.

    Args:
        catalog: the lake's catalog database.
        data: DATA_PATH; a copied home passes its own.
        read_only: True for every reader.
        snapshot_id: one state for all statements that follow; None is the newest.
    """
    return [*_load_statements(), _attach_statement(catalog, data, read_only, snapshot_id)]


def _load_statements() -> list[str]:
    return [f"LOAD {quoted(extension_file(name))}" for name in EXTENSIONS]


def _attach_statement(
    catalog: SqliteCatalog,
    data: Path,
    read_only: bool,
    snapshot_id: int | None,
    name: str = "lake",
) -> str:
    options = [f"DATA_PATH {quoted(f'{data.resolve()}/')}", "OVERRIDE_DATA_PATH true"]
    options.append("READ_ONLY" if read_only else "DATA_INLINING_ROW_LIMIT 0")
    if snapshot_id is not None:
        options.append(f"SNAPSHOT_VERSION {int(snapshot_id)}")
    address = quoted(f"ducklake:{catalog.address}")
    return f"ATTACH IF NOT EXISTS {address} AS {name} ({', '.join(options)})"


_WHOLE = "whole_lake"
"""Name of the attached lake where `lake` stands for an earlier state of it."""


def _make_past(connection: duckdb.DuckDBPyConnection, before_batch: int) -> None:
    """Makes the database `lake` out of views: each table of `_WHOLE` without the later batches."""
    connection.execute("ATTACH ':memory:' AS lake")
    tables = connection.execute(
        "SELECT table_name, bool_or(column_name = 'batch_id') FROM duckdb_columns() "
        f"WHERE database_name = '{_WHOLE}' GROUP BY ALL"
    ).fetchall()
    for table, has_batches in tables:
        earlier = f" WHERE batch_id < {int(before_batch)}" if has_batches else ""
        connection.execute(
            f"CREATE VIEW lake.main.{table} AS SELECT * FROM {_WHOLE}.main.{table}{earlier}"
        )


_OF_DAMAGED_FILES = (
    duckdb.Error,
    duckdb.InternalException,
    duckdb.InvalidInputException,
    duckdb.IOException,
    duckdb.SerializationException,
)
"""What DuckDB raises when a file is not what it should be; the first also as itself."""


@contextmanager
def damage_is_explained() -> Iterator[None]:
    """Says what to do when a file of the lake is damaged or missing.

    Raises:
        DamagedLakeError: DuckDB could not read a file.
    """
    try:
        yield
    except duckdb.Error as error:
        if type(error) not in _OF_DAMAGED_FILES:
            raise
        raise DamagedLakeError(
            f"a file of the lake cannot be read: {error}; `meterline verify --files` says which "
            "are damaged"
        ) from error


_SPARE_MAX = 2

_spare: list[duckdb.DuckDBPyConnection] = []
"""Databases with the extensions loaded and no lake attached: to load them, which checks their
signatures, takes three times as long as to attach."""


class Attached:
    """A database in memory with the lake attached, taken from the spare ones if there is one.

    Attributes:
        connection: to it; closed with it, so that it cannot ask the next one's lake.
        data: DATA_PATH of the lake.
        name: name of the attached database, `lake` unless an earlier state was asked for.
    """

    def __init__(
        self,
        catalog: SqliteCatalog,
        data: Path,
        *,
        read_only: bool,
        snapshot_id: int | None,
        before_batch: int | None = None,
        threads: int,
        memory_limit: str,
    ) -> None:
        self._is_closed = False
        self.data = data
        self.name = "lake" if before_batch is None else _WHOLE
        self._database = _spare.pop() if _spare else _new_database()
        self.connection = self._database.cursor()
        options = {
            "threads": str(threads),
            "memory_limit": quoted(memory_limit),
            "temp_directory": quoted(data.parent / "spill"),
            "enable_external_file_cache": "true",
            "TimeZone": "'UTC'",
        }
        try:
            for name, value in options.items():
                self.connection.execute(f"SET {name} = {value}")
            self.connection.execute(
                _attach_statement(catalog, data, read_only, snapshot_id, self.name)
            )
            if before_batch is not None:
                _make_past(self.connection, before_batch)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements of the block, or none.

        Raises:
            LakeError: a statement or the commit failed.
        """
        self.connection.execute("BEGIN")
        try:
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            # A commit that fails has rolled back by itself.
            self.connection.execute("COMMIT")
        except duckdb.Error as error:
            raise LakeError(f"nothing was committed, the lake is as before: {error}") from error

    def empty_log(self) -> None:
        """Moves all commits from SQLite's log into the catalog database, unless a reader waits.

        A copy of the database alone is whole then, and a log that a killed process leaves behind
        says nothing about a database that is put in its place.
        """
        self.connection.execute(
            f"SELECT * FROM sqlite_query('{METADATA.partition('.')[0]}', "
            "'PRAGMA wal_checkpoint(TRUNCATE)')"
        )

    def close(self) -> None:
        """Lets go of the lake's files; the database waits for the next lake."""
        if self._is_closed:
            return
        self._is_closed = True
        self.connection.close()
        if self.name == _WHOLE:
            self._database.close()
            return
        try:
            # Without the cache nothing of the lake's files stays in memory. A database that has
            # spilled cannot take another folder for it, and is not kept.
            self._database.execute(
                "DETACH lake; SET enable_external_file_cache = false; SET temp_directory = ''"
            )
        except duckdb.Error:
            self._database.close()
            return
        if len(_spare) < _SPARE_MAX:
            _spare.append(self._database)
        else:
            self._database.close()


def _new_database() -> duckdb.DuckDBPyConnection:
    database = duckdb.connect(
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    )
    database.execute("; ".join(_load_statements()))
    return database
