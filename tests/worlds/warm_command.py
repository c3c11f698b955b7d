"""`meterline` in processes of its own that begin with everything imported.

A run spends four seconds of CPU on importing Dagster and dbt. Here one server process imports them
once a test worker. Each command is a fork of it, with an environment, outputs and an exit code of
its own, as if it had been started from a shell.
"""

import atexit
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

IMPORTED = (
    "dagster_dbt",
    "dbt.adapters.duckdb",
    "dbt.cli.main",
    "pipelines.cli.app",
    "pipelines.cli.job",
    "pipelines.defs.assets.alarms",
    "pipelines.defs.assets.events",
    "pipelines.defs.assets.invoices",
    "pipelines.defs.dagster_home",
    "pipelines.defs.dbt",
    "tests.worlds.warm_command",
)
"""What the server imports: all that a run needs, except what depends on its settings.

`pipelines.definitions` reads them when it is imported, and numba's cache is named by the run.
"""


def run_warm(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path, seconds: float
) -> "subprocess.CompletedProcess[str]":
    """What `meterline` with these arguments gave, started in a folder.

    Raises:
        subprocess.TimeoutExpired: it went on longer than the seconds given, and was killed.
    """
    with tempfile.TemporaryDirectory(prefix="meterline-output-") as place:
        outputs = (Path(place) / "out", Path(place) / "err")
        process = _server().Process(
            target=_run_command, args=(tuple(arguments), dict(environment), folder, outputs)
        )
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(list(arguments), seconds)
        printed, errors = (path.read_text() for path in outputs)
        return subprocess.CompletedProcess(list(arguments), process.exitcode, printed, errors)


@cache
def _server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(IMPORTED))
    return context


def _run_command(
    arguments: Sequence[str], environment: dict[str, str], folder: Path, outputs: Sequence[Path]
) -> None:
    from pipelines.cli.app import app

    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, path in enumerate(outputs, start=1):
        with path.open("wb") as file:
            os.dup2(file.fileno(), number)
    sys.argv = ["meterline", *arguments]
    try:
        app()
    finally:
        # A fork ends without them.
        atexit._run_exitfuncs()
