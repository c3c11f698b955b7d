"""Local days: each begins when the clock first shows its date, and ends where the next begins."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import polars as pl
import pytest

from pipelines.periods.local_days import local_days
from pipelines.vocabulary.frames import LOCAL_DAYS, ZONE_SPANS
from witness import clocks

DAY = timedelta(days=1)
HALF_MINUTE = timedelta(seconds=30)
"""Clocks have changed only at whole half minutes since 1970."""

Row = tuple[str, int, datetime, datetime]


def days_of(*spans: tuple[str, datetime, datetime]) -> list[Row]:
    found = local_days(pl.DataFrame(spans, ZONE_SPANS, orient="row"))
    assert found.schema == LOCAL_DAYS
    return found.rows()


def around(zone: str, day: str) -> list[Row]:
    noon = datetime.fromisoformat(f"{day}T12:00:00Z")
    return days_of((zone, noon - 2 * DAY, noon + 2 * DAY))


def walked(zone: str, from_at: datetime, to_at: datetime) -> Iterator[Row]:
    """The same, by looking at the clock of the zone every half minute."""
    at = from_at.replace(second=0) - 3 * DAY
    latest = clocks.shown(zone, at).date()
    begun: list[tuple[date, datetime]] = []
    while at < to_at + 3 * DAY:
        at += HALF_MINUTE
        shown = clocks.shown(zone, at).date()
        if shown > latest:
            begun.append((shown, at))
            latest = shown
    for (day, start), (_, end) in pairwise(begun):
        if start <= to_at and end > from_at:
            yield zone, (day - date(1970, 1, 1)).days, start, end


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        pytest.param("Europe/Berlin", "2026-03-29", id="23-hours"),
        pytest.param("Europe/Berlin", "2026-10-25", id="25-hours"),
        pytest.param("Australia/Lord_Howe", "2026-04-05", id="24-and-a-half-hours"),
        pytest.param("Asia/Kolkata", "2026-01-01", id="half-past"),
        pytest.param("Asia/Kathmandu", "2026-01-01", id="a-quarter-to"),
        pytest.param("Pacific/Apia", "2011-12-30", id="day-that-was-skipped"),
        pytest.param("Pacific/Kwajalein", "1993-08-21", id="another-one"),
        pytest.param("America/Sao_Paulo", "2018-11-04", id="no-midnight"),
        pytest.param("America/Sao_Paulo", "2018-02-18", id="an-hour-twice-before-midnight"),
        pytest.param("America/Havana", "2026-11-01", id="midnight-twice"),
        pytest.param("America/St_Johns", "2008-11-02", id="day-begins-and-its-eve-comes-back"),
        pytest.param("Africa/Monrovia", "1972-01-07", id="half-a-minute"),
        pytest.param("Etc/UTC", "1970-01-01", id="the-first-day"),
    ],
)
def test_days_are_those_of_a_clock_that_is_watched(zone: str, day: str) -> None:
    noon = datetime.fromisoformat(f"{day}T12:00:00Z")
    assert around(zone, day) == [*walked(zone, noon - 2 * DAY, noon + 2 * DAY)]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", [24, 24, 23, 24, 24]),
        ("Europe/Berlin", "2026-10-25", [24, 24, 25, 24, 24]),
        # 28, 29 and 31 December, 1 and 2 January.
        ("Pacific/Apia", "2011-12-30", [24, 24, 24, 24, 24]),
        ("America/Sao_Paulo", "2018-11-04", [24, 24, 23, 24, 24]),
    ],
)
def test_hours_of_days(zone: str, day: str, hours: list[int]) -> None:
    found = [(end - start) / timedelta(hours=1) for *_, start, end in around(zone, day)]
    assert found == hours


def test_day_without_midnight_begins_at_the_change() -> None:
    days = {number: start for _, number, start, _ in around("America/Sao_Paulo", "2018-11-04")}
    number = (date(2018, 11, 4) - date(1970, 1, 1)).days
    # Clocks went from 00:00 at three hours behind UTC to 01:00.
    assert days[number] == datetime(2018, 11, 4, 3, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["America/St_Johns", "Asia/Tokyo", "Pacific/Apia"])
@pytest.mark.parametrize("seconds", [0, 1, 90, 43_200])
def test_every_instant_of_a_span_has_its_day_and_no_other_is_there(zone: str, seconds: int) -> None:
    # In St. John's, the 2nd began at 02:30 UTC; at 02:31 clocks went back to 23:01 of the 1st.
    start = datetime(2008, 11, 2, 2, 30, tzinfo=UTC) + timedelta(seconds=seconds)
    for end in (start, start + DAY):
        assert days_of((zone, start, end)) == [*walked(zone, start, end)]


def test_spans_of_a_zone_are_one_span_and_zones_have_their_own() -> None:
    new_year = datetime(2026, 1, 1, 12, tzinfo=UTC)
    spans = [("Asia/Tokyo", new_year + 5 * DAY, new_year + 5 * DAY),
             ("Asia/Tokyo", new_year, new_year), ("Etc/UTC", new_year, new_year)]  # fmt: skip
    found = days_of(*spans)

    assert [zone for zone, *_ in found] == ["Asia/Tokyo"] * 6 + ["Etc/UTC"]
    assert found == sorted(found)
    tokyo = found[:6]
    assert [start for *_, start, _ in tokyo[1:]] == [end for *_, end in tokyo[:-1]]


def test_no_span_has_no_day() -> None:
    assert days_of() == []


def test_zone_that_is_none_is_refused() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    with pytest.raises(ValueError, match="'Mars/Olympus' is no IANA time zone"):
        days_of(("Mars/Olympus", noon, noon))
