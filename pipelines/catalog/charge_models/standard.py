"""Standard: one price for every unit."""

from dataclasses import dataclass
from decimal import Decimal

from pipelines.catalog.cells import PRICE
from pipelines.catalog.charge_models.charge import Charge
from pipelines.catalog.rows import column


@dataclass(frozen=True, kw_only=True)
class Standard(Charge):
    """Each unit at one price."""

    unit_price: Decimal = column(PRICE, "Price of one unit.")


MODEL = Standard
