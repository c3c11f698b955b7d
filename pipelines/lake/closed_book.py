"""The closed book: what the lake knows of closed time, as much of it as a run needs.

A subscription may have thousands of closed periods. A run reads their spans, a few rows a
subscription, and the periods themselves only where events may still lie in them.
"""

from collections.abc import Collection
from datetime import datetime

import polars as pl

from pipelines.lake.acts import VOID_INVOICES
from pipelines.lake.lake import Lake
from pipelines.vocabulary.frames import CLOSED_CUTS, CLOSED_SPANS

NEWEST_CLOSED = """
    SELECT * FROM (
        SELECT * FROM lake.closed_periods
        QUALIFY revision = max(revision) OVER (PARTITION BY subscription_id, period_start_label)
    ) WHERE state = 'closed'
"""
"""SQL: each closed period by its newest revision, without those that were reopened."""


_SPAN_FACTS = "subscription_id, customer_id, plan_code, currency, metric_codes, void_invoice_id"


def closed_spans(lake: Lake) -> pl.DataFrame:
    """One row per subscription and span of closed time; schema `CLOSED_SPANS`.

    The period of a void invoice is a span of its own.
    """
    return lake.query(
        f"""
        WITH closed AS (
            SELECT *, coalesce(invoice_id, subscription_id || '/' || period_start_label::DATE)
                AS period,
                CASE WHEN invoice_id IN ({VOID_INVOICES}) THEN invoice_id END AS void_invoice_id
            FROM ({NEWEST_CLOSED})
        ),
        followed AS (
            SELECT *, max(period_end_label) OVER (
                PARTITION BY {_SPAN_FACTS} ORDER BY period_start_label
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS earlier_end_label
            FROM closed
        ),
        numbered AS (
            SELECT *, sum(CASE WHEN period_start_label <= earlier_end_label THEN 0 ELSE 1 END)
                OVER (
                    PARTITION BY {_SPAN_FACTS} ORDER BY period_start_label
                    ROWS UNBOUNDED PRECEDING
                ) AS span_number
            FROM followed
        )
        SELECT {_SPAN_FACTS},
            min(period_start_at) AS span_start_at, max(period_end_at) AS span_end_at,
            min(period_start_label) AS span_start_label, max(period_end_label) AS span_end_label,
            max(cut_at) AS last_cut_at, arg_max(period, period_end_label) AS last_period,
            sum(epoch_us(period_end_at) - epoch_us(period_start_at))
                > epoch_us(max(period_end_at)) - epoch_us(min(period_start_at)) AS overlaps_itself
        FROM numbered GROUP BY {_SPAN_FACTS}, span_number
        ORDER BY subscription_id, span_start_label
        """
    ).cast(CLOSED_SPANS)


def closed_cuts(lake: Lake, since: datetime | None) -> pl.DataFrame:
    """The bounds and the cut of each closed period; schema `CLOSED_CUTS`.

    Args:
        lake: any connection.
        since: no event is asked about that happened before; None asks about all.
    """
    return lake.query(
        f"""
        SELECT {", ".join(CLOSED_CUTS)} FROM ({NEWEST_CLOSED})
        WHERE $since IS NULL OR period_end_at > $since
        """,
        {"since": since},
    ).cast(CLOSED_CUTS)


def closed_count(lake: Lake) -> int:
    """The number of rows of the closed book."""
    return int(lake.query("SELECT count(*) AS n FROM lake.closed_periods")["n"][0])


def periods_without_terms(lake: Lake) -> int:
    """The number of closed periods whose terms were not kept, so that nothing rates them again."""
    found = lake.query(f"SELECT count(*) AS n FROM ({NEWEST_CLOSED}) WHERE terms_digest IS NULL")
    return int(found["n"][0])


def double_bills(lake: Lake, customers: Collection[str]) -> pl.DataFrame:
    """One row per pair of invoices that bill one metric of one customer at one instant.

    Void invoices bill nothing.

    Args:
        lake: any connection.
        customers: the customers to look at.

    Returns:
        customer_id, invoice_number (the earlier one), other_number, metric_code, and the local
        dates from_date and to_date between which both bill; ordered by the numbers.
    """
    return lake.query(
        f"""
        WITH billed AS (
            SELECT closed.*, series_number, invoice_number,
                unnest(string_split(metric_codes, ',')) AS metric_code
            FROM ({NEWEST_CLOSED}) AS closed JOIN lake.invoices USING (invoice_id)
            WHERE closed.customer_id IN $customers AND invoice_id NOT IN ({VOID_INVOICES})
        )
        SELECT earlier.customer_id, earlier.invoice_number,
            later.invoice_number AS other_number, min(earlier.metric_code) AS metric_code,
            min(greatest(earlier.period_start_label, later.period_start_label))::DATE AS from_date,
            max(least(earlier.period_end_label, later.period_end_label))::DATE AS to_date
        FROM billed AS earlier JOIN billed AS later
            ON earlier.customer_id = later.customer_id
            AND earlier.metric_code = later.metric_code
            AND earlier.series_number < later.series_number
            AND earlier.period_start_at < later.period_end_at
            AND later.period_start_at < earlier.period_end_at
        GROUP BY earlier.customer_id, earlier.invoice_number, later.invoice_number
        ORDER BY earlier.invoice_number, later.invoice_number
        """,
        {"customers": sorted(customers)},
    )
