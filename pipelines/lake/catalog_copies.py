"""Catalog copies: the catalog database as it was after each of the last batches.

The catalog database is the only file of a lake that changes. A copy of it and the files of the lake
are the whole lake again, up to the batch of the copy.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from pipelines import durable
from pipelines.vocabulary.errors import LakeError

KEPT_COPIES = 10
"""Number of copies that are kept, one a batch."""

_FOLDER = "catalog_copies"


def copy_database(catalog: Path, target: Path) -> None:
    """Copies a catalog database as it is after its last commit, also while another process writes.

    No connection of this process may have the catalog open: closing the one used here would drop
    the locks of the other.

    Args:
        catalog: path of the database.
        target: path of the copy, which is not there yet.

    Raises:
        LakeError: the copy could not be written.
    """
    try:
        with (
            closing(sqlite3.connect(f"{catalog.resolve().as_uri()}?mode=rw", uri=True)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
    except sqlite3.Error as error:
        raise LakeError(f"{catalog} cannot be copied to {target}: {error}") from error


@dataclass(frozen=True)
class CatalogCopies:
    """The copies of one catalog database.

    Attributes:
        catalog: path of the database.
    """

    catalog: Path

    def has(self, batch_id: int) -> bool:
        """True if the catalog was copied after this batch."""
        return self._copy_of(batch_id).is_file()

    def keep(self, batch_id: int) -> None:
        """Copies the catalog as it is after a batch, to disk, and deletes copies that are too old.

        Call it as `copy_database`.

        Args:
            batch_id: the last committed batch. Copies of later ones are of another course of
                events, which ended when an older catalog was put back, and are deleted.

        Raises:
            LakeError: the copy could not be written.
        """
        durable.make_folder(self._folder)
        target = self._copy_of(batch_id)
        fresh = target.with_suffix(".fresh")
        fresh.unlink(missing_ok=True)
        copy_database(self.catalog, fresh)
        durable.sync(fresh)
        fresh.replace(target)
        durable.sync(self._folder)
        copies = self._all()
        kept = [path for path in copies if path <= target][-KEPT_COPIES:]
        for path in copies:
            if path not in kept:
                path.unlink()

    def how_to_restore(self) -> str:
        """The end of a sentence that says how to put the right catalog back."""
        copies = self._all()
        remedy = (
            "put the catalog that belongs to them or a backup of the home back "
            "(docs/backup.md says how), and run again"
        )
        if not copies:
            return remedy
        catalog, copy = quote(str(self.catalog)), quote(str(copies[-1]))
        return (
            f"{remedy}. The newest copy of the catalog is put back by "
            f"`rm -f {catalog}-wal {catalog}-shm; cp {copy} {catalog}`"
        )

    def _copy_of(self, batch_id: int) -> Path:
        return self._folder / f"batch-{batch_id:09d}.sqlite"

    @property
    def _folder(self) -> Path:
        return self.catalog.parent / _FOLDER

    def _all(self) -> list[Path]:
        return sorted(self._folder.glob("batch-*.sqlite"))
