"""Days: local days of a period in which it is in force, and shares of an amount."""

import polars as pl


def off_days(lives: pl.DataFrame, pauses: pl.DataFrame) -> pl.DataFrame:
    """The local days that are no service days: those of trials and pauses.

    A trial takes the days before the local day of `trial_until`. A pause takes the local day of
    `from` up to the day before that of `to`.

    Example: a trial until 3 May at 10:00 takes 1 and 2 May. A pause from 2 May at 09:00 to 5 May
    takes 2, 3 and 4 May. Together they take 1 to 4 May.

    Args:
        lives: subscription_id, start_date_label and trial_until_label.
        pauses: subscription_id, from_label and to_label.

    Returns:
        One row per span of days: subscription_id, off_from and off_to (the day after the last).
        The spans of a subscription have no day in common.
    """
    trials = lives.select(
        "subscription_id",
        off_from=pl.col("start_date_label").dt.date(),
        off_to=pl.col("trial_until_label").dt.date(),
    )
    paused = pauses.select(
        "subscription_id",
        off_from=pl.col("from_label").dt.date(),
        off_to=pl.col("to_label").dt.date(),
    )
    spans = pl.concat([trials, paused]).filter(pl.col("off_from") < pl.col("off_to"))
    earlier = pl.col("off_to").cum_max().shift(1).over("subscription_id")
    return (
        spans.sort("subscription_id", "off_from")
        .with_columns(off_from=pl.max_horizontal("off_from", earlier))
        .filter(pl.col("off_from") < pl.col("off_to"))
    )


def with_days(periods: pl.DataFrame, off: pl.DataFrame) -> pl.DataFrame:
    """The periods with `service_days` and `full_days`, both numbers of local days.

    A day counts for the period that is in force last on it. So the day of a boundary at a time of
    day belongs to the period that begins, and nothing begins at the end of the subscription. Days
    that are no days of the full period do not count.

    Example: a subscription ends on 10 May at 15:00, with a boundary on 10 May at 09:00. The period
    that the boundary ends has the days up to 9 May. The last one has 10 May alone.

    Args:
        periods: subscription_id, ends_life (no period of the subscription follows), and the labels
            of period_start, period_end, full_start and full_end.
        off: as `off_days` returns them.
    """
    end = pl.col("period_end_label")
    is_counted = pl.col("ends_life") & (end > end.dt.truncate("1d"))
    first, last = pl.col("full_start_label").dt.date(), pl.col("full_end_label").dt.date()
    spans = periods.with_columns(
        day_from=pl.max_horizontal(pl.col("period_start_label").dt.date(), first),
        day_to=pl.min_horizontal(end.dt.date() + pl.duration(days=is_counted.cast(pl.Int64)), last),
        full_days=(last - first).dt.total_days().cast(pl.Int32),
    ).with_row_index("row")
    per_row = (
        spans.select("row", "subscription_id", "day_from", "day_to")
        .join(off, on="subscription_id")
        .select("row", days=_days("day_from", "day_to", "off_from", "off_to"))
        .group_by("row")
        .agg(pl.col("days").sum())
    )
    served = _days("day_from", "day_to", "day_from", "day_to")
    return (
        spans.join(per_row, on="row", how="left", maintain_order="left")
        .with_columns(service_days=(served - pl.col("days").fill_null(0)).cast(pl.Int32))
        .drop("row", "day_from", "day_to", "days")
    )


def _days(start: str, end: str, other_start: str, other_end: str) -> pl.Expr:
    """The number of days that two spans of days have in common."""
    first = pl.max_horizontal(start, other_start)
    last = pl.min_horizontal(end, other_end)
    return (last - first).dt.total_days().clip(lower_bound=0)
