"""Clocks: from what a local clock shows to an instant, and back."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


@cache
def zone(name: str) -> ZoneInfo:
    """The rules of a time zone, from the package `tzdata` and not from the machine."""
    with resources.files("tzdata").joinpath("zoneinfo", name).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def shown(name: str, at: datetime) -> datetime:
    """What the clock of a zone shows at an instant."""
    return at.astimezone(zone(name)).replace(tzinfo=None)


@cache
def first_instant(name: str, label: datetime) -> datetime:
    """The first instant at which the clock of a zone shows a date and time, or a later one.

    Around the label, the clock is so far from UTC as it is on one of the days before and after. The
    instants that would show the label are tried, the earliest first. If none shows it, the clock
    skips the label, and the change is looked for second by second.
    """
    utc = label.replace(tzinfo=UTC)
    distances = set()
    for hours in range(-48, 49, 12):
        at = utc + timedelta(hours=hours)
        distances.add(shown(name, at).replace(tzinfo=UTC) - at)
    for distance in sorted(distances, reverse=True):
        if shown(name, utc - distance) == label:
            return utc - distance
    before, after = utc - max(distances), utc - min(distances)
    before = before.replace(microsecond=0)
    while after - before > SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if shown(name, middle) >= label:
            after = middle
        else:
            before = middle
    return after


def midnight(day: date) -> datetime:
    """The label of the beginning of a day."""
    return datetime.combine(day, time())
