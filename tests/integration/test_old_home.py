"""`meterline run` in a home of an earlier schema: the lake is migrated before anything is read."""

from pathlib import Path

import pytest

from pipelines.vocabulary.errors import OlderSchemaError
from tests.worlds.homes import Home, prepared_home
from tests.worlds.lakes import OLD_LAKES, copy_old_lake, open_lake


def _old_home(name: str, folder: Path) -> Home:
    landing = {"METERLINE_LANDING": str(OLD_LAKES / "landing")}
    return prepared_home(copy_old_lake(name, folder), landing)


def test_run_migrates_a_lake_before_it_refuses_for_another_reason(tmp_path: Path) -> None:
    """An instant before the last one is refused, which spares the test the rest of a run."""
    home = _old_home("schema_2", tmp_path)

    run = home.call("run", "--as-of", "2015-05-20T21:00:00Z")

    assert run.returncode == 1
    assert "time never goes back within a home" in run.stderr
    with open_lake(home.folder, read_only=True) as lake:
        assert lake.last_batch_id() == 2


def test_run_says_why_a_lake_cannot_be_migrated(tmp_path: Path) -> None:
    home = _old_home("schema_1", tmp_path)

    run = home.call("run", "--as-of", "2015-05-20T22:00:00Z")

    assert run.returncode == 1
    assert "whose keys are hashed otherwise" in run.stderr.replace("\n", " ")
    with pytest.raises(OlderSchemaError, match="has schema 1"):
        open_lake(home.folder, read_only=True)
