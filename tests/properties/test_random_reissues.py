"""Histories of random books with reissues between their runs, and proof that a fault is seen.

`RANDOM_BOOKS=500 pytest tests/properties/test_random_reissues.py` tries as many histories.
"""

import os

import pytest

from pipelines.vocabulary.tables import CLOSED_PERIODS
from tests.properties.random_reissues import ReissuedHistory
from tests.worlds import book_runs

HISTORIES = int(os.environ.get("RANDOM_BOOKS") or "2")


@pytest.mark.parametrize("seed", range(1, HISTORIES + 1))
def test_every_reissue_is_as_it_is_by_hand(seed: int) -> None:
    history = ReissuedHistory(seed, checked=0.1)

    history.check(steps=3)

    assert history.seen["reissued"]


def test_periods_that_are_not_opened_again_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_runs, "reopening_rows", lambda *_: CLOSED_PERIODS.schema.to_frame())

    with pytest.raises(AssertionError, match=r"closed book|reissued"):
        ReissuedHistory(1, checked=0).check(steps=3)
