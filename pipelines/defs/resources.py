"""Resources: the writer lock, and the memory in which the assets of one run pass values on.

Belongs here: what lives as long as a run. Must not be put here: work (see `assets`).
"""

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
    """The right to write to a home; whoever has one holds the lock.

    Attributes:
        home: the home.
        run_id: Dagster's id of the run.
    """

    home: Home
    run_id: str

    @property
    def settings(self) -> Settings:
        """Of the home."""
        return self.home.settings


def build_writer(settings: Settings) -> dg.ResourceDefinition:
    """The resource that every asset needs: the home's writer lock, held for the run.

    The lock is taken inside the run, so it does not matter who launched it: the command
    line, the UI, the sensor. A run that a kill left as started is ended on the way.
    """

    @dg.resource(description="Holds the home's writer lock for as long as the run lasts.")
    def writer(context: dg.InitResourceContext) -> Iterator[Writer]:
        run_id = context.run.run_id if context.run else ""
        wait = settings.lock_wait_seconds
        with ExitStack() as held:
            try:
                killed = held.enter_context(writer_lock(settings.writer_lock, run_id, wait))
            except MeterlineError as error:
                # No step has begun, so the hook on failing steps does not tell it.
                send(settings, failure_payload(settings, run_id, None, str(error)))
                raise
            if killed is not None and context.instance is not None:
                end_dead_run(context.instance, killed.run_id)
            yield Writer(Home(settings), run_id)

    return writer


def end_dead_run(instance: dg.DagsterInstance, run_id: str) -> bool:
    """True if the run was still marked as going; it is marked as failed now.

    Dagster cannot tell that a run's process died, and such a run keeps the only place in the
    queue. Call this only when the process is known to be gone.
    """
    run = instance.get_run_by_id(run_id)
    if run is None or run.status not in _UNFINISHED:
        return False
    instance.report_run_failed(
        run, message="The process of this run is gone; what it had not committed is swept."
    )
    return True


def end_runs_of_dead_processes(instance: dg.DagsterInstance, lock_file: Path) -> bool:
    """True if the run that took the writer lock last had been killed; it is ended now.

    Looks at the process instead of trying the lock: a try would hold it for a moment, in
    which a run that starts would be refused. If the process id has been given to another
    process since, run monitoring ends the run after its longest time.
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
        pass  # alive, and another user's
    return True


class RunMemory(dg.IOManager):
    """Passes values between the assets of one run, in memory, and keeps none.

    Nothing is pickled and nothing outlives the run: what lasts is in the lake and in the
    warehouse, and later assets read it there.
    """

    def __init__(self) -> None:
        self._values: dict[dg.AssetKey, Any] = {}

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """The value waits for the assets after it."""
        self._values[context.asset_key] = obj

    def load_input(self, context: dg.InputContext) -> Any:
        """The value that this run made.

        Raises:
            MeterlineError: the asset before it is not part of this run.
        """
        if context.asset_key not in self._values:
            name = context.asset_key.to_user_string()
            raise MeterlineError(
                f"{name} was not made in this run, and it is not kept between runs; "
                "launch the whole job `meterline`"
            )
        return self._values[context.asset_key]
