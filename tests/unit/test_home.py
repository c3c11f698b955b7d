from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.home import Home
from pipelines.lake.ducklake import Attached
from pipelines.lake.writer_lock import last_holder, writer_lock
from pipelines.settings import Settings
from pipelines.vocabulary.errors import AlreadyRunningError, LakeError, OlderSchemaError
from tests.worlds.lakes import copy_old_lake


def _home(folder: Path) -> Home:
    return Home(Settings(home=folder, landing=str(folder)))


def _migrate(home: Home) -> None:
    """What the writer of a run does first."""
    with writer_lock(home.settings.writer_lock, "run", 0):
        home.lake_for_writing().close()


@pytest.mark.parametrize("old_lake", ["schema_1_empty", "schema_2", "schema_3", "schema_4"])
def test_older_lake_is_migrated_under_the_lock_and_can_be_read(
    old_lake: str, tmp_path: Path
) -> None:
    home = _home(copy_old_lake(old_lake, tmp_path))
    with pytest.raises(OlderSchemaError, match="`meterline run` migrates it"):
        home.lake()

    _migrate(home)

    with home.lake() as lake:
        assert lake.query("SELECT 1 AS one FROM lake.schema_version").height > 1
    assert last_holder(home.settings.writer_lock) is None


def _touched(home: Home) -> None:
    home.settings.lake_catalog.parent.mkdir()
    home.settings.lake_catalog.touch()


def _in_wal_mode(home: Home) -> None:
    home.lake_catalog.make()


def _without_tables(home: Home) -> None:
    home.lake_catalog.make()
    home.settings.lake_data.mkdir()
    Attached(
        home.lake_catalog,
        home.settings.lake_data,
        read_only=False,
        snapshot_id=None,
        threads=1,
        memory_limit="1GiB",
    ).close()


@pytest.mark.parametrize(
    "leave", [_touched, _in_wal_mode, _without_tables], ids=lambda leave: leave.__name__
)
def test_lake_whose_making_was_killed_is_made(
    leave: Callable[[Home], None], tmp_path: Path
) -> None:
    home = _home(tmp_path)
    leave(home)
    with pytest.raises(OlderSchemaError, match="`meterline run` m"):
        home.lake()

    _migrate(home)

    with home.lake() as lake:
        assert lake.last_batch_id() == 0


def test_home_without_a_lake_stays_without(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="there is no lake"):
        _home(tmp_path).lake()

    assert list(tmp_path.iterdir()) == []


def test_newest_lake_is_left_alone_while_another_writes(lake_home: Path) -> None:
    home = _home(lake_home)
    with writer_lock(home.settings.writer_lock, "another", 0), home.lake() as lake:
        assert lake.last_batch_id() == 0


def test_older_lake_is_left_to_the_run_that_writes(tmp_path: Path) -> None:
    home = _home(copy_old_lake("schema_3", tmp_path))
    with (
        writer_lock(home.settings.writer_lock, "another", 0),
        pytest.raises(AlreadyRunningError, match="run another"),
    ):
        _migrate(home)

    with pytest.raises(OlderSchemaError, match="has schema 3"):
        home.lake()


def test_lake_that_cannot_be_migrated_says_why(tmp_path: Path) -> None:
    home = _home(copy_old_lake("schema_1", tmp_path))

    with pytest.raises(LakeError, match="whose keys are hashed otherwise"):
        _migrate(home)
