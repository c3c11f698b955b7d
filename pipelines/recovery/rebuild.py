"""Rebuild: damaged files of an events batch, made again from the landing.

1. The files of the batch are checked. Only those that are damaged are made again.
2. The batch is decided once more; see `redecided`.
3. A file takes its place again only if its bytes have the SHA-256 that was committed. Equal bytes
   are equal rows.

Parquet of the same rows has the same bytes as long as the same versions of the code, Polars and
PyArrow write it. Another version may write other bytes for the same rows. Nothing is written then,
and the file comes from a backup.

Example: a bit of an accepted event of batch 7 flips. Batch 7 had read `cdn/a.ndjson`. The file is
read and decided again, and its accepted events are written as on that day. Nothing of batch 8 is
touched.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

import polars as pl

from pipelines import durable
from pipelines.home import Home
from pipelines.intake.verdict_rows import in_earlier_order
from pipelines.lake.file_checks import REBUILT, check_files, check_these
from pipelines.lake.file_digests import FileDigest, RegisteredFile, digest_of
from pipelines.lake.lake import Lake
from pipelines.lake.writer_lock import writer_lock
from pipelines.recovery.redecided import FROM_BACKUP, files_decided_again
from pipelines.recovery.store import disk_is_explained
from pipelines.vocabulary.errors import LakeError
from pipelines.vocabulary.tables import ACCEPTED_EVENTS, BATCHES, LAKE_FILES, REFUSED_EVENTS

_SORTED = (ACCEPTED_EVENTS.name, REFUSED_EVENTS.name)

_progress = logging.getLogger("meterline")


@dataclass(frozen=True)
class Rebuilt:
    """The files of a batch that were made again.

    Attributes:
        batch_id: the batch.
        files: the path of each below the lake's tables; none if all were whole.
        rows: number of their rows.
    """

    batch_id: int
    files: tuple[str, ...]
    rows: int


@disk_is_explained()
def rebuild_batch(home: Home, batch_id: int) -> Rebuilt:
    """The damaged files of an events batch, once they are on disk as they were committed.

    Raises:
        AlreadyRunningError: another process writes to the home.
        LakeError: the batch is none of events, or one of its damaged files does not come from the
            landing, or the landing does not give the committed bytes again. No other file was
            changed, and none has other bytes than were committed.
    """
    settings = home.settings
    folder = settings.staging / f"rebuild-{batch_id:09d}"
    with writer_lock(settings.writer_lock, "rebuild", settings.lock_wait_seconds):
        with home.lake_to_verify() as lake:
            damaged = _damaged(lake, batch_id)
            if not damaged:
                return Rebuilt(batch_id, (), 0)
            expected = _expected(lake, damaged)
            _progress.info(f"deciding batch {batch_id} again")
            try:
                with home.lake_before(batch_id) as past:
                    made = files_decided_again(home, lake, past, batch_id, damaged, folder)
                problems = _put_in_place(lake, damaged, expected, made)
            except pl.exceptions.PolarsError as error:
                raise LakeError(f"batch {batch_id} cannot be written again: {error}") from error
            finally:
                rmtree(folder, ignore_errors=True)
                with suppress(OSError):
                    settings.staging.rmdir()
        with home.lake_to_verify() as lake:
            check_files(lake)
    if problems:
        raise LakeError(
            "\n  - ".join(
                [f"batch {batch_id} was decided again, and is not what was committed:", *problems]
            )
            + "\nA file of the landing, a setting such as METERLINE_HOLD_PERCENT, the version of "
            "Meterline or an earlier file of the lake is another (`meterline verify --files` "
            f"checks those); nothing was written instead. {FROM_BACKUP}"
        )
    names = tuple(f"{file.table_name}/{file.file_name}" for file in damaged)
    return Rebuilt(batch_id, names, sum(file.rows for file in damaged))


def _damaged(lake: Lake, batch_id: int) -> list[RegisteredFile]:
    """The damaged files of the batch.

    Raises:
        LakeError: the batch is none of events, or what is damaged does not come from the landing.
    """
    files = lake.registered_files()
    own = [file for file in files if file.batch_id == batch_id]
    checks = check_these(lake, own, is_hashed=True)
    unread = [file for file in files if file not in own and _is_needed(file, batch_id)]
    others = check_these(lake, unread, is_hashed=False)
    hopeless = [
        sentence
        for sentence, file in zip(
            (*checks.damages, *others.damages), (*checks.damaged, *others.damaged), strict=True
        )
        if file.table_name not in REBUILT or file.batch_id != batch_id
    ]
    if hopeless:
        raise LakeError(
            "\n  - ".join(
                [f"batch {batch_id} cannot be decided again before these are whole:", *hopeless]
            )
        )
    kinds = lake.query(
        f"SELECT kind FROM lake.{BATCHES.name} WHERE batch_id = $batch_id", {"batch_id": batch_id}
    )
    if kinds.is_empty():
        raise LakeError(
            f"--batch {batch_id}: expected a batch from 1 to {lake.last_batch_id()}, the last one"
        )
    if kinds["kind"][0] != "decide":
        raise LakeError(
            f"batch {batch_id} decided no events (its kind is `{kinds['kind'][0]}`), so nothing of "
            "it is in the landing. `meterline restore --files --from BACKUP` puts its files back"
        )
    return list(checks.damaged)


def _is_needed(file: RegisteredFile, batch_id: int) -> bool:
    """True for a file that is read when the batch is decided again."""
    return file.table_name == LAKE_FILES.name or file.batch_id is None or file.batch_id < batch_id


def _expected(lake: Lake, damaged: Sequence[RegisteredFile]) -> Mapping[RegisteredFile, FileDigest]:
    digests = lake.digests()
    for file in damaged:
        if file.key not in digests:
            raise LakeError(
                f"{file.below(lake.data)}: expected its digest in the lake, found none. "
                f"{FROM_BACKUP}"
            )
    return {file: digests[file.key] for file in damaged}


def _put_in_place(
    lake: Lake,
    damaged: Sequence[RegisteredFile],
    expected: Mapping[RegisteredFile, FileDigest],
    made: Mapping[tuple[str, str], Path],
) -> list[str]:
    """A sentence for each file that could not be made again; the others are in their place."""
    problems = []
    for file in damaged:
        target = file.below(lake.data)
        path = made.get((file.table_name, file.file_name.split("-", maxsplit=2)[2]))
        if path is None:
            problems.append(f"{target}: expected {file.rows:,} rows, found no such file")
            continue
        found = digest_of(path)
        if found.sha256 != expected[file].sha256 and file.table_name in _SORTED:
            earlier = in_earlier_order(path)
            if digest_of(earlier).sha256 == expected[file].sha256:
                path, found = earlier, digest_of(earlier)
        if found.sha256 != expected[file].sha256:
            rows = pl.scan_parquet(path).select(pl.len()).collect().item()
            problems.append(
                f"{target}: expected {file.rows:,} rows with SHA-256 {expected[file].sha256}, "
                f"found {rows:,} rows with {found.sha256}"
            )
            continue
        durable.sync(path)
        durable.make_folder(target.parent)
        path.replace(target)
        durable.sync(target.parent)
    return problems
