"""Billing periods of one subscription, with the usual answer to everything not said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from pipelines.catalog.periods import billing_periods
from pipelines.periods.zones import local_midnight
from pipelines.vocabulary.frames import CLOSED_SPANS
from pipelines.vocabulary.tables import UTC_MICROSECONDS

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


NOTHING_CLOSED = pl.DataFrame(schema=CLOSED_SPANS)


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


@dataclass(frozen=True)
class Closed:
    """Closed time from one local day to another, in a zone of its own.

    It is of the subscription unless another one of its customer is named.
    """

    start: str
    end: str
    zone: str = "UTC"
    last_cut: str = "2026-01-01"
    subscription: str = "s"
    customer: str = "c"


def when_date(column: str) -> pl.Expr:
    """A column of local dates as the catalog has them."""
    at = pl.lit(None, UTC_MICROSECONDS)
    is_there = pl.col(column).is_not_null()
    return pl.when(is_there).then(pl.struct(pl.col(column).alias("date"), at=at)).alias(column)


def spans_of(closed: Sequence[Closed]) -> pl.DataFrame:
    rows = [
        {
            "subscription_id": span.subscription,
            "customer_id": span.customer,
            "plan_code": "p",
            "currency": "USD",
            "metric_codes": "",
            "phase_start_label": datetime.fromisoformat(span.start),
            "span_start_at": local_midnight(span.zone, date.fromisoformat(span.start)),
            "span_end_at": local_midnight(span.zone, date.fromisoformat(span.end)),
            "span_start_label": datetime.fromisoformat(span.start),
            "span_end_label": datetime.fromisoformat(span.end),
            "last_cut_at": datetime.fromisoformat(span.last_cut).replace(tzinfo=UTC),
            "last_period": f"s/{span.start}",
        }
        for span in closed
    ]
    return pl.DataFrame(rows, schema=CLOSED_SPANS)


def periods_of(terms: Terms, until: str, *closed: Closed) -> pl.DataFrame:
    end = date.fromisoformat(terms.end) if terms.end else None
    start = date.fromisoformat(terms.start)
    subscription = ("s", "c", "p", terms.interval, terms.count, terms.anchor, start, end)
    return billing_periods(
        pl.DataFrame([subscription], SUBSCRIPTIONS, orient="row").with_columns(
            when_date("start_date"), when_date("end_date")
        ),
        pl.DataFrame(
            [("c", "EUR", terms.zone, terms.grace, terms.policy)], CUSTOMERS, orient="row"
        ),
        pl.DataFrame([("p", "USD")], PLANS, orient="row"),
        datetime.fromisoformat(until).replace(tzinfo=UTC),
        spans_of(closed),
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
