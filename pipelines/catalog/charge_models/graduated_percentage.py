"""Graduated percentage: the units of each tier, often money, at the percentage of that tier."""

from dataclasses import dataclass

from pipelines.catalog.charge_models.tiered_charge import TieredCharge


@dataclass(frozen=True, kw_only=True)
class GraduatedPercentage(TieredCharge):
    """Each unit at the percentage of its tier; units are often money."""

    TIERS_NEED = ("rate_percent",)
    TIERS_MAY_HAVE = ()


MODEL = GraduatedPercentage
