"""Homes after runs on the sample, each made once a session; a test that changes one copies it."""

import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.defs.dagster_home import dagster_instance
from pipelines.lake.writer_lock import last_holder
from pipelines.operations.idle import idle_listing
from pipelines.settings import REPOSITORY
from tests.worlds.buckets import make_bucket, s3_server
from tests.worlds.homes import (
    RUN_SECONDS_MAX,
    SAMPLE_AS_OF,
    Home,
    prepared_home,
    share_parsed_project,
)
from tests.worlds.made_once import made_once

SAMPLE_ENDED = "2015-07-01T00:00:00Z"
"""By then every subscription of the sample has ended, and every invoice is finalized."""


@dataclass(frozen=True)
class SampleRun:
    """A home after its first run on the sample, for tests that read it.

    Attributes:
        home: it was empty before, so its run parsed the dbt project as a stranger's does.
        report: what the run printed.
        second_returncode: exit code of a run that was started while the first went on.
        second_errors: what that run said.
        run_ids: every run that the UI shows once both have ended.
    """

    home: Home
    report: dict[str, Any]
    second_returncode: int
    second_errors: str
    run_ids: list[str]


def sample_run() -> SampleRun:
    """The one first run of this test session; a test that changes its home works on a copy."""
    folder = made_once("sample-run", _run_sample)
    return SampleRun(Home(folder / "home"), **_outcome(folder))


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
    share_parsed_project(home)
    with dagster_instance(home.settings) as instance:
        run_ids = [run.run_id for run in instance.get_runs()]
    outcome = {
        "report": json.loads(printed),
        "second_returncode": second.returncode,
        "second_errors": second.stderr,
        "run_ids": run_ids,
    }
    _keep(folder, outcome)


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
    return EndedSample(Home(folder / "home"), **_outcome(folder))


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
    _keep(folder, outcome)


@dataclass(frozen=True)
class SampleInParts:
    """A home that took the same files from a bucket, a few at a time, and closed all at once.

    Attributes:
        home: for tests that read it.
        report: what its run printed, after several runs of the job.
    """

    home: Home
    report: dict[str, Any]


def sample_in_parts() -> SampleInParts:
    """The one such home of this test session."""
    folder = made_once("sample-in-parts", _take_in_parts)
    return SampleInParts(Home(folder / "home"), **_outcome(folder))


def _take_in_parts(folder: Path) -> None:
    landing = REPOSITORY / "landing"
    with s3_server() as endpoint_url:
        bucket = make_bucket("sample", endpoint_url)
        for path in landing.rglob("*"):
            if path.is_file():
                bucket.put(f"usage/{path.relative_to(landing).as_posix()}", path.read_bytes())
        variables = {
            "METERLINE_LANDING": f"s3://{bucket.name}/usage",
            "METERLINE_S3_ENDPOINT_URL": endpoint_url,
            "METERLINE_BATCH_BYTES": "400000",
        }
        home = prepared_home(folder / "home", variables)
        report = home.report("run", "--as-of", SAMPLE_ENDED)
    _keep(folder, {"report": report})


@dataclass(frozen=True)
class RepublishedCopy:
    """A copy of the sample's home, published again; what it was copied from is gone.

    Attributes:
        home: for tests that read it.
        before: the copy's status when it was made.
        was_idle: whether a run would have found nothing to do then.
        report: what `meterline publish` printed.
        digest_of_the_original: after the copy was published, before the original was deleted.
    """

    home: Home
    before: dict[str, Any]
    was_idle: bool
    report: dict[str, Any]
    digest_of_the_original: str


def republished_copy() -> RepublishedCopy:
    """The one such home of this test session."""
    folder = made_once("republished-copy", _publish_a_copy)
    return RepublishedCopy(Home(folder / "copy"), **_outcome(folder))


def _publish_a_copy(folder: Path) -> None:
    original = sample_run().home.copied_to(folder / "original")
    copy = original.copied_to(folder / "copy")
    outcome = {
        "before": copy.status(),
        "was_idle": idle_listing(copy.settings, SAMPLE_AS_OF) is not None,
        "report": copy.report("publish"),
        "digest_of_the_original": original.digest(),
    }
    shutil.rmtree(original.folder)
    _keep(folder, outcome)


def _keep(folder: Path, outcome: dict[str, Any]) -> None:
    (folder / "outcome.json").write_text(json.dumps(outcome))


def _outcome(folder: Path) -> dict[str, Any]:
    outcome: dict[str, Any] = json.loads((folder / "outcome.json").read_text())
    return outcome
