"""Programs that tests start: each is a process of its own, forked from the session's server."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from operator import methodcaller
from pathlib import Path
from typing import IO

from tests.worlds import fork_server

_ADDRESS = "PROGRAMS_OF_TESTS"
"""The environment variable by which all workers of a session find its server."""

_SERVER_ENDED = "the server of programs has ended; its errors are among those of the tests"


@contextmanager
def program_server() -> Iterator[None]:
    """A server of programs for this process and those that it starts."""
    with tempfile.TemporaryDirectory(prefix="programs-") as folder:
        address = f"{folder}/server"
        server = subprocess.Popen(
            # Without the folder of the script: its modules are called as others are.
            [sys.executable, "-P", fork_server.__file__, address],
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # An interrupt in the terminal is for the tests, which then end the server.
            start_new_session=True,
        )
        with server:
            assert server.stdout is not None
            assert server.stdout.readline() == "listening\n"
            os.environ[_ADDRESS] = address
            try:
                yield
            finally:
                del os.environ[_ADDRESS]
                # Leaving the block closes its input, at which it ends.


class Program:
    """A program that was started; `subprocess.Popen` is what its attributes are called after."""

    def __init__(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Starts it.

        Args:
            command: a Python script or `-c` and a text, and then its arguments.
            environment: all of its variables; None is those of this process.
            cwd: where it runs; None is where this process does.
        """
        output, its_output = os.pipe()
        errors, its_errors = os.pipe()
        self.stdout: IO[str] = os.fdopen(output)
        self.stderr: IO[str] = os.fdopen(errors)
        self.returncode: int | None = None
        self.command = [str(each) for each in command]
        request = {
            "command": self.command,
            "environment": dict(os.environ if environment is None else environment),
            "cwd": str(cwd or Path.cwd()),
        }
        content = json.dumps(request).encode()
        self._server = socket.socket(socket.AF_UNIX)
        try:
            self._server.connect(os.environ[_ADDRESS])
            length = fork_server.LENGTH.pack(len(content))
            socket.send_fds(self._server, [length], [its_output, its_errors])
            self._server.sendall(content)
            said = self._server.recv(fork_server.LENGTH.size)
            assert said, _SERVER_ENDED
            (self.pid,) = fork_server.LENGTH.unpack(said)
        finally:
            os.close(its_output)
            os.close(its_errors)

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._ended(socket.MSG_DONTWAIT)

    def wait(self) -> int:
        """Its exit code, once it has ended; the negative number of the signal that ended it."""
        code = self._ended(0)
        assert code is not None
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """All that it prints from now on, and its errors, once it has ended.

        Raises:
            TimeoutError: it ran longer, and was killed.
        """
        overdue = threading.Event()

        def end() -> None:
            overdue.set()
            self.kill()

        timer = threading.Timer(timeout or threading.TIMEOUT_MAX, end)
        timer.start()
        try:
            with ThreadPoolExecutor(2) as readers:
                printed, errors = readers.map(methodcaller("read"), (self.stdout, self.stderr))
            self.wait()
        finally:
            timer.cancel()
            self.stdout.close()
            self.stderr.close()
        if overdue.is_set():
            raise TimeoutError(f"{self.command} took more than {timeout} s: {errors}")
        return printed, errors

    def send_signal(self, number: signal.Signals) -> None:
        """Sends it a signal, unless it has ended."""
        if self.poll() is None:
            # It may have ended while this is on its way.
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kills it, unless it has ended."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, flags: int) -> int | None:
        if self.returncode is None:
            try:
                said = self._server.recv(32, flags)
            except BlockingIOError:
                return None
            assert said, _SERVER_ENDED
            self._server.close()
            self.returncode = int(said)
        return self.returncode


def run_program(
    command: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float | None = None,
) -> "subprocess.CompletedProcess[str]":
    """What a program gave; nothing is raised, unless it takes longer than `timeout` seconds."""
    program = Program(command, environment, cwd)
    printed, errors = program.communicate(timeout)
    assert program.returncode is not None
    return subprocess.CompletedProcess(program.command, program.returncode, printed, errors)
