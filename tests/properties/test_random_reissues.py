"""Histories of random books with reissues between their runs, and proof that a fault is seen.

`RANDOM_BOOKS=500 pytest tests/properties/test_random_reissues.py` tries as many histories.
"""

import os
from typing import Any

import polars as pl
import pytest

from pipelines.invoicing.closed_book import closed_rows
from tests.properties.random_reissues import ReissuedHistory
from tests.worlds import book_runs

HISTORIES = int(os.environ.get("RANDOM_BOOKS") or "2")


@pytest.mark.parametrize("seed", range(1, HISTORIES + 1))
def test_every_reissue_is_as_it_is_by_hand(seed: int) -> None:
    history = ReissuedHistory(seed, checked=0.1)

    history.check(steps=3)

    assert history.seen["reissued"]


def test_periods_that_stay_open_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def first_revision(*facts: Any) -> pl.DataFrame:
        return closed_rows(*facts[:-1])

    monkeypatch.setattr(book_runs, "closed_rows", first_revision)

    with pytest.raises(AssertionError, match="closed book"):
        ReissuedHistory(1, checked=0).check(steps=3)
