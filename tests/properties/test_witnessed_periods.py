"""Periods and days, compared with the witness, which makes them one by one in plain Python."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.periods.open_periods import open_periods
from tests.worlds.lives import in_frames, is_sensible, lives, name_of, spans_of, whens
from witness import clocks
from witness import periods as witness
from witness.periods import Closed, Life, Phase

COLUMNS = {
    "phase_index": "phase_index",
    "plan_code": "plan_code",
    "period_start_label": "start_label",
    "period_end_label": "end_label",
    "period_start_at": "start_at",
    "period_end_at": "end_at",
    "full_start_label": "full_start_label",
    "full_end_label": "full_end_label",
    "full_start_at": "full_start_at",
    "full_end_at": "full_end_at",
    "service_days": "service_days",
    "full_days": "full_days",
    "cut_at": "cut_at",
    "is_trial": "is_trial",
}
"""Columns of a period, and the witness's words for them."""


def witnessed(life: Life, until: datetime) -> list[tuple[object, ...]]:
    return [
        tuple(getattr(each, name) for name in COLUMNS.values())
        for each in witness.open_periods(life, until)
    ]


@given(st.lists(lives().filter(is_sensible), min_size=1, max_size=4), st.integers(0, 300))
@settings(max_examples=120, deadline=None)
def test_periods_are_those_of_the_witness(many: list[Life], days_later: int) -> None:
    until = max(witness.point(life, life.start).at for life in many) + timedelta(days=days_later)

    periods = open_periods(in_frames(many, until), spans_of(many))

    for number, life in enumerate(many):
        found = periods.filter(pl.col("subscription_id") == name_of(number)).select(*COLUMNS)
        assert found.rows() == witnessed(life, until)


@st.composite
def edited(draw: st.DrawFn, life: Life) -> Life:
    """The life with another zone, rhythm or grace, perhaps with a change of plan or an end."""
    another = draw(lives())
    after = clocks.shown(life.time_zone, life.closed[-1].end_at).date()
    phases = list(life.phases)
    if draw(st.booleans()):
        phases.append(Phase(draw(whens(after, 2, 40)), "edited", draw(st.booleans())))
    return replace(
        life,
        time_zone=draw(st.sampled_from([life.time_zone, another.time_zone])),
        interval=another.interval,
        interval_count=draw(st.integers(1, 2)),
        anchor=another.anchor,
        anchor_day=another.anchor_day,
        anchor_at=another.anchor_at,
        trial_until=another.trial_until,
        grace_period_days=another.grace_period_days,
        phases=phases,
        pauses=another.pauses,
        end=draw(st.none() | whens(after, 45, 60)),
    )


def closed_as(period: dict[str, Any]) -> Closed:
    return Closed(
        start_label=period["period_start_label"],
        end_label=period["period_end_label"],
        start_at=period["period_start_at"],
        end_at=period["period_end_at"],
        cut_at=period["cut_at"],
        time_zone=period["time_zone"],
    )


@given(lives(), st.data())
@settings(max_examples=60, deadline=None)
def test_open_time_is_tiled_after_every_closing_and_edit(life: Life, data: st.DataObject) -> None:
    life = replace(life, end=None, phases=[])
    begun_at = witness.point(life, life.start).at
    for _ in range(3):
        until = max([begun_at, *(closed.end_at for closed in life.closed)]) + timedelta(days=100)
        periods = open_periods(in_frames([life], until), spans_of([life]))

        assert periods.select(*COLUMNS).rows() == witnessed(life, until)
        rows = periods.to_dicts()
        tiles = [*life.closed, *(closed_as(row) for row in rows)]
        assert [tile.end_at for tile in tiles[:-1]] == [tile.start_at for tile in tiles[1:]]
        assert [tile.end_label for tile in tiles[:-1]] == [
            tile.start_label for tile in tiles[1:]
        ] or skips_a_day(life)
        assert all(tile.start_at < tile.end_at for tile in tiles)
        assert all(tile.start_label < tile.end_label for tile in tiles)
        assert [tile.cut_at for tile in tiles] == sorted(tile.cut_at for tile in tiles)
        for row in rows:
            # No sliver: a period is shorter than a day only where a change or the end cuts it.
            is_cut = row["period_end_at"] != row["full_end_at"]
            is_whole = row["period_end_label"].date() > row["period_start_label"].date()
            assert is_whole or is_cut
            assert 0 <= row["service_days"] <= row["full_days"]
        closable = data.draw(st.integers(1, 3))
        life = replace(life, closed=[*life.closed, *(closed_as(row) for row in rows[:closable])])
        life = data.draw(edited(life).filter(is_sensible))


def skips_a_day(life: Life) -> bool:
    """The one zone here that skipped a day names what follows by the day after it."""
    return "Pacific/Apia" in {life.time_zone, *(closed.time_zone for closed in life.closed)}
