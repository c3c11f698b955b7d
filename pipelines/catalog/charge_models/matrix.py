"""Matrix: the price of a unit depends on its group."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from pipelines.catalog.cells import PRICE
from pipelines.catalog.charge_models.usage_charge import UsageCharge
from pipelines.catalog.rows import Problem, column


@dataclass(frozen=True, kw_only=True)
class Matrix(UsageCharge):
    """Each unit at the price of its group's cell; the cells are in charge_cells.csv."""

    unit_price: Decimal | None = column(
        PRICE,
        "Price of one unit of a group without a cell; empty: such usage is listed as `no_price`.",
        empty=None,
    )

    def problems(self) -> Iterator[Problem]:
        """A matrix has something that its cells can tell apart."""
        yield from super().problems()
        if not self.group_by:
            yield self.problem(
                "group_by", "is empty; a matrix charge needs it: its cells are for its groups"
            )


MODEL = Matrix
