"""One writer at a time, whoever it is, and a killed one leaves nothing to clean."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.lake.writer_lock import Holder, writer_lock
from pipelines.vocabulary.errors import AlreadyRunningError

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def lock_file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "writer.lock"


@contextmanager
def _other_process(script: str, lock_file: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that runs `script` with `lock_file`; it has printed its first line."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom pipelines.lake.writer_lock import writer_lock\n"
    )
    program += "lock_file = Path(sys.argv[1])\n" + script
    with subprocess.Popen(
        [sys.executable, "-c", program, str(lock_file)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


HOLD = """
with writer_lock(lock_file, "run-of-another", 0):
    print("ready", flush=True)
    sys.stdin.readline()
"""

HOLD_WITH_CHILD = """
import subprocess
with writer_lock(lock_file, "run-with-a-child", 0):
    child = subprocess.Popen(["sleep", "60"], close_fds=False, stdin=subprocess.DEVNULL)
    (lock_file.parent / "child.pid").write_text(str(child.pid))
    print("ready", flush=True)
    sys.stdin.readline()
"""

HOLD_WITH_SPAWNED_WORKER = """
import multiprocessing, time
if __name__ == "__main__":
    with writer_lock(lock_file, "run-with-a-worker", 0):
        context = multiprocessing.get_context("spawn")
        worker = context.Process(target=time.sleep, args=(60,))
        worker.start()
        (lock_file.parent / "child.pid").write_text(str(worker.pid))
        print("ready", flush=True)
        sys.stdin.readline()
"""


def test_first_taker_makes_the_home_and_is_told_of_nobody(lock_file: Path) -> None:
    with writer_lock(lock_file, "run-1", 0) as before:
        assert before is None


def test_lock_can_be_taken_again_and_again(lock_file: Path) -> None:
    for number in range(3):
        with writer_lock(lock_file, f"run-{number}", 0) as before:
            assert before is None


def test_second_taker_in_this_process_is_refused_and_told_who_writes(lock_file: Path) -> None:
    with (
        writer_lock(lock_file, "run-1", 0),
        pytest.raises(AlreadyRunningError) as refusal,
        writer_lock(lock_file, "run-2", 0),
    ):
        pass

    assert f"already running: run run-1 (process {os.getpid()})" in str(refusal.value)
    assert str(lock_file.parent) in str(refusal.value)
    assert "METERLINE_LOCK_WAIT_SECONDS" in str(refusal.value)


def test_second_process_is_refused_and_told_who_writes(lock_file: Path) -> None:
    with (
        _other_process(HOLD, lock_file) as holder,
        pytest.raises(AlreadyRunningError) as refusal,
        writer_lock(lock_file, "run-2", 0),
    ):
        pass

    assert f"run run-of-another (process {holder.pid})" in str(refusal.value)


def test_refused_taker_does_not_change_who_holds_the_lock(lock_file: Path) -> None:
    with _other_process(HOLD, lock_file):
        for _ in range(2):
            with (
                pytest.raises(AlreadyRunningError, match="run-of-another"),
                writer_lock(lock_file, "run-2", 0),
            ):
                pass


def test_waiting_taker_gets_the_lock_when_the_holder_ends(lock_file: Path) -> None:
    with _other_process(HOLD, lock_file) as holder:
        assert holder.stdin is not None
        threading.Timer(0.2, holder.stdin.close).start()
        with writer_lock(lock_file, "run-2", 60) as before:
            assert before is None


def test_waiting_taker_gives_up_in_the_end(lock_file: Path) -> None:
    with (
        writer_lock(lock_file, "run-1", 0),
        pytest.raises(AlreadyRunningError, match="run-1"),
        writer_lock(lock_file, "run-2", 0.2),
    ):
        pass


def test_killed_holder_frees_the_lock_and_the_next_is_told_of_it(lock_file: Path) -> None:
    with _other_process(HOLD, lock_file) as holder:
        holder.kill()
        holder.wait()

        with writer_lock(lock_file, "run-2", 0) as before:
            assert before == Holder("run-of-another", holder.pid)
    with writer_lock(lock_file, "run-3", 0) as before:
        assert before is None


def test_holder_that_fails_frees_the_lock_and_is_not_called_killed(lock_file: Path) -> None:
    with pytest.raises(ZeroDivisionError), writer_lock(lock_file, "run-1", 0):
        raise ZeroDivisionError

    with writer_lock(lock_file, "run-2", 0) as before:
        assert before is None


@pytest.mark.parametrize("script", [HOLD_WITH_CHILD, HOLD_WITH_SPAWNED_WORKER])
def test_child_that_outlives_a_killed_holder_keeps_no_lock(script: str, lock_file: Path) -> None:
    with _other_process(script, lock_file) as holder:
        child = int((lock_file.parent / "child.pid").read_text())
        holder.kill()
        holder.wait()
        try:
            os.kill(child, 0)  # It is alive.
            with writer_lock(lock_file, "run-2", 0) as before:
                assert before is not None
                assert before.pid == holder.pid
        finally:
            os.kill(child, 9)


@pytest.mark.parametrize("note", ["", "{", "[]", '{"run_id": "x"}', "null"])
def test_damaged_note_about_the_holder_names_nobody(note: str, lock_file: Path) -> None:
    lock_file.parent.mkdir()
    lock_file.with_suffix(".json").write_text(note)

    with writer_lock(lock_file, "run-1", 0) as before:
        assert before is None


def test_homes_have_locks_of_their_own(tmp_path: Path) -> None:
    with (
        writer_lock(tmp_path / "one" / "writer.lock", "run-1", 0),
        writer_lock(tmp_path / "two" / "writer.lock", "run-2", 0) as before,
    ):
        assert before is None
