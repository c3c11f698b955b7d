"""`meterline restore`: a whole home, single files, or only a look at the backup."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from tests.worlds.backups import home_of, lake_files, two_batches

Call = Callable[..., Result]


@pytest.fixture
def backup(home: Path, call: Call, tmp_path: Path) -> str:
    """The address of a backup of the home, which has two batches."""
    two_batches(home)
    to = str(tmp_path / "backup")
    assert call("backup", "--to", to).exit_code == 0
    return to


def test_it_asks_where_from(call: Call) -> None:
    result = call("restore")

    assert result.exit_code == 2
    assert "--from" in result.stderr


def test_lost_home(backup: str, home: Path, call: Call) -> None:
    before = lake_files(home_of(home))
    shutil.rmtree(home)

    result = call("restore", "--from", backup)

    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith(f"Restored backup 1 to {home}, up to batch 2: ")
    assert "`meterline run` goes on from there" in result.stdout
    assert lake_files(home_of(home)) == before
    assert call("verify", "--files").exit_code == 0


def test_damaged_file_from_the_sentence_to_the_cure(backup: str, home: Path, call: Call) -> None:
    (path,) = (home / "lake" / "data" / "main" / "batches").glob("batch-000000002-*")
    path.write_bytes(b"")

    verified = call("verify", "--files")
    restored = call("restore", "--files", "--from", backup)

    assert verified.exit_code == 1
    assert "`meterline restore --files --from BACKUP` puts it back" in verified.stderr
    assert restored.exit_code == 0, restored.stderr
    assert restored.stdout.startswith("Put back 1 file with ")
    assert call("verify", "--files").exit_code == 0


def test_damaged_record_of_the_schema_is_named_and_put_back(
    backup: str, home: Path, call: Call
) -> None:
    """No query can be asked of such a lake, but its files can be checked."""
    path = min((home / "lake" / "data" / "main" / "schema_version").iterdir())
    path.write_bytes(b"")

    verified = call("verify", "--files")
    restored = call("restore", "--files", "--from", backup)

    assert verified.exit_code == 1
    assert f"{path} (of a migration, 1 row): expected " in verified.stderr
    assert restored.exit_code == 0, restored.stderr
    assert call("verify", "--files").exit_code == 0


def test_check_writes_nothing(backup: str, home: Path, call: Call) -> None:
    shutil.rmtree(home)

    result = call("restore", "--from", backup, "--check")
    reported = json.loads(call("restore", "--from", backup, "--check", "--json").stdout)

    assert result.exit_code == 0
    assert result.stdout.startswith("Backup 1 is whole: ")
    assert (reported["number"], reported["batch_id"]) == (1, 2)
    assert not home.exists()


@pytest.mark.parametrize("other", [["--check"], ["--number", "1"]])
def test_files_come_from_whichever_backup_has_them(
    other: list[str], backup: str, call: Call
) -> None:
    result = call("restore", "--from", backup, "--files", *other)

    assert result.exit_code == 1
    assert "leave --check and --number away" in result.stderr


def test_home_with_a_lake_is_refused(backup: str, call: Call) -> None:
    result = call("restore", "--from", backup, "--json")

    assert result.exit_code == 1
    assert "`meterline restore --files --from " in json.loads(result.stdout)["message"]
