"""Whatever a sender or a catalog writes, no command prints a sign that acts."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from pipelines.settings import DBT_PROJECT
from tests.worlds.marts import publish_marts

Call = Callable[..., Result]

ACTING = "\x1b[2J\x9b31m\x07\r\u202e\u200b\u2028\ufeff"
SEEN = "\\x1b[2J\\x9b31m\\x07\\r\\u202e\\u200b\\u2028\\ufeff"

NAMES = (
    f"nobody/{ACTING}.json",
    f"cdn_logs/{ACTING}.ndjson.gz",
    f"cdn_logs/2015/05/17/10/{ACTING}.ndjson.gz",
    f"cdn_logs/2015/05/17/10/{ACTING}.ndjson.gz.tmp",
)
"""A sender that nobody knows, a path without a date, a file that waits, an unfinished upload."""


@pytest.fixture
def landed(call: Call, tmp_path: Path) -> None:
    for name in NAMES:
        path = tmp_path / "landing" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "landing" / f"link{ACTING}").symlink_to("/", target_is_directory=True)


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """The sample's catalog with a hostile text in a cell."""
    folder = tmp_path / "catalog"
    shutil.copytree(DBT_PROJECT / "seeds", folder, ignore=shutil.ignore_patterns("*.yml"))
    with (folder / "plans.csv").open("a") as file:
        # A carriage return would be refused as another line end before any cell is read.
        file.write(f'"{ACTING.replace(chr(13), "")}",x,EUR\n')
    return folder


@pytest.mark.usefixtures("landed")
@pytest.mark.parametrize(
    ("arguments", "is_shown"),
    [
        pytest.param(["status"], True, id="status"),
        pytest.param(["status", "--check"], True, id="status --check"),
        pytest.param(["status", "--json"], False, id="status --json"),
        pytest.param(["run", "--as-of", ACTING], False, id="an instant of this form"),
        pytest.param(["run", "--json", "--as-of", ACTING], False, id="the same as JSON"),
        pytest.param(["sql", f"select '{ACTING}'"], False, id="sql"),
        pytest.param(["sql", "--json", f"select '{ACTING}' as t"], False, id="sql --json"),
        pytest.param(["sql", ACTING], False, id="sql that is none"),
    ],
)
def test_no_command_prints_a_sign_that_acts(
    call: Call, home: Path, arguments: list[str], is_shown: bool
) -> None:
    if arguments[0] == "sql":
        publish_marts(home, "CREATE TABLE t AS SELECT 1 AS a")
    called = call(*arguments)
    printed = called.stdout + called.stderr

    assert printed
    assert called.exception is None or isinstance(called.exception, SystemExit)
    assert [sign for sign in printed if not (sign.isprintable() or sign == "\n")] == []
    if is_shown:
        assert SEEN in printed


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_hostile_cell_of_the_catalog_is_named_and_acts_nowhere(
    call: Call, catalog: Path, options: list[str]
) -> None:
    called = call("status", *options, METERLINE_CATALOG=str(catalog))
    printed = called.stdout + called.stderr

    assert called.exit_code == 1
    assert "plans.csv, row " in printed
    assert [sign for sign in printed if not (sign.isprintable() or sign == "\n")] == []
