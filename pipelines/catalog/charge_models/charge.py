"""A charge: the columns of charges.csv that charges of every model have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pipelines.catalog.cells import CODE, DATE, NAMES, PRICE, TEXT, YES_NO, shown
from pipelines.catalog.rows import Problem, Row, column, later
from pipelines.catalog.tables.charge_tiers import PriceVersion, Tier
from pipelines.vocabulary.money import plain_decimal


@dataclass(frozen=True, kw_only=True)
class Charge(Row):
    """One row per charge and price version.

    The version in force on the first local day of a period prices all of it.

    An edit changes every draft from the next run on, and no finalized invoice. For another price,
    add a row with its `valid_from`: it holds for periods that begin on that day or later.
    """

    file_name = "charges.csv"

    plan_code: str = column(CODE, "The plan.")
    charge_code: str = column(CODE, "Code of the charge, unique within the plan.")
    metric_code: str | None = column(
        CODE, "The billable metric that is charged; empty for a flat charge.", empty=None
    )
    charge_model: str = column(CODE, "How a quantity becomes an amount; see the models below.")
    unit_price: Decimal | None = column(PRICE, "Price of one unit.", empty=None)
    group_by: list[str] = column(
        NAMES, "Properties of the metric; each group of their values is a line.", empty=()
    )
    valid_from: date = column(DATE, "First local day of this version.")
    name: str | None = column(
        TEXT, "Name for people; empty is the code.", empty=None, is_optional=True
    )
    subscription_id: str | None = column(
        TEXT,
        "A negotiated price: for this subscription it takes the place of the plan's rows of the "
        "charge, from `valid_from` on.",
        empty=None,
        is_optional=True,
    )
    minimum_amount: Decimal | None = column(
        PRICE,
        "Least that all lines of the charge come to in a full period; empty is none.",
        empty=None,
        is_optional=True,
    )
    maximum_amount: Decimal | None = column(
        PRICE,
        "Most that all lines of the charge come to in a full period; empty is none.",
        empty=None,
        is_optional=True,
    )
    tax_codes: list[str] = later(NAMES, "Taxes on its lines; empty is the customer's.", empty=())
    prorated: bool = column(
        YES_NO,
        "`no`: what is due for a full period is due for a part of it too. Usage is never prorated; "
        "empty is yes.",
        empty=True,
        is_optional=True,
    )

    @property
    def price(self) -> PriceVersion:
        """The price version."""
        return self.plan_code, self.charge_code, self.subscription_id or "", self.valid_from

    def problems(self) -> Iterator[Problem]:
        """What contradicts itself between the columns of this charge; a model may have a rule."""
        yield from self.crossed_bounds("minimum_amount", "maximum_amount")

    def crossed_bounds(self, least: str, most: str) -> Iterator[Problem]:
        """That the least of two columns is greater than the most."""
        low, high = getattr(self, least), getattr(self, most)
        if low is not None and high is not None and low > high:
            yield self.problem(
                least,
                f"{plain_decimal(low)} is above {most} {plain_decimal(high)}; lower it, or raise "
                "the other",
            )

    def tier_problems(self, tiers: Sequence[Tier]) -> Iterator[Problem]:
        """What is wrong with the tiers of this charge: here, that there are any.

        A model whose prices are in tiers says otherwise. Its own columns may be ill-filled.
        """
        for tier in tiers:
            yield tier.problem(
                "charge_code",
                f"{shown(self.charge_code)} is a {self.charge_model} charge from "
                f"{self.valid_from} on, without tiers; remove the row, or write another "
                "charge_model",
            )
