"""A lake file that is not as it was committed is named before anything is made of it."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.lake import file_checks
from pipelines.lake.checked_files import CHECKED, read_checked
from pipelines.lake.file_checks import check_all_files, check_files, is_any_unchecked
from pipelines.lake.file_digests import UNLISTED, digest_of
from pipelines.lake.lake import Lake
from pipelines.vocabulary.errors import LakeError
from pipelines.vocabulary.tables import ACCEPTED_EVENTS, LAKE_FILES
from tests.worlds.commits import commit_events
from tests.worlds.lakes import copy_old_lake, open_lake, start_lake
from tests.worlds.made_once import made_once


def _make(home: Path) -> None:
    start_lake(home)
    for batch_id in (1, 2):
        with open_lake(home, read_only=False) as lake:
            commit_events(lake, home, batch_id)
    with open_lake(home, read_only=False) as lake:
        check_files(lake).require_whole()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of two batches, each file of which was checked."""
    made = made_once("lake-of-two-checked-batches", _make)
    home = Path(shutil.copytree(made, tmp_path / "home"))
    with open_lake(home, read_only=False) as lake:
        check_files(lake).require_whole()
    return home


def _file(home: Path, table: str, batch_id: int) -> Path:
    (path,) = (home / "lake" / "data" / "main" / table).glob(f"batch-{batch_id:09d}-*.parquet")
    return path


def _flip(path: Path) -> None:
    """One bit of the data pages, behind the magic number."""
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _delete(path: Path) -> None:
    path.unlink()


DAMAGES = {
    "flip": (_flip, "expected SHA-256"),
    "truncate": (_truncate, "bytes, found"),
    "empty": (_empty, "bytes, found 0"),
    "delete": (_delete, "is missing"),
}


def test_every_file_of_a_batch_has_its_digest(home: Path) -> None:
    with open_lake(home, read_only=True) as lake:
        digests, files = lake.digests(), lake.registered_files()
        listed = lake.table(LAKE_FILES)

    assert {file.key for file in files} == set(digests)
    assert all(digests[file.key] == digest_of(file.below(lake.data)) for file in files)
    # The newest file of digests is in no table yet: its digest stands beside the lake.
    names = listed.select("table_name", "file_name").rows()
    assert len(set(names)) == len(names)
    assert {file.key for file in files} - set(names) == {
        ("lake_files", "batch-000000002-rows.parquet")
    }


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("batch_id", [1, 2])
@pytest.mark.parametrize("table", ["accepted_events", "batches", "landing_files", "lake_files"])
def test_damaged_file_is_named_with_batch_and_rows(
    table: str, batch_id: int, damage: str, home: Path
) -> None:
    change, words = DAMAGES[damage]
    path = _file(home, table, batch_id)
    change(path)

    with open_lake(home, read_only=False) as lake:
        checks = check_files(lake), check_all_files(lake)
    for check in checks:
        (sentence,) = [each for each in check.damages if str(path) in each] or [""]
        assert f"{path} (of batch {batch_id}, " in sentence
        assert " row" in sentence
        assert words in sentence
        with pytest.raises(LakeError, match=r"(?s)not as committed.*from a backup of the home"):
            check.require_whole()


def test_record_of_a_migration_is_checked_too(home: Path) -> None:
    path = sorted((home / "lake" / "data" / "main" / "schema_version").iterdir())[0]
    _flip(path)

    with open_lake(home, read_only=False) as lake:
        (sentence,) = check_files(lake).damages
    assert f"{path} (of a migration, 1 row): expected SHA-256" in sentence


def test_swapped_files_are_both_named(home: Path) -> None:
    first, second = (_file(home, "accepted_events", batch_id) for batch_id in (1, 2))
    content = first.read_bytes()
    assert len(content) == second.stat().st_size
    assert content != second.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)

    with open_lake(home, read_only=False) as lake:
        damages = check_files(lake).damages
    assert [path.name in damage for path, damage in zip((first, second), damages, strict=True)]
    assert all("expected SHA-256" in damage for damage in damages)


def test_damage_is_found_again_until_the_file_is_put_back(home: Path) -> None:
    path = _file(home, "accepted_events", 1)
    content = path.read_bytes()
    _flip(path)

    with open_lake(home, read_only=False) as lake:
        for _ in range(2):
            assert len(check_files(lake).damages) == 1
        path.write_bytes(content)
        check = check_files(lake)
        assert (check.files, check.damages) == (1, ())
        assert check_files(lake).files == 0


def test_only_changed_files_are_hashed(home: Path) -> None:
    with open_lake(home, read_only=False) as lake:
        assert check_files(lake).files == 0
        os.utime(_file(home, "accepted_events", 1))
        assert check_files(lake).files == 1
        assert check_files(lake).files == 0


