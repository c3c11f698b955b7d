"""The catalog database: where DuckLake keeps which tables a lake has and which files they are."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

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

    def make(self) -> None:
        """Makes an empty database if there is none, and lets it be read while it is written.

        Raises:
            LakeError: the file system does not support SQLite's write-ahead log.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Without WAL an open reader makes another process's commit fail. It is set before DuckDB
        # opens the file: closing it here would drop the locks that DuckDB's own SQLite holds.
        connection = sqlite3.connect(self.path)
        try:
            (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        finally:
            connection.close()
        if mode != "wal":
            raise LakeError(f"expected the lake's catalog in WAL mode, found {mode}: {self}")

    @property
    def address(self) -> str:
        """What stands behind `ducklake:` when the lake is attached."""
        return f"sqlite:{self.path.resolve()}"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Folders that a connection with closed-off file access must be able to open."""
        return (self.path.parent,)
