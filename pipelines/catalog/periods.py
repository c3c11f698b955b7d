"""Billing periods of open time: spans of a subscription's life, as UTC instants.

Open time is the life of a subscription less its closed periods, which are stored facts and are
never computed again. The periods of open time tile it. They are half-open, `[start, end)`, and the
end of one is the start of the next (I-13).

1. Each boundary is a local day, computed as anchor + k × step. It is never computed from the
   boundary before it: a 31st clamps to the end of a short month, and the next month has its 31st.
2. A local day begins at its first instant in the customer's zone (`local_midnight`).
3. A bound that open time shares with closed time is the instant that is stored there.

Example: February is closed in UTC. On 20 March the zone of the customer becomes Los Angeles. March
begins on 1 March at 00:00 UTC, where February ends, and ends on 1 April at 00:00 in Los Angeles.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import polars as pl

from pipelines.vocabulary.frames import BILLING_PERIODS, CLOSED_SPANS
from pipelines.vocabulary.tables import LABEL, UTC_MICROSECONDS

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
"""What decides a subscription's boundaries and cuts, apart from closed time."""

_OPEN_SPAN = ("open_from_date", "open_to_date", "open_from_at", "open_to_at", "last_cut_at")
"""A span of open time: its first day and the day after its last; null is for ever.

The instants are those of closed time before and after it; null where none is. `last_cut_at` is the
latest closed cut of the subscription.
"""

_TILES = (*_RHYTHM, *_OPEN_SPAN)
"""All that the periods of a span depend on."""

_DAYS_AHEAD_OF_UTC = 1
"""Local dates run at most this many days ahead of the date in UTC (zones reach +14:00)."""

_INSTANT_OF = {
    "period_start_at": "period_start_date",
    "period_end_at": "period_end_date",
    "full_start_at": "full_start_date",
    "full_end_at": "full_end_date",
}
"""Each instant of a period, and the local day that begins with it."""

_LABEL_OF = {
    "anchor_label": "anchor_date",
    "phase_start_label": "start_date",
    "period_start_label": "period_start_date",
    "period_end_label": "period_end_date",
    "full_start_label": "full_start_date",
    "full_end_label": "full_end_date",
}
"""Each label of a period, and the local day at whose midnight it stands."""


