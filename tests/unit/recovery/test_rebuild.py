"""A damaged file of an events batch is made again from the landing, byte for byte or not at all."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import polars as pl
import pytest

from pipelines.home import Home
from pipelines.intake.kinds import Correction, Replay
from pipelines.intake.replay_selection import Selection
from pipelines.lake.file_checks import check_files
from pipelines.lake.lake_digest import lake_digest
from pipelines.recovery.rebuild import rebuild_batch
from pipelines.settings import Settings
from pipelines.vocabulary.errors import LakeError, MeterlineError
from pipelines.vocabulary.tables import BATCHES
from tests.worlds.backups import lake_files
from tests.worlds.commits import batch_rows
from tests.worlds.file_lines import BAD
from tests.worlds.lakes import OLD_LAKES, copy_old_lake
from tests.worlds.made_once import made_once
from tests.worlds.taken_in import drop, home_with_landing, take_in, usage

REBUILT = ("accepted_events", "refused_events", "file_decisions", "held_names")


def _make(folder: Path) -> None:
    """Five batches: files, repeats of their keys, a release, a correction, and a closing."""
    home = home_with_landing(folder / "home")
    drop(home, 10, "a", b"".join(usage(f"a{n}") for n in range(20)) + BAD)
    drop(home, 10, "b", usage("a1") + usage("a2", customer_id="other") + usage("b"))
    assert take_in(home) == 1
    drop(home, 11, "c", usage("a1") + usage("b", event_type="other") + usage("c") + b"\n")
    held = drop(home, 11, "held", usage("h1") + usage("c") + BAD * 2)
    assert take_in(home) == 2
    assert take_in(home, Replay(Selection(release=(held,)))) == 3
    fixed = drop(home, 11, "_fixed", b"".join(usage(f"a{n}") for n in range(21)))
    corrected = "cdn_logs/2015/05/17/10/a.ndjson"
    assert take_in(home, Correction(corrected, fixed)) == 4
    with home.lake_for_writing() as lake:
        lake.commit_batch(5, {BATCHES: batch_rows(5, "close")[BATCHES]}, {})
        check_files(lake).require_whole()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = made_once("five-batches-to-rebuild", _make)
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return home_with_landing(tmp_path / "home")


def _paths(home: Home, batch_id: int, *tables: str) -> list[Path]:
    return [
        path
        for table in tables
        for path in sorted(
            (home.settings.lake_data / "main" / table).glob(f"batch-{batch_id:09d}-*.parquet")
        )
    ]


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "flipped": _flip,
    "emptied": lambda path: path.write_bytes(b""),
    "missing": Path.unlink,
}


@pytest.mark.parametrize(
    ("batch_id", "damage"),
    [*((1, damage) for damage in DAMAGES), (2, "flipped"), (3, "emptied"), (4, "missing")],
)
def test_damaged_file_is_made_again_byte_for_byte(batch_id: int, damage: str, home: Home) -> None:
    before = lake_files(home)
    (path, *_) = _paths(home, batch_id, "accepted_events", "refused_events")
    DAMAGES[damage](path)
    times = {p: p.stat().st_mtime_ns for p in home.settings.lake_data.rglob("*") if p != path}

    rebuilt = rebuild_batch(home, batch_id)

    assert rebuilt.files == (f"{path.parent.name}/{path.name}",)
    assert lake_files(home) == before
    assert {p: p.stat().st_mtime_ns for p in times if p.is_file()} == {
        p: time for p, time in times.items() if p.is_file()
    }
    assert not home.settings.staging.exists()
    with home.lake_for_writing() as lake:
        assert check_files(lake).damages == ()
        assert lake.sweep() == 0


@pytest.mark.parametrize("batch_id", [1, 2, 4])
def test_every_file_that_comes_from_the_landing_is_made_again(batch_id: int, home: Home) -> None:
    before = lake_files(home)
    paths = _paths(home, batch_id, *REBUILT)
    for path in paths:
        path.unlink()

    rebuilt = rebuild_batch(home, batch_id)

    assert len(rebuilt.files) == len(paths) > 1
    assert lake_files(home) == before


def test_replay_that_lost_only_rows_is_made_again(home: Home) -> None:
    before = lake_files(home)
    for path in _paths(home, 3, "accepted_events", "refused_events", "held_names"):
        path.unlink()

    assert rebuild_batch(home, 3).rows > 0
    assert lake_files(home) == before


def test_replay_that_lost_its_decisions_comes_from_a_backup(home: Home) -> None:
    (path,) = _paths(home, 3, "file_decisions")
    path.unlink()

    with pytest.raises(LakeError, match=r"batch 3 is a replay.*`meterline restore --files"):
        rebuild_batch(home, 3)

    assert not path.exists()


@pytest.mark.usefixtures("streamed")
def test_streamed_batch_is_made_again(tmp_path: Path) -> None:
    """Some new keys look like known ones to the index; they are decided now as they were then."""
    home = home_with_landing(tmp_path / "home")
    for batch_id in range(1, 7):
        keys = range(1000 * batch_id, 1000 * batch_id + 1500)
        drop(home, batch_id, "a", b"".join(usage(f"{key}") for key in keys))
        assert take_in(home) == batch_id
    before = lake_files(home)
    paths = _paths(home, 6, "accepted_events", "refused_events")
    names = {path.name for path in paths}
    assert {"batch-000000006-passed-00000.parquet", "batch-000000006-part-0000.parquet"} <= names
    for path in paths:
        path.unlink()
    shutil.rmtree(home.settings.window_index)

    assert len(rebuild_batch(home, 6).files) == len(paths)
    assert lake_files(home) == before


def test_batch_is_decided_by_the_catalog_of_its_day(home: Home, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    shutil.copytree(home.settings.catalog, seeds)
    sources = seeds / "sources.csv"
    sources.write_text(sources.read_text().replace("cdn_logs,metronome", "cdn_logs,lago"))
    changed = Home(Settings(home=home.settings.home, landing=home.settings.landing, catalog=seeds))
    before = lake_files(home)
    (path,) = _paths(home, 1, "accepted_events")
    path.unlink()

    rebuild_batch(changed, 1)

    assert lake_files(home) == before


def test_whole_batch_is_left_alone(home: Home) -> None:
    shutil.rmtree(home.settings.landing)

    assert rebuild_batch(home, 1).files == ()


def test_file_with_another_time_is_the_same_file(home: Home) -> None:
    """A landing that was copied gives other tags to the same bytes."""
    before = lake_files(home)
    for path in Path(home.settings.landing).rglob("*.ndjson"):
        os.utime(path, (1, 1))
    (path,) = _paths(home, 1, "accepted_events")
    path.unlink()

    rebuild_batch(home, 1)

    assert lake_files(home) == before


def _lose(path: Path) -> None:
    path.unlink()


def _shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _edit(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"a3"', b'"z3"'))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_lose, r"a\.ndjson with [\d,]+ bytes is not in the landing any more"),
        (_shorten, r"a\.ndjson with [\d,]+ bytes is not in the landing any more"),
        (_edit, r"a\.ndjson: its bytes are not those that were decided"),
    ],
)
def test_landing_that_has_other_bytes_is_refused(
    change: Callable[[Path], None], words: str, home: Home
) -> None:
    change(Path(home.settings.landing) / "cdn_logs/2015/05/17/10/a.ndjson")
    (path,) = _paths(home, 1, "accepted_events")
    _flip(path)
    before = lake_files(home)

    with pytest.raises(LakeError, match=rf"(?s){words}.*`meterline restore --files"):
        rebuild_batch(home, 1)

    assert lake_files(home) == before


def test_other_rows_than_were_committed_are_not_written(home: Home) -> None:
    """Nothing says what was decided but the digest; the landing was edited since."""
    _edit(Path(home.settings.landing) / "cdn_logs/2015/05/17/10/a.ndjson")
    paths = _paths(home, 1, "accepted_events", "file_decisions")
    for path in paths:
        _flip(path)
    before = lake_files(home)

    with pytest.raises(LakeError, match="is not what was committed") as refused:
        rebuild_batch(home, 1)

    for path in paths:
        assert f"{path}: expected " in str(refused.value)
    assert "`meterline restore --files --from BACKUP`" in str(refused.value)
    assert lake_files(home) == before


def test_other_setting_than_on_the_day_is_named(home: Home) -> None:
    """The file was held, and would be let in now."""
    relaxed = Home(
        Settings(home=home.settings.home, landing=home.settings.landing, hold_percent=100)
    )
    (path,) = _paths(home, 2, "held_names")
    path.unlink()

    with pytest.raises(LakeError, match="METERLINE_HOLD_PERCENT"):
        rebuild_batch(relaxed, 2)

    assert not path.exists()
    rebuild_batch(home, 2)
    assert path.exists()


@pytest.mark.parametrize("table", ["batches", "landing_files", "catalogs", "lake_files"])
def test_what_is_not_in_the_landing_comes_from_a_backup(table: str, home: Home) -> None:
    (path,) = _paths(home, 1, table)
    path.unlink()
    before = lake_files(home)

    with pytest.raises(LakeError, match=r"cannot be decided again before") as refused:
        rebuild_batch(home, 1)

    assert f"{path} (of batch 1, " in str(refused.value)
    assert "`meterline restore --files --from BACKUP` puts it back" in str(refused.value)
    assert lake_files(home) == before


def test_earlier_batch_is_made_again_first(home: Home) -> None:
    before = lake_files(home)
    for batch_id in (1, 2):
        for path in _paths(home, batch_id, "accepted_events"):
            path.unlink()

    with pytest.raises(LakeError, match=r"(?s)batch 2 cannot be decided.*rebuild --batch 1`"):
        rebuild_batch(home, 2)
    rebuild_batch(home, 1)
    rebuild_batch(home, 2)

    assert lake_files(home) == before


def test_closing_comes_from_a_backup(home: Home) -> None:
    with pytest.raises(LakeError, match=r"decided no events \(its kind is `close`\).*restore"):
        rebuild_batch(home, 5)


@pytest.mark.parametrize("batch_id", [0, -1, 6])
def test_unknown_batch_is_refused(batch_id: int, home: Home) -> None:
    with pytest.raises(LakeError, match="expected a batch from 1 to 5, the last one"):
        rebuild_batch(home, batch_id)


def test_lake_goes_on_after_a_rebuild(home: Home) -> None:
    with home.lake() as lake:
        digest = lake_digest(lake)
    for path in _paths(home, 2, "accepted_events"):
        path.unlink()
    rebuild_batch(home, 2)

    with home.lake() as lake:
        assert lake_digest(lake) == digest
    drop(home, 12, "d", usage("d") + usage("h1"))
    assert take_in(home) == 6


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        pl.exceptions.ComputeError("No space left on device"),
    ],
)
def test_full_disk_is_a_sentence(error: Exception, home: Home) -> None:
    for path in _paths(home, 1, "accepted_events"):
        path.unlink()
    before = lake_files(home)

    with (
        patch("pipelines.intake.batch.write_rows", side_effect=error),
        pytest.raises(MeterlineError, match="No space left on device"),
    ):
        rebuild_batch(home, 1)

    assert lake_files(home) == before
    assert not home.settings.staging.exists()


def test_batch_of_an_earlier_schema_is_made_again(tmp_path: Path) -> None:
    """The lake was migrated since, so tables and columns have come that the batch did not know.

    The sentences of refused lines are others today, so the files of these are not made again.
    """
    folder = copy_old_lake("schema_5", tmp_path)
    home = Home(Settings(home=folder, landing=str(OLD_LAKES / "landing")))
    with home.lake_for_writing() as lake:
        check_files(lake).require_whole()
    before = lake_files(home)
    for path in _paths(home, 1, "accepted_events", "held_names"):
        path.unlink()

    assert len(rebuild_batch(home, 1).files) == 2
    assert lake_files(home) == before
    for path in _paths(home, 1, "refused_events"):
        path.unlink()
    with pytest.raises(MeterlineError, match="the version of Meterline"):
        rebuild_batch(home, 1)
