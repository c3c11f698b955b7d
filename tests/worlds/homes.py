"""Homes in which `meterline` runs, as a person or a scheduler starts it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb

from pipelines.home import Home as OpenedHome
from pipelines.lake.lake_digest import lake_digest
from pipelines.operations.report import read_report
from pipelines.settings import DBT_PROJECT, REPOSITORY, Settings, load_settings
from pipelines.warehouse.dbt_runner import PreparedProject, prepare_project
from tests.worlds.made_once import made_once
from tests.worlds.programs import Program, run_program

SAMPLE_AS_OF = "2015-05-20T22:00:00Z"
"""The instant of the sample run, as in the Makefile: just after the sample's last file."""

METERLINE = Path(sys.executable).parent / "meterline"
"""The command as it is installed beside this Python."""

RUN_SECONDS_MAX = 300


@dataclass(frozen=True)
class Home:
    """A home and the settings of its runs, which reach them by environment."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a run: ours, less any setting of the person who runs the tests."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("METERLINE_")}
        return {**inherited, "METERLINE_HOME": str(self.folder), **self.variables}

    @property
    def settings(self) -> Settings:
        """The settings as a run in this home reads them."""
        with patch.dict(os.environ, self.environment, clear=True):
            return load_settings()

    def start(self, *arguments: str, **variables: str) -> Program:
        """The installed command with these arguments, going on in a process group of its own."""
        return Program([METERLINE, *arguments], self.environment | variables, REPOSITORY)

    def call(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """What `meterline` with these arguments gave; nothing is raised."""
        return run_program([METERLINE, *arguments], self.environment, REPOSITORY, RUN_SECONDS_MAX)

    def report(self, *arguments: str) -> dict[str, Any]:
        """The JSON of a call that must succeed."""
        called = self.call(*arguments, "--json")
        assert called.returncode == 0, called.stdout + called.stderr
        report: dict[str, Any] = json.loads(called.stdout)
        return report

    def status(self) -> dict[str, Any]:
        """What `meterline status --json` prints, read in this process."""
        status: dict[str, Any] = json.loads(json.dumps(read_report(self.settings), default=vars))
        return status

    def digest(self) -> str:
        """The digest of all that was decided, as `meterline status --digest` prints it."""
        with OpenedHome(self.settings).lake() as lake:
            return lake_digest(lake)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the published marts."""
        marts = self.folder / "published" / "current" / "marts.duckdb"
        with duckdb.connect(str(marts), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(query).fetchall()

    def copied_to(self, folder: Path) -> "Home":
        """A copy with the same settings; what is published in it still names the paths here."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Home(folder, self.variables)


def prepared_project() -> PreparedProject:
    """The product's dbt project in its parsed form, which is the same for every home."""
    artifacts = made_once("parsed-project", lambda folder: prepare_project(DBT_PROJECT, folder))
    return prepare_project(DBT_PROJECT, artifacts)


def share_parsed_project(home: Home) -> None:
    """Gives what a run in the home has parsed to all who ask for it, unless they have it already.

    To parse the project takes ten seconds.
    """
    artifacts = home.settings.dbt_target
    made_once("parsed-project", lambda folder: _copy_parsed(artifacts, folder))


def _copy_parsed(artifacts: Path, folder: Path) -> None:
    parsed = prepare_project(DBT_PROJECT, artifacts).folder
    shutil.copytree(parsed, folder / parsed.name)


def prepared_home(folder: Path, variables: Mapping[str, str] | None = None) -> Home:
    """A new home to which the parsed dbt project is given: to parse it takes ten seconds."""
    shutil.copytree(prepared_project().folder.parent, folder / "dbt", dirs_exist_ok=True)
    return Home(folder, variables or {})


def copied_catalog(folder: Path) -> Path:
    """The sample's catalog, copied to be changed."""
    shutil.copytree(DBT_PROJECT / "seeds", folder, ignore=shutil.ignore_patterns("*.yml"))
    return folder
