"""Metered histories written by hand, as published marts would have them."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.catalog.tables.plans import Plan
from pipelines.operations.metered_history import MeteredHistory

QUANTITY = pl.Decimal(38, 18)
AMOUNT = pl.Decimal(38, 15)

PERIODS = pl.Schema(
    {
        "customer_id": pl.String(),
        "invoice_id": pl.String(),
        "subscription_id": pl.String(),
        "status": pl.String(),
        "period_start_date": pl.Date(),
        "service_days": pl.Int64(),
        "full_days": pl.Int64(),
        "is_first": pl.Boolean(),
        "currency": pl.String(),
        "billed": AMOUNT,
        "fault": pl.String(),
        "customer_currency": pl.String(),
    }
)
USAGE = pl.Schema(
    {
        "invoice_id": pl.String(),
        "metric_code": pl.String(),
        "group_key": pl.String(),
        "quantity": QUANTITY,
        "event_count": pl.Int64(),
        "late_count": pl.Int64(),
    }
)
LINES = pl.Schema(
    {
        "invoice_id": pl.String(),
        "metric_code": pl.String(),
        "charge_code": pl.String(),
        "group_key": pl.String(),
        "quantity": QUANTITY,
        "event_count": pl.Int64(),
    }
)

Row = dict[str, Any]


def plan(**others: Any) -> Plan:
    """The plan `p`, in the customer's currency."""
    columns = {"plan_code": "p", "name": "P", "currency": None, "rounding": "half_away"}
    return Plan(line=1, **{**columns, "minimum_amount": None, "maximum_amount": None, **others})


def period(invoice_id: str = "i", **others: object) -> Row:
    """A whole month of acme that was billed at 0 USD."""
    return {
        "customer_id": "acme",
        "invoice_id": invoice_id,
        "subscription_id": "s1",
        "status": "finalized",
        "period_start_date": date(2026, 3, 1),
        "service_days": 31,
        "full_days": 31,
        "is_first": False,
        "currency": "USD",
        "billed": Decimal(0),
        "fault": None,
        "customer_currency": "USD",
        **others,
    }


def used(
    quantity: str | None, events: int = 1, late: int = 0, of: str = "i",
    metric: str = "requests", **group: str | None,
) -> Row:  # fmt: skip
    """Usage of a group by all properties of a metric."""
    return {
        "invoice_id": of,
        "metric_code": metric,
        "group_key": key(group),
        "quantity": None if quantity is None else Decimal(quantity),
        "event_count": events,
        "late_count": late,
    }


def line(quantity: str, events: int, charge: str = "old", **group: str) -> Row:
    """A line of the invoice `i` of requests."""
    return {
        "invoice_id": "i",
        "metric_code": "requests",
        "charge_code": charge,
        "group_key": key(group),
        "quantity": Decimal(quantity),
        "event_count": events,
    }


def key(group: Mapping[str, str | None]) -> str:
    """The canonical JSON of a group of printable texts."""
    return json.dumps(group, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def history(
    *usage: Row,
    periods: Sequence[Row] | None = None,
    lines: Sequence[Row] = (),
    adds_up: bool = True,
    voided: int = 0,
) -> MeteredHistory:
    """What marts hold of periods, by default of the period `i` alone."""
    metrics = {"requests", "bytes", *(row["metric_code"] for row in usage)}
    return MeteredHistory(
        periods=_frame([period()] if periods is None else periods, PERIODS),
        voided=voided,
        usage=_frame(usage, USAGE),
        lines=_frame(lines, LINES),
        adds_up=dict.fromkeys(metrics, adds_up),
    )


def _frame(rows: Sequence[Row], schema: pl.Schema) -> pl.DataFrame:
    return pl.DataFrame(
        {name: pl.Series([row[name] for row in rows], dtype=kind) for name, kind in schema.items()}
    )
