"""What is committed is on disk: files and folders are synced first, or nothing is committed."""

import errno
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipelines import durable
from pipelines.lake.ducklake import METADATA
from pipelines.lake.lake import Lake
from pipelines.vocabulary.errors import LakeError, MeterlineError
from pipelines.vocabulary.tables import ACCEPTED_EVENTS
from tests.worlds.commits import WatchedConnection, commit_events
from tests.worlds.disks import Disk, watched_disk
from tests.worlds.lakes import copy_old_lake, open_lake


def test_folder_is_synced_after_all_its_files(tmp_path: Path) -> None:
    paths = [tmp_path / "a" / "1", tmp_path / "b" / "2", tmp_path / "a" / "3"]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.touch()

    with watched_disk() as disk:
        durable.sync_all(paths)

    assert disk.synced == [str(path) for path in (*paths, tmp_path / "a", tmp_path / "b")]


def test_name_of_each_new_folder_is_synced(tmp_path: Path) -> None:
    with watched_disk() as disk:
        durable.make_folder(tmp_path / "a" / "b")
        durable.make_folder(tmp_path / "a" / "b")

    assert (tmp_path / "a" / "b").is_dir()
    assert disk.synced == [str(tmp_path), str(tmp_path / "a")]


def test_text_is_on_disk_before_it_has_its_name(tmp_path: Path) -> None:
    path = tmp_path / "head.json"
    path.write_text("old")

    with watched_disk() as disk:
        durable.replace_text(path, "new")

    assert disk.contents == {f"{path}.fresh": b"new"}
    assert disk.synced == [f"{path}.fresh", str(tmp_path)]
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {"head.json": "new"}


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(errno.ENOSPC, "No space left on device"), (errno.EIO, "Input/output error")],
)
def test_sync_that_fails_says_which_file(error: int, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "head.json"
    path.write_text("old")

    with (
        watched_disk(1, error),
        pytest.raises(MeterlineError, match=f"head.json.fresh cannot be .* disk: {sentence}; free"),
    ):
        durable.replace_text(path, "new")
    assert path.read_text() == "old"


def _watch_statements(lake: Lake, disk: Disk) -> None:
    attached: Any = lake._attached
    attached.connection = WatchedConnection(lake._connection, disk.synced.append)


def test_every_file_of_a_batch_is_on_disk_before_the_catalog_commits(lake_home: Path) -> None:
    data = lake_home / "lake" / "data" / "main"
    with open_lake(lake_home, read_only=False) as lake:
        with watched_disk() as disk:
            _watch_statements(lake, disk)
            commit_events(lake, lake_home, 1)
        lake._attached.connection = lake._connection
        committed = {str(path) for path in data.rglob("batch-*.parquet")}

    last = len(disk.synced) - 1 - disk.synced[::-1].index("COMMIT")
    before = disk.synced[:last]
    assert len(committed) == 4
    for path in committed:
        folder = str(Path(path).parent)
        # The file, then the folder with its name, and that folder's own name, which is new.
        assert before.index(path) < before.index(folder)
        assert str(data) in before
        assert disk.contents[path] == Path(path).read_bytes(), "nothing was written afterwards"


def test_every_sync_of_a_batch_that_fails_leaves_the_lake_as_before(lake_home: Path) -> None:
    with open_lake(lake_home, read_only=False) as lake:
        commit_events(lake, lake_home, 1)
        # The notes of the files and of the digest, each with its folder; four files and folders.
        for fails_at in range(1, 4 + 8 + 1):
            with (
                watched_disk(fails_at, errno.EIO if fails_at % 2 else errno.ENOSPC),
                pytest.raises(LakeError, match="nothing was committed, the lake is as before: "),
            ):
                commit_events(lake, lake_home, 2)
            assert lake.last_batch_id() == 1
            lake.sweep()
            assert lake.table(ACCEPTED_EVENTS)["batch_id"].to_list() == [1] * 3

        with watched_disk(fails_at + 1):
            commit_events(lake, lake_home, 2)
        assert lake.table(ACCEPTED_EVENTS)["batch_id"].to_list() == [1] * 3 + [2] * 3


@pytest.mark.parametrize("name", ["new", "schema_2"])
def test_records_of_migrations_are_on_disk(name: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    if name != "new":
        shutil.move(copy_old_lake(name, tmp_path), home)
    before = set(home.rglob("*.parquet"))

    with watched_disk() as disk, open_lake(home, read_only=False):
        pass

    written = set(home.rglob("*.parquet")) - before
    assert written
    assert {str(path): path.read_bytes() for path in written} == {
        path: content for path, content in disk.contents.items() if Path(path) in written
    }
    folder = home / "lake" / "data" / "main" / "schema_version"
    assert {str(folder), str(folder.parent)} <= set(disk.synced)


def test_catalog_database_syncs_at_each_commit(lake_home: Path) -> None:
    """2 is FULL: SQLite then syncs its log before a commit returns."""
    with open_lake(lake_home, read_only=False) as lake:
        found = lake.query(
            f"SELECT * FROM sqlite_query('{METADATA.partition('.')[0]}', 'PRAGMA synchronous')"
        )

    assert found.rows() == [("2",)]


def test_copy_of_the_catalog_is_on_disk(lake_home: Path) -> None:
    copies = lake_home / "lake" / "catalog_copies"
    with watched_disk() as disk, open_lake(lake_home, read_only=False) as lake:
        commit_events(lake, lake_home, 1)

    copy = copies / "batch-000000001.sqlite"
    assert disk.contents[str(copy.with_suffix(".fresh"))] == copy.read_bytes()
    assert disk.synced[-2:] == [str(copy.with_suffix(".fresh")), str(copies)]
