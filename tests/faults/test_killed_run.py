"""A run that is killed at any point, and the run after it."""

import os
import signal
import subprocess
import time
from pathlib import Path

import dagster as dg
import pytest

from pipelines.defs.dagster_home import dagster_instance
from tests.worlds.homes import SAMPLE_AS_OF, Home, prepared_home
from tests.worlds.sample_runs import sample_run

UNFINISHED = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def kill_after(home: Home, sentence: str, delay_seconds: float) -> None:
    """Starts a run, and kills it some time after it printed `sentence`."""
    process = home.start("run", "--as-of", SAMPLE_AS_OF, METERLINE_THREADS="2")
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if sentence in line:
            break
    time.sleep(delay_seconds)
    process.kill()
    process.communicate()
    assert any(sentence in line for line in said), "".join(said)
    require_nobody_left(process.pid)


def require_nobody_left(group: int) -> None:
    """Fails unless every process of the group ends within two seconds."""
    deadline = time.monotonic() + 2
    while left := living_processes(group):
        if time.monotonic() > deadline:
            os.killpg(group, signal.SIGKILL)
            pytest.fail(f"a child outlived the killed run: {left}")
        time.sleep(0.05)


def living_processes(group: int) -> list[str]:
    """The command lines of the group's processes; a process that waits to be reaped is dead."""
    found = subprocess.run(
        ["ps", "-e", "-o", "pgid=,stat=,args="], capture_output=True, text=True, check=True
    )
    rows = (line.split(maxsplit=2) for line in found.stdout.splitlines())
    return [row[2] for row in rows if int(row[0]) == group and not row[1].startswith("Z")]


@pytest.mark.parametrize(
    ("sentence", "delay_seconds"),
    [
        pytest.param("parsing", 0.3, id="while parsing"),
        pytest.param("deciding", 0.2, id="while deciding and committing"),
        pytest.param("metering and rating", 3.0, id="while dbt builds"),
        pytest.param("finalized", 0.0, id="after closing, before the marts"),
    ],
)
def test_killed_run_leaves_nothing_that_the_next_one_does_not_heal(
    tmp_path: Path, sentence: str, delay_seconds: float
) -> None:
    untroubled = sample_run().home
    home = prepared_home(tmp_path / "home")
    kill_after(home, sentence, delay_seconds)
    # It runs at once: no lock and no open database of the killed run is in its way.
    report = home.report("run", "--as-of", SAMPLE_AS_OF)

    assert home.digest() == untroubled.digest()
    assert report["invoices"] == untroubled.status()["invoices"]
    assert list((home.folder / "staging").glob("*/*")) == []
    with dagster_instance(home.settings) as instance:
        assert instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)) == []
        (killed,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
        assert killed.run_id not in report["run"]["run_ids"]


def test_second_run_at_the_same_time_ends_with_already_running() -> None:
    sample = sample_run()

    assert sample.second_returncode == 1
    assert "already running: run" in " ".join(sample.second_errors.split())
    assert sample.run_ids == sample.report["run"]["run_ids"]
    assert sample.home.status()["generation"] == sample.report["run"]["generation"]
