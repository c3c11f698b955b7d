"""Graduated: the units of each tier at the price of that tier."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.catalog.charge_models.charge import Charge
from pipelines.catalog.rows import Problem
from pipelines.catalog.tables.charge_tiers import Tier


@dataclass(frozen=True, kw_only=True)
class Graduated(Charge):
    """Each unit at the price of its tier; the tiers are in charge_tiers.csv."""

    def problems(self, tiers: Sequence[Tier]) -> Iterator[Problem]:
        """What contradicts itself between this charge and its tiers: that it has none."""
        if not tiers:
            yield self.problem(
                "unit_price",
                "is empty and charge_tiers.csv has no tiers of this graduated charge; add them",
            )


MODEL = Graduated
