"""Billing periods at the edges of the calendar."""

from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest

from pipelines.catalog.periods import billing_periods
from pipelines.periods.rhythm import longest_period_days
from pipelines.periods.zones import known_time_zones, local_midnight
from pipelines.vocabulary.frames import BILLING_PERIODS
from tests.worlds.periods import CUSTOMERS, PLANS, SUBSCRIPTIONS, Terms, at, periods_of, when_date


def empty_catalog() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    return (
        pl.DataFrame(schema=SUBSCRIPTIONS),
        pl.DataFrame(schema=CUSTOMERS),
        pl.DataFrame(schema=PLANS),
    )


def instants(periods: pl.DataFrame, column: str) -> list[str]:
    return periods[column].dt.to_string("%Y-%m-%d %H:%M").to_list()


@pytest.mark.parametrize(
    ("terms", "until", "start_dates"),
    [
        pytest.param(
            Terms("day", "2026-02-27"),
            "2026-03-02",
            ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"],
            id="days",
        ),
        pytest.param(
            Terms("day", "2026-01-01", count=10, anchor="anniversary"),
            "2026-01-31",
            ["2026-01-01", "2026-01-11", "2026-01-21", "2026-01-31"],
            id="every-ten-days",
        ),
        pytest.param(
            # 2026-01-01 is a Thursday.
            Terms("week", "2026-01-01"),
            "2026-01-13",
            ["2026-01-01", "2026-01-05", "2026-01-12"],
            id="weeks-start-on-monday",
        ),
        pytest.param(
            Terms("week", "2026-01-01", anchor="anniversary"),
            "2026-01-15",
            ["2026-01-01", "2026-01-08", "2026-01-15"],
            id="weeks-from-the-start",
        ),
        pytest.param(
            # The week of the start begins on 2025-12-29; two weeks on is 2026-01-12.
            Terms("week", "2026-01-01", count=2),
            "2026-01-27",
            ["2026-01-01", "2026-01-12", "2026-01-26"],
            id="two-weeks-count-from-the-monday-before",
        ),
        pytest.param(
            Terms("month", "2026-01-15"),
            "2026-03-31",
            ["2026-01-15", "2026-02-01", "2026-03-01"],
            id="first-calendar-month-is-shorter",
        ),
        pytest.param(
            Terms("month", "2026-01-15", anchor="anniversary"),
            "2026-03-31",
            ["2026-01-15", "2026-02-15", "2026-03-15"],
            id="anniversary-months",
        ),
        pytest.param(
            Terms("month", "2026-01-31", anchor="anniversary"),
            "2026-05-31",
            ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"],
            id="31st-clamps-and-returns",
        ),
        pytest.param(
            Terms("month", "2024-01-30", anchor="anniversary"),
            "2024-03-30",
            ["2024-01-30", "2024-02-29", "2024-03-30"],
            id="30th-in-a-leap-year",
        ),
        pytest.param(
            Terms("month", "2026-01-29", anchor="anniversary"),
            "2026-03-29",
            ["2026-01-29", "2026-02-28", "2026-03-29"],
            id="29th-in-a-common-year",
        ),
        pytest.param(
            Terms("month", "2026-01-28", anchor="anniversary"),
            "2026-03-28",
            ["2026-01-28", "2026-02-28", "2026-03-28"],
            id="28th-never-clamps",
        ),
        pytest.param(
            Terms("month", "2025-11-30", count=3, anchor="anniversary"),
            "2026-08-30",
            ["2025-11-30", "2026-02-28", "2026-05-30", "2026-08-30"],
            id="three-months-over-february-and-new-year",
        ),
        pytest.param(
            Terms("month", "2026-02-10", count=2),
            "2026-06-30",
            ["2026-02-10", "2026-04-01", "2026-06-01"],
            id="two-calendar-months-count-from-the-month-of-the-start",
        ),
        pytest.param(
            Terms("quarter", "2026-02-10"),
            "2026-12-31",
            ["2026-02-10", "2026-04-01", "2026-07-01", "2026-10-01"],
            id="calendar-quarters",
        ),
        pytest.param(
            Terms("quarter", "2025-11-30", anchor="anniversary"),
            "2026-05-30",
            ["2025-11-30", "2026-02-28", "2026-05-30"],
            id="anniversary-quarters",
        ),
        pytest.param(
            Terms("year", "2024-02-29", anchor="anniversary"),
            "2028-02-29",
            ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"],
            id="leap-day-clamps-and-returns",
        ),
        pytest.param(
            Terms("year", "2024-02-29"),
            "2026-12-31",
            ["2024-02-29", "2025-01-01", "2026-01-01"],
            id="calendar-years",
        ),
        pytest.param(
            Terms("year", "2024-03-01", count=2),
            "2027-12-31",
            ["2024-03-01", "2026-01-01"],
            id="two-calendar-years",
        ),
    ],
)
def test_periods_start_where_the_anchor_says(
    terms: Terms, until: str, start_dates: list[str]
) -> None:
    periods = periods_of(terms, until)

    assert periods["period_start_date"].cast(pl.String).to_list() == start_dates
    assert periods["period_index"].to_list() == list(range(1, len(start_dates) + 1))
    assert periods["period_end_at"].to_list()[:-1] == periods["period_start_at"].to_list()[1:]


