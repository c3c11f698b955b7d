"""`meterline`: its commands, how it refuses wrong usage, and how little it loads to start."""

import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import Result

from pipelines.cli import commands
from pipelines.cli.app import app
from pipelines.settings import REPOSITORY

COMMANDS = sorted(
    path.stem.replace("_", "-") for path in Path(commands.__path__[0]).glob("[!_]*.py")
)

Call = Callable[..., Result]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["frobnicate"], id="no such command"),
        pytest.param(["status", "--verbose"], id="no such option"),
        pytest.param(["ui", "--port", "http"], id="port is no number"),
        pytest.param(["run", "2026-03-10T12:00:00Z"], id="instant without option"),
    ],
)
def test_wrong_usage_is_refused_without_doing_anything(
    call: Call, ran: list[tuple[object, ...]], arguments: list[str]
) -> None:
    called = call(*arguments)

    assert called.exit_code == 2
    assert "Usage: " in called.stderr
    assert ran == []


def test_help_names_every_command(call: Call) -> None:
    called = call("--help")

    assert called.exit_code == 0
    assert {"publish", "replay", "run", "sql", "status", "ui"} <= set(COMMANDS)
    for command in COMMANDS:
        assert f" {command} " in called.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does(call: Call, command: str) -> None:
    called = call(command, "--help")

    assert called.exit_code == 0
    assert f" {command} [OPTIONS]" in called.stdout


def test_a_command_is_a_module_that_defines_it() -> None:
    names = {command.name for command in app.registered_commands}
    names |= {group.name for group in app.registered_groups}

    assert names == set(COMMANDS)


@pytest.mark.parametrize(
    ("started", "unneeded"),
    [
        pytest.param(
            "import pipelines.cli.app",
            ("dagster", "dbt", "duckdb", "polars", "numpy", "pyarrow", "pydantic", "requests"),
            id="help",
        ),
        pytest.param(
            "import pipelines.cli.app, pipelines.cli.tables, pipelines.operations.report",
            ("dagster", "dbt", "numba", "pyarrow", "s3fs", "requests"),
            id="status",
        ),
        pytest.param(
            "import pipelines.cli.app, pipelines.cli.job",
            ("dagster", "dbt", "numba", "s3fs", "requests"),
            id="a run with nothing to do",
        ),
    ],
)
def test_a_start_loads_only_what_it_needs(started: str, unneeded: tuple[str, ...]) -> None:
    program = f"import sys; {started}; print(*(set({unneeded}) & sys.modules.keys()))"

    assert printed_by("-c", program).split() == []


def test_the_module_is_the_command() -> None:
    assert " run " in printed_by("-m", "pipelines.cli", "--help")


def printed_by(*arguments: str) -> str:
    """What Python prints with these arguments."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_every_command_stands_on_its_page_and_no_other() -> None:
    page = (REPOSITORY / "docs" / "commands.md").read_text()

    assert sorted(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)) == COMMANDS


def test_version_is_that_of_the_package(call: Call) -> None:
    called = call("--version")

    assert called.exit_code == 0
    assert called.stdout == f"meterline {version('meterline')}\n"


def test_the_package_is_the_command_as_well() -> None:
    assert " run " in printed_by("-m", "pipelines", "--help")
    assert "Usage: meterline" in printed_by("-m", "pipelines", "--help")


def test_help_says_what_the_exit_codes_mean(call: Call) -> None:
    told = " ".join(call("--help").stdout.split())

    for code in ("0 done", "1 an error", "2 wrong usage", "3 something", "130 interrupted"):
        assert code in told
