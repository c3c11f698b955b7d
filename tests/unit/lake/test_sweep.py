"""The sweep deletes what a killed batch of this very lake left, and nothing without proof."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.lake import commit, staged_batch
from pipelines.lake.catalog_copies import KEPT_COPIES, CatalogCopies
from pipelines.vocabulary.errors import LakeError
from pipelines.vocabulary.tables import ACCEPTED_EVENTS
from tests.worlds.commits import commit_events, staged_events
from tests.worlds.lakes import open_lake, start_lake
from tests.worlds.made_once import made_once

REPOSITORY = Path(__file__).parents[3]


def _catalog(home: Path) -> Path:
    return home / "lake" / "catalog.sqlite"


def _data_files(home: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (home / "lake" / "data").rglob("*.parquet")}


def _put_back(home: Path, copy: Path) -> None:
    """As the sentence says it: without the log of the other catalog."""
    for suffix in ("-wal", "-shm"):
        Path(f"{_catalog(home)}{suffix}").unlink(missing_ok=True)
    shutil.copy(copy, _catalog(home))


def _two_batches() -> Path:
    """A home of two batches; whoever asks copies it."""

    def make(home: Path) -> None:
        start_lake(home)
        for batch_id in (1, 2):
            with open_lake(home, read_only=False) as lake:
                commit_events(lake, home, batch_id)

    return made_once("lake-of-two-batches", make)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of two batches."""
    return Path(shutil.copytree(_two_batches(), tmp_path / "it's a home"))


def _copy(home: Path, batch_id: int) -> Path:
    return home / "lake" / "catalog_copies" / f"batch-{batch_id:09d}.sqlite"


def _delete(catalog: Path) -> None:
    catalog.unlink()


def _empty(catalog: Path) -> None:
    catalog.write_bytes(b"")


def _another_program_began(catalog: Path) -> None:
    catalog.unlink()
    with closing(sqlite3.connect(catalog)) as connection:
        connection.execute("CREATE TABLE other (n INTEGER)")


@pytest.mark.parametrize("lose", [_delete, _empty, _another_program_began])
def test_lost_catalog_is_not_begun_anew(lose: Callable[[Path], None], home: Path) -> None:
    lose(_catalog(home))
    before, catalog = _data_files(home), _catalog(home).exists()

    for read_only in (False, True):
        with pytest.raises(LakeError, match=r"nothing was changed\. Rather than begin") as refused:
            open_lake(home, read_only=read_only)
        assert str(_copy(home, 2)) in str(refused.value).replace("'\"'\"'", "'")
    assert _data_files(home) == before
    assert _catalog(home).exists() == catalog

    _put_back(home, _copy(home, 2))
    with open_lake(home, read_only=False) as lake:
        assert lake.sweep() == 0
        assert lake.table(ACCEPTED_EVENTS)["batch_id"].to_list() == [1] * 3 + [2] * 3


@pytest.mark.parametrize("size", [1, 99, 4_096, 20_000])
def test_damaged_catalog_ends_with_a_sentence(size: int, home: Path) -> None:
    _catalog(home).write_bytes(b"x" * size)
    before = _data_files(home)

    for read_only in (False, True):
        with pytest.raises(LakeError, match=r"run again\. The newest copy of the catalog is"):
            open_lake(home, read_only=read_only)
    assert _data_files(home) == before


def test_catalog_of_the_batch_before_deletes_nothing(home: Path) -> None:
    before = _data_files(home)
    _put_back(home, _copy(home, 1))

    with (
        open_lake(home, read_only=False) as lake,
        pytest.raises(
            LakeError, match=r"ends with batch 1 and does not know 4 files .*: the catalog is older"
        ),
    ):
        lake.sweep()
    assert _data_files(home) == before

    _put_back(home, _copy(home, 2))
    with open_lake(home, read_only=False) as lake:
        assert lake.sweep() == 0
        assert lake.last_batch_id() == 2


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("main/accepted_events/other.parquet", id="another name"),
        pytest.param("main/accepted_events/batch-000000003-part-0000.parquet", id="the next batch"),
        pytest.param("main/accepted_events/batch-000000009-part-0000.parquet", id="a later batch"),
        pytest.param("main/invoices/batch-000000001-rows.parquet", id="an earlier batch"),
        pytest.param("main/orders/batch-000000003-rows.parquet", id="another table"),
        pytest.param("main/schema_version/ducklake-other.parquet", id="no record of a migration"),
        pytest.param("rows.parquet", id="another folder"),
    ],
)
def test_file_that_no_batch_of_this_lake_staged_is_kept(name: str, home: Path) -> None:
    foreign = home / "lake" / "data" / name
    foreign.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(staged_events(home, 3), foreign)

    with open_lake(home, read_only=False) as lake:
        with pytest.raises(LakeError, match=r"does not know 1 file .*; nothing was deleted"):
            lake.sweep()
        assert foreign.exists()
        foreign.unlink()
        assert lake.sweep() == 0


KILL_BEFORE_COMMIT = """
import os, signal, sys
from pathlib import Path
from pipelines.lake import commit
from tests.worlds.commits import commit_events
from tests.worlds.lakes import open_lake
register = commit._register
def registered_then_killed(attached, table, paths):
    register(attached, table, paths)
    if table.name == "lake_files":
        os.kill(os.getpid(), signal.SIGKILL)
commit._register = registered_then_killed
home = Path(sys.argv[1])
with open_lake(home, read_only=False) as lake:
    commit_events(lake, home, 3)
"""


