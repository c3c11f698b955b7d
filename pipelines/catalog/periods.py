"""The billing periods of a catalog: its rows as the calendar's lives, and their periods.

`lives_of` is the one place that says which column of the catalog the calendar takes.
"""

from datetime import UTC, datetime

import polars as pl

from pipelines.periods.lives import PAUSES, PHASES, SUBSCRIPTIONS, WHEN, Lives, when_date
from pipelines.periods.open_periods import open_periods
from pipelines.vocabulary.frames import CLOSED_SPANS

_FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)


def billing_periods(
    subscriptions: pl.DataFrame,
    customers: pl.DataFrame,
    plans: pl.DataFrame,
    until: datetime,
    closed: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Every period of open time that starts by `until`, one row per subscription and period.

    Args:
        subscriptions: rows of `subscriptions.csv`.
        customers: rows of `customers.csv`.
        plans: rows of `plans.csv`.
        until: instant with zone; later calls with a later one only add periods.
        closed: schema `CLOSED_SPANS`; None where nothing is closed.

    Returns:
        `BILLING_PERIODS`, ordered by its key.

    Raises:
        ValueError: `until` has no zone.
    """
    if until.tzinfo is None:
        raise ValueError(f"until is {until}, a local time; give an instant with a zone")
    lives = lives_of(subscriptions, customers, plans, until)
    return open_periods(lives, pl.DataFrame(schema=CLOSED_SPANS) if closed is None else closed)


def lives_of(
    subscriptions: pl.DataFrame,
    customers: pl.DataFrame,
    plans: pl.DataFrame,
    until: datetime = _FOR_EVER,
) -> Lives:
    """The rows of a catalog as the calendar takes them; a column that is not there has no value.

    Args:
        subscriptions: rows of `subscriptions.csv`.
        customers: rows of `customers.csv`.
        plans: rows of `plans.csv`; a plan without a currency has the customer's.
        until: instant with zone; periods that start by then are asked for.
    """
    plan_currencies = plans.select("plan_code", plan_currency="currency")
    rows = (
        subscriptions.join(customers, on="customer_id")
        .join(plan_currencies, on="plan_code")
        .with_columns(
            when_date("start_date").alias("start_date"),
            when_date("end_date").alias("end_date"),
            currency=pl.coalesce("plan_currency", "currency"),
            anchor_day=pl.lit(None, pl.String),
            anchor_at=pl.lit(None, WHEN),
            trial_until=pl.lit(None, WHEN),
            until_at=pl.lit(until.astimezone(UTC)),
        )
    )
    return Lives(
        rows.select(pl.col(name).cast(dtype) for name, dtype in SUBSCRIPTIONS.items()),
        PHASES.to_frame(),
        PAUSES.to_frame(),
    )
