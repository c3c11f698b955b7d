"""Restore: a home put back from a backup, or the damaged and missing files of its lake.

Nothing that is there is replaced, with one exception: a lake file that is not as it was committed.

- `restore_home` needs a home without the catalog database of a lake. A file that is there already
  must be the one of the backup. The catalog database comes last, so a restore that is killed has
  made no lake, and the next one goes on.
- `restore_files` needs a home with a lake. It puts back the files that the lake names and that are
  missing or damaged, from whichever backup has them.
"""

import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines import durable
from pipelines.home import Home
from pipelines.lake.file_checks import check_all_files, check_files
from pipelines.lake.file_digests import UNLISTED, FileDigest, RegisteredFile
from pipelines.lake.lake import Lake
from pipelines.lake.writer_lock import Holder, writer_lock
from pipelines.recovery.manifest import (
    OBJECTS,
    BackedUpFile,
    Manifest,
    chosen_manifest,
    readable_manifests,
)
from pipelines.recovery.store import (
    BackupStore,
    ChangedFileError,
    disk_is_explained,
    sha256_of,
)
from pipelines.vocabulary.counted import counted
from pipelines.vocabulary.errors import LakeError, MeterlineError
from pipelines.vocabulary.tables import LAKE_FILES
from pipelines.warehouse.generations import POINTER

_progress = logging.getLogger("meterline")

_SENTENCES_MAX = 10


@dataclass(frozen=True)
class Restored:
    """What was put back.

    Attributes:
        number: number of the backup; None if files may come from any of them.
        batch_id: the last batch of the lake now.
        files: number of files that were written.
        size_bytes: their bytes.
        there_already: number of files of the backup that the home had.
    """

    number: int | None
    batch_id: int
    files: int
    size_bytes: int
    there_already: int = 0


@disk_is_explained()
def check_backup(store: BackupStore, scratch: Path, number: int | None = None) -> Manifest:
    """A backup whose every file was read and has its SHA-256; no home is looked at.

    Args:
        store: where backups are kept.
        scratch: a folder with room for the largest file.
        number: number of the backup. None: the newest.

    Raises:
        MeterlineError: files of it are damaged or missing.
    """
    manifest = chosen_manifest(store, store.sizes(), number)
    problems = []
    for file in manifest.files:
        try:
            store.get(file.object_name, scratch / "file", file.sha256)
        except ChangedFileError as error:
            problems.append(f"{file.path}: {error}")
    _refuse(
        f"backup {manifest.number} in {store} is damaged",
        problems,
        "Make a new one in another place while the home is whole",
    )
    return manifest


@disk_is_explained()
def restore_home(home: Home, store: BackupStore, number: int | None = None) -> Restored:
    """Puts a whole home back, and checks every file of its lake.

    Args:
        home: a home without a lake, or what is left of one.
        store: where backups are kept.
        number: number of the backup. None: the newest.

    Raises:
        AlreadyRunningError: another process writes to the home.
        MeterlineError: the home has a lake, or files that the backup does not have; nothing was
            written. Or a file of the backup is damaged or cannot be written; the home has no lake
            yet, and the same command goes on.
    """
    manifest = chosen_manifest(store, store.sizes(), number)
    with _locked(home):
        if home.lake_catalog.exists():
            raise MeterlineError(
                f"{home.settings.home} has a lake; `meterline restore --files --from {store}` puts "
                "back its missing and damaged files. To restore a whole home, name an empty folder "
                "in METERLINE_HOME"
            )
        there = _files_there(home, manifest)
        _clear_derived(home)
        lacking = [file for file in manifest.files if file not in there]
        size_bytes = sum(file.size_bytes for file in lacking)
        _progress.info(f"restoring {counted(len(lacking), 'file')} with {size_bytes:,} bytes")
        with _fresh_file(home) as fresh:
            for file in lacking:
                _put_back(home, store, file, fresh)
        _progress.info("checking every file of the lake")
        _point_to_generation(home, manifest)
        with home.lake_to_verify() as lake:
            check_files(lake).require_whole()
            batch_id = lake.last_batch_id()
    if batch_id != manifest.batch_id:
        raise LakeError(
            f"expected a lake that ends with batch {manifest.batch_id}, found batch {batch_id}: "
            f"backup {manifest.number} in {store} contradicts itself; choose another --number"
        )
    return Restored(manifest.number, batch_id, len(lacking), size_bytes, len(there))


@disk_is_explained()
def restore_files(home: Home, store: BackupStore) -> Restored:
    """Puts back each file of the lake that is missing or damaged, and checks all of them.

    Raises:
        AlreadyRunningError: another process writes to the home.
        MeterlineError: the store lacks some of these files; the others were put back.
    """
    sizes = store.sizes()
    written: list[FileDigest] = []
    with _locked(home), _fresh_file(home) as fresh:
        is_hidden = True
        while is_hidden:
            # Each look opens the lake anew, because DuckDB keeps pages of files that it has read.
            _progress.info("checking every file of the lake")
            with home.lake_to_verify() as lake:
                damaged = check_all_files(lake).damaged
                expected = _expected(home, store, sizes, lake, damaged) if damaged else {}
                healed = list(_healed(home, store, sizes, expected, damaged, fresh))
            written += healed
            # A damaged list of digests hides what it lists, so all are looked at once more.
            is_hidden = any(digest.table_name == LAKE_FILES.name for digest in healed)
        with home.lake_to_verify() as lake:
            checks = check_files(lake)
            batch_id = 0 if checks.damages else lake.last_batch_id()
    if checks.damages:
        _refuse(
            f"{counted(len(written), 'file was', 'files were')} put back; no backup in {store} has",
            checks.damages,
            "Try another backup",
        )
    return Restored(None, batch_id, len(written), sum(each.size_bytes for each in written))


