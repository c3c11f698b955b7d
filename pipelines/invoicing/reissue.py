"""Reissue: the periods of invoices are open time again, and are closed at once by today's catalog.

A reissue is a cut: everything received before its `as_of` counts. Its periods may be others than
those that were closed, because the catalog may have another rhythm by now, or another life.

Example: the invoice of March is reissued on 10 April, after the start of the subscription was moved
to 15 March. Its new invoice is for 15 to 31 March, and has the cut of 10 April.
"""

from datetime import datetime

import polars as pl

from pipelines.vocabulary.errors import MeterlineError

_PERIOD = ("subscription_id", "period_start_at")


def with_reissue_cut(
    periods: pl.DataFrame, reopened: pl.DataFrame, as_of: datetime
) -> pl.DataFrame:
    """The open periods; those that the run reissues have its `as_of` as their cut.

    Args:
        periods: schema `BILLING_PERIODS`; made with these periods reopened.
        reopened: schema `REOPENED_PERIODS`.
        as_of: the instant of the run.

    Raises:
        MeterlineError: a period that begins in reopened time ends after it: its usage would be
            billed before it is over.
    """
    reissued = reissued_periods(periods, reopened)
    if not reissued.height:
        return periods
    beyond = reissued.filter(pl.col("period_end_label") > pl.col("reopened_to_label"))
    if beyond.height:
        row = beyond.row(0, named=True)
        end, reopened_to = row["period_end_label"].date(), row["reopened_to_label"].date()
        raise MeterlineError(
            f"{row['corrects_invoice_id']}: by today's catalog its time belongs to a period that "
            f"ends on {end}, and only time up to {reopened_to} is reissued; reissue the invoices "
            f"up to {end} with it, or let the change of {row['subscription_id']} begin on "
            f"{reopened_to} or later; nothing was changed"
        )
    is_reissued = reissued.select(*_PERIOD, is_reissued=pl.lit(value=True))
    return (
        periods.join(is_reissued, on=_PERIOD, how="left", maintain_order="left")
        .with_columns(cut_at=pl.when("is_reissued").then(pl.lit(as_of)).otherwise("cut_at"))
        .select(periods.columns)
    )


def reissued_periods(periods: pl.DataFrame, reopened: pl.DataFrame) -> pl.DataFrame:
    """The open periods that begin in time that the run reopens.

    Args:
        periods: schema `BILLING_PERIODS`.
        reopened: schema `REOPENED_PERIODS`.

    Returns:
        subscription_id, period_start_at, period_end_label, the end `reopened_to_label` of the
        reopened time around its start, and `corrects_invoice_id`: the invoice that had its start.
    """
    asked = reopened.filter("is_asked").sort("subscription_id", "period_start_label")
    # Periods that follow each other are one span of reopened time.
    begins = (
        pl.col("period_start_label") > pl.col("period_end_label").shift(1).over("subscription_id")
    ).fill_null(value=True)
    spans = asked.with_columns(span=begins.cum_sum().over("subscription_id")).select(
        "subscription_id",
        from_label="period_start_label",
        to_label="period_end_label",
        reopened_to_label=pl.col("period_end_label").max().over("subscription_id", "span"),
        corrects_invoice_id="invoice_id",
    )
    return (
        periods.join(spans, on="subscription_id")
        .filter(
            pl.col("from_label") <= pl.col("period_start_label"),
            pl.col("period_start_label") < pl.col("to_label"),
        )
        .unique(_PERIOD, keep="first", maintain_order=True)
        .select(*_PERIOD, "period_end_label", "reopened_to_label", "corrects_invoice_id")
        .sort(_PERIOD)
    )
