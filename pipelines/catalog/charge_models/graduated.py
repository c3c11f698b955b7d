"""Graduated: the units of each tier at the price of that tier."""

from dataclasses import dataclass

from pipelines.catalog.charge_models.tiered_charge import TieredCharge


@dataclass(frozen=True, kw_only=True)
class Graduated(TieredCharge):
    """Each unit at the price of its tier; the tiers are in charge_tiers.csv."""


MODEL = Graduated
