"""Dagster's home: its configuration, its instance, and the UI in front of it.

Belongs here: how Dagster is set up inside a Meterline home. Must not be put here: what it
runs (see `definitions`).
"""

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
"""What the UI serves."""

MAX_RUN_SECONDS = 24 * 3600
"""A run that takes longer is ended: its process is gone, or hangs."""

_DAGSTER_DEV = ("-W", "ignore", "-m", "dagster", "dev", "--log-level", "warning")
"""Its one warning advertises another command, which is not installed."""

_ENDING_SECONDS = 20.0
"""How long the UI's processes may take to end before they are killed."""

_CONFIGURATION = {
    "telemetry": {"enabled": False},
    "nux": {"enabled": False},
    # Seconds instead of minutes until a run's place in the queue is free again.
    "run_monitoring": {
        "enabled": True,
        "max_runtime_seconds": MAX_RUN_SECONDS,
        "poll_interval_seconds": 30,
    },
    "concurrency": {"runs": {"max_concurrent_runs": 1}},
    # `meterline` is the logger that the command line shows as progress.
    "python_logs": {"managed_python_loggers": ["meterline"], "python_log_level": "INFO"},
    # What a run says is in its event log; a file per step would only pile up.
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    },
    "retention": {
        "sensor": {"purge_after_days": {"skipped": 1, "success": 30, "failure": 30}},
    },
}


def prepare_dagster_home(settings: Settings) -> Path:
    """The folder for DAGSTER_HOME, with its `dagster.yaml` as this version wants it.

    Runs, events and ticks are kept in SQLite files inside it, which is Dagster's default.
    """
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    # JSON is YAML too, and needs no library to write.
    text = json.dumps(_CONFIGURATION | _storages(settings.dagster_home / "storage"), indent=2)
    target = settings.dagster_home / "dagster.yaml"
    if not target.is_file() or target.read_text() != text:
        written = target.with_suffix(f".{os.getpid()}")
        written.write_text(text)
        written.replace(target)
    return settings.dagster_home


def _storages(folder: Path) -> dict[str, object]:
    """Dagster's own SQLite storages in the places it gives them, events with connections kept."""
    storages = {
        "run_storage": ("dagster._core.storage.runs", "SqliteRunStorage", "history"),
        "event_log_storage": ("pipelines.defs.event_log", "KeptEventLogStorage", "history/runs"),
        "schedule_storage": (
            *("dagster._core.storage.schedules", "SqliteScheduleStorage"),
            "schedules",
        ),
    }
    return {
        storage: {"module": module, "class": name, "config": {"base_dir": str(folder / place)}}
        for storage, (module, name, place) in storages.items()
    }


@contextmanager
def dagster_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The instance of this home; runs it records are seen by the UI of the same home."""
    home = str(prepare_dagster_home(settings))
    with dg.DagsterInstance.from_config(home) as instance:
        yield instance


def open_ui(settings: Settings, port: int, workspace: Path = WORKSPACE) -> int:
    """Serves the UI on 127.0.0.1 until it is stopped; the exit code of `dagster dev`.

    The UI has no login, so no other address is offered. All its processes, runs included,
    are one process group, which is ended as a whole: `dagster dev` alone would leave some
    behind when it is terminated.
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
    # Set before the server starts: a shell that starts us in the background has us ignore
    # SIGINT, children inherit that, and Dagster then ignores SIGTERM as well.
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
    """Ends every process of the group: asked first, killed when they take too long."""
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
