"""Flat: a fee for a period, whatever is used."""

from dataclasses import dataclass
from decimal import Decimal

from pipelines.catalog.cells import PRICE, QUANTITY, one_of
from pipelines.catalog.charge_models.charge import Charge
from pipelines.catalog.rows import column


@dataclass(frozen=True, kw_only=True)
class Flat(Charge):
    """Each unit, such as a seat or a licence, costs a fee for each full period."""

    flat_amount: Decimal = column(
        PRICE,
        "The fee of one unit for a full period; empty is 0.",
        empty=Decimal(0),
        is_optional=True,
    )
    quantity: Decimal = column(
        QUANTITY,
        "How many units, such as seats or licences; empty is 1.",
        empty=Decimal(1),
        is_optional=True,
    )
    billed: str = column(
        one_of("period", "once"),
        "`once`: only in the first period of the phase, and never prorated; empty is period.",
        empty="period",
        is_optional=True,
    )
    invoiced_in: str = column(
        one_of("arrears", "advance"),
        "`advance`: on the invoice at the start of the period; empty is arrears.",
        empty="arrears",
        is_optional=True,
    )


MODEL = Flat
