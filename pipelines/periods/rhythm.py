"""Rhythms: the boundaries that a subscription's anchor, interval and count make.

Each boundary is anchor + k × step, for any whole k. It is never computed from the boundary before
it: a 31st clamps to the end of a short month, and the next long month has its 31st.
"""

import polars as pl

from pipelines.vocabulary.tables import LABEL

STEP_DAYS = {"day": 1, "week": 7}
"""Intervals that are a number of local days."""

STEP_MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
"""Intervals that are a number of calendar months."""

INTERVALS = (*STEP_DAYS, *STEP_MONTHS)
"""What a subscription may be billed by."""

ANCHORS = ("calendar", "anniversary", "day", "at")
"""Where periods are counted from.

`calendar`: the calendar unit that holds the start. `anniversary`: the start. `day`: a day of the
month, or of the week. `at`: a date or instant of its own.
"""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""The days of a week in its order."""

_LAST_YEAR = 8999
"""No anchor is moved beyond it: Python's dates end with the year 9999."""


def longest_period_days(interval: str, interval_count: int) -> int:
    """Days of the longest period such a subscription can have, by the calendar."""
    days = {"day": 1, "week": 7, "month": 31, "quarter": 92, "half_year": 184, "year": 366}
    return days[interval] * interval_count


def with_anchor_label(lives: pl.DataFrame) -> pl.DataFrame:
    """The lives with `anchor_label`: the local date and time that boundaries are counted from.

    Example: the anchor is day 31, by month, and the start is 10 February. Boundaries are
    28 February, 31 March, 30 April. They are counted from 31 March, which says all of that.

    Args:
        lives: one row per subscription_id, with interval, interval_count, anchor, anchor_day,
            anchor_at_label and start_date_label.
    """
    start = pl.col("start_date_label")
    weekday = pl.col("anchor_day").replace_strict(
        {name: number for number, name in enumerate(WEEKDAYS)}, default=None, return_dtype=pl.Int64
    )
    days_of_month = _days_of_month(lives.filter(pl.col("anchor") == "day"))
    return lives.join(
        days_of_month, on="subscription_id", how="left", maintain_order="left"
    ).with_columns(
        anchor_label=pl.when(pl.col("anchor") == "anniversary")
        .then(start)
        .when(pl.col("anchor") == "at")
        .then("anchor_at_label")
        .when((pl.col("anchor") == "day") & (pl.col("interval") == "week"))
        .then(start.dt.truncate("1w") + pl.duration(days=weekday))
        .when(pl.col("anchor") == "day")
        .then("anchor_label")
        .otherwise(_start_of_unit())
    )


def _start_of_unit() -> pl.Expr:
    start, month = pl.col("start_date_label"), pl.col("start_date_label").dt.month()
    return (
        pl.when(pl.col("interval") == "week")
        .then(start.dt.truncate("1w"))
        .when(pl.col("interval") == "month")
        .then(start.dt.truncate("1mo"))
        .when(pl.col("interval") == "quarter")
        .then(start.dt.truncate("1q"))
        .when(pl.col("interval") == "half_year")
        .then(pl.datetime(start.dt.year(), (month - 1) // 6 * 6 + 1, 1))
        .when(pl.col("interval") == "year")
        .then(start.dt.truncate("1y"))
        .otherwise(start.dt.truncate("1d"))
    )


def _days_of_month(lives: pl.DataFrame) -> pl.DataFrame:
    """The anchor_label of each subscription_id that is billed from a day of the month.

    It is the first boundary from the start's month on whose month has the day, or else the one
    whose month is longest.
    """
    if lives.is_empty():
        return pl.DataFrame(schema={"subscription_id": pl.String(), "anchor_label": LABEL})
    # A rhythm of months comes back to its first month after at most twelve of its steps.
    month = _month_number(pl.col("start_date_label")) + pl.col("k") * step_units(STEP_MONTHS)
    first = pl.datetime(pl.col("month") // 12, pl.col("month") % 12 + 1, 1)
    wanted = pl.col("anchor_day").cast(pl.Int64, strict=False)
    day = pl.min_horizontal(wanted, first.dt.days_in_month().cast(pl.Int64))
    return (
        lives.with_columns(k=pl.lit([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]))
        .explode("k")
        .with_columns(month=month)
        .filter(pl.col("month") < (_LAST_YEAR + 1) * 12)
        .with_columns(day=day)
        .sort("subscription_id", "day", "k", descending=[False, True, False])
        .unique("subscription_id", keep="first")
        .select("subscription_id", anchor_label=first + pl.duration(days=pl.col("day") - 1))
    )


def step_units(units: dict[str, int]) -> pl.Expr:
    """Units of one step, as `STEP_DAYS` or `STEP_MONTHS` count them; null if not counted so."""
    per_interval = pl.col("interval").replace_strict(units, default=None, return_dtype=pl.Int64)
    return per_interval * pl.col("interval_count").cast(pl.Int64)


def step_by(label: pl.Expr) -> pl.Expr:
    """The last k whose boundary is on or before the day of a label, by whole months.

    So there may be a later day in the boundary's month, and none in the next boundary's. Needs the
    columns anchor_label, step_days and step_months.
    """
    days = (label.dt.date() - pl.col("anchor_label").dt.date()).dt.total_days()
    months = _month_number(label) - _month_number(pl.col("anchor_label"))
    return pl.coalesce(days // pl.col("step_days"), months // pl.col("step_months"))


def boundary(k: pl.Expr) -> pl.Expr:
    """The label of the k-th boundary; needs the columns anchor_label, step_days and step_months."""
    anchor = pl.col("anchor_label")
    month = _month_number(anchor) + k * pl.col("step_months")
    first = pl.datetime(month // 12, month % 12 + 1, 1)
    day = pl.min_horizontal(anchor.dt.day(), first.dt.days_in_month()).cast(pl.Int64)
    by_months = first + pl.duration(days=day - 1) + (anchor - anchor.dt.truncate("1d"))
    return pl.coalesce(anchor + pl.duration(days=k * pl.col("step_days")), by_months)


def _month_number(label: pl.Expr) -> pl.Expr:
    # Months since January of year 0.
    return label.dt.year().cast(pl.Int64) * 12 + label.dt.month() - 1
