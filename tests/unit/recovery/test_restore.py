"""A restored home is the one that was backed up, and a restore replaces nothing that is whole."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from pydantic import ValidationError

from pipelines.home import Home
from pipelines.lake.file_checks import check_all_files, check_files
from pipelines.lake.file_digests import UNLISTED
from pipelines.lake.lake_digest import lake_digest
from pipelines.lake.writer_lock import writer_lock
from pipelines.recovery.backup import back_up
from pipelines.recovery.manifest import BackedUpFile, chosen_manifest
from pipelines.recovery.restore import check_backup, restore_files, restore_home
from pipelines.recovery.store import FolderStore
from pipelines.vocabulary.errors import AlreadyRunningError, LakeError, MeterlineError
from pipelines.vocabulary.tables import ACCEPTED_EVENTS
from tests.worlds.backups import FROZEN, commit, home_of, lake_files, two_batches
from tests.worlds.commits import batch_rows, staged_events
from tests.worlds.file_lines import BAD
from tests.worlds.lakes import copy_old_lake, open_lake
from tests.worlds.taken_in import drop, home_with_landing, take_in, usage


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return two_batches(tmp_path / "home")


@pytest.fixture
def store(tmp_path: Path, home: Home) -> FolderStore:
    """A store with one backup of the home."""
    store = FolderStore(tmp_path / "backup")
    back_up(home, store)
    return store


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)


def _files(home: Home) -> dict[str, bytes]:
    folder = home.settings.home
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("exists", [False, True])
def test_whole_home_is_put_back(
    exists: bool, home: Home, store: FolderStore, tmp_path: Path
) -> None:
    other = home_of(tmp_path / "other")
    if exists:
        (other.settings.home / "dagster").mkdir(parents=True)

    restored = restore_home(other, store)

    assert lake_files(other) == lake_files(home)
    for path in (FROZEN, "published/chain_head.json"):
        assert (other.settings.home / path).read_bytes() == (home.settings.home / path).read_bytes()
    manifest = chosen_manifest(store, store.sizes(), None)
    assert (restored.number, restored.batch_id, restored.there_already) == (1, 2, 0)
    assert (restored.files, restored.size_bytes) == (len(manifest.files), manifest.size_bytes)
    assert not other.settings.staging.exists()
    with open_lake(other.settings.home, read_only=False) as lake:
        # It was hashed by the restore, and nothing is left over.
        assert check_files(lake).files == 0
        assert lake.sweep() == 0
    commit(other, 3)
    commit(home, 3)
    assert back_up(other, store).batch_id == 3


def test_older_backup_is_chosen_by_its_number(
    home: Home, store: FolderStore, tmp_path: Path
) -> None:
    commit(home, 3)
    assert back_up(home, store).number == 2

    assert restore_home(home_of(tmp_path / "old"), store, 1).batch_id == 2
    assert restore_home(home_of(tmp_path / "new"), store).batch_id == 3
    with pytest.raises(MeterlineError, match=r"--number 3: expected one of 1, 2, the backups in"):
        restore_home(home_of(tmp_path / "none"), store, 3)


def test_restored_older_home_goes_its_own_way_into_the_same_store(
    home: Home, store: FolderStore, tmp_path: Path
) -> None:
    """Its batch 3 is another one than the batch 3 of the lost home; both stay restorable."""
    commit(home, 3)
    back_up(home, store)
    older = home_of(tmp_path / "older")
    restore_home(older, store, 1)
    with open_lake(older.settings.home, read_only=False) as lake:
        staged = staged_events(older.settings.home, 3, events=5)
        lake.commit_batch(3, batch_rows(3), {ACCEPTED_EVENTS: [staged]})

    assert back_up(older, store).number == 3

    for number, expected in ((2, home), (3, older)):
        again = home_of(tmp_path / str(number))
        restore_home(again, store, number)
        assert lake_files(again) == lake_files(expected)


def test_home_with_a_lake_is_refused(home: Home, store: FolderStore) -> None:
    before = _files(home)

    with pytest.raises(MeterlineError, match="has a lake; `meterline restore --files --from "):
        restore_home(home, store)

    assert {k: v for k, v in _files(home).items() if k != "writer.lock"} == before


def test_lost_catalog_is_put_back_beside_its_files(home: Home, store: FolderStore) -> None:
    before = lake_files(home)
    catalog = home.settings.lake_catalog
    catalog.unlink()
    Path(f"{catalog}-wal").write_bytes(b"of the lost database")
    home.settings.window_index.mkdir()
    (home.settings.window_index / "manifest.json").write_text("of the lost lake")

    restored = restore_home(home, store)

    # The other one has the digests that the lake does not list; it goes with the catalog.
    assert restored.files == 2
    assert lake_files(home) == before
    assert not home.settings.window_index.exists()
    with open_lake(home.settings.home, read_only=False) as lake:
        assert lake.last_batch_id() == 2
        assert lake.sweep() == 0


def test_lake_files_later_than_the_backup_end_the_restore(home: Home, store: FolderStore) -> None:
    """With the older catalog they would be nobody's, and their invoices would be made again."""
    commit(home, 3)
    home.settings.lake_catalog.unlink()
    before = _files(home)

    with pytest.raises(MeterlineError, match="nothing was written") as refused:
        restore_home(home, store)

    assert "accepted_events/batch-000000003-part-0000.parquet is not in the backup" in str(
        refused.value
    )
    assert "lake/catalog_copies loses nothing" in str(refused.value)
    assert {k: v for k, v in _files(home).items() if k != "writer.lock"} == before


