"""Runs of the command line in a home of their own, as a person or a scheduler starts them.

Belongs here: starting `meterline` and reading what it published. Must not be put here:
expectations.
"""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from pipelines.settings import DBT_PROJECT, REPOSITORY
from pipelines.warehouse.dbt_runner import prepare_project

SAMPLE_AS_OF = "2015-05-20T22:00:00Z"
"""The instant of the sample run, as in the Makefile."""

METERLINE = Path(sys.executable).parent / "meterline"
"""The command as it is installed beside this Python."""


@dataclass(frozen=True)
class Home:
    """A home and what its runs are told by environment."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a run: ours, less any setting of the person who runs the tests."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("METERLINE_")}
        return {**inherited, "METERLINE_HOME": str(self.folder), **self.variables}

    def call(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """What `meterline` with these arguments gave; nothing is raised."""
        return subprocess.run(
            [METERLINE, *arguments],
            env=self.environment,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def report(self, *arguments: str) -> dict[str, Any]:
        """The JSON of a call that must succeed."""
        called = self.call(*arguments, "--json")
        assert called.returncode == 0, called.stdout + called.stderr
        report: dict[str, Any] = json.loads(called.stdout)
        return report

    def digest(self) -> str:
        """The digest of all that was decided in this home."""
        return str(self.report("status", "--digest")["digest"])

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the published marts."""
        marts = self.folder / "published" / "current" / "marts.duckdb"
        with duckdb.connect(str(marts), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(query).fetchall()


@cache
def _parsed_project() -> Path:
    """A folder with the dbt project in its parsed form, which is the same for every home."""
    artifacts = Path(tempfile.mkdtemp(prefix="parsed-project-"))
    atexit.register(shutil.rmtree, artifacts, ignore_errors=True)
    prepare_project(DBT_PROJECT, artifacts)
    return artifacts


def prepared_home(folder: Path, variables: Mapping[str, str] | None = None) -> Home:
    """A new home to which the parsed dbt project is given: to parse it takes ten seconds."""
    shutil.copytree(_parsed_project(), folder / "dbt", dirs_exist_ok=True)
    return Home(folder, variables or {})


def copied_catalog(folder: Path) -> Path:
    """The sample's catalog, copied to be changed."""
    shutil.copytree(DBT_PROJECT / "seeds", folder, ignore=shutil.ignore_patterns("*.yml"))
    return folder
