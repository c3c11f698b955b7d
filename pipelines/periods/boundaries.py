"""Boundaries of an endless rhythm around an instant, whatever the start and the end are."""

import polars as pl

from pipelines.periods.rhythm import boundary, step_by
from pipelines.periods.zones import first_instants, labels_at

_STEPS_AROUND = 3
"""Enough on both sides, also where a zone skipped a boundary."""


def boundaries_around(rhythms: pl.DataFrame) -> pl.DataFrame:
    """The nearest boundaries of each rhythm around an instant.

    Example: months from the 31st, around 28 February 2026 at 00:00 UTC. `before` is 31 January,
    `on_or_before` and `on_or_after` are 28 February, `after` is 31 March.

    Args:
        rhythms: one row per subscription_id, with time_zone, anchor_label, step_days, step_months
            and the instant around_at.

    Returns:
        subscription_id and the instants before, on_or_before, on_or_after and after.
    """
    label = labels_at(rhythms["time_zone"], rhythms["around_at"])
    steps = range(-_STEPS_AROUND, _STEPS_AROUND + 1)
    rows = (
        rhythms.with_columns(around_label=label)
        .with_columns(step=pl.lit(list(steps)))
        .explode("step")
        .with_columns(
            label=boundary(step_by(pl.col("around_label")) + pl.col("step")),
        )
    )
    at, around_at = pl.col("at"), pl.col("around_at")
    return (
        rows.with_columns(at=first_instants(rows["time_zone"], rows["label"]))
        .group_by("subscription_id", maintain_order=True)
        .agg(
            before=at.filter(at < around_at).max(),
            on_or_before=at.filter(at <= around_at).max(),
            on_or_after=at.filter(at >= around_at).min(),
            after=at.filter(at > around_at).min(),
        )
    )
