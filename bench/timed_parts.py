"""Timed parts: runs `meterline`, and prints the seconds of its parts as JSON on the last line.

Each part is a few functions, which are wrapped before the command runs. The time of a wrapped call
counts for its part, without the time of other parts inside it.
"""

import importlib
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

PARTS: tuple[tuple[str, str, str], ...] = (
    ("lake: opening", "pipelines.home", "Home._open_lake"),
    ("lake: queries", "pipelines.lake.lake", "Lake.query"),
    ("lake: committing", "pipelines.lake.lake", "Lake.commit_batch"),
    ("catalog", "pipelines.home", "Home.catalog"),
    ("reading and deciding", "pipelines.intake.kinds", "FilesPlan.parse"),
    ("reading and deciding", "pipelines.intake.kinds", "FilesPlan.decide"),
    ("checks of the lake", "pipelines.defs.assets.events", "check_unpublished"),
    ("dbt: invoking", "pipelines.defs.dbt", "run_phase"),
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
    """Counts the seconds of each part; parts may call each other, on one thread.

    Attributes:
        seconds: wall time by part, without the parts called inside it.
        calls: number of calls by part.
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()
        self._running: list[str] = []
        self._since = time.perf_counter()

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
        now = time.perf_counter()
        if self._running:
            self.seconds[self._running[-1]] += now - self._since
        self._since = now

    def wrap(self, part: str, module: str, path: str) -> None:
        """Replaces a function by one whose calls are counted for the part.

        Args:
            part: name of the part.
            module: module of the function.
            path: the function's name in the module, such as `Lake.query`.
        """
        owner: Any = importlib.import_module(module)
        *outer, name = path.split(".")
        for each in outer:
            owner = getattr(owner, each)
        called: Callable[..., Any] = getattr(owner, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            with self.part(part):
                result = called(*arguments, **options)
            self._split_nodes(part, getattr(result, "node_events", ()))
            return result

        setattr(owner, name, counted)

    def _split_nodes(self, part: str, node_events: Iterable[Mapping[str, Any]]) -> None:
        """Moves the time of each dbt node from the part of the invocation to one of its own."""
        for event in node_events:
            kind = f"dbt: {event['data']['node_info']['resource_type']} nodes"
            spent = float(event["data"]["execution_time"])
            self.seconds[part] -= spent
            self.seconds[kind] += spent
            self.calls[kind] += 1


def main() -> None:
    """Runs `meterline` with the arguments, and prints the parts."""
    clock = Clock()
    with clock.part("everything else"):
        with clock.part("imports"):
            for module in dict.fromkeys(module for _, module, _ in PARTS):
                importlib.import_module(module)
            from pipelines.cli.app import app
        with clock.part("Dagster: definitions"):
            importlib.import_module("pipelines.definitions")
        for part, module, path in PARTS:
            clock.wrap(part, module, path)
        try:
            app(sys.argv[1:])
        except SystemExit as ended:
            if ended.code:
                raise
    print(json.dumps({"seconds": clock.seconds, "calls": clock.calls}))


if __name__ == "__main__":
    main()
