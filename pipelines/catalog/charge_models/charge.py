"""A charge: the columns of charges.csv that charges of every model have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pipelines.catalog.cells import CODE, DATE, NAMES, PRICE, TEXT, shown
from pipelines.catalog.rows import Problem, Row, column
from pipelines.catalog.tables.charge_tiers import Tier


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
    metric_code: str = column(CODE, "The billable metric that is charged.")
    charge_model: str = column(CODE, "How a quantity becomes an amount; see the models below.")
    unit_price: Decimal | None = column(PRICE, "Price of one unit.", empty=None)
    group_by: list[str] = column(
        NAMES, "Properties of the metric; each group of their values is a line.", empty=()
    )
    valid_from: date = column(DATE, "First local day of this version.")
    name: str | None = column(
        TEXT, "Name for people; empty is the code.", empty=None, is_optional=True
    )

    @property
    def price(self) -> tuple[str, str, date]:
        """The price version."""
        return self.plan_code, self.charge_code, self.valid_from

    def problems(self) -> Iterator[Problem]:
        """What contradicts itself between the columns of this charge; a model may have a rule."""
        yield from ()

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
