"""Programs as copies of one process that has imported Dagster and dbt, which takes five seconds.

A program has its own process, process group, environment and `__main__`, and ends as any other. A
signal or a kill meets it alone. Only the libraries of `PRELOADED` are there before it begins.

A test session has one server: the file runs as a script, and `tests/conftest.py` starts it. It
imports nothing until the first program is asked for, and ends when its standard input does.
"""

import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import struct
import sys
import types
from pathlib import Path
from typing import Any

PRELOADED = (
    "dagster",
    "dagster_dbt",
    "dbt.cli.main",
    "dagster._core.storage.sqlite_storage",
    "pydantic_settings",
    "requests",
    "rich.console",
    "typer",
)
"""None of them starts a thread, which a fork would lose: DuckDB and Polars do."""

LENGTH = struct.Struct("!I")


def serve(listener: socket.socket) -> dict[str, Any] | None:
    """What to run, in the process of a program; None in the server, when its input has ended."""
    running: dict[int, socket.socket] = {}
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker.fileno())
    selector = selectors.DefaultSelector()
    for source in (listener, woken, sys.stdin):
        selector.register(source, selectors.EVENT_READ)
    while True:
        ready = {key.fileobj for key, _ in selector.select()}
        if sys.stdin in ready:
            for pid in running:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            return None
        if woken in ready:
            woken.recv(4096)
            _tell_who_ended(running)
        if listener in ready:
            client, _ = listener.accept()
            request, streams = _received(client)
            _preload()
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                selector.close()
                for each in (listener, woken, waker, client, *running.values()):
                    each.close()
                _take(streams)
                return request
            for stream in streams:
                os.close(stream)
            running[pid] = client
            client.sendall(LENGTH.pack(pid))


def _received(client: socket.socket) -> tuple[dict[str, Any], list[int]]:
    head, streams, _, _ = socket.recv_fds(client, LENGTH.size, 2)
    (length,) = LENGTH.unpack(head)
    with client.makefile("rb") as stream:
        request: dict[str, Any] = json.loads(stream.read(length))
    return request, streams


def _tell_who_ended(running: dict[int, socket.socket]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with running.pop(pid) as client:
            code = os.waitstatus_to_exitcode(status)
            try:
                client.sendall(str(code).encode())
            except OSError:
                continue  # Nobody waits for it any more.


def _preload() -> None:
    for name in PRELOADED:
        importlib.import_module(name)
    tasks = Path("/proc/self/task")
    threads = len(list(tasks.iterdir())) if tasks.is_dir() else 1
    if threads != 1:
        raise RuntimeError(f"expected one thread, found {threads}; see PRELOADED")
    # No program looks through these objects for garbage, which would also copy their memory.
    gc.freeze()


def _take(streams: list[int]) -> None:
    """Makes them the program's standard output and errors; its input is empty."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in enumerate((nothing, *streams)):
        os.dup2(source, target)
        os.close(source)


def become(request: dict[str, Any]) -> None:
    """Runs the program as Python runs a script, or a text after `-c`."""
    os.setsid()
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    first, *arguments = request["command"]
    is_text = first == "-c"
    own = "" if is_text else str(Path(first).parent)
    added = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:0] = [own, *added]
    if is_text:
        program, *arguments = arguments
        sys.argv = ["-c", *arguments]
        main = types.ModuleType("__main__")
        sys.modules["__main__"] = main
        exec(compile(program, "<string>", "exec"), main.__dict__)  # noqa: S102 -- as `python -c`
    else:
        sys.argv = [first, *arguments]
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(sys.argv[1])
    listening.listen()
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    asked = serve(listening)
    if asked is not None:
        become(asked)
