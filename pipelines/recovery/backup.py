"""Backup: a home as it was after one batch, copied to a store while runs go on.

1. What is published is read, then the catalog database is copied. So the published end of the
   chain is never later than the lake.
2. Each file that this copy knows is compared with its SHA-256 and put into the store, unless the
   store has it. Files of the lake never change, so a further backup copies only what is new.
3. The manifest is written last.

Example: a backup is begun after batch 7, and batch 8 is committed meanwhile. The backup ends with
batch 7 and has no file of batch 8. The next one copies only the files of batch 8.
"""

import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.home import Home
from pipelines.lake.catalog_copies import copy_database
from pipelines.lake.catalog_databases import SqliteCatalog
from pipelines.lake.file_checks import check_these
from pipelines.lake.file_digests import UNLISTED, FileDigest, RegisteredFile, digest_of
from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import code_revision
from pipelines.recovery.manifest import (
    BackedUpFile,
    Manifest,
    manifest_names,
    readable_manifests,
    write_manifest,
)
from pipelines.recovery.store import (
    BackupStore,
    ChangedFileError,
    disk_is_explained,
    sha256_of,
)
from pipelines.vocabulary.counted import counted
from pipelines.vocabulary.errors import LakeError, MeterlineError

_progress = logging.getLogger("meterline")

CATALOG = "lake/catalog.sqlite"
"""Path of the lake's catalog database below the home."""

CHAIN_HEAD = "published/chain_head.json"
"""Path of the end of the invoices' chain below the home."""


@dataclass(frozen=True)
class BackedUp:
    """A backup that was made, or the newest one if it has all there is.

    Attributes:
        number: its number in the store.
        batch_id: the last batch of the lake that it has.
        files: number of its files.
        size_bytes: their bytes.
        new_files: number of files that were copied now.
        new_bytes: their bytes.
        is_new: False if nothing changed since the newest backup, which stands.
    """

    number: int
    batch_id: int
    files: int
    size_bytes: int
    new_files: int
    new_bytes: int
    is_new: bool


@dataclass(frozen=True)
class _Copied:
    """A file of the home, and where its bytes are now."""

    file: BackedUpFile
    source: Path


@disk_is_explained()
def back_up(home: Home, store: BackupStore) -> BackedUp:
    """The backup, once it is in the store.

    Raises:
        LakeError: there is no lake, or one of its files is not as it was committed. No backup was
            made, and earlier ones stay as they are.
        MeterlineError: the store cannot be read or written, or has backups of another lake.
    """
    _require_elsewhere(home, store)
    made_at = datetime.now(UTC)
    sizes = store.sizes()
    last = max((name.number for name in manifest_names(sizes)), default=0)
    newest = next(readable_manifests(store, sizes), None)
    with TemporaryDirectory(prefix="meterline-backup-") as temporary:
        folder = Path(temporary)
        others = [*_published(home, folder), *_frozen(home, folder)]
        catalog = _copied_catalog(home, folder)
        with home.lake_of(SqliteCatalog(catalog.source)) as lake:
            batch_id, identity = lake.last_batch_id(), lake.identity()
            if newest is not None and newest.lake != identity:
                raise MeterlineError(
                    f"{store} has backups of another lake; name an empty folder or prefix in --to"
                )
            lake_files, unlisted = _lake_files(home, lake)
            copied = [*lake_files, _unlisted(unlisted, folder), *others, catalog]
            new = _put_missing(store, sizes, lake, copied)
    files = tuple(each.file for each in copied)
    is_new = newest is None or newest.number < last or newest.files != files
    number = last + is_new
    if is_new:
        write_manifest(
            store,
            Manifest(
                number=number,
                lake=identity,
                batch_id=batch_id,
                made_at=made_at,
                code_revision=code_revision(),
                files=files,
            ),
        )
    return BackedUp(
        number=number,
        batch_id=batch_id,
        files=len(files),
        size_bytes=sum(file.size_bytes for file in files),
        new_files=len(new),
        new_bytes=sum(file.size_bytes for file in new),
        is_new=is_new,
    )


def _require_elsewhere(home: Home, store: BackupStore) -> None:
    settings = home.settings
    for place, what in ((str(settings.home), "the home"), (settings.landing, "the landing")):
        if f"{store}/".startswith(f"{place}/"):
            raise MeterlineError(
                f"{store} is in {what}, {place}; name a folder on another disk, or a bucket"
            )


