"""A run killed at any point, and the run after it."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from pipelines.defs.dagster_home import dagster_instance
from pipelines.settings import REPOSITORY, Settings
from tests.worlds.meterline_runs import METERLINE, SAMPLE_AS_OF, Home, prepared_home

UNFINISHED = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dataclass(frozen=True)
class TwoAtOnce:
    """Two runs of one home, the second started while the first one went on."""

    home: Home
    first_returncode: int
    second: "subprocess.CompletedProcess[str]"


@pytest.fixture(scope="module")
def two_at_once(tmp_path_factory: pytest.TempPathFactory) -> TwoAtOnce:
    home = prepared_home(tmp_path_factory.mktemp("untroubled"))
    first = subprocess.Popen(
        [METERLINE, "run", "--as-of", SAMPLE_AS_OF],
        env=home.environment,
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert first.stderr is not None
    try:
        for line in first.stderr:
            if "listed" in line:
                break
        second = home.call("run", "--as-of", SAMPLE_AS_OF)
        first.communicate(timeout=240)
    finally:
        first.kill()
    return TwoAtOnce(home, first.returncode, second)


@pytest.fixture(scope="module")
def untroubled(two_at_once: TwoAtOnce) -> Home:
    """A home whose one run nobody killed."""
    return two_at_once.home


def kill_after(home: Home, sentence: str, delay_seconds: float) -> None:
    """Starts a run and kills it, unasked, some time after it said `sentence`."""
    process = subprocess.Popen(
        [METERLINE, "run", "--as-of", SAMPLE_AS_OF],
        env=home.environment | {"METERLINE_THREADS": "2"},
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if sentence in line:
            break
    time.sleep(delay_seconds)
    process.kill()
    process.wait()
    process.stderr.close()
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
    """Command lines of the group's processes; one that only waits to be reaped is dead."""
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
    untroubled: Home, tmp_path: Path, sentence: str, delay_seconds: float
) -> None:
    home = prepared_home(tmp_path / "home")
    kill_after(home, sentence, delay_seconds)
    # At once: neither a lock nor an open database of the killed run is in the way.
    report = home.report("run", "--as-of", SAMPLE_AS_OF)

    assert home.digest() == untroubled.digest()
    assert report["invoices"] == untroubled.report("status")["invoices"]
    assert list((home.folder / "staging").glob("*/*")) == []
    with dagster_instance(Settings(home=home.folder)) as instance:
        assert instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)) == []
        (killed,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
        assert killed.run_id not in report["run"]["run_ids"]


def test_second_run_at_the_same_time_ends_with_already_running(two_at_once: TwoAtOnce) -> None:
    assert two_at_once.second.returncode == 1
    assert "already running: run" in " ".join(two_at_once.second.stderr.split())
    assert two_at_once.first_returncode == 0
    assert two_at_once.home.report("status")["generation"] is not None
