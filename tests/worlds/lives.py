"""Lives for the calendar and for its witness: made by chance around changes of clocks."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import polars as pl
from hypothesis import strategies as st

from pipelines.periods.lives import PAUSES, PHASES, SUBSCRIPTIONS, Lives
from pipelines.vocabulary.frames import CLOSED_SPANS
from witness.periods import Closed, Life, Phase, When, point

ZONES = (
    "Etc/UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",  # no midnight on days of spring until 2018
    "America/Havana",  # two midnights in autumn
    "Australia/Lord_Howe",  # changes by half an hour
    "Pacific/Apia",  # skipped 30 December 2011
    "Pacific/Kiritimati",  # farthest ahead
    "Etc/GMT+12",  # farthest behind
    "Asia/Kathmandu",
)

CLOCK_CHANGES = (
    date(2011, 12, 30),
    date(2018, 11, 4),
    date(2026, 3, 8),
    date(2026, 3, 29),
    date(2026, 10, 25),
    date(2026, 11, 1),
)
MONTH_ENDS = (date(2024, 2, 29), date(2026, 1, 31), date(2026, 2, 28), date(2026, 12, 31))

days = st.builds(
    lambda day, shift: day + timedelta(days=shift),
    st.sampled_from((*CLOCK_CHANGES, *MONTH_ENDS)),
    st.integers(-2, 2),
)


def instants_on(day: date) -> st.SearchStrategy[datetime]:
    """Instants of a day and the next, on quarters of hours or a second from one."""
    return st.builds(
        lambda quarters, seconds: (
            datetime(day.year, day.month, day.day, tzinfo=UTC)
            + timedelta(minutes=15 * quarters, seconds=seconds)
        ),
        st.integers(0, 150),
        st.sampled_from([0, 0, 0, 1, -1]),
    )


def whens(start: date, least: int = 0, most: int = 0) -> st.SearchStrategy[When]:
    """Dates and instants some days after a day."""
    some_days = st.integers(least, most).map(lambda shift: start + timedelta(days=shift))
    return some_days | some_days.flatmap(instants_on)


RHYTHMS = st.sampled_from(
    [
        ("day", "calendar", None),
        ("day", "anniversary", None),
        ("day", "at", None),
        ("week", "calendar", None),
        ("week", "anniversary", None),
        ("week", "day", "monday"),
        ("week", "day", "thursday"),
        ("week", "day", "sunday"),
        ("month", "calendar", None),
        ("month", "anniversary", None),
        ("month", "at", None),
        ("month", "day", "1"),
        ("month", "day", "15"),
        ("month", "day", "30"),
        ("month", "day", "31"),
        ("quarter", "calendar", None),
        ("quarter", "day", "31"),
        ("half_year", "calendar", None),
        ("half_year", "day", "30"),
        ("year", "calendar", None),
        ("year", "anniversary", None),
        ("year", "day", "29"),
        ("year", "day", "31"),
    ]
)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    day = draw(days)
    interval, anchor, anchor_day = draw(RHYTHMS)
    life = Life(
        start=draw(whens(day)),
        end=draw(st.none() | whens(day, 3, 200)),
        interval=interval,
        interval_count=draw(st.sampled_from([1, 1, 2, 3, 12])),
        time_zone=draw(st.sampled_from(ZONES)),
        anchor=anchor,
        anchor_day=anchor_day,
        anchor_at=draw(whens(day, -400, 400)) if anchor == "at" else None,
        trial_until=draw(st.none() | whens(day, 0, 60)),
        grace_period_days=draw(st.integers(0, 5)),
        phases=[
            Phase(draw(whens(day, 3 + 40 * number, 40 + 40 * number)), f"p{number}",
                  draw(st.booleans()))
            for number in range(draw(st.integers(0, 2)))
        ],
    )  # fmt: skip
    pauses = draw(st.lists(st.tuples(whens(day, -5, 60), whens(day, 61, 90)), max_size=2))
    return replace(life, pauses=pauses)


def is_sensible(life: Life) -> bool:
    """What the rules of the catalog say: starts, changes and the end come in order, by both."""
    points = [point(life, life.start)]
    points += sorted((point(life, phase.start) for phase in life.phases), key=lambda each: each.at)
    points += [point(life, life.end)] if life.end is not None else []
    return all(left.label < right.label and left.at < right.at for left, right in pairwise(points))


def in_frames(many: Sequence[Life], until: datetime) -> Lives:
    """The lives as the calendar takes them; each is named by its place."""
    return Lives(
        pl.DataFrame(
            [
                {
                    "subscription_id": name_of(number),
                    "customer_id": f"c{number}",
                    "plan_code": life.plan_code,
                    "currency": "USD",
                    "time_zone": life.time_zone,
                    "grace_period_days": life.grace_period_days,
                    "late_usage_policy": "reject",
                    "interval": life.interval,
                    "interval_count": life.interval_count,
                    "anchor": life.anchor,
                    "anchor_day": life.anchor_day,
                    "anchor_at": when_of(life.anchor_at),
                    "start_date": when_of(life.start),
                    "end_date": when_of(life.end),
                    "trial_until": when_of(life.trial_until),
                    "until_at": until,
                }
                for number, life in enumerate(many)
            ],
            schema=SUBSCRIPTIONS,
        ),
        pl.DataFrame(
            [
                {
                    "subscription_id": name_of(number),
                    "from": when_of(phase.start),
                    "plan_code": phase.plan_code,
                    "currency": "USD",
                    "realign": phase.realign,
                }
                for number, life in enumerate(many)
                for phase in life.phases
            ],
            schema=PHASES,
        ),
        pl.DataFrame(
            [
                {
                    "subscription_id": name_of(number),
                    "from": when_of(start),
                    "to": when_of(end),
                }
                for number, life in enumerate(many)
                for start, end in life.pauses
            ],
            schema=PAUSES,
        ),
    )


def name_of(number: int) -> str:
    """The subscription_id of a life by its place, in the order of places."""
    return f"s{number:05}"


def when_of(when: When | None) -> dict[str, object] | None:
    """A date or an instant as a cell of `WHEN`."""
    if when is None:
        return None
    return {"date": None, "at": when} if isinstance(when, datetime) else {"date": when, "at": None}


def spans_of(many: Sequence[Life]) -> pl.DataFrame:
    """The closed periods of the lives, a span each; schema `CLOSED_SPANS`."""
    return pl.DataFrame(
        [span_row(number, closed) for number, life in enumerate(many) for closed in life.closed],
        schema=CLOSED_SPANS,
    )


def span_row(number: int, closed: Closed) -> dict[str, object]:
    """A closed period of the life at a place, as the closed book tells the calendar of it."""
    return {
        "subscription_id": name_of(number),
        "customer_id": f"c{number}",
        "plan_code": "p",
        "currency": "USD",
        "time_zone": closed.time_zone,
        "metric_codes": "",
        "phase_start_label": closed.start_label,
        "void_invoice_id": None,
        "span_start_at": closed.start_at,
        "span_end_at": closed.end_at,
        "span_start_label": closed.start_label,
        "span_end_label": closed.end_label,
        "last_cut_at": closed.cut_at,
        "last_period": "",
        "overlaps_itself": False,
    }
