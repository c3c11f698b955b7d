import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.defs.dagster_home import (
    MAX_RUN_SECONDS,
    _end_group,
    dagster_instance,
    prepare_dagster_home,
)
from pipelines.settings import Settings

STUBBORN_FAMILY = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork():
    print("ready", flush=True)
time.sleep(600)
"""


def test_home_says_what_dagster_must_do(tmp_path: Path) -> None:
    with dagster_instance(Settings(home=tmp_path)) as instance:
        assert not instance.telemetry_enabled
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_max_runtime_seconds == MAX_RUN_SECONDS
        concurrency = instance.get_concurrency_config()
        assert concurrency.run_queue_config is not None
        assert concurrency.run_queue_config.max_concurrent_runs == 1
        assert Path(instance.storage_directory()).is_relative_to(tmp_path)


def test_configuration_is_kept_up_to_date_and_otherwise_left_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    configuration = prepare_dagster_home(settings) / "dagster.yaml"
    written, modified = configuration.read_text(), configuration.stat().st_mtime_ns
    prepare_dagster_home(settings)
    assert configuration.stat().st_mtime_ns == modified
    configuration.write_text("telemetry: {enabled: true}")
    prepare_dagster_home(settings)
    assert configuration.read_text() == written
    assert [path.name for path in settings.dagster_home.iterdir()] == ["dagster.yaml"]


def test_processes_that_ignore_a_request_to_end_are_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipelines.defs.dagster_home._ENDING_SECONDS", 0.5)
    leader = subprocess.Popen(
        [sys.executable, "-c", STUBBORN_FAMILY], start_new_session=True, stdout=subprocess.PIPE
    )
    assert leader.stdout is not None
    leader.stdout.readline()
    _end_group(leader)
    assert leader.poll() == -signal.SIGKILL
    deadline = time.monotonic() + 5
    while running(leader.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running(leader.pid)
    leader.stdout.close()


def running(group: int) -> bool:
    """True if a process of the group still runs; a process that waits to be reaped does not."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of_group = stat.read_text().rpartition(")")[2].split()[:3]
        except FileNotFoundError:
            continue
        if int(of_group) == group and state != "Z" and int(stat.parent.name) != os.getpid():
            return True
    return False
