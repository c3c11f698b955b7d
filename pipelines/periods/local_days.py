"""Local days: the dates of a zone's calendar, as spans of instants.

A day is not 24 hours everywhere. It has 23 or 25 where clocks change, begins at 01:00 where the
change is at midnight, and is left out where a zone skipped it.

Example: Berlin's 29 March 2026 is from 28 March 23:00 UTC to 29 March 22:00 UTC, 23 hours.
"""

from datetime import timedelta

import polars as pl

from pipelines.periods.zones import first_instants, labels_at
from pipelines.vocabulary.frames import LOCAL_DAYS
from pipelines.vocabulary.tables import LABEL

_DAY = timedelta(days=1)


def local_days(spans: pl.DataFrame) -> pl.DataFrame:
    """Every local day of a zone that holds an instant of the zone's spans, or lies between them.

    Args:
        spans: schema `ZONE_SPANS`.

    Returns:
        Schema `LOCAL_DAYS`, ordered by its key.

    Raises:
        ValueError: a zone is not one of `known_time_zones`.
    """
    zones = spans.group_by("time_zone").agg(pl.col("from_at").min(), pl.col("to_at").max())
    bounds = zones.select(
        "time_zone",
        "from_at",
        "to_at",
        first=labels_at(zones["time_zone"], zones["from_at"]).dt.date(),
        last=labels_at(zones["time_zone"], zones["to_at"]).dt.date(),
    ).sort("time_zone")
    # Clocks that are set back past midnight show yesterday although today has begun. So the day
    # after the last label may have begun too, and its end is the start of yet another one.
    days = bounds.with_columns(
        day=pl.date_ranges("first", pl.col("last") + 2 * _DAY, eager=False)
    ).explode("day")
    starts = first_instants(days["time_zone"], days["day"].cast(LABEL))
    day_start, day_end = pl.col("day_start_at"), pl.col("day_end_at")
    return (
        days.with_columns(day_start_at=starts, day_number=pl.col("day").to_physical())
        .with_columns(day_end_at=day_start.shift(-1).over("time_zone"))
        # A day that its zone skipped has no time.
        .filter(day_start < day_end, day_end > pl.col("from_at"), day_start <= pl.col("to_at"))
        .select(*LOCAL_DAYS)
        .cast(LOCAL_DAYS)
    )