def test_time_that_was_set_back_hides_nothing(home: Path) -> None:
    path = _file(home, "accepted_events", 1)
    before = path.stat()
    _flip(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    with open_lake(home, read_only=False) as lake:
        assert len(check_files(lake).damages) == 1


def _as_if_no_time_had_changed(home: Path) -> None:
    """What a failing disk does: the notes show the damaged file just as it is."""
    notes = home / "lake" / CHECKED
    rows = json.loads(notes.read_text())
    for row in rows:
        found = (home / "lake" / "data" / "main" / row[0] / row[1]).stat()
        row[2] = [found.st_size, found.st_mtime_ns, found.st_ctime_ns]
    notes.write_text(json.dumps(rows))


def test_sample_finds_what_changed_no_time(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_checks, "SAMPLE_FILES", 4)
    _flip(_file(home, "accepted_events", 1))
    _as_if_no_time_had_changed(home)

    with open_lake(home, read_only=False) as lake:
        assert check_files(lake).files == 0
        assert len(check_all_files(lake).damages) == 1
        files = len(lake.registered_files())
        rounds = [check_files(lake, with_sample=True) for _ in range(-(-files // 4))]
    # Those that were checked longest ago come first, so that all have their turn.
    assert {check.files for check in rounds} <= {3, 4, files % 4}
    assert sum(len(check.damages) for check in rounds) >= 1


@pytest.mark.parametrize(("size_bytes", "files"), [(0, 0), (1, 1), (10**9, 4)])
def test_sample_is_small(
    size_bytes: int, files: int, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_checks, "SAMPLE_BYTES", size_bytes)

    with open_lake(home, read_only=False) as lake:
        assert check_files(lake, with_sample=True).files == files


@pytest.mark.parametrize("written", [None, "", "{}", "[1]", '[["a", "b", [1], 0]]'])
def test_without_notes_every_file_is_hashed(written: str | None, home: Path) -> None:
    if written is None:
        (home / "lake" / CHECKED).unlink()
    else:
        (home / "lake" / CHECKED).write_text(written)
    _flip(_file(home, "accepted_events", 1))

    with open_lake(home, read_only=False) as lake:
        assert is_any_unchecked(lake)
        check = check_files(lake)
        assert check.files == len(lake.registered_files())
        assert len(check.damages) == 1


def test_committed_files_count_as_checked(home: Path) -> None:
    with open_lake(home, read_only=False) as lake:
        assert not is_any_unchecked(lake)
        commit_events(lake, home, 3)
        assert not is_any_unchecked(lake)
        assert check_files(lake).files == 0
        _file(home, "accepted_events", 3).touch()
        assert is_any_unchecked(lake)


def test_missing_file_is_unchecked(home: Path) -> None:
    _file(home, "accepted_events", 1).unlink()

    with open_lake(home, read_only=True) as lake:
        assert is_any_unchecked(lake)


@pytest.mark.parametrize("damage", [_truncate, _empty, _delete])
@pytest.mark.parametrize("table", ["accepted_events", "batches"])
def test_reader_of_a_damaged_file_says_what_to_do(
    table: str, damage: Callable[[Path], None], home: Path
) -> None:
    damage(_file(home, table, 1))

    with (
        open_lake(home, read_only=True) as lake,
        pytest.raises(LakeError, match=r"cannot be read: .*`meterline verify --files` says"),
    ):
        lake.query(f"SELECT * FROM lake.{table}")


@pytest.mark.parametrize("damage", [_truncate, _empty, _delete])
def test_damaged_records_of_migrations_are_named(
    damage: Callable[[Path], None], home: Path
) -> None:
    records = list((home / "lake" / "data" / "main" / "schema_version").iterdir())
    for path in records:
        damage(path)

    with open_lake(home, read_only=False) as lake:
        assert len(check_files(lake).damages) == len(records)


def _rows(lake: Lake) -> list[int]:
    return lake.table(ACCEPTED_EVENTS)["batch_id"].to_list()


@pytest.mark.parametrize("name", ["schema_2", "schema_3", "schema_4"])
def test_files_of_an_earlier_version_are_listed_once(name: str, tmp_path: Path) -> None:
    home = copy_old_lake(name, tmp_path)
    with open_lake(home, read_only=False) as lake:
        before = lake.table(LAKE_FILES).height
        events = _rows(lake)
        committed = [file for file in lake.registered_files() if file.file_name.startswith("batch")]

        assert before == 0
        assert lake.list_digests() == len(committed) > 0
        assert lake.list_digests() == 0
        assert {file.key for file in committed} <= lake.digests().keys()
        assert set(lake.table(LAKE_FILES)["batch_id"]) == {lake.last_batch_id()}
        assert lake.sweep() == 0
        assert _rows(lake) == events
        _flip(committed[0].below(lake.data))
        assert len(check_files(lake).damages) == 1


def test_listing_that_is_killed_starts_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: object) -> None:
        raise Killed

    home = copy_old_lake("schema_4", tmp_path)
    with open_lake(home, read_only=False) as lake:
        with monkeypatch.context() as patch:
            patch.setattr("pipelines.lake.commit._register", kill)
            with pytest.raises(Killed):
                lake.list_digests()
        assert lake.table(LAKE_FILES).is_empty()
        assert lake.sweep() == 1
        assert lake.list_digests() > 0
        assert check_all_files(lake).damages == ()


def test_damaged_file_of_an_earlier_version_is_not_listed(tmp_path: Path) -> None:
    home = copy_old_lake("schema_4", tmp_path)
    _truncate(_file(home, "batches", 1))

    with open_lake(home, read_only=False) as lake:
        (sentence,) = check_files(lake).damages
    assert "bytes, found" in sentence


def test_lost_note_of_the_newest_digest_is_made_again(home: Path) -> None:
    (home / "lake" / UNLISTED).unlink()

    with open_lake(home, read_only=False) as lake:
        assert lake.list_digests() == 1
        assert lake.list_digests() == 0
        assert {file.key for file in lake.registered_files()} == lake.digests().keys()
        commit_events(lake, home, 3)
        assert check_all_files(lake).damages == ()


def test_notes_are_no_longer_than_needed(home: Path) -> None:
    with open_lake(home, read_only=False) as lake:
        for batch_id in (3, 4, 5):
            commit_events(lake, home, batch_id)
    noted = json.loads((home / "lake" / UNLISTED).read_text())

    assert [each["file_name"] for each in noted] == [
        "batch-000000004-rows.parquet",
        "batch-000000005-rows.parquet",
    ]
    assert len(read_checked(home / "lake")) == len(list((home / "lake").rglob("*.parquet")))