@pytest.fixture
def killed_home(tmp_path: Path) -> Path:
    """A home of two batches; while its third was committed, the process was killed."""

    def make(folder: Path) -> None:
        home = shutil.copytree(_two_batches(), folder / "home")
        killed = subprocess.run(
            [sys.executable, "-c", KILL_BEFORE_COMMIT, str(home)], check=False, cwd=REPOSITORY
        )
        assert killed.returncode == -signal.SIGKILL

    made = made_once("lake-of-a-killed-batch", make) / "home"
    return Path(shutil.copytree(made, tmp_path / "it's a home"))


def test_batch_killed_between_move_and_commit_is_swept(killed_home: Path) -> None:
    home, before = killed_home, _data_files(_two_batches())
    assert len(_data_files(home)) == len(before) + 4
    elsewhere = Path(shutil.copytree(home, home.with_name("copied")))

    for each in (home, elsewhere):
        with open_lake(each, read_only=False) as lake:
            assert lake.sweep() == 4
            assert len(_data_files(each)) == len(before)
            commit_events(lake, each, 3)
            assert lake.sweep() == 0
            assert lake.table(ACCEPTED_EVENTS)["batch_id"].to_list() == [1] * 3 + [2] * 3 + [3] * 3


def test_foreign_file_beside_a_killed_batch_keeps_both(killed_home: Path) -> None:
    home = killed_home
    foreign = home / "lake/data/main/accepted_events/batch-000000003-other.parquet"
    shutil.copy(staged_events(home, 3), foreign)
    before = _data_files(home)

    with (
        open_lake(home, read_only=False) as lake,
        pytest.raises(LakeError, match=r"does not know 1 file .*batch-000000003-other"),
    ):
        lake.sweep()
    assert _data_files(home) == before


def test_files_of_a_killed_batch_stay_without_the_catalog_that_began_it(killed_home: Path) -> None:
    """The note beside the lake alone is no proof: an older catalog never began this batch."""
    home = killed_home
    before = _data_files(home)
    _put_back(home, _copy(home, 2))

    with open_lake(home, read_only=False) as lake, pytest.raises(LakeError, match="4 files"):
        lake.sweep()
    assert _data_files(home) == before


class Killed(BaseException):
    """Stands for the end of the process."""


def _kill(*_: object, **__: object) -> None:
    raise Killed


def test_batch_killed_right_after_its_commit_stays(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its note is still there, and then the catalog of the batch before comes back."""
    with open_lake(home, read_only=False) as lake, monkeypatch.context() as patch:
        patch.setattr(staged_batch, "forget", _kill)
        with pytest.raises(Killed):
            commit_events(lake, home, 3)
    before = _data_files(home)
    assert (home / "lake" / staged_batch.NOTE).exists()
    catalog = home / "whole.sqlite"
    shutil.copy(_catalog(home), catalog)

    _put_back(home, _copy(home, 2))
    with open_lake(home, read_only=False) as lake, pytest.raises(LakeError, match="4 files"):
        lake.sweep()
    assert _data_files(home) == before

    _put_back(home, catalog)
    with open_lake(home, read_only=False) as lake:
        assert lake.sweep() == 0
        assert lake.last_batch_id() == 3
    assert not (home / "lake" / staged_batch.NOTE).exists()


def test_second_attempt_waits_for_the_sweep(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _data_files(home)
    with open_lake(home, read_only=False) as lake:
        with monkeypatch.context() as patch:
            patch.setattr(commit, "_register", _kill)
            with pytest.raises(Killed):
                commit_events(lake, home, 3)
        with pytest.raises(LakeError, match="is in the lake already; run again, the sweep heals"):
            lake.commit_batch(3, {}, {ACCEPTED_EVENTS: [staged_events(home, 3, "part-0001")]})
        assert lake.sweep() == 4
    assert _data_files(home) == before


@pytest.mark.parametrize("written", ["", "{}", "[]", '{"batch_id": 3, "token": "x", "files": 1}'])
def test_note_that_cannot_be_read_proves_nothing(written: str, killed_home: Path) -> None:
    home = killed_home
    (home / "lake" / staged_batch.NOTE).write_text(written)
    before = _data_files(home)

    with open_lake(home, read_only=False) as lake, pytest.raises(LakeError, match="4 files"):
        lake.sweep()
    assert _data_files(home) == before


def test_last_catalogs_are_kept(tmp_path: Path) -> None:
    home = start_lake(tmp_path / "home")
    last = KEPT_COPIES + 1
    for batch_id in range(1, last + 1):
        with open_lake(home, read_only=False) as lake:
            commit_events(lake, home, batch_id)

    copies = sorted((home / "lake" / "catalog_copies").iterdir())
    assert copies == [_copy(home, batch_id) for batch_id in range(2, last + 1)]


def test_copy_that_a_kill_prevented_is_made_by_the_next_sweep(home: Path) -> None:
    _copy(home, 2).unlink()

    with open_lake(home, read_only=False) as lake:
        lake.sweep()
    assert CatalogCopies(_catalog(home)).has(2)


def test_copies_of_another_course_of_events_go_with_the_next_commit(home: Path) -> None:
    """A person went back to batch 1 and moved the files of batch 2 away."""
    _put_back(home, _copy(home, 1))
    for path in _data_files(home):
        if path.name.startswith("batch-000000002"):
            path.unlink()
    shutil.copy(_copy(home, 2), _copy(home, 3))

    with open_lake(home, read_only=False) as lake:
        lake.sweep()
        commit_events(lake, home, 2)

    assert not _copy(home, 3).exists()
    _put_back(home, _copy(home, 2))
    with open_lake(home, read_only=False) as lake:
        assert lake.sweep() == 0
        assert lake.last_batch_id() == 2
