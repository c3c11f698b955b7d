"""Stairstep: one amount for the tier that holds the quantity."""

from dataclasses import dataclass

from pipelines.catalog.charge_models.tiered_charge import TieredCharge


@dataclass(frozen=True, kw_only=True)
class Stairstep(TieredCharge):
    """Each unit is free within a tier; the flat amount of the tier that holds them is due."""

    TIERS_NEED = ()
    TIERS_MAY_HAVE = ()


MODEL = Stairstep
