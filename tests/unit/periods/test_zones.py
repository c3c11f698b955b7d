"""Zones: what clocks show, and the first instant at which they show it."""

import itertools
import struct
from datetime import UTC, datetime, timedelta
from importlib import resources

import polars as pl
import pytest

from pipelines.periods.zones import first_instant, first_instants, known_time_zones, labels_at
from pipelines.vocabulary.tables import LABEL, UTC_MICROSECONDS
from witness import clocks

SINCE = int(datetime(1960, 1, 1, tzinfo=UTC).timestamp())


def label(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "shown", "instant"),
    [
        pytest.param("Europe/Berlin", "2026-03-29 01:59:59", "2026-03-29 00:59:59", id="before"),
        pytest.param("Europe/Berlin", "2026-03-29 02:00:00", "2026-03-29 01:00:00", id="gap"),
        pytest.param("Europe/Berlin", "2026-03-29 02:30:00.25", "2026-03-29 01:00:00", id="in-it"),
        pytest.param("Europe/Berlin", "2026-03-29 03:00:00", "2026-03-29 01:00:00", id="its-end"),
        pytest.param("Europe/Berlin", "2026-10-25 01:59:59", "2026-10-24 23:59:59", id="autumn"),
        pytest.param("Europe/Berlin", "2026-10-25 02:00:00", "2026-10-25 00:00:00", id="twice"),
        pytest.param("Europe/Berlin", "2026-10-25 02:59:59", "2026-10-25 00:59:59", id="first"),
        pytest.param("Europe/Berlin", "2026-10-25 03:00:00", "2026-10-25 02:00:00", id="after"),
        pytest.param("Pacific/Apia", "2011-12-30 10:00:00", "2011-12-30 10:00:00", id="no-day"),
        pytest.param("Africa/Monrovia", "1972-01-07 00:00:00", "1972-01-07 00:44:30", id="seconds"),
    ],
)
def test_label_is_the_first_instant_at_which_clocks_show_it_or_later(
    zone: str, shown: str, instant: str
) -> None:
    assert first_instant(zone, label(shown)) == label(f"{instant}+00:00")


def test_null_gives_null_beside_others() -> None:
    zones = pl.Series(["Europe/Berlin", "Asia/Tokyo"])
    labels = pl.Series([None, label("2026-01-01 00:00")], dtype=LABEL)

    assert first_instants(zones, labels).to_list() == [None, label("2025-12-31 15:00+00:00")]
    assert first_instants(zones, labels.clear(2)).to_list() == [None, None]
    assert labels_at(zones, first_instants(zones, labels)).to_list() == labels.to_list()


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Havana", "Australia/Lord_Howe"])
def test_clocks_are_those_of_the_witness_in_every_hour_of_a_year(zone: str) -> None:
    hours = [datetime(2026, 1, 1) + timedelta(minutes=20 * n) for n in range(3 * 24 * 366)]  # noqa: DTZ001
    zones, labels = pl.Series([zone] * len(hours)), pl.Series(hours, dtype=LABEL)
    instants = labels.dt.replace_time_zone("UTC").cast(UTC_MICROSECONDS)

    assert labels_at(zones, instants).to_list() == [clocks.shown(zone, at) for at in instants]
    some = [*range(0, len(hours), 97), *range(6500, 6540)]
    expected = [clocks.first_instant(zone, hours[place]) for place in some]
    assert first_instants(zones[some], labels[some]).to_list() == expected


def test_no_zone_changes_its_clocks_twice_in_four_days() -> None:
    """So one look in four days sees every change: each zone's own list of changes says so."""
    for zone in known_time_zones():
        rules = resources.files("tzdata").joinpath("zoneinfo", zone).read_bytes()
        # The header of a TZif file, then the body of version 1, then the same of version 2.
        utc, standard, leap, times, types, letters = struct.unpack(">6l", rules[20:44])
        begin = 44 + times * 5 + types * 6 + letters + leap * 8 + standard + utc
        (count,) = struct.unpack(">l", rules[begin + 32 : begin + 36])
        changes = struct.unpack(f">{count}q", rules[begin + 44 : begin + 44 + 8 * count])
        late = [at for at in changes if at > SINCE]
        gaps = [after - before for before, after in itertools.pairwise(late)]
        assert min(gaps, default=10**9) > 4 * 24 * 3600, zone