def test_later_end_of_the_chain_ends_the_restore(
    home: Home, store: FolderStore, tmp_path: Path
) -> None:
    """The lake is lost and what is published is not: it knows of invoices that the backup lacks."""
    shutil.rmtree(home.settings.home / "lake")
    (home.settings.published / "chain_head.json").write_text('{"invoices": 5}')

    with pytest.raises(
        MeterlineError, match=r"published/chain_head.json is not the file of the backup"
    ):
        restore_home(home, store)

    assert not (home.settings.home / "lake").exists()


def test_killed_restore_has_made_no_lake_and_goes_on(
    home: Home, store: FolderStore, tmp_path: Path
) -> None:
    other, get, left = home_of(tmp_path / "other"), FolderStore.get, 0

    def get_until_killed(self: FolderStore, name: str, target: Path, sha256: str) -> None:
        nonlocal left
        if left == 0 and name.startswith("objects/"):
            target.write_bytes(b"half")
            raise KeyboardInterrupt
        left -= name.startswith("objects/")
        get(self, name, target, sha256)

    files = len(chosen_manifest(store, store.sizes(), None).files)
    for survived in range(files):
        left = survived - (survived > 0) * (survived - 1)
        with (
            patch.object(FolderStore, "get", get_until_killed),
            pytest.raises(KeyboardInterrupt),
        ):
            restore_home(other, store)
        assert not other.lake_catalog.exists()

    restored = restore_home(other, store)

    assert restored.there_already == files - 1
    assert lake_files(other) == lake_files(home)


def test_damaged_copy_makes_no_lake(home: Home, store: FolderStore, tmp_path: Path) -> None:
    manifest = chosen_manifest(store, store.sizes(), None)
    (file,) = [file for file in manifest.files if file.path.endswith("2-part-0000.parquet")]
    _flip(store.folder / file.object_name)
    other = home_of(tmp_path / "other")

    with pytest.raises(MeterlineError, match=r"cannot be restored: .*expected SHA-256"):
        restore_home(other, store)
    with pytest.raises(MeterlineError, match=f"(?s)backup 1 in .* is damaged.*{file.path}"):
        check_backup(store, tmp_path)

    assert not other.lake_catalog.exists()
    assert file.path not in _files(other)


def test_damaged_manifest_is_named(home: Home, store: FolderStore, tmp_path: Path) -> None:
    (manifest,) = (store.folder / "backups").iterdir()
    manifest.write_text(manifest.read_text().replace('"batch_id": 2', '"batch_id": 1'))
    other = home_of(tmp_path / "other")

    with pytest.raises(MeterlineError, match=r"backup 1 in .* cannot be used"):
        restore_home(other, store)


def test_store_without_a_backup(home: Home, tmp_path: Path) -> None:
    with pytest.raises(MeterlineError, match="has no backup; `meterline backup --to "):
        restore_home(home_of(tmp_path / "other"), FolderStore(tmp_path / "nothing"))


