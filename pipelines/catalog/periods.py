"""Billing periods: spans of a subscription's life, as UTC instants.

The periods of a subscription tile its life. They are half-open, `[start, end)`, and the end of one
is the start of the next (I-13).

1. Each boundary is a local day, computed as anchor + k × step. It is never computed from the
   boundary before it: a 31st clamps to the end of a short month, and the next month has its 31st.
2. A local day begins at its first instant in the customer's zone (`local_midnight`).
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import polars as pl

from pipelines.vocabulary.frames import BILLING_PERIODS
from pipelines.vocabulary.tables import UTC_MICROSECONDS

STEP_DAYS = {"day": 1, "week": 7}
"""Intervals that are a number of local days."""

STEP_MONTHS = {"month": 1, "quarter": 3, "year": 12}
"""Intervals that are a number of calendar months."""

INTERVALS = (*STEP_DAYS, *STEP_MONTHS)
"""What a subscription may be billed by."""

ANCHORS = ("calendar", "anniversary")
"""Where periods are counted from: the calendar unit that holds the start, or the start."""

_RHYTHM = (
    "time_zone",
    "grace_period_days",
    "interval",
    "interval_count",
    "anchor",
    "start_date",
    "end_date",
)
"""All that the instants of a subscription's periods depend on."""

_DAYS_AHEAD_OF_UTC = 1
"""Local dates run at most this many days ahead of the date in UTC (zones reach +14:00)."""


def billing_periods(
    subscriptions: pl.DataFrame,
    customers: pl.DataFrame,
    plans: pl.DataFrame,
    until: datetime,
) -> pl.DataFrame:
    """Every billing period that starts by `until`, one row per subscription and period.

    `calendar` periods begin on Mondays, on the 1st of months, or of January, April, July and
    October; the first one is shorter when the subscription starts inside it. `anniversary`
    periods begin on the start date. An interval of n units counts n from there. The last
    period ends with the subscription.

    The cut is the local midnight that many calendar days after the period's last one, not
    24-hour steps: whoever counts days of grace counts them on a calendar, and a clock change
    must not close a month at 23:00.

    Args:
        subscriptions: subscription_id, customer_id, plan_code, interval, interval_count,
            anchor, start_date, end_date (local dates; the end exclusive, null = open).
        customers: customer_id, currency, time_zone, grace_period_days, late_usage_policy.
        plans: plan_code, currency (null = the customer's).
        until: instant with zone; later calls with a later one only add periods.

    Returns:
        `BILLING_PERIODS`, ordered by its key.

    Raises:
        ValueError: `until` has no zone.
    """
    if until.tzinfo is None:
        raise ValueError(f"until is {until}, a local time; give an instant with a zone")
    plan_currencies = plans.select("plan_code", plan_currency="currency")
    terms = subscriptions.join(customers, on="customer_id").join(plan_currencies, on="plan_code")
    # Many subscriptions share few rhythms: each is worked out once.
    periods = _periods_per_rhythm(terms.select(_RHYTHM).unique(), until.astimezone(UTC))
    return (
        terms.join(periods, on=_RHYTHM, nulls_equal=True)
        .with_columns(currency=pl.coalesce("plan_currency", "currency"))
        .select(BILLING_PERIODS.names())
        .sort("subscription_id", "period_index")
    )


def _periods_per_rhythm(rhythms: pl.DataFrame, until: datetime) -> pl.DataFrame:
    horizon = until.date() + timedelta(days=_DAYS_AHEAD_OF_UTC)
    days = _local_periods(rhythms, horizon).with_columns(
        cut_date=pl.col("period_end_date") + pl.duration(days="grace_period_days")
    )
    periods = _with_instants(
        days,
        period_start_at="period_start_date",
        period_end_at="period_end_date",
        cut_at="cut_date",
    )
    # A zone that skipped a whole day has a period without an instant: Apia, 30 December 2011.
    return periods.filter(
        pl.col("period_start_at") < pl.col("period_end_at"),
        pl.col("period_start_at") <= until,
    ).with_columns(
        period_index=pl.col("period_start_at").rank("ordinal").over(_RHYTHM).cast(pl.Int32)
    )


