"""A backup is a home as it was after one batch, and every further one copies only what is new."""

import errno
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest

from pipelines.home import Home
from pipelines.lake import catalog_copies
from pipelines.recovery import backup
from pipelines.recovery.backup import back_up
from pipelines.recovery.manifest import chosen_manifest, manifest_names
from pipelines.recovery.restore import check_backup, restore_home
from pipelines.recovery.store import FolderStore, sha256_of
from pipelines.vocabulary.errors import LakeError, MeterlineError
from tests.worlds.backups import CHAIN_HEAD, FROZEN, commit, home_of, kept, lake_files, two_batches
from tests.worlds.lakes import open_lake


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return two_batches(tmp_path / "home")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "backup")


def _restored(store: FolderStore, folder: Path, number: int | None = None) -> Home:
    home = home_of(folder)
    restore_home(home, store, number)
    return home


def test_backup_has_what_a_home_needs_and_what_cannot_be_made_again(
    home: Home, store: FolderStore
) -> None:
    made = back_up(home, store)

    manifest = chosen_manifest(store, store.sizes(), None)
    paths = [file.path for file in manifest.files]
    others = [FROZEN, "lake/unlisted_files.json", "published/chain_head.json"]
    assert sorted(paths) == sorted([*lake_files(home), *others, "lake/catalog.sqlite"])
    assert paths[-1] == "lake/catalog.sqlite"
    assert (made.number, made.batch_id, made.files) == (1, 2, len(paths))
    assert (made.new_files, made.new_bytes) == (made.files, made.size_bytes)
    objects = kept(store)
    for file in manifest.files:
        assert len(objects[file.object_name]) == file.size_bytes
    for path, content in lake_files(home).items():
        (file,) = [file for file in manifest.files if file.path == path]
        assert objects[file.object_name] == content


def test_backup_changes_nothing_in_the_home(home: Home, store: FolderStore) -> None:
    before = {p: p.read_bytes() for p in home.settings.home.rglob("*") if p.is_file()}

    back_up(home, store)

    after = {p: p.read_bytes() for p in home.settings.home.rglob("*") if p.is_file()}
    ignored = {Path(f"{home.settings.lake_catalog}{suffix}") for suffix in ("-wal", "-shm")}
    assert {p: c for p, c in after.items() if p not in ignored} == {
        p: c for p, c in before.items() if p not in ignored
    }


def test_second_backup_copies_only_what_is_new(home: Home, store: FolderStore) -> None:
    back_up(home, store)
    first, before = kept(store), lake_files(home)
    commit(home, 3)

    made = back_up(home, store)

    second = kept(store)
    new = set(lake_files(home)) - set(before)
    # Besides: the catalog database and the digests that the lake does not list yet.
    assert made.new_files == len(new) + 2
    assert (made.number, made.batch_id, made.is_new) == (2, 3, True)
    assert {name: second[name] for name in first} == first
    assert len(second) == len(first) + made.new_files + 1


def test_backup_of_an_unchanged_home_stands(home: Home, store: FolderStore) -> None:
    back_up(home, store)
    before = kept(store)

    made = back_up(home, store)

    assert (made.number, made.is_new, made.new_files, made.new_bytes) == (1, False, 0, 0)
    assert kept(store) == before


def test_batch_that_is_committed_meanwhile_is_in_the_next_backup(
    home: Home, store: FolderStore, tmp_path: Path
) -> None:
    copy = catalog_copies.copy_database

    def copy_and_commit(catalog: Path, target: Path) -> None:
        copy(catalog, target)
        # Two batches, so that the digest of batch 2's own list is noted no more.
        commit(home, 3, 4)

    with patch.object(backup, "copy_database", copy_and_commit):
        made = back_up(home, store)

    assert made.batch_id == 2
    with open_lake(_restored(store, tmp_path / "a").settings.home, read_only=True) as lake:
        assert lake.last_batch_id() == 2
    assert back_up(home, store).batch_id == 4
    assert lake_files(_restored(store, tmp_path / "b")) == lake_files(home)


