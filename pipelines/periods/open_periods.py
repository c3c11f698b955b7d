"""Billing periods of open time: spans of a subscription's life, as UTC instants.

Open time is the life of a subscription less its closed periods, which are stored facts and are
never computed again. The periods of open time tile it. They are half-open, `[start, end)`, and the
end of one is the start of the next (I-13).

1. A boundary is a local date and time: the anchor + k × step. Its instant is the first one at which
   the customer's clock shows it or later.
2. Every period ends at the first boundary whose local day is later than that of its start, and
   whose instant is later than its start; or at the change or end before it.
3. A bound that open time shares with closed time is the instant that is stored there.

Example: February is closed in UTC. On 20 March the zone of the customer becomes Los Angeles. March
begins on 1 March at 00:00 UTC, where February ends, and ends on 1 April at 00:00 in Los Angeles.
"""

from collections.abc import Iterator
from datetime import timedelta

import polars as pl

from pipelines.periods.days import off_days, with_days
from pipelines.periods.lives import NOTHING_CLOSED, Lives, resolved
from pipelines.periods.open_time import open_phases, open_spans, phases_of
from pipelines.periods.rhythm import STEP_DAYS, STEP_MONTHS, boundary, step_by, step_units
from pipelines.periods.zones import first_instants
from pipelines.vocabulary.frames import BILLING_PERIODS

_AHEAD_OF_UTC = timedelta(days=1)
"""Local clocks run at most this far ahead of UTC (zones reach +14:00)."""

_ROWS_AT_A_TIME = 250_000
"""Boundaries that are worked out together; it bounds the memory."""

_STEPS_BEFORE = 1
"""The boundary before the first one that may end a period: its full period begins there."""

_STEPS_AFTER = 2
"""A boundary may be passed over where a zone was changed, and where one skipped a day."""

_LIFE_COLUMNS = (
    "customer_id",
    "time_zone",
    "late_usage_policy",
    "grace_period_days",
    "interval",
    "interval_count",
    "start_date_label",
    "end_date_label",
    "trial_until_label",
    "trial_until_at",
    "until_at",
    "step_days",
    "step_months",
)


def open_periods(lives: Lives, closed: pl.DataFrame) -> pl.DataFrame:
    """Every period of open time that starts by `until_at`, one row per subscription and period.

    The grace ends that many local days after the period's end, at the same clock time: whoever
    counts days of grace counts them on a calendar, and a clock change must not close a month at
    23:00. The cut is the end of the grace, or the latest cut of the subscription that is closed,
    whichever is later: cuts never go back.

    Args:
        lives: subscriptions, phases and pauses.
        closed: schema `CLOSED_SPANS`.

    Returns:
        `BILLING_PERIODS`, ordered by its key.
    """
    tiles = open_time(lives, closed)
    zones = lives.subscriptions.select("subscription_id", "time_zone")
    pauses = resolved(lives.pauses.join(zones, on="subscription_id"), closed, "from", "to")
    off = off_days(tiles.unique("subscription_id"), pauses)
    made = [_finished(_bounds(part), off) for part in _parts(tiles)]
    return pl.concat([BILLING_PERIODS.to_frame(), *made], rechunk=False)


def open_time(lives: Lives, closed: pl.DataFrame) -> pl.DataFrame:
    """The open time of each subscription, cut where its plan changes.

    Args:
        lives: subscriptions and phases.
        closed: schema `CLOSED_SPANS`.

    Returns:
        One row per subscription and tile, ordered by subscription_id and start: the columns of
        `open_phases`, and those of the subscription that its periods need.
    """
    subscriptions, phases = _resolved(lives, closed)
    tiles = open_phases(open_spans(subscriptions, closed), phases)
    return tiles.join(
        subscriptions.select("subscription_id", *_LIFE_COLUMNS),
        on="subscription_id",
        how="left",
        maintain_order="left",
    )


def phases(lives: Lives, closed: pl.DataFrame) -> pl.DataFrame:
    """The phases of each subscription with their labels and instants, as `phases_of` returns them.

    Args:
        lives: subscriptions and phases.
        closed: schema `CLOSED_SPANS`.
    """
    return _resolved(lives, closed)[1]


def phases_in_force(lives: Lives, asked: pl.DataFrame) -> pl.DataFrame:
    """The rhythm of the phase in force at an instant, whatever is closed.

    Before the start that is the first phase, and after the end the last one.

    Args:
        lives: subscriptions and phases.
        asked: subscription_id and the instant around_at.

    Returns:
        One row per row of `asked`: its columns, time_zone, anchor_label, step_days, step_months.
    """
    subscriptions, phases = _resolved(lives, NOTHING_CLOSED)
    known = subscriptions.select("subscription_id", "time_zone", "step_days", "step_months")
    is_first = pl.col("phase_index") == 0
    return (
        asked.join(phases, on="subscription_id")
        .filter(is_first | (pl.col("phase_from_at") <= pl.col("around_at")))
        .sort("subscription_id", "phase_index")
        .unique("subscription_id", keep="last")
        .join(known, on="subscription_id")
        .select(*asked.columns, "time_zone", "anchor_label", "step_days", "step_months")
    )


