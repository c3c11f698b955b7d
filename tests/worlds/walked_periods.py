"""Subscriptions for the oracles of periods, which go day by day and minute by minute."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import strategies as st

from tests.worlds.periods import when_date

INTERVALS = ("day", "week", "month", "quarter", "year")
ANCHORS = ("calendar", "anniversary")
"""What begins_period knows."""

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",  # no midnight on days of spring until 2018
    "Asia/Beirut",  # no midnight on the last Sunday of March
    "America/Havana",  # two midnights in autumn
    "Australia/Lord_Howe",  # changes by half an hour
    "Pacific/Apia",  # skipped 30 December 2011
    "Asia/Kathmandu",
)


@dataclass(frozen=True)
class Subscription:
    subscription_id: str
    customer_id: str
    interval: str
    interval_count: int
    anchor: str
    start_date: date
    end_date: date | None


@dataclass(frozen=True)
class Customer:
    customer_id: str
    time_zone: str
    grace_period_days: int
    late_usage_policy: str = "reject"


def frame_of_subscriptions(subscriptions: list[Subscription]) -> pl.DataFrame:
    return pl.DataFrame(
        [tuple(vars(subscription).values()) for subscription in subscriptions],
        schema={
            "subscription_id": pl.String(),
            "customer_id": pl.String(),
            "interval": pl.String(),
            "interval_count": pl.Int32(),
            "anchor": pl.String(),
            "start_date": pl.Date(),
            "end_date": pl.Date(),
        },
        orient="row",
    ).with_columns(when_date("start_date"), when_date("end_date"), plan_code=pl.lit("p"))


def frame_of_customers(customers: list[Customer]) -> pl.DataFrame:
    return pl.DataFrame(
        [tuple(vars(customer).values()) for customer in customers],
        schema={
            "customer_id": pl.String(),
            "time_zone": pl.String(),
            "grace_period_days": pl.Int32(),
            "late_usage_policy": pl.String(),
        },
        orient="row",
    ).with_columns(currency=pl.lit("EUR"))


PLANS = pl.DataFrame({"plan_code": ["p"], "currency": ["USD"]})


@cache
def first_instant(zone: str, day: date) -> datetime:
    # In the tested years, all clocks change on quarters of an hour.
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    while instant.astimezone(ZoneInfo(zone)).date() < day:
        instant += timedelta(minutes=15)
    return instant


def begins_period(subscription: Subscription, day: date) -> bool:
    start, count = subscription.start_date, subscription.interval_count
    if day == start:
        return True
    if subscription.anchor == "calendar":
        start = {
            "day": start,
            "week": start - timedelta(days=start.weekday()),
            "month": start.replace(day=1),
            "quarter": start.replace(month=(start.month - 1) // 3 * 3 + 1, day=1),
            "year": start.replace(month=1, day=1),
        }[subscription.interval]
    if subscription.interval in {"day", "week"}:
        days = count * {"day": 1, "week": 7}[subscription.interval]
        return (day - start).days % days == 0
    months = count * {"month": 1, "quarter": 3, "year": 12}[subscription.interval]
    if ((day.year - start.year) * 12 + day.month - start.month) % months:
        return False
    is_last_of_month = (day + timedelta(days=1)).day == 1
    return day.day == start.day or (is_last_of_month and day.day < start.day)


days = st.dates(date(2010, 12, 1), date(2013, 3, 31)) | st.dates(date(2018, 1, 1), date(2024, 3, 1))


@st.composite
def subscriptions(draw: st.DrawFn) -> Subscription:
    start = draw(days)
    length = draw(st.none() | st.integers(1, 500))
    return Subscription(
        subscription_id="s",
        customer_id="c",
        interval=draw(st.sampled_from(INTERVALS)),
        interval_count=draw(st.integers(1, 3)),
        anchor=draw(st.sampled_from(ANCHORS)),
        start_date=start,
        end_date=None if length is None else start + timedelta(days=length),
    )


customers = st.builds(
    Customer, st.just("c"), st.sampled_from(ZONES), st.integers(0, 10), st.just("reject")
)
