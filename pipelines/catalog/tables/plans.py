"""plans.csv: what can be subscribed to."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from pipelines.catalog.cells import CODE, CURRENCY, PRICE, TEXT, one_of
from pipelines.catalog.rows import Problem, Row, column, later
from pipelines.catalog.table import CatalogTable, Tables
from pipelines.vocabulary.money import plain_decimal


@dataclass(frozen=True, kw_only=True)
class Plan(Row):
    """One row per plan.

    An edit holds from the next run on, for drafts. A currency that was billed cannot change.
    """

    file_name = "plans.csv"

    plan_code: str = column(CODE, "Code by which charges and subscriptions name the plan.")
    name: str = column(TEXT, "Name for people.")
    currency: str | None = column(
        CURRENCY, "Currency of its prices; empty is the customer's.", empty=None
    )
    minimum_amount: Decimal | None = later(
        PRICE, "Least that a subscription pays for a full period; empty is none."
    )
    maximum_amount: Decimal | None = later(
        PRICE, "Most that a subscription pays for a full period; empty is none."
    )
    rounding: str = column(
        one_of("half_away", "half_even"),
        "How a line is rounded to the minor unit where it lies half way; empty is half_away.",
        empty="half_away",
        is_optional=True,
    )


def crossed_bounds(tables: Tables) -> Iterator[Problem]:
    """The minimum of a plan is not above its maximum."""
    for plan in tables[Plan].where(pl.col("minimum_amount") > pl.col("maximum_amount")):
        low, high = plan.minimum_amount or Decimal(), plan.maximum_amount or Decimal()
        yield plan.problem(
            "minimum_amount",
            f"{plain_decimal(low)} is above maximum_amount {plain_decimal(high)}; lower it, or "
            "raise the other",
        )


TABLE = CatalogTable(Plan, key=("plan_code",), rules=(crossed_bounds,))
