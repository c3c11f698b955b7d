"""The catalog database: where DuckLake keeps which tables a lake has and which files they are."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pipelines import durable
from pipelines.lake.catalog_copies import CatalogCopies
from pipelines.vocabulary.errors import LakeError


@dataclass(frozen=True)
class SqliteCatalog:
    """The catalog database as a SQLite file.

    Attributes:
        path: of the file.
        extension: DuckDB's extension that reads it.
    """

    path: Path
    extension: ClassVar[str] = "sqlite_scanner"

    def __str__(self) -> str:
        return str(self.path)

    def exists(self) -> bool:
        """True once a writer has begun to make a lake here."""
        return self.path.is_file()

    def holds_lake(self) -> bool:
        """True once DuckLake has made its own tables in the database.

        Raises:
            LakeError: the file is no SQLite database.
        """
        if not self.exists():
            return False
        try:
            with closing(sqlite3.connect(self.path)) as connection:
                found = connection.execute(
                    "SELECT 1 FROM sqlite_master WHERE name = 'ducklake_metadata'"
                ).fetchone()
        except sqlite3.DatabaseError as error:
            raise LakeError(
                f"the lake's catalog {self} is damaged ({error}); nothing was changed. "
                f"Save the lake's files, {self.copies.how_to_restore()}"
            ) from error
        return found is not None

    def make(self) -> None:
        """Makes an empty database if there is none, and lets it be read while it is written.

        Raises:
            LakeError: the file system does not support SQLite's write-ahead log.
        """
        durable.make_folder(self.path.parent)
        was_there = self.exists()
        # Without WAL an open reader makes another process's commit fail. It is set before DuckDB
        # opens the file: closing it here would drop the locks that DuckDB's own SQLite holds.
        connection = sqlite3.connect(self.path)
        try:
            (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        finally:
            connection.close()
        if mode != "wal":
            raise LakeError(f"expected the lake's catalog in WAL mode, found {mode}: {self}")
        if not was_there:
            durable.sync(self.path.parent)

    @property
    def copies(self) -> CatalogCopies:
        """The copies of the database, kept beside it."""
        return CatalogCopies(self.path)

    @property
    def address(self) -> str:
        """What stands behind `ducklake:` when the lake is attached."""
        return f"sqlite:{self.path.resolve()}"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Folders that a connection with closed-off file access must be able to open."""
        return (self.path.parent,)
