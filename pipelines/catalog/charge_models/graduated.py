"""Graduated: the units of each tier at the price of that tier."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.catalog.cells import shown
from pipelines.catalog.charge_models.charge import Charge
from pipelines.catalog.rows import Problem
from pipelines.catalog.tables.charge_tiers import Tier


@dataclass(frozen=True, kw_only=True)
class Graduated(Charge):
    """Each unit at the price of its tier; the tiers are in charge_tiers.csv."""

    def tier_problems(self, tiers: Sequence[Tier]) -> Iterator[Problem]:
        """What is wrong with the tiers of this charge: that there are none."""
        if not tiers:
            yield self.problem(
                "charge_model",
                f"{shown(self.charge_model)} has its prices in charge_tiers.csv, which has no "
                "tiers of this charge; add them",
            )


MODEL = Graduated