def _resolved(lives: Lives, closed: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The subscriptions with labels, instants and steps; and `phases_of` them."""
    subscriptions = resolved(
        lives.subscriptions, closed, "anchor_at", "start_date", "end_date", "trial_until"
    ).with_columns(step_days=step_units(STEP_DAYS), step_months=step_units(STEP_MONTHS))
    zones = subscriptions.select("subscription_id", "time_zone")
    changes = resolved(lives.phases.join(zones, on="subscription_id"), closed, "from")
    return subscriptions, phases_of(subscriptions, changes)


def _parts(tiles: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The tiles that have begun, with the k of their boundaries, some subscriptions at a time."""
    horizon = pl.col("until_at").dt.replace_time_zone(None) + _AHEAD_OF_UTC
    last = pl.min_horizontal("open_to_label", horizon)
    begun = tiles.filter(pl.col("open_from_at") <= pl.col("until_at")).with_columns(
        first_k=step_by(pl.col("open_from_label")) - _STEPS_BEFORE,
        last_k=step_by(last) + 1 + _STEPS_AFTER,
    )
    count = pl.col("last_k") - pl.col("first_k") + 1
    numbered = begun.with_columns(part=count.cum_sum() // _ROWS_AT_A_TIME).with_columns(
        pl.col("part").first().over("subscription_id")
    )
    yield from numbered.partition_by("part", maintain_order=True, include_key=False)


def _bounds(tiles: pl.DataFrame) -> pl.DataFrame:
    """One row per period of these tiles that has begun, with labels and instants of its bounds."""
    rows = (
        tiles.with_row_index("tile")
        .with_columns(k=pl.int_ranges("first_k", pl.col("last_k") + 1))
        .explode("k")
        .with_columns(full_end_label=boundary(pl.col("k")))
    )
    rows = rows.with_columns(full_end_at=first_instants(rows["time_zone"], rows["full_end_label"]))
    # The first row of a tile never ends a period, so that it sees nothing of the tile before.
    before_label, before_at = pl.col("full_end_label").shift(1), pl.col("full_end_at").shift(1)
    end_label, end_at = pl.col("full_end_label"), pl.col("full_end_at")
    from_label, from_at = pl.col("open_from_label"), pl.col("open_from_at")
    to_label, to_at = pl.col("open_to_label"), pl.col("open_to_at")
    is_end = (
        (pl.col("k") > pl.col("first_k"))
        & (end_label.dt.date() > from_label.dt.date())
        & (end_at > from_at)
    )
    is_first = is_end & ~is_end.shift(1, fill_value=False)
    # A day that the zone skipped has no instant. The day after it names the period.
    skipped = ~pl.col("is_stored") & (before_at == from_at) & (before_label > from_label)
    is_last = ((end_label >= to_label) | (end_at >= to_at)).fill_null(value=False)
    bounds = rows.with_columns(
        is_end=is_end,
        full_start_label=before_label,
        full_start_at=before_at,
        period_start_label=pl.when(is_first & ~skipped).then(from_label).otherwise(before_label),
        period_start_at=pl.when(is_first).then(from_at).otherwise(before_at),
        period_end_label=pl.when(is_last).then(to_label).otherwise(end_label),
        period_end_at=pl.when(is_last).then(to_at).otherwise(end_at),
    )
    return bounds.filter(
        "is_end",
        pl.col("period_start_at") < pl.col("period_end_at"),
        pl.col("period_start_at") <= pl.col("until_at"),
        (pl.col("period_start_label") < to_label).fill_null(value=True),
    )


def _finished(bounds: pl.DataFrame, off: pl.DataFrame) -> pl.DataFrame:
    """The periods with their cuts, days and numbers; schema `BILLING_PERIODS`."""
    grace_end_label = pl.col("period_end_label") + pl.duration(days="grace_period_days")
    grace_end_at = first_instants(bounds["time_zone"], bounds.select(grace_end_label).to_series())
    ends_life = (pl.col("period_end_label") == pl.col("end_date_label")).fill_null(value=False)
    # Of an hour that comes twice, an end in the second pass lies after the label's first instant.
    periods = bounds.with_columns(
        grace_end_at=pl.max_horizontal(grace_end_at, "period_end_at"), ends_life=ends_life
    )
    return (
        with_days(periods, off)
        .with_columns(
            cut_at=pl.max_horizontal("grace_end_at", "last_cut_at"),
            is_trial=(pl.col("period_end_at") <= pl.col("trial_until_at")).fill_null(value=False),
            period_index=pl.int_range(1, pl.len() + 1).over("subscription_id"),
            phase_start_label="phase_from_label",
            period_start_date=pl.col("period_start_label").dt.date(),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in BILLING_PERIODS.items())
    )
