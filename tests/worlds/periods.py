"""Billing periods of one subscription, with the usual answer to everything not said."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from pipelines.catalog.periods import billing_periods

SUBSCRIPTIONS = pl.Schema(
    {
        "subscription_id": pl.String(),
        "customer_id": pl.String(),
        "plan_code": pl.String(),
        "interval": pl.String(),
        "interval_count": pl.Int32(),
        "anchor": pl.String(),
        "start_date": pl.Date(),
        "end_date": pl.Date(),
    }
)
CUSTOMERS = pl.Schema(
    {
        "customer_id": pl.String(),
        "currency": pl.String(),
        "time_zone": pl.String(),
        "grace_period_days": pl.Int32(),
        "late_usage_policy": pl.String(),
    }
)
PLANS = pl.Schema({"plan_code": pl.String(), "currency": pl.String()})


@dataclass(frozen=True)
class Terms:
    """One subscription of one customer, with the usual answer to everything not said."""

    interval: str = "month"
    start: str = "2026-01-01"
    end: str | None = None
    count: int = 1
    anchor: str = "calendar"
    zone: str = "UTC"
    grace: int = 0
    policy: str = "reject"


def periods_of(terms: Terms, until: str) -> pl.DataFrame:
    end = date.fromisoformat(terms.end) if terms.end else None
    start = date.fromisoformat(terms.start)
    subscription = ("s", "c", "p", terms.interval, terms.count, terms.anchor, start, end)
    return billing_periods(
        pl.DataFrame([subscription], SUBSCRIPTIONS, orient="row"),
        pl.DataFrame(
            [("c", "EUR", terms.zone, terms.grace, terms.policy)], CUSTOMERS, orient="row"
        ),
        pl.DataFrame([("p", "USD")], PLANS, orient="row"),
        datetime.fromisoformat(until).replace(tzinfo=UTC),
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
