"""Timed parts: runs `meterline`, and prints the seconds of its parts as JSON on the last line.

Each part is a few functions, which are wrapped before the command runs. The time of a wrapped call
counts for its part, without the time of other parts inside it. CPU time is that of this process
with all its threads. The processes that read large batches are not in it.
"""

import importlib
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

PARTS: tuple[tuple[str, str, str], ...] = (
    ("lake: opening", "pipelines.home", "Home._open_lake"),
    ("lake: queries", "pipelines.lake.lake", "Lake.query"),
    ("lake: committing", "pipelines.lake.lake", "Lake.commit_batch"),
    ("catalog", "pipelines.home", "Home.catalog"),
    ("catalog", "pipelines.catalog.frozen", "FrozenCatalogs.freeze"),
    ("calendar", "pipelines.catalog.calendar", "cuts_until"),
    ("calendar", "pipelines.warehouse.gate", "current_inputs"),
    ("calendar", "pipelines.defs.assets.calendar", "current_inputs"),
    ("calendar", "pipelines.defs.assets.calendar", "write_calendar"),
    ("calendar", "pipelines.defs.assets.published", "current_inputs"),
    ("reading and deciding", "pipelines.intake.kinds", "FilesPlan.parse"),
    ("reading and deciding", "pipelines.intake.kinds", "FilesPlan.decide"),
    ("checks of the lake", "pipelines.defs.assets.events", "check_unpublished"),
    ("index of held keys", "pipelines.intake.window_index", "WindowIndex.bring_up"),
    ("index of held keys", "pipelines.audit.unpublished", "check_index"),
    ("dbt: invoking", "pipelines.defs.dbt", "run_phase"),
    ("closing", "pipelines.defs.assets.invoices", "drafts_and_lines"),
    ("closing", "pipelines.defs.assets.invoices", "judged"),
    ("closing", "pipelines.defs.assets.invoices", "finalize"),
    ("chain", "pipelines.defs.assets.published", "verify_chain"),
    (
        "Dagster: storing events",
        "pipelines.defs.event_log",
        "KeptEventLogStorage.store_event",
    ),
    ("Dagster: instance", "pipelines.defs.dagster_home", "prepare_dagster_home"),
    ("publishing", "pipelines.defs.assets.published", "publish"),
    ("report", "pipelines.operations.report", "read_report"),
)
"""The parts: name, module, and a function whose calls count for the part."""


class Clock:
    """Counts the time of each part; parts may call each other, one at a time.

    Attributes:
        seconds: wall time by part, without the parts called inside it.
        cpu_seconds: CPU time of this process by part, counted in the same way.
        calls: number of calls by part.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.perf_counter,
        cpu: Callable[[], float] = time.process_time,
    ) -> None:
        self._wall, self._cpu = wall, cpu
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.cpu_seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()
        self._running: list[str] = []
        self._since, self._cpu_since = wall(), cpu()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Counts the time inside for this part."""
        self._turn()
        self._running.append(name)
        self.calls[name] += 1
        try:
            yield
        finally:
            self._turn()
            self._running.pop()

    def _turn(self) -> None:
        now, cpu_now = self._wall(), self._cpu()
        if self._running:
            self.seconds[self._running[-1]] += now - self._since
            self.cpu_seconds[self._running[-1]] += cpu_now - self._cpu_since
        self._since, self._cpu_since = now, cpu_now

    def wrap(self, part: str, module: str, path: str) -> None:
        """Replaces a function by one whose calls are counted for the part.

        Args:
            part: name of the part.
            module: module of the function.
            path: the function's name in the module, such as `Lake.query`.
        """
        self.wrap_by(module, path, lambda *_: part)

    def wrap_nodes(self, part_of: Callable[..., str] | None = None) -> None:
        """Counts each node of dbt for a part: dbt runs them on one thread.

        Args:
            part_of: is given dbt's runner of a node and its manifest, and says the part. None: a
                part for each kind of node.
        """
        self.wrap_by("dbt.task.base", "BaseRunner.compile_and_execute", part_of or _kind_of_node)

    def wrap_by(self, module: str, path: str, part_of: Callable[..., str]) -> None:
        """Replaces a function by one whose calls are counted for a part that they decide.

        Args:
            module: module of the function.
            path: the function's name in the module, such as `Lake.query`.
            part_of: is given the positional arguments of a call, and says the part.
        """
        owner, name = owner_of(module, path)
        called: Callable[..., Any] = getattr(owner, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            with self.part(part_of(*arguments)):
                return called(*arguments, **options)

        setattr(owner, name, counted)


def _kind_of_node(runner: Any, *_: Any) -> str:
    return f"dbt: {runner.node.resource_type} nodes"


def owner_of(module: str, path: str) -> tuple[Any, str]:
    """The module or class that holds a function, and the function's own name there."""
    owner: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for each in outer:
        owner = getattr(owner, each)
    return owner, name


def run_timed(
    clock: Clock, arguments: list[str], wrap: Callable[[Clock], None] = Clock.wrap_nodes
) -> None:
    """Runs `meterline` with the arguments, and prints the parts.

    Args:
        clock: counts the time.
        arguments: those of `meterline`.
        wrap: wraps functions besides those of `PARTS`, for parts inside of these.
    """
    with clock.part("everything else"):
        with clock.part("imports"):
            for module in dict.fromkeys(module for _, module, _ in PARTS):
                importlib.import_module(module)
            from pipelines.cli.app import app
        with clock.part("Dagster: definitions"):
            importlib.import_module("pipelines.definitions")
        wrap(clock)
        for part, module, path in PARTS:
            clock.wrap(part, module, path)
        try:
            app(arguments)
        except SystemExit as ended:
            if ended.code:
                raise
    # They go to standard output after the command's own JSON.
    parts = {"seconds": clock.seconds, "cpu_seconds": clock.cpu_seconds, "calls": clock.calls}
    print(json.dumps(parts))


def main() -> None:
    """Runs `meterline` with the arguments of this process."""
    run_timed(Clock(), sys.argv[1:])


if __name__ == "__main__":
    main()
