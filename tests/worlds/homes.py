"""Homes in which `meterline` runs, as a person or a scheduler starts it."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb

from pipelines.home import Home as OpenedHome
from pipelines.lake.lake_digest import lake_digest
from pipelines.lake.writer_lock import last_holder
from pipelines.operations.report import read_report
from pipelines.settings import DBT_PROJECT, REPOSITORY, Settings, load_settings
from pipelines.warehouse.dbt_runner import PreparedProject, prepare_project
from tests.worlds.made_once import made_once

SAMPLE_AS_OF = "2015-05-20T22:00:00Z"
"""The instant of the sample run, as in the Makefile: just after the sample's last file."""

SAMPLE_ENDED = "2015-07-01T00:00:00Z"
"""By then every subscription of the sample has ended, and every invoice is finalized."""

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

    def start(self, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
        """The installed command with these arguments, going on in a process group of its own."""
        return subprocess.Popen(
            [METERLINE, *arguments],
            env=self.environment | variables,
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def call(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """What `meterline` with these arguments gave; nothing is raised."""
        return subprocess.run(
            [METERLINE, *arguments],
            env=self.environment,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
            timeout=RUN_SECONDS_MAX,
        )

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


def prepared_home(folder: Path, variables: Mapping[str, str] | None = None) -> Home:
    """A new home to which the parsed dbt project is given: to parse it takes ten seconds."""
    shutil.copytree(prepared_project().folder.parent, folder / "dbt", dirs_exist_ok=True)
    return Home(folder, variables or {})


@dataclass(frozen=True)
class SampleRun:
    """A home after its first run on the sample, for tests that read it.

    Attributes:
        home: it was empty before, so its run parsed the dbt project as a stranger's does.
        report: what the run printed.
        second_returncode: exit code of a run that was started while the first went on.
        second_errors: what that run said.
    """

    home: Home
    report: dict[str, Any]
    second_returncode: int
    second_errors: str


def sample_run() -> SampleRun:
    """The one first run of this test session; a test that changes its home works on a copy."""
    folder = made_once("sample-run", _run_sample)
    return SampleRun(Home(folder / "home"), **json.loads((folder / "outcome.json").read_text()))


def _run_sample(folder: Path) -> None:
    home = Home(folder / "home")
    first = home.start("run", "--as-of", SAMPLE_AS_OF, "--json")
    try:
        while last_holder(home.settings.writer_lock) is None and first.poll() is None:
            time.sleep(0.05)
        second = home.call("run", "--as-of", SAMPLE_AS_OF)
        printed, errors = first.communicate(timeout=RUN_SECONDS_MAX)
    finally:
        first.kill()
    assert first.returncode == 0, printed + errors
    outcome = {
        "report": json.loads(printed),
        "second_returncode": second.returncode,
        "second_errors": second.stderr,
    }
    (folder / "outcome.json").write_text(json.dumps(outcome))


@dataclass(frozen=True)
class EndedSample:
    """A copy of the sample's home after a second run, when every subscription has ended.

    Attributes:
        home: for tests that read it.
        report: what the second run printed.
        generation_read: the generation that a notebook read which opened the marts before it.
        generation_read_again: the same when the notebook read again, after the run.
    """

    home: Home
    report: dict[str, Any]
    generation_read: str
    generation_read_again: str


def ended_sample() -> EndedSample:
    """The one such home of this test session; a test that changes it works on a copy."""
    folder = made_once("ended-sample", _end_sample)
    return EndedSample(Home(folder / "home"), **json.loads((folder / "outcome.json").read_text()))


_NOTEBOOK = """
import duckdb, sys
marts = duckdb.connect(sys.argv[1], read_only=True)
print(marts.execute("select any_value(generation_id) from fct_invoices").fetchone()[0], flush=True)
sys.stdin.readline()
print(marts.execute("select any_value(generation_id) from fct_invoices").fetchone()[0], flush=True)
"""


def _end_sample(folder: Path) -> None:
    home = sample_run().home.copied_to(folder / "home")
    marts = home.folder / "published" / "current" / "marts.duckdb"
    notebook = subprocess.Popen(
        [sys.executable, "-c", _NOTEBOOK, marts],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert notebook.stdout is not None
    try:
        read = notebook.stdout.readline().strip()
        report = home.report("run", "--as-of", SAMPLE_ENDED)
        read_again, _ = notebook.communicate("again\n", timeout=60)
    finally:
        notebook.kill()
    outcome = {
        "report": report,
        "generation_read": read,
        "generation_read_again": read_again.strip(),
    }
    (folder / "outcome.json").write_text(json.dumps(outcome))


def copied_catalog(folder: Path) -> Path:
    """The sample's catalog, copied to be changed."""
    shutil.copytree(DBT_PROJECT / "seeds", folder, ignore=shutil.ignore_patterns("*.yml"))
    return folder
