"""Staged batch: a note of the files that an unfinished batch may have moved into the lake.

A batch moves its files in before it commits. If it is killed in between, the next run deletes them.
The note is the proof that they are leftovers. It is kept in two places: a token in the catalog
database, and a file with the same token and the names of the files.

Example: batch 8 is committed, and then a person puts an older catalog back, which ends with batch
7. Its token is that of batch 7, so no note vouches for the files of batch 8, and they stay.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import uuid4

import duckdb

from pipelines import durable
from pipelines.lake.ducklake import METADATA, Attached
from pipelines.vocabulary.errors import LakeError

NOTE = "staged_batch.json"
"""Name of the note's file, beside the catalog database."""

_TABLE = f"{METADATA}.meterline_staged_batch"


@dataclass(frozen=True)
class StagedBatch:
    """One batch that began to move files in.

    Attributes:
        batch_id: of the batch.
        token: a random text, the same in the catalog database.
        files: path of each file below the data path, with `/`.
    """

    batch_id: int
    token: str
    files: tuple[str, ...]


def note(attached: Attached, folder: Path, batch_id: int, files: Iterable[str]) -> None:
    """Notes a batch before it moves its first file in.

    Args:
        attached: the lake.
        folder: the note's folder.
        batch_id: of the batch.
        files: path of each of its files below the data path. None of them is there yet.

    Raises:
        LakeError: the catalog database refused it.
    """
    staged = StagedBatch(batch_id, uuid4().hex, tuple(files))
    with attached.transaction():
        attached.connection.execute(
            f"CREATE TABLE IF NOT EXISTS {_TABLE} (batch_id BIGINT, token VARCHAR)"
        )
        attached.connection.execute(f"DELETE FROM {_TABLE}")
        attached.connection.execute(
            f"INSERT INTO {_TABLE} VALUES ($batch_id, $token)",
            {"batch_id": batch_id, "token": staged.token},
        )
    # It also syncs the name of SQLite's log, which stands in the same folder.
    durable.replace_text(folder / NOTE, json.dumps(asdict(staged), indent=1))


def unfinished(attached: Attached, folder: Path, batch_id: int) -> StagedBatch | None:
    """The batch of this number that began in this lake; None if there is no proof of one.

    Args:
        attached: the lake.
        folder: the note's folder.
        batch_id: one more than the last committed batch.
    """
    try:
        written = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        staged = StagedBatch(written["batch_id"], written["token"], tuple(written["files"]))
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
    if staged.batch_id != batch_id or (batch_id, staged.token) not in _in_catalog(attached):
        return None
    return staged


def forget(folder: Path) -> None:
    """Deletes the note of a batch that is committed, or whose files are swept."""
    (folder / NOTE).unlink(missing_ok=True)


def _in_catalog(attached: Attached) -> list[tuple[int, str]]:
    try:
        return attached.connection.execute(f"SELECT batch_id, token FROM {_TABLE}").fetchall()
    except duckdb.CatalogException:
        return []
    except duckdb.Error as error:
        raise LakeError(f"the lake's catalog cannot be read: {error}") from error
