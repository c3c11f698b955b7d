"""Lives: what the calendar knows of each subscription, as typed frames."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypedDict

import polars as pl

from pipelines.periods.zones import first_instants, labels_at
from pipelines.vocabulary.frames import CLOSED_SPANS
from pipelines.vocabulary.tables import LABEL, UTC_MICROSECONDS

WHEN = pl.Struct({"date": pl.Date(), "at": UTC_MICROSECONDS})
"""A *when* of the catalog: a local date, which is its first instant, or an instant.

One of its two fields is set. A null struct is no value.
"""


NOTHING_CLOSED = CLOSED_SPANS.to_frame()
"""The closed time of subscriptions of which nothing is closed."""


class WhenCell(TypedDict):
    """A cell of `WHEN`; one of its two members is set."""

    date: date | None
    at: datetime | None


SUBSCRIPTIONS = pl.Schema(
    {
        "subscription_id": pl.String(),
        "customer_id": pl.String(),
        "plan_code": pl.String(),
        "currency": pl.String(),
        "time_zone": pl.String(),
        "grace_period_days": pl.Int32(),
        "late_usage_policy": pl.String(),
        "interval": pl.String(),
        "interval_count": pl.Int32(),
        "anchor": pl.String(),
        "anchor_day": pl.String(),
        "anchor_at": WHEN,
        "start_date": WHEN,
        "end_date": WHEN,
        "trial_until": WHEN,
        "until_at": UTC_MICROSECONDS,
    }
)
"""One row per subscription, with its customer's zone, grace and policy, and its plan's currency.

`anchor_day` is a day of the month or of the week, as `subscriptions.csv` has it. Periods that start
by `until_at` are asked for.
"""

PHASES = pl.Schema(
    {
        "subscription_id": pl.String(),
        "from": WHEN,
        "plan_code": pl.String(),
        "currency": pl.String(),
        "realign": pl.Boolean(),
    }
)
"""One row per change of a subscription's plan. The first phase is the subscription's own row."""

PAUSES = pl.Schema({"subscription_id": pl.String(), "from": WHEN, "to": WHEN})
"""One row per pause of a subscription."""


@dataclass(frozen=True)
class Lives:
    """Subscriptions with their phases and pauses.

    Attributes:
        subscriptions: schema `SUBSCRIPTIONS`; key `subscription_id`.
        phases: schema `PHASES`; later than the start, and each at another instant and label.
        pauses: schema `PAUSES`.
    """

    subscriptions: pl.DataFrame
    phases: pl.DataFrame = field(default_factory=PHASES.to_frame)
    pauses: pl.DataFrame = field(default_factory=PAUSES.to_frame)


def when_cell(when: date | datetime | None) -> WhenCell | None:
    """A local date or an instant as a cell of `WHEN`."""
    if when is None:
        return None
    if isinstance(when, datetime):
        return WhenCell(date=None, at=when)
    return WhenCell(date=when, at=None)


def resolved(rows: pl.DataFrame, closed: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The rows with a label and an instant for each `WHEN`: `<column>_label` and `<column>_at`.

    A date is the label of its midnight, in every zone. An instant is labelled in the zone in force
    at it: within closed time of the subscription that is the zone of the closed row.

    Args:
        rows: subscription_id, time_zone and the columns.
        closed: schema `CLOSED_SPANS`.
        columns: names of columns of `WHEN`.
    """
    for column in columns:
        day = pl.col(column).struct.field("date").cast(LABEL)
        at = rows[column].struct.field("at")
        zones = _zones_at(rows, at, closed)
        label = rows.select(pl.coalesce(day, labels_at(zones, at))).to_series()
        instant = at.fill_null(first_instants(rows["time_zone"], label))
        rows = rows.drop(column).with_columns(
            label.alias(f"{column}_label"), instant.alias(f"{column}_at")
        )
    return rows


def _zones_at(rows: pl.DataFrame, at: pl.Series, closed: pl.DataFrame) -> pl.Series:
    if closed.is_empty() or at.null_count() == rows.height:
        return rows["time_zone"]
    asked = rows.select("subscription_id", at=at).with_row_index("row").drop_nulls()
    held = (
        asked.join(
            closed.select("subscription_id", "span_start_at", "span_end_at", zone="time_zone"),
            on="subscription_id",
        )
        .filter(pl.col("span_start_at") <= pl.col("at"), pl.col("at") < pl.col("span_end_at"))
        .unique("row", keep="first")
        .select("row", "zone")
    )
    found = (
        rows.select("time_zone")
        .with_row_index("row")
        .join(held, on="row", how="left", maintain_order="left")
    )
    return found.select(pl.coalesce("zone", "time_zone")).to_series()
