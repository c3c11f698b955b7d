"""Resources: the writer lock of a run, and the memory in which its assets pass values on."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from pipelines.home import Home
from pipelines.lake.writer_lock import last_holder, writer_lock
from pipelines.operations.alarms import failure_payload, send
from pipelines.settings import Settings
from pipelines.vocabulary.errors import MeterlineError

_UNFINISHED = (
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


@dataclass(frozen=True)
class Writer:
    """The right to write to a home: it exists only while the run holds the writer lock.

    Attributes:
        home: the home.
        run_id: Dagster's id of the run.
    """

    home: Home
    run_id: str

    @property
    def settings(self) -> Settings:
        """The settings of the home."""
        return self.home.settings


def build_writer(settings: Settings) -> dg.ResourceDefinition:
    """The resource that every asset needs: it holds the home's writer lock during the run.

    The run itself takes the lock, so it works however the run was launched: by the command line,
    the UI or the sensor. If the last holder of the lock was killed, its run is marked as failed.
    """

    @dg.resource(description="Holds the home's writer lock for as long as the run lasts.")
    def writer(context: dg.InitResourceContext) -> Iterator[Writer]:
        run_id = context.run.run_id if context.run else ""
        wait = settings.lock_wait_seconds
        with ExitStack() as held:
            try:
                killed = held.enter_context(writer_lock(settings.writer_lock, run_id, wait))
            except MeterlineError as error:
                # No step has begun, so the hook on failing steps does not send this alarm.
                send(settings, failure_payload(settings, run_id, None, str(error)))
                raise
            if killed is not None and context.instance is not None:
                end_dead_run(context.instance, killed.run_id)
            yield Writer(Home(settings), run_id)

    return writer


def end_dead_run(instance: dg.DagsterInstance, run_id: str) -> bool:
    """True if the run was still marked as running; it is marked as failed now.

    Dagster does not notice that the process of a run died, and such a run keeps the only place in
    the queue. Call this only if the process is known to be gone.
    """
    run = instance.get_run_by_id(run_id)
    if run is None or run.status not in _UNFINISHED:
        return False
    instance.report_run_failed(
        run,
        message="The process of this run is gone. The next run removes what it left uncommitted.",
    )
    return True


def end_runs_of_dead_processes(instance: dg.DagsterInstance, lock_file: Path) -> bool:
    """True if the run that last took the writer lock was killed; it is marked as failed now.

    The process is looked for instead of trying the lock. A try would hold the lock for a moment,
    and a run that starts in that moment would be refused. If another process has the same id now,
    run monitoring ends the run after `MAX_RUN_SECONDS`.
    """
    holder = last_holder(lock_file)
    if holder is None or _is_alive(holder.pid):
        return False
    return end_dead_run(instance, holder.run_id)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # It is alive and belongs to another user.
    return True


class RunMemory(dg.IOManager):
    """Passes values between the assets of one run, in memory.

    Nothing is pickled, and no value outlives the run. Everything that lasts is in the lake and the
    warehouse.
    """

    def __init__(self) -> None:
        self._values: dict[dg.AssetKey, Any] = {}

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Keeps the value for the assets that need it."""
        self._values[context.asset_key] = obj

    def load_input(self, context: dg.InputContext) -> Any:
        """The value that an asset of this run has made.

        Raises:
            MeterlineError: that asset was not part of this run.
        """
        if context.asset_key not in self._values:
            name = context.asset_key.to_user_string()
            raise MeterlineError(
                f"{name} was not made in this run, and no value is kept between runs; "
                "launch the whole job `meterline`"
            )
        return self._values[context.asset_key]
