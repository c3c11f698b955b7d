"""Package: units are sold in packages of one size."""

from dataclasses import dataclass
from decimal import Decimal

from pipelines.catalog.cells import PRICE, QUANTITY, SIZE, one_of
from pipelines.catalog.charge_models.usage_charge import UsageCharge
from pipelines.catalog.rows import column, later


@dataclass(frozen=True, kw_only=True)
class Package(UsageCharge):
    """Each unit is part of a package, and packages have one price."""

    IS_PRICED = False

    unit_price: Decimal = column(PRICE, "Price of one package.")
    package_size: Decimal = column(SIZE, "Units in a package.")
    package_rounding: str = later(
        one_of("up", "down"), "What becomes of a package that is not full; empty is up.", empty="up"
    )
    free_units: Decimal = later(
        QUANTITY, "Units that cost nothing, in each period and group; empty is 0.", empty=Decimal(0)
    )


MODEL = Package
