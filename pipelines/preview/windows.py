"""Windows: the local minutes, hours, days and months of a zone, as instants."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import polars as pl

from pipelines.periods.zones import first_instants, labels_at

WINDOWS = ("minute", "hour", "day", "month")

_DAY = timedelta(days=1)
_STEPS = {"minute": timedelta(minutes=1), "hour": timedelta(minutes=15)}
"""Where a window may begin: clocks are whole quarters of an hour from UTC."""


@dataclass(frozen=True)
class Window:
    """A span of time, end exclusive, in UTC."""

    start: datetime
    end: datetime


def windows_of(
    unit: str, time_zone: str, start: datetime, end: datetime, most: int
) -> list[Window]:
    """The local windows that overlap a span, in their order; no more than `most`.

    An hour begins where the local clock shows minute 0, so that a repeated hour is two.

    Args:
        unit: one of `WINDOWS`.
        time_zone: name of the zone.
        start: of the span.
        end: of the span, exclusive.
        most: enough for the caller.
    """
    if unit in _STEPS:
        starts = _clock_starts(unit, time_zone, start, end, most)
    else:
        starts = _calendar_starts(unit, time_zone, start, end, most)
    windows = [Window(one, other) for one, other in pairwise(starts)]
    return [window for window in windows if window.end > start and window.start < end][:most]


def _clock_starts(
    unit: str, time_zone: str, start: datetime, end: datetime, most: int
) -> list[datetime]:
    step = _STEPS[unit]
    first = start.replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    last = min(end + timedelta(hours=2), first + (most + 20) * timedelta(hours=1))
    if unit == "minute":
        last = min(last, first + (most + 300) * step)
    at = pl.datetime_range(first, last, step, time_zone="UTC", eager=True)
    labels = labels_at(pl.Series([time_zone] * len(at), dtype=pl.String), at)
    begins = labels.dt.second() == 0
    if unit == "hour":
        begins &= labels.dt.minute() == 0
    return at.filter(begins).to_list()


def _calendar_starts(
    unit: str, time_zone: str, start: datetime, end: datetime, most: int
) -> list[datetime]:
    months = unit == "month"
    first = (start - 2 * _DAY).date().replace(**({"day": 1} if months else {}))
    if months:
        first = (first - _DAY).replace(day=1)
    last = end.date() + (64 * _DAY if months else 3 * _DAY)
    days_most = (most + 10) * (31 if months else 1)
    last = first + min((last - first).days, days_most) * _DAY
    days = pl.date_range(first, last, "1mo" if months else "1d", eager=True)
    labels = days.cast(pl.Datetime("us"))
    starts = first_instants(pl.Series([time_zone] * len(labels), dtype=pl.String), labels)
    # A day that a zone skipped has no time.
    return sorted(set(starts.to_list()))
