"""A run that is killed after some table of the billing phase, and the run after it.

dbt's own SQL runs in one process. A kill is a copy of the warehouse's files as they are at that
moment: what a transaction did that is not committed is not in them.

`KILLS=1 pytest tests/faults/test_killed_billing.py` tries a kill after each table. The suite has a
kill after every sixth, and all that change what is kept: the others only replace whole tables.
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.properties.random_books import History
from tests.worlds.book_runs import BookHome
from tests.worlds.compiled_dbt import CompiledDbt, compiled_nodes
from tests.worlds.kept_states import kept_rows, require_same

STEP = int(os.environ.get("KILLS") or "6")
"""The run is killed after each of so many tables."""

KILLS_WITHIN = 4
"""Kills within the transaction that brings kept tables up to the run."""


class KilledDbt(CompiledDbt):
    """A project whose phase of billing leaves copies of its warehouse, once it is asked to.

    Attributes:
        killed: the copies, by what the run was doing.
        is_asked: True makes copies.
    """

    def __init__(self, connection: Any, folder: Path) -> None:
        super().__init__(connection, folder / "warehouse.duckdb")
        self._folder = folder
        self.is_asked = False
        self.killed = dict[str, Path]()

    def build(self, phase: str) -> None:
        """Makes the tables and views of a phase again."""
        if phase != "billing" or not self.is_asked:
            super().build(phase)
            return
        self._kill("at first")
        tables = 0
        views = {node.name for node in compiled_nodes() if node.is_view and not node.statements}
        statements = list(self.statements(phase))
        total, done = Counter(name for name, _ in statements), Counter[str]()
        for name, statement in statements:
            self.execute(statement)
            done[name] += 1
            is_whole = done[name] == total[name]
            if is_whole and name not in views:
                tables += 1
                if tables % STEP == 0 or total[name] > 1:
                    self._kill(name)
            elif not is_whole and done[name] % (total[name] // KILLS_WITHIN) == 1:
                self._kill(f"{name}, statement {done[name]}")

    def _kill(self, moment: str) -> None:
        copy = self.killed[moment] = self._folder / f"{moment}.duckdb"
        for end in ("", ".wal"):
            written = self._folder / f"warehouse.duckdb{end}"
            if written.exists():
                shutil.copy(written, f"{copy}{end}")


class KilledHome(BookHome):
    """A home whose run with copies is compared with the runs that begin anew from each of them.

    Attributes:
        healed: how many were compared.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(has_dbt=False)
        self.dbt: KilledDbt = KilledDbt(self.lake._connection, folder)
        self.healed = 0

    def _drafted_by_dbt(self, dbt: CompiledDbt, *rest: Any) -> Any:
        drafted = super()._drafted_by_dbt(dbt, *rest)
        if self.dbt.is_asked:
            self._heal(dict(self.dbt.killed))
        return drafted

    def _heal(self, killed: dict[str, Path]) -> None:
        expected, marts = dict(_made(self.dbt, "billing")), None
        own = Path(f"{killed['at first'].parent}/warehouse.duckdb")
        dbt: CompiledDbt = self.dbt
        for moment, copy in {**killed, "deleted": own.with_stem("deleted")}.items():
            if moment == "deleted":
                shutil.copy(own, copy)
            dbt = dbt.moved_to(copy)
            if moment == "deleted":
                _forget(dbt)
            dbt.build("billing")
            require_same(dict(_made(dbt, "billing")), expected, moment)
            if moment == "deleted" or "int_usage_kept" in moment:
                dbt.build("marts")
                found = dict(_made(dbt, "marts"))
                require_same(found, marts or found, moment)
                marts = found
            self.healed += 1
        dbt.moved_to(own)


def _made(dbt: CompiledDbt, phase: str) -> Iterator[tuple[str, Counter[str]]]:
    """The rows of what a phase makes; with bills, also of all that is kept."""
    if phase == "billing":
        yield from kept_rows(dbt.tuples).items()
    for node in compiled_nodes():
        # What changed since the mark is nothing once the mark is committed.
        if node.relation and node.phase == phase and node.name != "int_calendar_changes":
            yield node.name, Counter(map(repr, dbt.tuples(f"SELECT * FROM {node.relation}")))


def _forget(dbt: CompiledDbt) -> None:
    """Drops all that runs made: only what Python wrote for this one stays."""
    for (schema,) in dbt.tuples(
        "SELECT schema_name FROM duckdb_schemas() WHERE database_name = 'warehouse' AND NOT "
        "internal AND schema_name NOT IN ('main', 'catalog', 'calendar', 'landing')"
    ):
        dbt.execute(f'DROP SCHEMA warehouse."{schema}" CASCADE')
    dbt.prepare()


def test_run_that_is_killed_anywhere_in_billing_is_healed_by_the_next(tmp_path: Path) -> None:
    home = KilledHome(tmp_path)
    history = History(1, home, checked=0)
    files = history.live(3)
    home.dbt.is_asked = True

    history._advance()
    history.run(files, [*history.books.waiting, *history._sent()])

    home.close()
    # Before, within and after the kept tables, some others, and without any.
    assert home.healed > KILLS_WITHIN + 5
