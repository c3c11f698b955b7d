"""`meterline verify`: it hashes everything, and names what is not as it was written."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from tests.worlds.commits import commit_events
from tests.worlds.lakes import open_lake, start_lake
from tests.worlds.marts import publish_marts

Call = Callable[..., Result]


@pytest.fixture
def written(home: Path) -> Path:
    """A home with one batch and published marts."""
    start_lake(home)
    with open_lake(home, read_only=False) as lake:
        commit_events(lake, home, 1)
    publish_marts(home, "CREATE TABLE numbers AS SELECT 1 AS i")
    return home


def test_it_asks_what_to_verify(call: Call) -> None:
    result = call("verify")

    assert result.exit_code == 1
    assert "`meterline verify --files` checks all files" in result.stderr


def test_without_a_lake_there_is_nothing_to_verify(call: Call) -> None:
    result = call("verify", "--files")

    assert result.exit_code == 1
    assert "there is no lake at" in result.stderr


def test_files_as_they_were_written(written: Path, call: Call) -> None:
    paths = list((written / "lake" / "data").rglob("*.parquet"))
    size_bytes = sum(path.stat().st_size for path in paths)

    result = call("verify", "--files")
    reported = call("verify", "--files", "--json")

    assert result.exit_code == reported.exit_code == 0
    assert result.stdout == (
        f"{len(paths)} files of the lake with {size_bytes:,} bytes, and the published marts, are "
        "as they were written.\n"
    )
    assert json.loads(reported.stdout) == {"files": len(paths), "size_bytes": size_bytes}


def test_damaged_lake_file_is_named(written: Path, call: Call) -> None:
    (path,) = (written / "lake" / "data" / "main" / "accepted_events").iterdir()
    path.write_bytes(path.read_bytes()[:-1])

    result = call("verify", "--files")

    assert result.exit_code == 1
    assert f"{path} (of batch 1, 3 rows): expected" in result.stderr


def test_edited_marts_are_named_by_whoever_reads_them(written: Path, call: Call) -> None:
    marts = (written / "published" / "current").resolve() / "marts.duckdb"
    content = bytearray(marts.read_bytes())
    content[-1] ^= 1
    marts.chmod(0o644)
    marts.write_bytes(content)

    for arguments in (["verify", "--files"], ["sql", "from numbers"], ["status"]):
        result = call(*arguments)
        assert result.exit_code == 1, arguments
        assert f"{marts} was changed after it was published" in result.stderr
        assert "`meterline publish` publishes the marts again" in result.stderr


def test_missing_link_to_the_marts_is_said(written: Path, call: Call) -> None:
    pointer = written / "published" / "current"
    pointer.unlink()

    for arguments in (["verify", "--files"], ["sql", "from numbers"]):
        result = call(*arguments)
        assert result.exit_code == 1, arguments
        assert f"{pointer} is missing; the newest generation is 000001-" in result.stderr
    status = json.loads(call("status", "--json").stdout)
    assert f"{pointer} is missing" in status["warnings"][0]


def test_lost_catalog_of_the_lake_ends_every_command(written: Path, call: Call) -> None:
    (written / "lake" / "catalog.sqlite").unlink()

    for arguments in (["status"], ["verify", "--files"], ["status", "--digest"]):
        result = call(*arguments)
        assert result.exit_code == 1, arguments
        assert "The newest copy of the catalog is put back by `rm -f " in result.stderr
    assert not (written / "lake" / "catalog.sqlite").exists()


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"")])
def test_lost_lake_file_ends_every_command(
    damage: Callable[[Path], object], written: Path, call: Call
) -> None:
    (path,) = (written / "lake" / "data" / "main" / "accepted_events").iterdir()
    damage(path)

    for arguments in (["status"], ["verify", "--files"], ["status", "--digest"]):
        result = call(*arguments)
        assert result.exit_code == 1, arguments
        assert f"{path} (of batch 1, 3 rows)" in result.stderr
