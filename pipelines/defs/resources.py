"""Resources: the writer lock of a run, and the memory in which its assets pass values on."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from pipelines.home import Home
from pipelines.lake.writer_lock import Holder, last_holder, note_run, writer_lock
from pipelines.operations.alarms import failure_payload, send
from pipelines.settings import Settings
from pipelines.vocabulary.errors import AlreadyRunningError, MeterlineError

_WITHOUT_END = -1.0

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


_HELD: ContextVar[Path | None] = ContextVar("_HELD", default=None)
"""The writer lock that `lock_held_for_runs` holds in this process."""


@contextmanager
def lock_held_for_runs(settings: Settings, run_id: str) -> Iterator[Holder | None]:
    """Holds the home's writer lock for the runs of this process; yields a holder that was killed.

    A command takes the lock before it asks Dagster for a run. So a command that is refused leaves
    no run behind, and no other run comes between those of one command.

    Args:
        settings: of the home.
        run_id: the first run.

    Raises:
        AlreadyRunningError: another process holds the lock.
    """
    with writer_lock(settings.writer_lock, run_id, settings.lock_wait_seconds) as killed:
        before = _HELD.set(settings.writer_lock)
        try:
            yield killed
        finally:
            _HELD.reset(before)


def build_writer(settings: Settings) -> dg.ResourceDefinition:
    """The resource that every asset needs: it holds the home's writer lock during the run.

    The run itself takes the lock, so it works however the run was launched. A command has taken it
    already, see `lock_held_for_runs`. A run that Dagster launched in a process of its own waits for
    the lock, however long that takes: it is queued, and not refused. If the last holder of the lock
    was killed, its run is marked as failed.
    """

    @dg.resource(description="Holds the home's writer lock for as long as the run lasts.")
    def writer(context: dg.InitResourceContext) -> Iterator[Writer]:
        run_id = context.run.run_id if context.run else ""
        if _HELD.get() == settings.writer_lock:
            note_run(settings.writer_lock, run_id)
            yield Writer(Home(settings), run_id)
            return
        with ExitStack() as held:
            try:
                killed = held.enter_context(_waited_for(settings, run_id, context))
            except MeterlineError as error:
                # No step has begun, so the hook on failing steps does not send this alarm.
                send(settings, failure_payload(settings, run_id, None, str(error)))
                raise
            if killed is not None and context.instance is not None:
                end_dead_run(context.instance, killed.run_id)
            yield Writer(Home(settings), run_id)

    return writer


@contextmanager
def _waited_for(
    settings: Settings, run_id: str, context: dg.InitResourceContext
) -> Iterator[Holder | None]:
    """The writer lock for one run. A run that Dagster launched waits for it, and says so."""
    wait = settings.lock_wait_seconds
    with ExitStack() as held:
        try:
            killed = held.enter_context(writer_lock(settings.writer_lock, run_id, wait))
        except AlreadyRunningError as refusal:
            if context.run is None or context.run.remote_job_origin is None:
                raise
            if context.log:
                context.log.info(f"{refusal}\nThis run waits, and goes on when that one ends.")
            killed = held.enter_context(writer_lock(settings.writer_lock, run_id, _WITHOUT_END))
        yield killed


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
    if holder is None or holder.is_alive:
        return False
    return end_dead_run(instance, holder.run_id)


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
