"""Periods that an edit adds to the past: which they are, at each bound."""

from datetime import datetime, timedelta

import polars as pl
import pytest

from pipelines.invoicing.added_to_the_past import PERIOD, LastClosing, added_to_the_past
from tests.worlds.periods import Terms, at, periods_of

ALLOWANCE = timedelta(days=3)
TICK = timedelta(microseconds=1)
TODAY = periods_of(Terms(start="2026-01-01", grace=2), "2026-06-15")
BEFORE = periods_of(Terms(start="2026-05-01", grace=2), "2026-06-15")


def added(today: pl.DataFrame, before: pl.DataFrame, as_of: str = "2026-06-15") -> list[str]:
    last = LastClosing(at(as_of), before.select(PERIOD))
    found = added_to_the_past(today, last, ALLOWANCE)
    return [f"{label:%Y-%m-%d}" for label in found["period_start_label"]]


def test_earlier_start_adds_the_periods_before_the_old_one() -> None:
    assert added(TODAY, BEFORE) == ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"]


def test_same_catalog_adds_nothing() -> None:
    assert added(TODAY, TODAY) == []


def test_first_closing_knows_no_added_period() -> None:
    found = added_to_the_past(TODAY, None, ALLOWANCE)

    assert found.is_empty()
    assert found.schema == TODAY.schema


@pytest.mark.parametrize(
    ("closed_at", "is_added"),
    [
        # The grace of April ends on 3 May.
        pytest.param(at("2026-05-06"), False, id="three days before the closing"),
        pytest.param(at("2026-05-06") + TICK, True, id="a microsecond more"),
    ],
)
def test_allowance_counts_from_the_end_of_the_grace(closed_at: datetime, is_added: bool) -> None:
    last = LastClosing(closed_at, BEFORE.select(PERIOD))
    labels = added_to_the_past(TODAY, last, ALLOWANCE)["period_start_label"]

    assert (at("2026-04-01").replace(tzinfo=None) in labels) is is_added


def test_longer_grace_and_another_zone_make_no_other_period() -> None:
    other = periods_of(Terms(start="2026-01-01", grace=9, zone="Asia/Tokyo"), "2026-06-15")

    assert added(other, TODAY) == []
    assert added(TODAY, other) == []
