"""discounts.csv: what is taken off lines and invoices."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from pipelines.catalog.cells import (
    CODE,
    CURRENCY,
    DATE,
    NAMES,
    QUANTITY,
    TEXT,
    one_of,
    shown,
    whole_number,
)
from pipelines.catalog.owned_charges import OWNERS, unknown_charges
from pipelines.catalog.rows import Problem, Row, column
from pipelines.catalog.table import CatalogTable, Reference, Tables
from pipelines.vocabulary.money import plain_decimal

KINDS = ("percent", "amount", "units")
"""Of one priority, discounts apply in this order. Units are taken off before there is an amount."""


@dataclass(frozen=True, kw_only=True)
class Discount(Row):
    """One row per discount.

    It covers lines whose service period begins on a local day from `starts_on` up to the day before
    `ends_on`.

    An edit changes every draft from the next run on, and no finalized invoice.
    """

    file_name = "discounts.csv"

    discount_id: str = column(CODE, "Id of the discount.")
    customer_id: str | None = column(
        TEXT, "Who is given it; one of customer, subscription and plan is named.", empty=None
    )
    subscription_id: str | None = column(TEXT, "The same, a subscription.", empty=None)
    plan_code: str | None = column(CODE, "The same, every subscription on the plan.", empty=None)
    charge_codes: list[str] = column(
        NAMES, "The charges that it covers; empty is the whole invoice.", empty=()
    )
    kind: str = column(
        one_of(*KINDS),
        "Hundredths of what it covers, an amount of money, or units of a charge.",
    )
    value: Decimal = column(QUANTITY, "How many hundredths, how much money, or how many units.")
    currency: str | None = column(CURRENCY, "Of an amount; empty otherwise.", empty=None)
    starts_on: date = column(DATE, "First local day.")
    ends_on: date | None = column(
        DATE, "First local day without it; empty is open.", empty=None, is_optional=True
    )
    periods: int | None = column(
        whole_number(1, 9999),
        "It has an effect on at most so many invoices of its owner, and for a plan, of each "
        "subscription; empty is no limit.",
        empty=None,
        is_optional=True,
    )
    spread: str = column(
        one_of("each", "once"),
        "An amount is given on every invoice (`each`), or until it is used up (`once`); empty is "
        "each.",
        empty="each",
        is_optional=True,
    )
    priority: int = column(
        whole_number(1, 9999),
        "Discounts of a lower number come first; empty is 100.",
        empty=100,
        is_optional=True,
    )

    @property
    def place(self) -> tuple[int, int, str]:
        """By what discounts of the same lines are ordered: the lowest applies first."""
        return self.priority, KINDS.index(self.kind), self.discount_id

    def problems(self) -> Iterator[Problem]:
        """A percentage is at most 100, an amount has a currency, and units have a charge."""
        if self.kind == "percent" and self.value > 100:
            yield self.problem(
                "value", f"{plain_decimal(self.value)} is more than 100 percent; lower it"
            )
        if self.kind == "amount" and self.currency is None:
            yield self.problem("currency", "is empty; an amount needs it")
        if self.kind != "amount" and self.currency is not None:
            yield self.problem(
                "currency",
                f"{shown(self.currency)} is of no amount; empty it, or write the kind amount",
            )
        if self.kind == "percent" and self.spread == "once":
            yield self.problem(
                "spread", "'once' is for what can be used up; empty it, or write another kind"
            )
        if self.kind == "units" and not self.charge_codes:
            yield self.problem("charge_codes", "is empty; units are those of a charge; name it")
        if self.ends_on is not None and self.ends_on <= self.starts_on:
            yield self.problem(
                "ends_on",
                f"{self.ends_on} is not after starts_on {self.starts_on}; the end is the first day "
                "without the discount",
            )


def wrong_owners(tables: Tables) -> Iterator[Problem]:
    """A discount has one owner."""
    owners = pl.sum_horizontal(pl.col(name).is_not_null() for name in OWNERS)
    for row in tables[Discount].where(owners != 1):
        named = [name for name in OWNERS if getattr(row, name) is not None]
        yield row.problem(
            named[-1] if named else OWNERS[0],
            f"the discount names {' and '.join(named)}; name one of them"
            if named
            else "is empty, as are subscription_id and plan_code; name one of the three",
        )


def wrong_values(tables: Tables) -> Iterator[Problem]:
    """What contradicts itself between the columns of a discount."""
    for row in tables[Discount]:
        yield from row.problems()


TABLE = CatalogTable(
    Discount,
    key=("discount_id",),
    references=(
        Reference(("customer_id",), "customers.csv"),
        Reference(("subscription_id",), "subscriptions.csv"),
        Reference(("plan_code",), "plans.csv"),
    ),
    rules=(wrong_owners, wrong_values, unknown_charges(Discount)),
    is_optional=True,
    is_priced=False,
    is_seed=False,
)
