"""The billing periods of a catalog: its rows as the calendar's lives, and their periods.

`lives_of` is the one place that says which column of the catalog the calendar takes.
"""

from datetime import UTC, datetime

import polars as pl

from pipelines.periods.lives import PAUSES, PHASES, SUBSCRIPTIONS, Lives
from pipelines.periods.open_periods import open_periods
from pipelines.vocabulary.frames import CLOSED_SPANS

FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
"""An instant after every one that a catalog can say."""


def billing_periods(
    subscriptions: pl.DataFrame,
    customers: pl.DataFrame,
    plans: pl.DataFrame,
    until: datetime,
    closed: pl.DataFrame | None = None,
    phases: pl.DataFrame | None = None,
    pauses: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Every period of open time that starts by `until`, one row per subscription and period.

    Args:
        subscriptions: rows of `subscriptions.csv`.
        customers: rows of `customers.csv`.
        plans: rows of `plans.csv`.
        until: instant with zone; later calls with a later one only add periods.
        closed: schema `CLOSED_SPANS`; None where nothing is closed.
        phases: rows of `subscription_phases.csv`; None: there are none.
        pauses: rows of `subscription_pauses.csv`; None: there are none.

    Returns:
        `BILLING_PERIODS`, ordered by its key.

    Raises:
        ValueError: `until` has no zone.
    """
    if until.tzinfo is None:
        raise ValueError(f"until is {until}, a local time; give an instant with a zone")
    lives = lives_of(subscriptions, customers, plans, until, phases=phases, pauses=pauses)
    return open_periods(lives, pl.DataFrame(schema=CLOSED_SPANS) if closed is None else closed)


def lives_of(
    subscriptions: pl.DataFrame,
    customers: pl.DataFrame,
    plans: pl.DataFrame,
    until: datetime = FOR_EVER,
    *,
    phases: pl.DataFrame | None = None,
    pauses: pl.DataFrame | None = None,
) -> Lives:
    """The rows of a catalog as the calendar takes them; a column that is not there has no value.

    Args:
        subscriptions: rows of `subscriptions.csv`.
        customers: rows of `customers.csv`.
        plans: rows of `plans.csv`; a plan without a currency has the customer's.
        until: instant with zone; periods that start by then are asked for.
        phases: rows of `subscription_phases.csv`; None: there are none.
        pauses: rows of `subscription_pauses.csv`; None: there are none.

    Returns:
        The lives; where the rows have their `line`, it is `row` there.
    """
    plan_currencies = plans.select("plan_code", plan_currency="currency")
    billed = customers.select(
        "customer_id",
        "time_zone",
        "grace_period_days",
        "late_usage_policy",
        customer_currency="currency",
    )
    currency = pl.coalesce("plan_currency", "customer_currency")
    own = (
        subscriptions.join(billed, on="customer_id")
        .join(plan_currencies, on="plan_code")
        .with_columns(currency=currency, until_at=pl.lit(until.astimezone(UTC)))
    )
    changes = pl.DataFrame(schema=PHASES) if phases is None else phases
    if changes.height:
        owners = own.select("subscription_id", "customer_currency")
        changes = (
            changes.join(owners, on="subscription_id")
            .join(plan_currencies, on="plan_code")
            .with_columns(currency=currency)
        )
    rests = pl.DataFrame(schema=PAUSES) if pauses is None else pauses
    return Lives(
        _in_schema(own, SUBSCRIPTIONS), _in_schema(changes, PHASES), _in_schema(rests, PAUSES)
    )


def _in_schema(rows: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """These columns, those that are not there without a value; and `line` as `row`."""
    columns = (
        pl.col(name).cast(dtype) if name in rows.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in schema.items()
    )
    numbers = (pl.col("line").alias("row"),) if "line" in rows.columns else ()
    return rows.select(*columns, *numbers)
