"""The closed book: the rows that closing a period writes, whatever its invoice came to."""

import polars as pl

from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.frame_checks import checked
from pipelines.vocabulary.frames import BILLING_PERIODS
from pipelines.vocabulary.reopened import NOTHING_REOPENED
from pipelines.vocabulary.tables import CLOSED_PERIODS

CLOSED = "closed"
"""The state of a period that is closed."""

_COPIED = (
    "subscription_id",
    "customer_id",
    "plan_code",
    "currency",
    "time_zone",
    "late_usage_policy",
    "interval",
    "interval_count",
    "anchor_label",
    "phase_start_label",
    "period_start_at",
    "period_end_at",
    "period_start_label",
    "period_end_label",
    "full_start_at",
    "full_end_at",
    "full_start_label",
    "full_end_label",
    "service_days",
    "full_days",
    "cut_at",
    "phase_index",
    "is_trial",
)
"""The columns of a period that its closed row repeats."""


def closed_rows(
    periods: pl.DataFrame,
    closings: pl.DataFrame,
    metrics: pl.DataFrame,
    batch_id: int,
    definitions_digest: str | None = None,
    reopened: pl.DataFrame = NOTHING_REOPENED,
) -> pl.DataFrame:
    """One row of the closed book per closing.

    Args:
        periods: schema `BILLING_PERIODS`; at least those that are closed.
        closings: one row per period that is closed: subscription_id, period_start_at, invoice_id
            (null: none came of it), event_batch_id, catalog_digest, and terms_digest and recipe
            (null: not known any more).
        metrics: plan_code and metric_codes; one row per plan with a charge.
        batch_id: number of the transaction that writes the rows.
        definitions_digest: of what they were counted by; None: not known any more.
        reopened: periods that were closed before; schema `REOPENED_PERIODS`.

    Returns:
        Rows of the lake table `closed_periods`, in the order of the closings.

    Raises:
        InvariantError: one of them closes no period of these.
    """
    periods = checked(periods, BILLING_PERIODS, "billing periods")
    keys = ["subscription_id", "period_start_at"]
    rows = closings.join(periods.select(_COPIED), on=keys, how="inner", maintain_order="left")
    if rows.height != closings.height:
        lost = closings.join(rows, on=keys, how="anti").row(0, named=True)
        raise InvariantError(
            f"{lost['invoice_id'] or 'an invoice of zero'}: expected a period of "
            f"{lost['subscription_id']} that starts at {lost['period_start_at'].isoformat()}, "
            "found none; nothing was closed"
        )
    before = reopened.select("subscription_id", "period_start_label", reopened_by="revision")
    rows = rows.join(
        before, on=["subscription_id", "period_start_label"], how="left", maintain_order="left"
    )
    known = rows.join(metrics, on="plan_code", how="left", maintain_order="left").with_columns(
        pl.col("metric_codes").fill_null(""),
        batch_id=pl.lit(batch_id),
        revision=(pl.col("reopened_by") + 1).fill_null(0),
        state=pl.lit(CLOSED),
        definitions_digest=pl.lit(definitions_digest, pl.String),
    )
    return known.select(pl.col(name).cast(dtype) for name, dtype in CLOSED_PERIODS.schema.items())