def _local_periods(rhythms: pl.DataFrame, horizon: date) -> pl.DataFrame:
    # One row per rhythm and period that starts by the horizon, in local dates.
    started = rhythms.filter(
        pl.col("start_date") <= horizon,
        pl.col("start_date") < pl.col("end_date").fill_null(date.max),
    ).with_columns(
        origin=_anchor_date(),
        step_days=_step_units(STEP_DAYS),
        step_months=_step_units(STEP_MONTHS),
        last_date=pl.min_horizontal("end_date", pl.lit(horizon)),
    )
    boundaries = (
        started.with_columns(k=pl.int_ranges(0, _boundaries_by("last_date")))
        .explode("k")
        .with_columns(boundary=_boundary(pl.col("k")), next_boundary=_boundary(pl.col("k") + 1))
    )
    return boundaries.with_columns(
        period_start_date=pl.max_horizontal("boundary", "start_date"),
        period_end_date=pl.min_horizontal("next_boundary", "end_date"),
    ).filter(pl.col("period_start_date") < pl.col("period_end_date"))


def _anchor_date() -> pl.Expr:
    start = pl.col("start_date")
    return (
        pl.when(pl.col("anchor") == "anniversary")
        .then(start)
        .when(pl.col("interval") == "week")
        .then(start.dt.truncate("1w"))
        .when(pl.col("interval") == "month")
        .then(start.dt.truncate("1mo"))
        .when(pl.col("interval") == "quarter")
        .then(start.dt.truncate("1q"))
        .when(pl.col("interval") == "year")
        .then(start.dt.truncate("1y"))
        .otherwise(start)
    )


def _step_units(units: dict[str, int]) -> pl.Expr:
    # Null where the interval is counted in the other kind of unit.
    per_interval = pl.col("interval").replace_strict(units, default=None, return_dtype=pl.Int64)
    return per_interval * pl.col("interval_count")


def _boundaries_by(last: str) -> pl.Expr:
    # Boundaries on or before the last day; by whole months, so there may be one after it.
    days = (pl.col(last) - pl.col("origin")).dt.total_days() // pl.col("step_days")
    months = (_month_number(last) - _month_number("origin")) // pl.col("step_months")
    return pl.coalesce(days, months) + 1


def _boundary(k: pl.Expr) -> pl.Expr:
    by_days = pl.col("origin") + pl.duration(days=k * pl.col("step_days"))
    month = _month_number("origin") + k * pl.col("step_months")
    first = pl.date(month // 12, month % 12 + 1, 1)
    day = pl.min_horizontal(pl.col("origin").dt.day(), first.dt.days_in_month())
    return pl.coalesce(by_days, first + pl.duration(days=day.cast(pl.Int64) - 1))


def _month_number(day: str) -> pl.Expr:
    # Months since January of year 0.
    return pl.col(day).dt.year().cast(pl.Int64) * 12 + pl.col(day).dt.month() - 1


def _with_instants(days: pl.DataFrame, **date_by_instant: str) -> pl.DataFrame:
    pairs = pl.concat(
        [days.select("time_zone", local_date=column) for column in date_by_instant.values()]
    ).unique()
    midnights = pairs.with_columns(
        midnight_at=pl.Series(
            [local_midnight(zone, day) for zone, day in pairs.iter_rows()],
            dtype=UTC_MICROSECONDS,
        )
    )
    for instant, column in date_by_instant.items():
        days = days.join(
            midnights.rename({"local_date": column, "midnight_at": instant}),
            on=["time_zone", column],
        )
    return days


def local_midnight(time_zone: str, day: date) -> datetime:
    """The first instant (UTC) of a local day.

    Midnight that does not exist, because clocks went forward over it, is the instant they
    changed; of a midnight that comes twice it is the first.

    Raises:
        ValueError: the zone is not one of `known_time_zones`.
    """
    zone = _zone(time_zone)
    naive = datetime.combine(day, time())
    # Around a gap fold 1 gives the instant by the offset after it, and fold 0 before it.
    latest = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if latest.astimezone(zone).replace(tzinfo=None) == naive:
        return latest
    earliest = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
    # The clocks changed in (earliest, latest]: halve to the second.
    while latest - earliest > timedelta(seconds=1):
        middle = earliest + timedelta(seconds=(latest - earliest) // timedelta(seconds=2))
        if middle.astimezone(zone).replace(tzinfo=None) >= naive:
            latest = middle
        else:
            earliest = middle
    return latest


@cache
def known_time_zones() -> frozenset[str]:
    """Names of the IANA time zones that customers may have."""
    listed = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    return frozenset(listed.split()) - {"Factory"}


@cache
def _zone(time_zone: str) -> ZoneInfo:
    # From the locked package, not the host's files: two hosts must cut a period alike.
    if time_zone not in known_time_zones():
        raise ValueError(f"{time_zone!a} is no IANA time zone; write a name like Europe/Berlin")
    with resources.files("tzdata").joinpath("zoneinfo", time_zone).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=time_zone)


def longest_period_days(interval: str, interval_count: int) -> int:
    """Days of the longest period such a subscription can have, by the calendar."""
    days = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}
    return days[interval] * interval_count
