"""credits.csv: blocks of credit that pay invoices of a customer."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from pipelines.catalog.cells import (
    CODE,
    CURRENCY,
    NAMES,
    PRICE,
    TEXT,
    WHEN,
    shown,
    whole_number,
)
from pipelines.catalog.owned_charges import unknown_charges
from pipelines.catalog.rows import Problem, Row, column
from pipelines.catalog.table import CatalogTable, Reference, Tables
from pipelines.catalog.tables.customers import Customer
from pipelines.periods.lives import NOTHING_CLOSED, WhenCell, resolved
from pipelines.vocabulary.money import minor_unit_digits, plain_decimal

LINE_KINDS = ("usage", "flat", "maximum", "minimum", "overage", "true_up", "adjustment")
"""Kinds of lines that a block may pay."""


@dataclass(frozen=True, kw_only=True)
class Credit(Row):
    """One row per block of credit.

    An edit changes every draft from the next run on, and no finalized invoice. A block that has
    paid something keeps its customer, currency, cost basis and first instant.
    """

    file_name = "credits.csv"

    credit_id: str = column(CODE, "Id of the block.")
    customer_id: str = column(TEXT, "Whose invoices it pays.")
    name: str = column(TEXT, "Name for people.")
    amount: Decimal = column(PRICE, "What it is worth, in whole minor units of its currency.")
    currency: str = column(CURRENCY, "It pays invoices of this currency.")
    effective_at: WhenCell = column(WHEN, "From when on it pays.")
    expires_at: WhenCell | None = column(
        WHEN, "From when on what is left is lost; empty is never.", empty=None, is_optional=True
    )
    priority: int = column(
        whole_number(1, 100),
        "Blocks of a lower number pay first; empty is 50.",
        empty=50,
        is_optional=True,
    )
    cost_basis: Decimal = column(
        PRICE,
        "What the customer paid for one unit of it; 0 for a gift, empty is 1.",
        empty=Decimal(1),
        is_optional=True,
    )
    charge_codes: list[str] = column(
        NAMES, "The charges whose lines it pays; empty is all.", empty=(), is_optional=True
    )
    kinds: list[str] = column(
        NAMES, "The kinds of lines that it pays; empty is all.", empty=(), is_optional=True
    )
    voided_at: WhenCell | None = column(
        WHEN,
        "From when on what is left is taken back; empty is never.",
        empty=None,
        is_optional=True,
    )

    def problems(self) -> Iterator[Problem]:
        """A block is worth whole minor units, and pays lines that there are."""
        digits = minor_unit_digits(self.currency)
        if self.amount != round(self.amount, digits):
            yield self.problem(
                "amount",
                f"{plain_decimal(self.amount)} is not in whole minor units of {self.currency}, "
                f"which has {digits} digits after the point; round it",
            )
        for kind in self.kinds:
            if kind not in LINE_KINDS:
                yield self.problem(
                    "kinds",
                    f"{shown(kind)} is no kind of line that credits pay; there are: "
                    f"{', '.join(LINE_KINDS)}",
                )


def wrong_amounts(tables: Tables) -> Iterator[Problem]:
    """What is wrong with one row alone."""
    for row in tables[Credit]:
        yield from row.problems()


def expired_before_effective(tables: Tables) -> Iterator[Problem]:
    """A block is effective for some time."""
    zones = tables.whole(Customer).frame.select("customer_id", "time_zone")
    blocks = tables.whole(Credit).frame.join(zones, on="customer_id", maintain_order="left")
    spans = resolved(blocks, NOTHING_CLOSED, "effective_at", "expires_at")
    empty = spans.filter(pl.col("expires_at_at") <= pl.col("effective_at_at"))["line"]
    for row in tables[Credit].where(pl.col("line").is_in(empty.implode())):
        yield row.problem(
            "expires_at",
            f"is not after effective_at by the clock of {shown(row.customer_id)}; correct one",
        )


TABLE = CatalogTable(
    Credit,
    key=("credit_id",),
    references=(Reference(("customer_id",), "customers.csv"),),
    rules=(wrong_amounts, expired_before_effective, unknown_charges(Credit)),
    is_optional=True,
    is_priced=False,
    is_seed=False,
)