def billing_periods(
    subscriptions: pl.DataFrame,
    customers: pl.DataFrame,
    plans: pl.DataFrame,
    until: datetime,
    closed: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Every period of open time that starts by `until`, one row per subscription and period.

    `calendar` periods begin on Mondays, on the 1st of months, or of January, April, July and
    October; the first one is shorter when the subscription starts inside it. `anniversary`
    periods begin on the start date. An interval of n units counts n from there. The last
    period ends with the subscription.

    The first period after closed time begins at its end. It ends at the first boundary of today's
    rhythm whose day and whose instant are later. Open time before closed time ends where that
    begins. So a changed zone, anchor, interval or grace leaves no gap and no overlap.

    The grace ends at the local midnight that many calendar days after the period's last one, not
    24-hour steps: whoever counts days of grace counts them on a calendar, and a clock change
    must not close a month at 23:00. The cut is the end of the grace, or the latest cut of the
    subscription that is closed, whichever is later: cuts never go back.

    Args:
        subscriptions: subscription_id, customer_id, plan_code, interval, interval_count,
            anchor, start_date, end_date (local dates; the end exclusive, null = open).
        customers: customer_id, currency, time_zone, grace_period_days, late_usage_policy.
        plans: plan_code, currency (null = the customer's).
        until: instant with zone; later calls with a later one only add periods.
        closed: schema `CLOSED_SPANS`; None where nothing is closed.

    Returns:
        `BILLING_PERIODS`, ordered by its key.

    Raises:
        ValueError: `until` has no zone.
    """
    if until.tzinfo is None:
        raise ValueError(f"until is {until}, a local time; give an instant with a zone")
    plan_currencies = plans.select("plan_code", plan_currency="currency")
    terms = subscriptions.join(customers, on="customer_id").join(plan_currencies, on="plan_code")
    spans = open_spans(terms, pl.DataFrame(schema=CLOSED_SPANS) if closed is None else closed)
    terms = terms.join(spans, on="subscription_id")
    # Many subscriptions share few rhythms: each is worked out once.
    periods = _periods_per_span(terms.select(_TILES).unique(), until.astimezone(UTC))
    return (
        terms.join(periods, on=_TILES, nulls_equal=True)
        .with_columns(
            pl.col("period_start_at")
            .rank("ordinal")
            .over("subscription_id")
            .cast(pl.Int32)
            .alias("period_index"),
            currency=pl.coalesce("plan_currency", "currency"),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in BILLING_PERIODS.items())
        .sort("subscription_id", "period_index")
    )


def open_spans(lives: pl.DataFrame, closed: pl.DataFrame) -> pl.DataFrame:
    """The open time of each subscription: its life less its closed time, compared by label.

    A bound at which closed time of the same customer ends or begins is the stored instant.

    Example: a subscription starts on 1 January and has no end. March and May are closed. It is
    open from 1 January to 1 March, in April, and from 1 June on. Another one that starts on 1 April
    starts at the instant that ends March, also if the zone was changed since.

    Args:
        lives: subscription_id, customer_id, start_date, end_date; one row per subscription.
        closed: schema `CLOSED_SPANS`.

    Returns:
        One row per span; subscription_id and the columns of `_OPEN_SPAN`.
    """
    spans = closed.select(
        "subscription_id",
        "customer_id",
        "last_cut_at",
        start_date=pl.col("span_start_label").dt.date(),
        end_date=pl.col("span_end_label").dt.date(),
        start_at="span_start_at",
        end_at="span_end_at",
    ).sort("subscription_id", "start_date")
    begun = spans.group_by("customer_id", open_to_date="start_date").agg(pl.col("start_at").min())
    ended = spans.group_by("customer_id", open_from_date="end_date").agg(pl.col("end_at").max())
    # Spans touch where a subscription's terms changed, and overlap where it was billed twice.
    spans = spans.with_columns(
        pl.col("last_cut_at").max().over("subscription_id"),
        pl.col("end_date", "end_at").cum_max().over("subscription_id"),
    )
    after = spans.select(
        "subscription_id",
        "last_cut_at",
        open_from_date="end_date",
        open_from_at="end_at",
        open_to_date=pl.col("start_date").shift(-1).over("subscription_id"),
        open_to_at=pl.col("start_at").shift(-1).over("subscription_id"),
    )
    before = spans.unique("subscription_id", keep="first", maintain_order=True).select(
        "subscription_id", "last_cut_at", open_to_date="start_date", open_to_at="start_at"
    )
    never_closed = lives.join(spans, on="subscription_id", how="anti").select("subscription_id")
    found = (
        lives.select("subscription_id", "customer_id", "start_date", "end_date")
        .join(pl.concat([after, before, never_closed], how="diagonal"), on="subscription_id")
        .with_columns(
            pl.coalesce("open_from_date", "start_date").alias("open_from_date"),
            pl.min_horizontal("open_to_date", "end_date").alias("open_to_date"),
        )
        .join(ended, on=["customer_id", "open_from_date"], how="left")
        .join(begun, on=["customer_id", "open_to_date"], how="left")
    )
    return found.select(
        "subscription_id",
        "open_from_date",
        "open_to_date",
        pl.coalesce("open_from_at", "end_at").alias("open_from_at"),
        pl.coalesce("open_to_at", "start_at").alias("open_to_at"),
        "last_cut_at",
    ).filter(pl.col("open_from_date") < pl.col("open_to_date").fill_null(date.max))


def _periods_per_span(tiles: pl.DataFrame, until: datetime) -> pl.DataFrame:
    horizon = until.date() + timedelta(days=_DAYS_AHEAD_OF_UTC)
    days = _local_periods(tiles, horizon)
    is_first = pl.col("period_start_date") == pl.col("open_from_date")
    is_last = pl.col("period_end_date") == pl.col("open_to_date")
    # What closed time stores is not computed again, also where the zone is another by now.
    bounds = _with_instants(days, **_INSTANT_OF).with_columns(
        period_start_at=pl.when(is_first & pl.col("open_from_at").is_not_null())
        .then("open_from_at")
        .otherwise("period_start_at"),
        period_end_at=pl.when(is_last & pl.col("open_to_at").is_not_null())
        .then("open_to_at")
        .otherwise("period_end_at"),
    )
    periods = _without_slivers(bounds).filter(pl.col("period_start_at") <= until)
    periods = periods.with_columns(
        grace_end_date=pl.col("period_end_date") + pl.duration(days="grace_period_days")
    )
    return (
        _with_instants(periods, grace_end_at="grace_end_date")
        .with_columns(
            cut_at=pl.max_horizontal("grace_end_at", "last_cut_at"),
            service_days=_days_between("period_start_date", "period_end_date"),
            full_days=_days_between("full_start_date", "full_end_date"),
            **{name: pl.col(day).cast(LABEL) for name, day in _LABEL_OF.items()},
        )
        .drop((set(days.columns) | {"grace_end_date"}) - {*_TILES, "period_start_date"})
    )


def _without_slivers(periods: pl.DataFrame) -> pl.DataFrame:
    """The periods that have an instant, of which each span is tiled.

    A zone that skipped a whole day has a period without one: Apia, 30 December 2011. Where a zone
    was changed, a boundary may lie before the end of closed time, or after the start of the next:
    the first period then begins at that end, and the last one ends at that start.
    """
    start_at, end_at = pl.col("period_start_at"), pl.col("period_end_at")
    from_at, to_at = pl.col("open_from_at"), pl.col("open_to_at")
    whole = periods.filter(start_at < end_at)
    is_first = start_at == start_at.min().over(_TILES)
    is_last = start_at == start_at.max().over(_TILES)
    touches_end = pl.col("period_end_date") < pl.col("open_to_date")
    return whole.with_columns(
        pl.when(is_first & from_at.is_not_null()).then(from_at).otherwise(start_at)
        .alias("period_start_at"),
        pl.when(is_first & from_at.is_not_null()).then("open_from_date")
        .otherwise("period_start_date").alias("period_start_date"),
        pl.when((end_at >= to_at).fill_null(value=False) & is_last & touches_end).then(to_at)
        .otherwise(end_at).alias("period_end_at"),
        pl.when((end_at >= to_at).fill_null(value=False) & is_last & touches_end)
        .then("open_to_date").otherwise("period_end_date").alias("period_end_date"),
    )  # fmt: skip


def _days_between(start: str, end: str) -> pl.Expr:
    return (pl.col(end) - pl.col(start)).dt.total_days().cast(pl.Int32)


def _local_periods(tiles: pl.DataFrame, horizon: date) -> pl.DataFrame:
    # One row per span and period that starts by the horizon, in local dates.
    started = tiles.filter(
        pl.col("open_from_date") <= horizon,
        pl.col("open_from_date") < pl.col("open_to_date").fill_null(date.max),
    ).with_columns(
        anchor_date=_anchor_date(),
        step_days=_step_units(STEP_DAYS),
        step_months=_step_units(STEP_MONTHS),
        last_date=pl.min_horizontal("open_to_date", pl.lit(horizon)),
    )
    boundaries = (
        started.with_columns(
            k=pl.int_ranges(
                # A month's last day may clamp to before the boundary that counts.
                pl.max_horizontal(_boundaries_by("open_from_date") - 2, 0),
                _boundaries_by("last_date"),
            )
        )
        .explode("k")
        .with_columns(
            full_start_date=_boundary(pl.col("k")), full_end_date=_boundary(pl.col("k") + 1)
        )
    )
    return boundaries.with_columns(
        period_start_date=pl.max_horizontal("full_start_date", "open_from_date"),
        period_end_date=pl.min_horizontal("full_end_date", "open_to_date"),
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
    days = (pl.col(last) - pl.col("anchor_date")).dt.total_days() // pl.col("step_days")
    months = (_month_number(last) - _month_number("anchor_date")) // pl.col("step_months")
    return pl.coalesce(days, months) + 1


def _boundary(k: pl.Expr) -> pl.Expr:
    by_days = pl.col("anchor_date") + pl.duration(days=k * pl.col("step_days"))
    month = _month_number("anchor_date") + k * pl.col("step_months")
    first = pl.date(month // 12, month % 12 + 1, 1)
    day = pl.min_horizontal(pl.col("anchor_date").dt.day(), first.dt.days_in_month())
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