def test_full_disk_is_a_sentence_and_the_restore_goes_on(
    home: Home, store: FolderStore, tmp_path: Path
) -> None:
    other, sync, left = home_of(tmp_path / "other"), os.fsync, 20

    def refuse(descriptor: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    with (
        patch.object(os, "fsync", refuse),
        pytest.raises(MeterlineError, match="No space left on device"),
    ):
        restore_home(other, store)

    assert not other.lake_catalog.exists()
    assert restore_home(other, store).there_already > 0
    assert lake_files(other) == lake_files(home)


def test_restore_waits_for_nobody(home: Home, store: FolderStore, tmp_path: Path) -> None:
    other = home_of(tmp_path / "other")

    with (
        writer_lock(other.settings.writer_lock, "a run", 0),
        pytest.raises(AlreadyRunningError, match="already running: run a run"),
    ):
        restore_home(other, store)


TABLES = ("accepted_events", "batches", "landing_files", "lake_files", "schema_version")

DAMAGES: dict[str, Callable[[Path], object]] = {
    "flipped": _flip,
    "missing": Path.unlink,
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("table", TABLES)
def test_damaged_files_are_put_back_and_no_other(
    table: str, damage: str, home: Home, store: FolderStore
) -> None:
    before = lake_files(home)
    damaged = sorted((home.settings.lake_data / "main" / table).iterdir())
    for path in damaged:
        DAMAGES[damage](path)
    times = {
        path: path.stat().st_mtime_ns
        for path in home.settings.lake_data.rglob("*.parquet")
        if path not in damaged
    }

    restored = restore_files(home, store)

    assert lake_files(home) == before
    assert {path: path.stat().st_mtime_ns for path in times} == times
    with open_lake(home.settings.home, read_only=True) as lake:
        assert check_all_files(lake).damages == ()
        assert restored.batch_id == lake.last_batch_id() == 2
    assert restored.files == len(damaged)


def test_every_file_of_the_lake_is_put_back(home: Home, store: FolderStore) -> None:
    before = lake_files(home)
    shutil.rmtree(home.settings.lake_data)

    assert restore_files(home, store).files == len(before)
    assert lake_files(home) == before


def test_swapped_files_are_put_back(home: Home, store: FolderStore) -> None:
    before = lake_files(home)
    first, second = sorted((home.settings.lake_data / "main" / "accepted_events").iterdir())
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)

    assert restore_files(home, store).files == 2
    assert lake_files(home) == before


def test_whole_lake_needs_nothing(home: Home, store: FolderStore) -> None:
    assert restore_files(home, store).files == 0


def test_file_that_no_backup_has_is_named_and_others_are_put_back(
    home: Home, store: FolderStore
) -> None:
    commit(home, 3)
    before = lake_files(home)
    events = home.settings.lake_data / "main" / "accepted_events"
    names = [f"batch-{batch_id:09d}-part-0000.parquet" for batch_id in (2, 3)]
    for name in names:
        _flip(events / name)

    with pytest.raises(MeterlineError, match="1 file was put back; no backup in") as refused:
        restore_files(home, store)

    assert f"{events / names[1]} (of batch 3, 3 rows)" in str(refused.value)
    assert "`meterline lake rebuild --batch 3` makes it again" in str(refused.value)
    after = lake_files(home)
    changed = {path for path in before if after[path] != before[path]}
    assert changed == {f"lake/data/main/accepted_events/{names[1]}"}


def test_file_of_another_lake_is_not_taken(home: Home, store: FolderStore, tmp_path: Path) -> None:
    """Neither the lake nor its note says what the file was; only backups of this lake may."""
    other = home_of(tmp_path / "other")
    with open_lake(other.settings.home, read_only=False):
        pass
    commit(other, 1)
    (other.settings.home / "lake" / UNLISTED).unlink()
    for path in (other.settings.lake_data / "main" / "lake_files").iterdir():
        path.unlink()

    with pytest.raises(MeterlineError, match="0 files were put back"):
        restore_files(other, store)


def test_home_without_a_lake_has_no_files_to_put_back(store: FolderStore, tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="there is no lake at"):
        restore_files(home_of(tmp_path / "empty"), store)


def test_nothing_is_written_outside_of_the_home() -> None:
    for path in ("/etc/passwd", "../a", "lake/../../a", "lake//a", "", ".", "lake/"):
        with pytest.raises(ValidationError, match="expected a path below the home"):
            BackedUpFile(path=path, size_bytes=0, sha256="0" * 64)
    assert BackedUpFile(path="lake/..a", size_bytes=0, sha256="0" * 64).path == "lake/..a"


def test_restored_older_home_goes_on_beside_a_newer_landing(tmp_path: Path) -> None:
    """Files that landed after the backup are taken in as on the day, and those before are not."""
    home, store = home_with_landing(tmp_path / "home"), FolderStore(tmp_path / "backup")
    drop(home, 10, "a", usage("a") + usage("b") + BAD)
    take_in(home)
    back_up(home, store)
    drop(home, 11, "b", usage("a") + usage("c"))
    drop(home, 12, "c", usage("c") + usage("d"))
    take_in(home)
    with home.lake() as lake:
        digest = lake_digest(lake)
    shutil.rmtree(home.settings.home)

    restore_home(home, store)

    with home.lake() as lake:
        assert lake_digest(lake) != digest
    assert take_in(home) == 2
    with home.lake() as lake:
        assert lake_digest(lake) == digest


@pytest.mark.parametrize("name", ["schema_1", "schema_4"])
def test_home_of_an_earlier_schema_is_backed_up_and_restored(name: str, tmp_path: Path) -> None:
    """A person updates Meterline and backs up before the first run, which migrates the lake."""
    home = home_of(copy_old_lake(name, tmp_path))
    store = FolderStore(tmp_path / "backup")

    back_up(home, store)

    other = home_of(tmp_path / "other")
    restored = restore_home(other, store)
    assert restored.batch_id > 0
    assert lake_files(other) == lake_files(home)
    path = min((other.settings.lake_data / "main" / "accepted_events").iterdir())
    path.write_bytes(b"")
    assert restore_files(other, store).files == 1
    assert lake_files(other) == lake_files(home)


def test_home_on_a_disk_that_may_not_be_written_is_a_sentence(
    home: Home, store: FolderStore, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    other = home_of(tmp_path / "other")
    other.settings.home.mkdir()
    (other.settings.home / "lake").write_text("in the way")

    with pytest.raises(MeterlineError, match=r"lake.* cannot be written or read: .*; free space"):
        restore_home(other, store)