@pytest.mark.parametrize(
    ("end", "ends"),
    [
        pytest.param("2026-02-10", ["2026-02-01 00:00", "2026-02-10 00:00"], id="inside-a-period"),
        pytest.param("2026-02-01", ["2026-02-01 00:00"], id="on-a-boundary"),
        pytest.param("2026-02-02", ["2026-02-01 00:00", "2026-02-02 00:00"], id="one-day-beyond"),
        pytest.param("2026-01-31", ["2026-01-31 00:00"], id="one-day-before"),
        pytest.param("2026-01-02", ["2026-01-02 00:00"], id="one-day-of-life"),
        pytest.param("2026-01-01", [], id="no-life"),
    ],
)
def test_last_period_ends_with_the_subscription(end: str, ends: list[str]) -> None:
    assert instants(periods_of(Terms(end=end), "2030-01-01"), "period_end_at") == ends


@pytest.mark.parametrize(
    ("until", "count"),
    [
        pytest.param("2025-12-31T23:59:59.999999", 0, id="just-before-the-start"),
        pytest.param("2026-01-01", 1, id="at-the-start"),
        pytest.param("2026-01-31T23:59:59.999999", 1, id="last-microsecond-of-the-first"),
        pytest.param("2026-02-01", 2, id="at-the-second"),
    ],
)
def test_a_period_is_known_once_it_has_begun(until: str, count: int) -> None:
    assert periods_of(Terms(), until).height == count


def test_until_is_compared_as_an_instant_whatever_its_zone() -> None:
    # 2026-02-01T00:30+01:00 is still January in UTC, but February in Tokyo.
    until = datetime(2026, 2, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))).astimezone(UTC)

    assert periods_of(Terms(), until.replace(tzinfo=None).isoformat()).height == 1
    assert periods_of(Terms(zone="Asia/Tokyo"), until.replace(tzinfo=None).isoformat()).height == 2


def test_until_without_a_zone_is_refused() -> None:
    subscriptions, customers, plans = empty_catalog()

    with pytest.raises(ValueError, match="give an instant with a zone"):
        billing_periods(subscriptions, customers, plans, datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("zone", "day", "instant"),
    [
        pytest.param("UTC", "2026-03-29", "2026-03-29 00:00:00", id="utc"),
        pytest.param("Europe/Berlin", "2026-03-29", "2026-03-28 23:00:00", id="day-of-spring"),
        pytest.param("Europe/Berlin", "2026-03-30", "2026-03-29 22:00:00", id="day-after-spring"),
        pytest.param("Europe/Berlin", "2026-10-25", "2026-10-24 22:00:00", id="day-of-autumn"),
        pytest.param("Europe/Berlin", "2026-10-26", "2026-10-25 23:00:00", id="day-after-autumn"),
        pytest.param("America/New_York", "2026-03-08", "2026-03-08 05:00:00", id="west-spring"),
        pytest.param("America/New_York", "2026-11-02", "2026-11-02 05:00:00", id="west-autumn"),
        pytest.param("Asia/Kathmandu", "2026-01-01", "2025-12-31 18:15:00", id="quarter-hour-zone"),
        pytest.param(
            "Pacific/Kiritimati", "2026-01-01", "2025-12-31 10:00:00", id="farthest-ahead"
        ),
        pytest.param("Pacific/Niue", "2026-01-01", "2026-01-01 11:00:00", id="far-behind"),
        # Clocks went from 00:00 to 01:00: the day began at 01:00 local, 22:00 UTC.
        pytest.param("Asia/Beirut", "2021-03-28", "2021-03-27 22:00:00", id="no-midnight-beirut"),
        # From 00:00 (-03) to 01:00 (-02): 03:00 UTC.
        pytest.param(
            "America/Sao_Paulo", "2018-11-04", "2018-11-04 03:00:00", id="no-midnight-west"
        ),
        # From 23:30 (-05) to 00:30 (-04): midnight lies inside the gap; 04:30 UTC.
        pytest.param(
            "America/Toronto", "1919-03-31", "1919-03-31 04:30:00", id="gap-over-midnight"
        ),
        # From 01:00 (-04) back to 00:00 (-05): midnight comes twice, at 04:00 and 05:00 UTC.
        pytest.param("America/Havana", "2026-11-01", "2026-11-01 04:00:00", id="two-midnights"),
        # From 00:00 (-02) back to 23:00 (-03): the day before has 25 hours.
        pytest.param(
            "America/Sao_Paulo", "2018-02-18", "2018-02-18 03:00:00", id="repeated-evening"
        ),
        # The whole day was skipped: it begins, and ends, with the next one.
        pytest.param("Pacific/Apia", "2011-12-30", "2011-12-30 10:00:00", id="skipped-day"),
        pytest.param("Pacific/Apia", "2011-12-31", "2011-12-30 10:00:00", id="after-skipped-day"),
    ],
)
def test_a_local_day_begins_at_its_first_instant(zone: str, day: str, instant: str) -> None:
    assert local_midnight(zone, date.fromisoformat(day)) == at(instant)


