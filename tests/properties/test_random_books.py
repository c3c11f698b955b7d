"""Histories of random edits after closings against the naive books, and proof that faults are seen.

`RANDOM_BOOKS=500 pytest tests/properties/test_random_books.py` tries as many histories. Minutes of
them without pytest: see `random_books`.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.catalog.catalog import TABLES
from pipelines.vocabulary.frames import CLOSED_CUTS, MOVED_NAMES
from tests.properties.random_books import History, check_split
from tests.worlds.book_runs import BookHome
from tests.worlds.edited_catalogs import CELLS
from tests.worlds.lakes import start_lake

HISTORIES = int(os.environ.get("RANDOM_BOOKS") or "3")
WITHOUT_DBT = -1


@pytest.mark.parametrize("seed", range(1, HISTORIES + 1))
def test_every_run_after_random_edits_is_as_it_is_by_hand(seed: int) -> None:
    History(seed).check()


def test_a_real_lake_gives_the_same(tmp_path: Path) -> None:
    History(7, BookHome(start_lake(tmp_path / "home")), checked=0).check(steps=3)


def test_one_run_over_several_cuts_gives_what_a_run_at_each_gives() -> None:
    check_split(1)


@pytest.mark.parametrize(
    ("name", "wrong", "seed", "checked", "message"),
    [
        pytest.param(
            "collisions", lambda *_: [], 4, WITHOUT_DBT, "subscriptions.csv",
            id="an edit that takes closed time away is let pass",
        ),
        pytest.param(
            "collisions", lambda *_: [], 6, WITHOUT_DBT, "subscription_phases.csv",
            id="a change of plan in closed time is let pass",
        ),
        pytest.param(
            "closed_cuts", lambda *_: pl.DataFrame(schema=CLOSED_CUTS), 1, WITHOUT_DBT, "backdated",
            id="late usage of closed time is accepted",
        ),
        pytest.param(
            "moved_names", lambda *_: pl.DataFrame(schema=MOVED_NAMES), 3, 0, "s5/2026-02-01",
            id="usage whose name moved is billed again",
        ),
    ],
)  # fmt: skip
def test_a_wrong_product_fails_a_history(
    name: str,
    wrong: Callable[..., Any],
    seed: int,
    checked: float,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(f"tests.worlds.book_runs.{name}", wrong)

    with pytest.raises(AssertionError, match=message):
        History(seed, checked=checked).check()


def test_every_column_that_bills_know_is_edited() -> None:
    columns = {
        (name, each.name)
        for name, table in TABLES.items()
        for each in table.columns
        if table.is_priced and each.is_priced
    }

    assert set(CELLS) == columns
