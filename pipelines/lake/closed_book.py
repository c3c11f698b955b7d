"""The closed book: what the lake knows of closed time, as much of it as a run needs.

A subscription may have thousands of closed periods. A run reads their spans, a few rows a
subscription, and the periods themselves only where events may still lie in them.
"""

from datetime import datetime

import polars as pl

from pipelines.lake.lake import Lake
from pipelines.vocabulary.frames import CLOSED_CUTS, CLOSED_SPANS

NEWEST_CLOSED = """
    SELECT * FROM (
        SELECT * FROM lake.closed_periods
        QUALIFY revision = max(revision) OVER (PARTITION BY subscription_id, period_start_label)
    ) WHERE state = 'closed'
"""
"""SQL: each closed period by its newest revision, without those that were reopened."""


_SPAN_FACTS = "subscription_id, customer_id, plan_code, currency, metric_codes"


def closed_spans(lake: Lake) -> pl.DataFrame:
    """One row per subscription and span of closed time; schema `CLOSED_SPANS`."""
    return lake.query(
        f"""
        WITH closed AS (
            SELECT *, coalesce(invoice_id, subscription_id || '/' || period_start_label::DATE)
                AS period
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
            max(cut_at) AS last_cut_at, arg_max(period, period_end_label) AS last_period
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