@pytest.mark.parametrize("zone", ["Factory", "", "Mars/Olympus", "../zones", "/etc/passwd", "CEST"])
def test_unknown_zone_is_refused(zone: str) -> None:
    assert zone not in known_time_zones()
    with pytest.raises(ValueError, match="is no IANA time zone"):
        local_midnight(zone, date(2026, 1, 1))


@pytest.mark.parametrize(
    ("month", "hours"),
    [
        pytest.param("2026-03-01", 31 * 24 - 1, id="spring"),
        pytest.param("2026-04-01", 30 * 24, id="plain"),
        pytest.param("2026-10-01", 31 * 24 + 1, id="autumn"),
    ],
)
def test_a_month_has_the_hours_of_its_zone(month: str, hours: int) -> None:
    first = periods_of(Terms(start=month, zone="Europe/Berlin"), month).row(0, named=True)

    assert first["period_end_at"] - first["period_start_at"] == timedelta(hours=hours)


def test_a_skipped_day_has_no_period_and_leaves_no_gap() -> None:
    periods = periods_of(Terms("day", "2011-12-29", zone="Pacific/Apia"), "2011-12-31T10:00")

    assert periods["period_start_date"].cast(pl.String).to_list() == [
        "2011-12-29",
        "2011-12-31",
        "2012-01-01",
    ]
    assert periods["period_index"].to_list() == [1, 2, 3]
    assert periods["period_end_at"].to_list()[:-1] == periods["period_start_at"].to_list()[1:]


@pytest.mark.parametrize(
    ("terms", "cut"),
    [
        pytest.param(Terms(grace=0), "2026-02-01 00:00", id="no-grace-is-the-end"),
        pytest.param(Terms(grace=3), "2026-02-04 00:00", id="three-days"),
        pytest.param(Terms(grace=40), "2026-03-13 00:00", id="longer-than-the-next-period"),
        pytest.param(Terms(grace=3, end="2026-01-10"), "2026-01-13 00:00", id="of-a-cut-period"),
        # March ends at 22:00 UTC in summer time; so does 3 April.
        pytest.param(
            Terms(start="2026-03-01", zone="Europe/Berlin", grace=3),
            "2026-04-03 22:00",
            id="summer",
        ),
        # October 25 has 25 hours: 3 × 24 h after its start would be 23:00 on the 27th.
        pytest.param(
            Terms("day", "2026-10-24", zone="Europe/Berlin", grace=3),
            "2026-10-27 23:00",
            id="grace-over-the-autumn-change",
        ),
        pytest.param(
            Terms("day", "2026-03-28", zone="Europe/Berlin", grace=1),
            "2026-03-29 22:00",
            id="grace-over-the-spring-change",
        ),
    ],
)
def test_grace_is_counted_in_local_days(terms: Terms, cut: str) -> None:
    assert instants(periods_of(terms, terms.start), "cut_at")[0] == cut


def test_currency_is_the_plans_or_else_the_customers() -> None:
    day = date(2026, 1, 1)
    periods = billing_periods(
        pl.DataFrame(
            [
                ("s1", "c", "priced", "month", 1, "calendar", day, None),
                ("s2", "c", "open", "month", 1, "calendar", day, None),
            ],
            SUBSCRIPTIONS,
            orient="row",
        ).with_columns(when_date("start_date"), when_date("end_date")),
        pl.DataFrame([("c", "EUR", "UTC", 0, "adjust")], CUSTOMERS, orient="row"),
        pl.DataFrame([("priced", "USD"), ("open", None)], PLANS, orient="row"),
        at("2026-01-15"),
    )

    assert periods.select("subscription_id", "currency", "late_usage_policy").rows() == [
        ("s1", "USD", "adjust"),
        ("s2", "EUR", "adjust"),
    ]


def test_no_subscriptions_give_an_empty_frame_of_the_same_columns() -> None:
    subscriptions, customers, plans = empty_catalog()

    periods = billing_periods(subscriptions, customers, plans, at("2026-01-01"))

    assert periods.is_empty()
    assert periods.schema == BILLING_PERIODS
    assert periods_of(Terms(), "2026-01-01").schema == BILLING_PERIODS


@pytest.mark.parametrize(
    ("interval", "count", "days"),
    [("day", 10, 10), ("week", 2, 14), ("month", 1, 31), ("quarter", 1, 92), ("year", 2, 732)],
)
def test_longest_period_is_an_upper_bound(interval: str, count: int, days: int) -> None:
    assert longest_period_days(interval, count) == days
