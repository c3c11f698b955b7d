"""Package: units are sold in packages of one size."""

from dataclasses import dataclass
from decimal import Decimal

from pipelines.catalog.cells import PRICE, QUANTITY, SIZE, one_of
from pipelines.catalog.charge_models.usage_charge import UsageCharge
from pipelines.catalog.rows import column


@dataclass(frozen=True, kw_only=True)
class Package(UsageCharge):
    """Each unit is part of a package, and packages have one price."""

    unit_price: Decimal = column(PRICE, "Price of one package.")
    package_size: Decimal = column(SIZE, "Units in a package.")
    package_rounding: str = column(
        one_of("up", "down"),
        "What becomes of a package that is not full; empty is up.",
        empty="up",
        is_optional=True,
    )
    free_units: Decimal = column(
        QUANTITY,
        "Units that cost nothing, in each period and group; empty is 0.",
        empty=Decimal(0),
        is_optional=True,
    )


MODEL = Package
