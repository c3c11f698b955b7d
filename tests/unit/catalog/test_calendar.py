"""The calendar of a catalog reaches as far as any event known by then may lie."""

from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalog.calendar import local_days_of, names, periods_until
from pipelines.catalog.catalog import Catalog
from pipelines.vocabulary.frames import BILLING_PERIODS, CUSTOMER_NAMES, LOCAL_DAYS, ZONE_SPANS
from tests.worlds.catalogs import RIGHT, read
from tests.worlds.deliveries import TICK
from tests.worlds.periods import NOTHING_CLOSED, Terms, at, periods_of

SKEW = timedelta(hours=48)
"""The largest of the catalog's sources; the others have none, or a day."""

# s3 is billed by the day in New York: 10 March 2026 begins there at 04:00 UTC.
DAY_BEGINS = datetime.fromisoformat("2026-03-10T04:00:00Z")


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return read(tmp_path)


def last_day(periods: pl.DataFrame, subscription_id: str) -> object:
    return periods.filter(subscription_id=subscription_id)["period_start_date"].max()


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        pytest.param(DAY_BEGINS - SKEW, date(2026, 3, 10), id="exactly a skew before"),
        pytest.param(DAY_BEGINS - SKEW - TICK, date(2026, 3, 9), id="a tick earlier"),
        pytest.param(DAY_BEGINS, date(2026, 3, 12), id="at the midnight"),
    ],
)
def test_periods_reach_as_far_ahead_as_any_source_may_date(
    catalog: Catalog, as_of: datetime, expected: date
) -> None:
    periods = periods_until(catalog, NOTHING_CLOSED, as_of)

    assert periods.schema == BILLING_PERIODS
    assert last_day(periods, "s3") == expected


def test_catalog_whose_sources_have_no_skew_reaches_up_to_the_instant(tmp_path: Path) -> None:
    header = RIGHT["sources.csv"].splitlines()[0]
    only = {"sources.csv": f"{header}\nraw,metronome,,unlimited,,0,last_modified\n"}
    catalog = read(tmp_path, {**RIGHT, **only})

    assert last_day(periods_until(catalog, NOTHING_CLOSED, DAY_BEGINS), "s3") == date(2026, 3, 10)
    assert last_day(periods_until(catalog, NOTHING_CLOSED, DAY_BEGINS - TICK), "s3") == date(
        2026, 3, 9
    )


def test_instant_before_every_subscription_gives_no_period(catalog: Catalog) -> None:
    assert periods_until(
        catalog, NOTHING_CLOSED, datetime.fromisoformat("2025-12-01T00:00:00Z")
    ).is_empty()


def test_an_id_names_its_customer_until_that_ends(tmp_path: Path) -> None:
    customers = """\
customer_id,name,currency,time_zone,grace_period_days,late_usage_policy,ends_on
acme,Acme,USD,America/New_York,3,reject,
beta,Beta,USD,Asia/Tokyo,3,reject,2026-06-01
zürich,Zürich AG,CHF,Europe/Zurich,0,adjust,
"""

    found = names(read(tmp_path, {**RIGHT, "customers.csv": customers}))

    ids = found.filter(pl.col("name") == pl.col("customer_id"))
    assert ids.select("name", "valid_to_at").rows() == [
        ("acme", None),
        ("beta", datetime.fromisoformat("2026-05-31T15:00:00Z")),
        ("zürich", None),
    ]


def test_names_are_the_ids_and_the_aliases(catalog: Catalog) -> None:
    found = names(catalog)

    assert found.schema == CUSTOMER_NAMES
    assert found.select("name", "customer_id").rows() == [
        ("acme", "acme"),
        ("ops", "acme"),
        ("web", "acme"),
        ("web", "zürich"),
        ("zürich", "zürich"),
    ]


def test_days_of_a_zone_reach_from_the_first_period_of_all_to_its_own_last() -> None:
    berlin = periods_of(Terms(zone="Europe/Berlin", start="2026-03-10"), "2026-03-20")
    closed = pl.DataFrame(
        [("Asia/Tokyo", at("2025-12-31T15:00"), at("2026-01-31T15:00"))],
        ZONE_SPANS,
        orient="row",
    )
    days = local_days_of(berlin, closed)

    assert days.schema == LOCAL_DAYS
    epoch = date(1970, 1, 1).toordinal()
    reach = days.group_by("time_zone", maintain_order=True).agg(
        first=pl.col("day_number").min(), last=pl.col("day_number").max(), count=pl.len()
    )
    # A day before Tokyo's year is 31 December 00:00 there, and 30 December 16:00 in Berlin.
    # A period from 10 March is a part of that from 1 March to 1 April.
    assert [(zone, *map(date.fromordinal, (first + epoch, last + epoch)), count)
            for zone, first, last, count in reach.rows()] == [
        ("Asia/Tokyo", date(2025, 12, 31), date(2026, 2, 2), 34),
        ("Europe/Berlin", date(2025, 12, 30), date(2026, 4, 2), 94),
    ]  # fmt: skip


def test_full_period_of_a_first_part_has_its_days() -> None:
    part = periods_of(Terms(zone="Asia/Tokyo", start="2026-03-30"), "2026-03-30")
    days = local_days_of(part, ZONE_SPANS.to_frame())

    assert days["day_start_at"][0] <= at("2026-02-27T15:00")
    assert days["day_end_at"][-1] > at("2026-04-01T15:00")


def test_no_period_has_no_day() -> None:
    none = local_days_of(BILLING_PERIODS.to_frame(), ZONE_SPANS.to_frame())
    assert none.equals(LOCAL_DAYS.to_frame())
