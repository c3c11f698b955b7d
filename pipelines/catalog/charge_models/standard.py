"""Standard: one price for every unit."""

from dataclasses import dataclass
from decimal import Decimal

from pipelines.catalog.cells import PRICE, QUANTITY
from pipelines.catalog.charge_models.usage_charge import UsageCharge
from pipelines.catalog.rows import column


@dataclass(frozen=True, kw_only=True)
class Standard(UsageCharge):
    """Each unit at one price."""

    unit_price: Decimal = column(PRICE, "Price of one unit.")
    free_units: Decimal = column(
        QUANTITY,
        "Units that cost nothing, in each period and group; empty is 0.",
        empty=Decimal(0),
        is_optional=True,
    )


MODEL = Standard
