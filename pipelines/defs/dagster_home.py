"""Dagster home: Dagster's configuration, its instance and its UI, inside a Meterline home."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import dagster as dg

from pipelines.defs.resources import end_runs_of_dead_processes
from pipelines.settings import REPOSITORY, Settings

WORKSPACE = REPOSITORY / "workspace.yaml"
"""The file that tells the UI what to serve."""

MAX_RUN_SECONDS = 24 * 3600
"""Seconds after which a run is ended, because its process is gone or hangs."""

_DAGSTER_DEV = ("-W", "ignore", "-m", "dagster", "dev", "--log-level", "warning")
"""Arguments that start the UI. The ignored warning advertises a command that is not installed."""

_ENDING_SECONDS = 20.0
"""Seconds that the UI's processes may take to end before they are killed."""

_CONFIGURATION = {
    "telemetry": {"enabled": False},
    "nux": {"enabled": False},
    # The place of a dead run in the queue is free again after seconds instead of minutes.
    "run_monitoring": {
        "enabled": True,
        "max_runtime_seconds": MAX_RUN_SECONDS,
        "poll_interval_seconds": 30,
    },
    "concurrency": {"runs": {"max_concurrent_runs": 1}},
    # The command line shows the logger `meterline` as progress.
    "python_logs": {"managed_python_loggers": ["meterline"], "python_log_level": "INFO"},
    # The event log has all messages of a run, so a log file per step is not needed.
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    },
    "retention": {
        "sensor": {"purge_after_days": {"skipped": 1, "success": 30, "failure": 30}},
    },
}


def prepare_dagster_home(settings: Settings) -> Path:
    """The folder for DAGSTER_HOME, with the `dagster.yaml` of this version.

    Runs, events and ticks are in SQLite files inside it, as is Dagster's default.
    """
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    # JSON is also YAML, and needs no library to write.
    text = json.dumps(_CONFIGURATION | _storages(settings.dagster_home / "storage"), indent=2)
    target = settings.dagster_home / "dagster.yaml"
    if not target.is_file() or target.read_text() != text:
        written = target.with_suffix(f".{os.getpid()}")
        written.write_text(text)
        written.replace(target)
    return settings.dagster_home


def _storages(folder: Path) -> dict[str, object]:
    """Dagster's SQLite storages in their usual places; that of events keeps its connections."""

    def storage(module: str, name: str, place: str) -> dict[str, object]:
        return {"module": module, "class": name, "config": {"base_dir": str(folder / place)}}

    return {
        "run_storage": storage("dagster._core.storage.runs", "SqliteRunStorage", "history"),
        "event_log_storage": storage(
            "pipelines.defs.event_log", "KeptEventLogStorage", "history/runs"
        ),
        "schedule_storage": storage(
            "dagster._core.storage.schedules", "SqliteScheduleStorage", "schedules"
        ),
    }


@contextmanager
def dagster_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of this home; the UI of the home shows the runs it records."""
    home = str(prepare_dagster_home(settings))
    with dg.DagsterInstance.from_config(home) as instance:
        yield instance


def open_ui(settings: Settings, port: int, workspace: Path = WORKSPACE) -> int:
    """The exit code of `dagster dev`, which serves the UI on 127.0.0.1 until it is stopped.

    The UI has no login, so it is served at no other address. All its processes, runs included, are
    one process group, and the whole group is ended. `dagster dev` alone would leave some running.
    """
    with dagster_instance(settings) as instance:
        end_runs_of_dead_processes(instance, settings.writer_lock)
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(settings.dagster_home),
        "METERLINE_HOME": str(settings.home),
    }
    arguments = ["-h", "127.0.0.1", "-p", str(port), "-w", str(workspace)]
    with _stopped_by_signals():
        server = subprocess.Popen(  # noqa: S603 -- our own interpreter and arguments
            [sys.executable, *_DAGSTER_DEV, *arguments],
            env=environment,
            cwd=REPOSITORY,
            start_new_session=True,
        )
        try:
            return server.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            _end_group(server)


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    # The handlers are set before the server starts. A shell that starts us in the background makes
    # us ignore SIGINT. Children inherit that, and Dagster then ignores SIGTERM as well.
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, _stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _end_group(leader: subprocess.Popen[bytes]) -> None:
    """Ends every process of the group: it is asked first, and killed if it takes too long."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + _ENDING_SECONDS
        try:
            os.killpg(leader.pid, number)
            while time.monotonic() < deadline:
                leader.poll()
                os.killpg(leader.pid, 0)
                time.sleep(0.1)
        except ProcessLookupError:
            return
