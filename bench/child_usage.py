"""Child usage: wall time, CPU time and peak memory of a child process and its descendants.

It reads `/proc`, so it works on Linux only.
"""

import os
import resource
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.05
"""Seconds between two measurements of memory; a shorter peak may be missed."""

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Usage:
    """The time and the memory that one child used.

    Attributes:
        seconds: wall time from start to exit.
        cpu_seconds: user and system time of the child and the descendants it waited for.
        peak_rss_bytes: largest sum of resident memory of the process tree. A page that several
            processes share is counted once for each.
        output: the text that the child wrote to standard output.
    """

    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    output: str


class ChildFailedError(RuntimeError):
    """The child ended with an error, so there is nothing to measure."""


def measure(command: list[str], environment: dict[str, str] | None = None) -> Usage:
    """The usage of a command that is run to its end.

    Args:
        command: program and arguments.
        environment: variables added to those of this process. None: no variable is added.

    Raises:
        ChildFailedError: the command ended with another code than 0.
    """
    cpu_before = _cpu_seconds_of_children()
    began = time.perf_counter()
    with subprocess.Popen(
        command,
        env=os.environ | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        peak = _PeakMemory(child.pid)
        peak.start()
        output, errors = child.communicate()
        seconds = time.perf_counter() - began
        peak.stop()
    if child.returncode != 0:
        raise ChildFailedError(
            f"{' '.join(command)} ended with {child.returncode}:\n{errors[-4000:]}{output[-1000:]}"
        )
    cpu_seconds = _cpu_seconds_of_children() - cpu_before
    return Usage(seconds, cpu_seconds, peak.rss_bytes, output)


def _cpu_seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _PeakMemory(threading.Thread):
    """Measures the memory of a process tree until it is stopped."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.rss_bytes = 0
        self._root = root
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(SAMPLE_SECONDS):
            self.rss_bytes = max(self.rss_bytes, tree_rss_bytes(self._root))

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def tree_rss_bytes(root: int) -> int:
    """Resident memory in bytes of a process and its descendants now; 0 if it has ended."""
    parents, resident = {}, {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # The name in parentheses may contain anything. The numbers follow its last `)`.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            pages = int((folder / "statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(folder.name)] = int(fields[1])
        resident[int(folder.name)] = pages * _PAGE_BYTES
    tree = {root}
    while found := {pid for pid, parent in parents.items() if parent in tree} - tree:
        tree |= found
    return sum(resident.get(pid, 0) for pid in tree)
