"""Added to the past: periods that an edit of the catalog puts before what was closed.

Such a period is billed only when a person accepts it: a start year typed as 2016 would make 120
final invoices.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

PERIOD = ("subscription_id", "period_start_label")
"""A period is the same in two catalogs when its subscription and the label of its start are."""


@dataclass(frozen=True)
class LastClosing:
    """The newest closing of a home.

    Attributes:
        as_of: the instant it spoke for.
        periods: the open periods of its catalog; columns `PERIOD`.
    """

    as_of: datetime
    periods: pl.DataFrame


def added_to_the_past(
    periods: pl.DataFrame, last: LastClosing | None, allowance: timedelta
) -> pl.DataFrame:
    """The periods that were added to the past, one row each; the columns of `periods`.

    Example: the last closing spoke for 10 June, the allowance is 3 days. Today's catalog has a
    subscription since March that the catalog of that closing did not have. Its period of May, whose
    grace ended on 3 June, was added to the past. One whose grace ends on 7 June was not.

    Args:
        periods: open time; `BILLING_PERIODS`.
        last: the newest closing; None before the first, which knows no such period.
        allowance: how long before that closing the grace of a period must have ended.
    """
    if last is None:
        return periods.clear()
    is_past = pl.col("grace_end_at") < last.as_of - allowance
    return periods.filter(is_past).join(last.periods, on=PERIOD, how="anti")
