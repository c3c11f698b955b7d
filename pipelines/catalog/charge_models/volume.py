"""Volume: all units at the price of the tier that holds the whole quantity."""

from dataclasses import dataclass

from pipelines.catalog.charge_models.tiered_charge import TieredCharge


@dataclass(frozen=True, kw_only=True)
class Volume(TieredCharge):
    """Each unit at the price of the tier that holds the whole quantity."""


MODEL = Volume
