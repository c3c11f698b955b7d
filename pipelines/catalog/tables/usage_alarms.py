"""usage_alarms.csv: when usage of a customer is so unusual that somebody should look."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from pipelines.catalog.cells import CODE, MULTIPLE, PERCENT, TEXT
from pipelines.catalog.rows import Problem, Row, column
from pipelines.catalog.table import BILLABLE_METRICS, CatalogTable, Reference, Tables


@dataclass(frozen=True, kw_only=True)
class UsageAlarm(Row):
    """One row per customer and metric.

    An edit holds from the next run on; it changes no invoice.
    """

    file_name = "usage_alarms.csv"

    customer_id: str = column(TEXT, "Whose usage is watched.")
    metric_code: str = column(CODE, "The billable metric that is watched.")
    silent_after: Decimal | None = column(
        MULTIPLE,
        "Alarm when nothing came for so many times the usual gap; empty is never.",
        empty=None,
        is_optional=True,
    )
    spike_factor: Decimal | None = column(
        MULTIPLE,
        "Alarm when a day has so many times the usual usage; empty is never.",
        empty=None,
        is_optional=True,
    )
    invoice_change_percent: Decimal | None = column(
        PERCENT,
        "Alarm when an invoice differs by so much from the one before; empty is never.",
        empty=None,
        is_optional=True,
    )


def alarms_of_nothing(tables: Tables) -> Iterator[Problem]:
    """A row says when to give alarm."""
    kinds = ("silent_after", "spike_factor", "invoice_change_percent")
    for row in tables[UsageAlarm].where(pl.all_horizontal(pl.col(kinds).is_null())):
        yield row.problem("", f"has none of {', '.join(kinds)}; write one, or remove the row")


TABLE = CatalogTable(
    UsageAlarm,
    key=("customer_id", "metric_code"),
    references=(
        Reference(("customer_id",), "customers.csv"),
        Reference(("metric_code",), BILLABLE_METRICS),
    ),
    rules=(alarms_of_nothing,),
    is_optional=True,
    is_priced=False,
    is_seed=False,
)
