"""Metered history: what a published generation says of billing periods and of their usage."""

from dataclasses import dataclass
from datetime import date

import duckdb
import polars as pl

from pipelines.vocabulary.errors import MeterlineError


@dataclass(frozen=True)
class MeteredHistory:
    """Periods that have begun, with what was billed and used in them.

    Attributes:
        periods: one row per period whose invoice is not void, by customer and start: invoice_id,
            subscription_id, customer_id, status of the invoice, period_start_date, service_days,
            full_days, is_first of its subscription, currency, billed (before discounts, taxes and
            credits; null for a draft with a fault), fault, and customer_currency.
        voided: number of periods left out because their invoice is void.
        usage: one row per period, metric and group, by all properties that the metric keeps:
            invoice_id, metric_code, group_key, quantity (null if all events came too late, or
            beyond what a quantity holds), event_count of the events in time, and late_count.
        lines: one row per usage line of an invoice: invoice_id, metric_code, charge_code,
            group_key, quantity and event_count.
        adds_up: for each metric, True if quantities of groups add up to that of the whole.
    """

    periods: pl.DataFrame
    voided: int
    usage: pl.DataFrame
    lines: pl.DataFrame
    adds_up: dict[str, bool]


def read_history(
    marts: duckdb.DuckDBPyConnection, customer_id: str | None, first_day: date | None
) -> MeteredHistory:
    """What the published marts say.

    Args:
        marts: see `Home.marts`.
        customer_id: whose periods. None: everybody's.
        first_day: only periods whose first local day is this one or later. None: all.

    Raises:
        MeterlineError: an earlier version published them.
    """
    columns = marts.execute("SELECT column_name FROM (DESCRIBE dim_billable_metrics)").fetchall()
    if ("is_additive",) not in columns:
        raise MeterlineError(
            "an earlier version published the marts, which do not say what adds up; run "
            "`meterline publish` first"
        )
    asked = {"customer_id": customer_id, "first_day": first_day}
    periods = marts.execute(f"{_ASKED} SELECT * FROM asked ORDER BY ALL", asked).pl()
    is_void = pl.col("status") == "void"
    additive = marts.execute("SELECT metric_code, is_additive FROM dim_billable_metrics")
    return MeteredHistory(
        periods=periods.filter(~is_void).drop("period_start_at"),
        voided=periods.filter(is_void).height,
        adds_up=dict(additive.fetchall()),
        usage=marts.execute(f"{_ASKED} {_USAGE}", asked).pl(),
        lines=marts.execute(f"{_ASKED} {_LINES}", asked).pl(),
    )


_ASKED = """
    WITH asked AS (
        SELECT
            dim_billing_periods.customer_id,
            dim_billing_periods.period_start_at,
            invoice_id,
            dim_billing_periods.subscription_id,
            fct_invoices.status,
            dim_billing_periods.period_start_date,
            dim_billing_periods.service_days::BIGINT AS service_days,
            dim_billing_periods.full_days::BIGINT AS full_days,
            dim_billing_periods.period_index = 1 AS is_first,
            fct_invoices.currency,
            fct_invoices.subtotal_amount AS billed,
            fct_invoices.fault,
            dim_customers.currency AS customer_currency
        FROM dim_billing_periods
        JOIN fct_invoices USING (invoice_id)
        JOIN dim_customers ON dim_billing_periods.customer_id = dim_customers.customer_id
        WHERE ($customer_id IS NULL OR dim_billing_periods.customer_id = $customer_id)
            AND ($first_day IS NULL OR dim_billing_periods.period_start_date >= $first_day)
    )
"""

_USAGE = """
    SELECT invoice_id, metric_code, group_key, quantity, event_count, late_count
    FROM fct_metered_usage SEMI JOIN asked USING (invoice_id)
"""

_LINES = """
    SELECT invoice_id, metric_code, charge_code, group_key, quantity, event_count
    FROM fct_invoice_lines SEMI JOIN asked USING (invoice_id)
    WHERE kind = 'usage'
"""
