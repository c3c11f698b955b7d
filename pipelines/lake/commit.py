"""Commit: files become part of the lake, all of them or none.

1. `staged_batch.note` notes the files, so that the next run may delete them after a kill.
2. The files are moved in, and the file of `lake_files` that has their digests is written.
3. All files and their folders are synced.
4. One transaction of the catalog registers them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from pipelines import durable
from pipelines.lake import file_digests, staged_batch
from pipelines.lake.checked_files import Checked, Seen, read_checked, write_checked
from pipelines.lake.ducklake import Attached
from pipelines.lake.file_digests import Digests, FileDigest
from pipelines.vocabulary.errors import LakeError, MeterlineError
from pipelines.vocabulary.tables import LAKE_FILES, LakeTable

ROWS_FILE = "rows.parquet"
"""End of the name of a file that is made of rows, and not staged."""


def as_stored(table: LakeTable, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows with the columns of the table and their types."""
    return frame.select(pl.col(column.name).cast(column.dtype) for column in table.columns)


@dataclass(frozen=True)
class Placed:
    """A file of a batch: where it goes, and the staged file or the rows that it is made of.

    Attributes:
        table: table that it belongs to.
        target: its path in the lake.
        source: the staged file, which is moved, or rows, which are written.
    """

    table: LakeTable
    target: Path
    source: Path | pl.DataFrame

    def move_in(self) -> None:
        """Puts the file where it goes."""
        durable.make_folder(self.target.parent)
        if isinstance(self.source, Path):
            self.source.rename(self.target)
        else:
            self.source.write_parquet(self.target)


def place(
    data: Path, table: LakeTable, batch_id: int, name: str, source: Path | pl.DataFrame
) -> Placed:
    """Where a file of a batch goes.

    Raises:
        LakeError: a file is there already.
    """
    target = data / "main" / table.name / f"batch-{batch_id:09d}-{name}"
    if target.exists():
        raise LakeError(f"{target.name} is in the lake already; run again, the sweep heals it")
    return Placed(table, target, source)


def commit(
    attached: Attached, placed: Sequence[Placed], unfinished_id: int, batch_id: int, name: str
) -> None:
    """Commits files, and the digests of all files of the lake that have none in it yet.

    Args:
        attached: the lake.
        placed: the files.
        unfinished_id: the batch that is unfinished meanwhile: one more than the last.
        batch_id: the batch that the rows of digests carry.
        name: end of the name of the file with the digests.

    Raises:
        LakeError: a path is registered already, or the commit failed; the lake is as before.
    """
    data, folder = attached.data, attached.data.parent
    digests = place(data, LAKE_FILES, batch_id, name, pl.DataFrame())
    files = [*placed, digests]
    targets = [each.target for each in files]
    try:
        names = [target.relative_to(data).as_posix() for target in targets]
        staged_batch.note(attached, folder, unfinished_id, names)
        for each in placed:
            each.move_in()
        seen = {each.target: Seen.at(each.target) for each in placed}
        listed = file_digests.listed_digests(attached)
        new = [
            *_unlisted(attached, listed),
            *(file_digests.digest_of(each.target) for each in placed),
        ]
        replace(digests, source=file_digests.rows_of(batch_id, new)).move_in()
        seen[digests.target] = Seen.at(digests.target)
        file_digests.note_unlisted(folder, file_digests.digest_of(digests.target), listed)
        durable.sync_all(targets)
    except (OSError, MeterlineError, pl.exceptions.PolarsError) as error:
        raise LakeError(f"nothing was committed, the lake is as before: {error}") from error
    with attached.transaction():
        for table in dict.fromkeys(each.table for each in files):
            _register(attached, table, [each.target for each in files if each.table is table])
    staged_batch.forget(folder)
    # They were just hashed, so the next run need not do it again.
    checked = {
        (path.parent.name, path.name): Checked.now(found) for path, found in seen.items() if found
    }
    write_checked(folder, {**read_checked(folder), **checked})


def _unlisted(attached: Attached, listed: Digests) -> list[FileDigest]:
    """The digests of registered files that `lake_files` lacks, as noted or else as they are now."""
    noted = file_digests.noted_digests(attached.data.parent)
    digests = []
    for file in file_digests.registered_files(attached):
        if file.key not in listed:
            digest = noted.get(file.key) or file_digests.digest_of(file.below(attached.data))
            if digest.size_bytes != file.size_bytes:
                raise LakeError(
                    f"{file.table_name}/{file.file_name}: expected {file.size_bytes:,} bytes, "
                    f"found {digest.size_bytes:,}; put the file back by "
                    "`meterline restore --files --from BACKUP`"
                )
            digests.append(digest)
    return digests


def _register(attached: Attached, table: LakeTable, paths: Sequence[Path]) -> None:
    registered = {
        Path(path).name
        for (path,) in attached.connection.execute(
            "SELECT data_file FROM ducklake_list_files('lake', $table)", {"table": table.name}
        ).fetchall()
    }
    for path in paths:
        if path.name in registered:
            raise LakeError(f"{path.name} is registered already; registering twice doubles rows")
        registered.add(path.name)
        attached.connection.execute(
            "CALL ducklake_add_data_files('lake', $table, $path)",
            {"table": table.name, "path": str(path)},
        )