def _published(home: Home, folder: Path) -> Iterator[_Copied]:
    """The end of the chain, and the facts of the current generation, without its marts."""
    generation = home.generation()
    published = home.settings.published
    paths = [CHAIN_HEAD]
    # A generation of an earlier version lists no files, so nothing would miss its marts.
    if generation is not None and generation.files:
        paths.append(f"published/{generation.generation_id}/manifest.json")
    for path in paths:
        source = published.parent / path
        if source.is_file():
            yield _copied_now(path, source, folder)


def _frozen(home: Home, folder: Path) -> Iterator[_Copied]:
    """The files of the catalogs that the home has used."""
    for source in home.frozen_catalogs.kept_files():
        path = source.relative_to(home.settings.home).as_posix()
        yield _copied_now(path, source, folder)


def _copied_now(path: str, source: Path, folder: Path) -> _Copied:
    """A small file that may be replaced meanwhile, copied as it is now."""
    copy = folder / path
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, copy)
    return _as_is(path, copy)


def _as_is(path: str, source: Path) -> _Copied:
    size_bytes = source.stat().st_size
    return _Copied(BackedUpFile(path=path, size_bytes=size_bytes, sha256=sha256_of(source)), source)


def _copied_catalog(home: Home, folder: Path) -> _Copied:
    catalog = home.lake_catalog
    if not catalog.holds_lake():
        # It says why there is none.
        home.lake_to_verify().close()
        raise LakeError(f"there is no lake at {catalog}; run `meterline run` first")
    copy = folder / "catalog.sqlite"
    copy_database(catalog.path, copy)
    return _as_is(CATALOG, copy)


def _lake_files(home: Home, lake: Lake) -> tuple[list[_Copied], list[FileDigest]]:
    """The files of the lake, and the digests of those that the lake itself does not list.

    Raises:
        LakeError: a file is missing or has another size.
    """
    files = lake.registered_files()
    check_these(lake, files, is_hashed=False).require_whole()
    digests, listed = lake.digests(), lake.listed_digests()
    # A record of a migration has no digest until the next batch lists it.
    found = [digests.get(file.key) or digest_of(file.below(lake.data)) for file in files]
    copied = [
        _Copied(
            BackedUpFile(
                path=file.below(lake.data).relative_to(home.settings.home).as_posix(),
                size_bytes=digest.size_bytes,
                sha256=digest.sha256,
            ),
            file.below(lake.data),
        )
        for file, digest in zip(files, found, strict=True)
    ]
    return copied, [digest for digest in found if digest.key not in listed]


def _unlisted(digests: list[FileDigest], folder: Path) -> _Copied:
    source = folder / UNLISTED
    source.write_text(json.dumps([asdict(each) for each in digests], indent=1), encoding="utf-8")
    return _as_is(f"lake/{UNLISTED}", source)


def _put_missing(
    store: BackupStore, sizes: Mapping[str, int], lake: Lake, copied: list[_Copied]
) -> list[BackedUpFile]:
    """The files that the store did not have, once it has them.

    Raises:
        LakeError: files of the lake are not as they were committed.
    """
    # Equal files are one object.
    missing = {
        each.file.object_name: each
        for each in copied
        if sizes.get(each.file.object_name) != each.file.size_bytes
    }
    size_bytes = sum(each.file.size_bytes for each in missing.values())
    _progress.info(f"copying {counted(len(missing), 'file')} with {size_bytes:,} bytes")
    new, damaged = list[BackedUpFile](), list[Path]()
    for name, each in missing.items():
        try:
            store.put(name, each.source, each.file.sha256)
            new.append(each.file)
        except ChangedFileError:
            damaged.append(each.source)
    if damaged:
        _require_whole(lake, damaged)
    return new


def _require_whole(lake: Lake, damaged: list[Path]) -> None:
    files: list[RegisteredFile] = [
        file for file in lake.registered_files() if file.below(lake.data) in damaged
    ]
    check_these(lake, files, is_hashed=True).require_whole()
    raise LakeError(f"{damaged[0]} changed while it was copied; make the backup again")
