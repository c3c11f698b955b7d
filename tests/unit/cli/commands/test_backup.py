"""`meterline backup`: where to, what was copied, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from tests.worlds.backups import commit, home_of, two_batches

Call = Callable[..., Result]


@pytest.fixture
def written(home: Path) -> Path:
    two_batches(home)
    return home


def test_it_asks_where_to(call: Call) -> None:
    result = call("backup")

    assert result.exit_code == 2
    assert "--to" in result.stderr


def test_backup_and_the_next_ones(written: Path, call: Call, tmp_path: Path) -> None:
    to = str(tmp_path / "backup")

    first, same = call("backup", "--to", to), call("backup", "--to", to)
    commit(home_of(written), 3)
    second = json.loads(call("backup", "--to", to, "--json").stdout)

    assert first.exit_code == same.exit_code == 0
    assert first.stdout.startswith("Backup 1 has the home as it was after batch 2: ")
    assert same.stdout == "Nothing new: backup 1 has the home as it is after batch 2.\n"
    assert (second["number"], second["batch_id"], second["is_new"]) == (2, 3, True)
    assert 0 < second["new_files"] < second["files"]


def test_without_a_lake(call: Call, tmp_path: Path) -> None:
    result = call("backup", "--to", str(tmp_path / "backup"))

    assert result.exit_code == 1
    assert "there is no lake at" in result.stderr


def test_folder_that_cannot_be_made(written: Path, call: Call, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    result = call("backup", "--to", str(tmp_path / "file" / "backup"))

    assert result.exit_code == 1
    assert "File exists" in result.stderr
