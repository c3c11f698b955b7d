"""Time zones: from what local clocks show to instants, and back.

The rules come from the locked package `tzdata`, never from the host: two hosts must cut a period at
the same instant.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import polars as pl

from pipelines.vocabulary.tables import LABEL, UTC_MICROSECONDS

_DAY = timedelta(days=1)
_LOOK = timedelta(days=4)
_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SECONDS_PER_BLOCK = 2**39
"""More seconds than the years 1 to 9999 have: it keeps the keys of two blocks apart."""

_IN_FORCE = pl.Schema({"ahead": pl.Duration("us"), "changed_at": UTC_MICROSECONDS})
"""How far ahead of UTC clocks are, and since when."""

_SECONDS_BEFORE_EPOCH = 2**36
"""More seconds than there are between the years 1 and 1970: no key is negative."""


def first_instants(time_zones: pl.Series, labels: pl.Series) -> pl.Series:
    """The first instant (UTC) at which the clock of a zone shows a label or a later one.

    A label that clocks skip is the instant of the change. A label that clocks show twice is the
    first of the two.

    Example: clocks of Berlin go from 02:00 to 03:00 on 29 March 2026. The label 02:30 of that day
    is 01:00 UTC, as 03:00 is.

    Args:
        time_zones: names of zones, one per label.
        labels: local dates and times; null gives null.
    """
    found = _in_force(time_zones, labels, is_local=True)
    instants = labels.dt.replace_time_zone("UTC") - found["ahead"]
    both = pl.DataFrame({"instant": instants, "change": found["changed_at"]})
    return both.select(
        pl.when(pl.col("instant").is_not_null()).then(pl.max_horizontal("instant", "change"))
    ).to_series()


def labels_at(time_zones: pl.Series, instants: pl.Series) -> pl.Series:
    """What the clock of a zone shows at an instant; null gives null.

    Args:
        time_zones: names of zones, one per instant.
        instants: in UTC.
    """
    clocks = instants.dt.replace_time_zone(None)
    return clocks + _in_force(time_zones, clocks, is_local=False)["ahead"]


def first_instant(time_zone: str, label: datetime) -> datetime:
    """The same as `first_instants`, of one label.

    Raises:
        ValueError: the zone is not one of `known_time_zones`.
    """
    found: datetime = first_instants(pl.Series([time_zone]), pl.Series([label], dtype=LABEL))[0]
    return found.astimezone(UTC)


def local_midnight(time_zone: str, day: date) -> datetime:
    """The first instant (UTC) of a local day, also where there is no midnight, or two.

    Raises:
        ValueError: the zone is not one of `known_time_zones`.
    """
    return first_instant(time_zone, datetime.combine(day, time()))


def local_time(time_zone: str, instant: datetime) -> datetime:
    """What the clock of a zone shows at an instant.

    Raises:
        ValueError: the zone is not one of `known_time_zones`.
    """
    return instant.astimezone(_zone(time_zone))


@cache
def known_time_zones() -> frozenset[str]:
    """Names of the IANA time zones that customers may have."""
    listed = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    return frozenset(listed.split()) - {"Factory"}


def _in_force(time_zones: pl.Series, clocks: pl.Series, *, is_local: bool) -> pl.DataFrame:
    """How far ahead of UTC each clock is: columns `ahead` and `changed_at`, one row per clock.

    The changes of each zone and year in question stand in one sorted list, so that each clock is
    found by a binary search.

    Args:
        time_zones: names of zones.
        clocks: what is looked up: local labels, or instants without their zone.
        is_local: True for labels.
    """
    if clocks.null_count() == clocks.len():
        return pl.DataFrame(schema=_IN_FORCE).clear(clocks.len())
    asked = pl.DataFrame({"time_zone": time_zones, "clock": clocks}).with_columns(
        year=pl.col("clock").dt.year()
    )
    blocks = asked.select("time_zone", "year").drop_nulls().unique().with_row_index("block")
    changes = pl.DataFrame(
        [
            (block, at + before if is_local else at, ahead, at)
            for block, zone, year in blocks.iter_rows()
            for at, before, ahead in _changes(zone, year)
        ],
        schema={"block": pl.Int64, "clock": pl.Int64, "ahead": pl.Int64, "changed_at": pl.Int64},
        orient="row",
    )
    block = pl.col("block").cast(pl.Int64) * _SECONDS_PER_BLOCK + _SECONDS_BEFORE_EPOCH
    keys = changes.select(block + pl.col("clock")).to_series()
    clock = pl.col("clock").dt.timestamp("us") // 1_000_000
    found = asked.join(blocks, on=["time_zone", "year"], how="left", maintain_order="left")
    # A null finds the first change, whatever it is; no label comes of it.
    place = found.select((block + clock).fill_null(_SECONDS_PER_BLOCK)).to_series()
    rows = keys.search_sorted(place, side="right").cast(pl.Int64).clip(1) - 1
    return changes.select(
        ahead=pl.duration(seconds="ahead", time_unit="us"),
        changed_at=pl.from_epoch("changed_at", "s")
        .dt.cast_time_unit("us")
        .dt.replace_time_zone("UTC"),
    ).cast(_IN_FORCE)[rows]


@cache
def _changes(time_zone: str, year: int) -> tuple[tuple[int, int, int], ...]:
    """Each change of the clocks around a year: when, and seconds ahead of UTC before and after.

    All are in seconds. The first entry is no change: it says what holds before the year begins.
    No zone changes its clocks twice in `_LOOK`, so that one look in that time finds every change.
    """
    zone = _zone(time_zone)
    # Clocks are less than a day from UTC, on both sides.
    at = datetime(year, 1, 1, tzinfo=UTC) - 2 * _DAY
    end = datetime(year, 12, 31, tzinfo=UTC) + 2 * _DAY
    ahead = _ahead(zone, at)
    found = [(_seconds(at), ahead, ahead)]
    while at < end:
        later = at + _LOOK
        if _ahead(zone, later) != ahead:
            changed_at = _change_within(zone, at, later)
            found.append((_seconds(changed_at), ahead, ahead := _ahead(zone, changed_at)))
        at = later
    return tuple(found)


def _change_within(zone: ZoneInfo, earliest: datetime, latest: datetime) -> datetime:
    # The first second at which clocks are as they are at the latest.
    ahead = _ahead(zone, latest)
    while latest - earliest > _SECOND:
        middle = earliest + (latest - earliest) // 2
        middle -= timedelta(microseconds=middle.microsecond)
        if _ahead(zone, middle) == ahead:
            latest = middle
        else:
            earliest = middle
    return latest


def _ahead(zone: ZoneInfo, at: datetime) -> int:
    ahead = at.astimezone(zone).utcoffset()
    assert ahead is not None  # noqa: S101 -- a zone has an offset; for the type checker
    return ahead // _SECOND


def _seconds(at: datetime) -> int:
    return (at - _EPOCH) // _SECOND


@cache
def _zone(time_zone: str) -> ZoneInfo:
    if time_zone not in known_time_zones():
        raise ValueError(f"{time_zone!a} is no IANA time zone; write a name like Europe/Berlin")
    with resources.files("tzdata").joinpath("zoneinfo", time_zone).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=time_zone)
