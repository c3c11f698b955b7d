"""Closed periods that are open time again: a person reissues their invoices."""

import polars as pl

from pipelines.vocabulary.tables.columns import LABEL

REOPENED_PERIODS = pl.Schema(
    {
        "subscription_id": pl.String(),
        "period_start_label": LABEL,
        "period_end_label": LABEL,
        "revision": pl.Int32(),
        "invoice_id": pl.String(),
        "next_invoice_id": pl.String(),
        "is_asked": pl.Boolean(),
    }
)
"""One row per closed period that is open time again; key (subscription_id, period_start_label).

`revision` is that of the row that reopens it, and `invoice_id` the invoice that it had. The next
invoice of a period with this label is `next_invoice_id`. `is_asked` is true if this very run
reopens it, so that the lake does not know of it yet.
"""

NOTHING_REOPENED = REOPENED_PERIODS.to_frame()
"""Nearly always nothing is."""