def _locked(home: Home) -> AbstractContextManager[Holder | None]:
    settings = home.settings
    return writer_lock(settings.writer_lock, "restore", settings.lock_wait_seconds)


@contextmanager
def _fresh_file(home: Home) -> Iterator[Path]:
    """A path in the staging folder, where a file is written before it is moved to its place."""
    staging = home.settings.staging
    durable.make_folder(staging)
    try:
        yield staging / "restored"
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _files_there(home: Home, manifest: Manifest) -> set[BackedUpFile]:
    """The files of the backup that the home has.

    Raises:
        MeterlineError: the home has others in their place, or further files of a lake.
    """
    folder, data = home.settings.home, home.settings.lake_data
    there, problems = set[BackedUpFile](), list[str]()
    for file in manifest.files:
        path = folder / file.path
        if _is_file(path, file):
            there.add(file)
        elif path.exists() and path.name != UNLISTED:
            problems.append(f"{file.path} is not the file of the backup")
    known = {folder / file.path for file in manifest.files}
    further = [path for path in sorted(data.rglob("*.parquet")) if path not in known]
    problems += [f"{path.relative_to(folder)} is not in the backup" for path in further]
    _refuse(
        f"{folder} holds what backup {manifest.number} does not; nothing was written",
        problems,
        "A copy of the catalog in lake/catalog_copies loses nothing; `meterline verify --files` "
        "says how to use it. Otherwise move these files away, or name an empty folder in "
        "METERLINE_HOME; invoices later than the backup are then made again, so compare them "
        "with those that were sent",
    )
    return there


def _is_file(path: Path, file: BackedUpFile) -> bool:
    return (
        path.is_file() and path.stat().st_size == file.size_bytes and sha256_of(path) == file.sha256
    )


def _clear_derived(home: Home) -> None:
    """Takes away what was made for a catalog database that is gone."""
    shutil.rmtree(home.settings.window_index, ignore_errors=True)
    for suffix in ("-wal", "-shm"):
        # SQLite would apply it to the database that is put back.
        log = Path(f"{home.settings.lake_catalog}{suffix}")
        if log.exists():
            log.rename(f"{log}.of-lost-catalog")


def _put_back(home: Home, store: BackupStore, file: BackedUpFile, fresh: Path) -> None:
    try:
        _fetch(store, file.sha256, home.settings.home / file.path, fresh)
    except ChangedFileError as error:
        raise MeterlineError(
            f"{file.path} cannot be restored: {error}; the home has no lake yet. Choose another "
            "backup by --number"
        ) from error


def _fetch(store: BackupStore, sha256: str, path: Path, fresh: Path) -> None:
    """Writes a file to disk: at every instant there is all of it, or what was there before."""
    store.get(f"{OBJECTS}/{sha256}", fresh, sha256)
    durable.make_folder(path.parent)
    fresh.replace(path)
    durable.sync(path.parent)


def _point_to_generation(home: Home, manifest: Manifest) -> None:
    """Links `current` to the facts of the generation; the next run makes its marts again."""
    pointer = home.settings.published / POINTER
    for file in manifest.files:
        first, *rest = file.path.split("/")
        if first == "published" and rest[-1] == "manifest.json" and not pointer.is_symlink():
            pointer.symlink_to(rest[0])
            durable.sync(pointer.parent)


def _healed(
    home: Home,
    store: BackupStore,
    sizes: Mapping[str, int],
    expected: Mapping[tuple[str, str], FileDigest],
    damaged: Sequence[RegisteredFile],
    fresh: Path,
) -> Iterator[FileDigest]:
    """Puts back the damaged files that the store has; yields the digest of each."""
    for file in damaged:
        digest = expected.get(file.key)
        if digest is None or sizes.get(f"{OBJECTS}/{digest.sha256}") != file.size_bytes:
            continue
        try:
            _fetch(store, digest.sha256, file.below(home.settings.lake_data), fresh)
        except ChangedFileError:
            continue
        yield digest


def _expected(
    home: Home,
    store: BackupStore,
    sizes: Mapping[str, int],
    lake: Lake,
    damaged: Sequence[RegisteredFile],
) -> Mapping[tuple[str, str], FileDigest]:
    """The digest of each file: as the lake lists it, else as the newest backup of it does."""
    try:
        known = dict(lake.digests())
    except LakeError:
        known = {}
    for manifest in readable_manifests(store, sizes):
        lacking = [file for file in damaged if file.key not in known]
        if not lacking:
            break
        backed_up = {home.settings.home / file.path: file for file in manifest.files}
        for file in lacking if manifest.lake == lake.identity() else ():
            found = backed_up.get(file.below(lake.data))
            if found is not None and found.size_bytes == file.size_bytes:
                known[file.key] = FileDigest(*file.key, found.size_bytes, found.sha256)
    return known


def _refuse(about_all: str, problems: Sequence[str], remedy: str) -> None:
    """Raises a sentence about all problems, one for each of the first, and what to do."""
    if not problems:
        return
    more = len(problems) - _SENTENCES_MAX
    listed = [*problems[:_SENTENCES_MAX], *([f"and {more:,} more"] if more > 0 else [])]
    raise MeterlineError("\n  - ".join([f"{about_all}:", *listed]) + f"\n{remedy}")
