"""The writer lock: one run at a time writes to a home, whoever launched it.

Belongs here: taking the lock and saying who holds it. A file lock dies with its process, so
a killed run leaves nothing to clean; worker processes are spawned, never forked, and so
inherit no lock.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from pipelines.vocabulary.errors import AlreadyRunningError


@dataclass(frozen=True)
class Holder:
    """Who took the lock last.

    Attributes:
        run_id: Dagster's run id.
        pid: process that took it.
    """

    run_id: str
    pid: int

    @property
    def is_alive(self) -> bool:
        """False once no process has its id; another one may have it by now."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass  # It is alive and belongs to another user.
        return True


@contextmanager
def writer_lock(lock_file: Path, run_id: str, wait_seconds: float) -> Iterator[Holder | None]:
    """Holds the home's writer lock; yields the holder before, if it never let go itself.

    Such a holder was killed: its run may still be marked as started, and is to be ended.

    Args:
        lock_file: the lock of the home.
        run_id: the run that writes; others are told of it.
        wait_seconds: how long to wait for another holder; a negative number waits without end.

    Raises:
        AlreadyRunningError: another process holds the lock after `wait_seconds`.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(lock_file)
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout:
        holder = last_holder(lock_file)
        who = f"run {holder.run_id} (process {holder.pid})" if holder else "another process"
        raise AlreadyRunningError(
            f"already running: {who} is writing to {lock_file.parent}; wait until it ends, or "
            "set METERLINE_LOCK_WAIT_SECONDS to wait for it"
        ) from None
    try:
        dead = last_holder(lock_file)
        note_run(lock_file, run_id)
        yield dead
    finally:
        _holder_file(lock_file).unlink(missing_ok=True)
        lock.release()


def note_run(lock_file: Path, run_id: str) -> None:
    """Says that this process, which holds the lock, writes for this run from now on."""
    _holder_file(lock_file).write_text(json.dumps(asdict(Holder(run_id, os.getpid()))))


def last_holder(lock_file: Path) -> Holder | None:
    """Who holds the lock, or held it and never let go; None when it was let go."""
    try:
        return Holder(**json.loads(_holder_file(lock_file).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        # A holder killed while writing leaves an empty note: nobody to name.
        return None


def _holder_file(lock_file: Path) -> Path:
    return lock_file.with_suffix(".json")