def test_backup_is_made_while_a_transaction_is_open(home: Home, store: FolderStore) -> None:
    with open_lake(home.settings.home, read_only=False) as lake:
        lake._connection.execute("BEGIN")
        lake._connection.execute("INSERT INTO lake.schema_version VALUES (99, 'later', NULL)")

        # In a process of its own: closing SQLite here would drop the locks of the other.
        made = _in_another_process(home, store)
        lake._connection.execute("ROLLBACK")

    assert made["batch_id"] == 2


def _in_another_process(home: Home, store: FolderStore) -> dict[str, int]:
    called = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "backup", "--to", str(store), "--json"],
        env=os.environ | {"METERLINE_HOME": str(home.settings.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert called.returncode == 0, called.stderr
    made: dict[str, int] = json.loads(called.stdout)
    return made


def test_killed_backup_leaves_the_one_before(
    home: Home, store: FolderStore, tmp_path: Path
) -> None:
    """It is killed after each of its copies in turn, and the next backup completes it."""
    back_up(home, store)
    commit(home, 3)
    copies = 0
    put = FolderStore.put

    def put_until_killed(self: FolderStore, name: str, source: Path, sha256: str) -> None:
        nonlocal copies
        if copies == 0:
            raise KeyboardInterrupt
        copies -= 1
        put(self, name, source, sha256)

    for survived in range(100):
        copies = survived
        try:
            with patch.object(FolderStore, "put", put_until_killed):
                back_up(home, store)
        except KeyboardInterrupt:
            assert check_backup(store, tmp_path).batch_id == 2
            continue
        break

    assert survived > 0
    assert check_backup(store, tmp_path).batch_id == 3
    assert lake_files(_restored(store, tmp_path / "restored")) == lake_files(home)


def test_copy_that_is_killed_in_the_middle_is_no_object(home: Home, store: FolderStore) -> None:
    (store.folder / "objects").mkdir(parents=True)
    left = store.folder / "objects" / f"{'0' * 64}.1a2b3c4d.unfinished"
    left.write_bytes(b"half")

    back_up(home, store)

    assert left.read_bytes() == b"half"
    assert f"objects/{left.name}" not in store.sizes()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errno.ENOSPC, "No space left on device"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_disk_that_refuses_is_a_sentence(
    error: int, words: str, home: Home, store: FolderStore, tmp_path: Path
) -> None:
    back_up(home, store)
    before = kept(store)
    commit(home, 3)

    def refuse(descriptor: int) -> None:
        raise OSError(error, os.strerror(error))

    with patch.object(os, "fsync", refuse), pytest.raises(MeterlineError, match=words):
        back_up(home, store)

    assert kept(store) == before
    assert check_backup(store, tmp_path).batch_id == 2


def test_full_disk_while_bytes_are_written_is_a_sentence(home: Home) -> None:
    """`/dev/full` stands for the disk of the backup."""
    store = FolderStore(home.settings.home.parent / "backup")
    source = home.settings.home / FROZEN

    with (
        patch("pipelines.recovery.store.Path.with_name", lambda *_: Path("/dev/full")),
        patch("pipelines.recovery.store.Path.unlink"),
        pytest.raises(MeterlineError, match=r"cannot be copied to .*: No space left on device"),
    ):
        store.put("objects/a", source, sha256_of(source))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "flipped": lambda path: path.write_bytes(
        path.read_bytes()[:40] + bytes([path.read_bytes()[40] ^ 1]) + path.read_bytes()[41:]
    ),
    "shorter": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "missing": Path.unlink,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_file_is_not_backed_up(damage: str, home: Home, store: FolderStore) -> None:
    back_up(home, store)
    commit(home, 3)
    before = set(kept(store))
    (path,) = (home.settings.lake_data / "main" / "accepted_events").glob("batch-000000003-*")
    DAMAGES[damage](path)

    with pytest.raises(LakeError, match=r"not as committed") as refused:
        back_up(home, store)

    assert f"{path} (of batch 3, 3 rows)" in str(refused.value)
    assert "`meterline lake rebuild --batch 3`" in str(refused.value)
    assert len(manifest_names(store.sizes())) == 1
    damaged = path.read_bytes() if path.exists() else None
    assert damaged not in [kept(store)[name] for name in set(kept(store)) - before]


def test_damage_that_the_backup_has_whole_already_is_found_by_the_checks(
    home: Home, store: FolderStore, tmp_path: Path
) -> None:
    """Only new files are read. The whole copy of the damaged one stays as it is."""
    back_up(home, store)
    (path,) = (home.settings.lake_data / "main" / "accepted_events").glob("batch-000000001-*")
    DAMAGES["flipped"](path)
    commit(home, 3)

    back_up(home, store)

    assert check_backup(store, tmp_path).batch_id == 3


def test_without_a_lake_there_is_nothing_to_back_up(tmp_path: Path, store: FolderStore) -> None:
    with pytest.raises(LakeError, match=r"there is no lake at .*; run `meterline run` first"):
        back_up(home_of(tmp_path / "empty"), store)

    assert not store.folder.exists()


def test_lost_catalog_is_said(home: Home, store: FolderStore) -> None:
    home.settings.lake_catalog.unlink()

    with pytest.raises(LakeError, match="Rather than begin anew"):
        back_up(home, store)


def test_backups_of_another_lake_are_not_mixed_with(
    home: Home, store: FolderStore, tmp_path: Path
) -> None:
    back_up(home, store)
    # A copy of the same home is the same lake; a lake of its own is made here.
    other = home_of(tmp_path / "other")
    with open_lake(other.settings.home, read_only=False):
        pass
    before = kept(store)

    with pytest.raises(MeterlineError, match="has backups of another lake"):
        back_up(other, store)

    assert kept(store) == before


@pytest.mark.parametrize("place", ["home", "home/backup", "landing/backup"])
def test_backup_in_the_home_or_the_landing_is_refused(
    place: str, home: Home, tmp_path: Path
) -> None:
    with pytest.raises(MeterlineError, match="name a folder on another disk"):
        back_up(home, FolderStore(tmp_path / place))


def test_folder_beside_the_home_may_begin_with_its_name(home: Home, tmp_path: Path) -> None:
    assert back_up(home, FolderStore(tmp_path / "home-backup")).number == 1


def test_end_of_the_chain_is_never_later_than_the_lake(home: Home, store: FolderStore) -> None:
    """It is replaced while the backup goes on: the backup keeps what was read before the lake."""
    head = home.settings.published / "chain_head.json"
    copy = catalog_copies.copy_database

    def copy_and_publish(catalog: Path, target: Path) -> None:
        head.write_bytes(b'{"invoices": 7}')
        copy(catalog, target)

    with patch.object(backup, "copy_database", copy_and_publish):
        back_up(home, store)

    objects = kept(store).values()
    assert CHAIN_HEAD in objects
    assert b'{"invoices": 7}' not in objects


def test_copied_catalog_is_a_database_of_its_own(
    home: Home, store: FolderStore, tmp_path: Path
) -> None:
    back_up(home, store)

    manifest = chosen_manifest(store, store.sizes(), None)
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(kept(store)[manifest.files[-1].object_name])
    with sqlite3.connect(copy) as connection:
        (found,) = connection.execute("PRAGMA integrity_check").fetchone()
    assert found == "ok"


def test_damaged_manifest_is_followed_by_a_whole_one(
    home: Home, store: FolderStore, tmp_path: Path
) -> None:
    """The home may be gone tomorrow, so a backup that cannot be used does not prevent one."""
    back_up(home, store)
    (manifest,) = (store.folder / "backups").iterdir()
    manifest.write_text("{")

    made = back_up(home, store)

    assert (made.number, made.is_new, made.new_files) == (2, True, 0)
    assert check_backup(store, tmp_path).number == 2
    with pytest.raises(MeterlineError, match=r"backup 1 in .* cannot be used"):
        check_backup(store, tmp_path, 1)
