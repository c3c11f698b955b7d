"""thresholds.csv: amounts that somebody wants to know of before the period ends."""

from dataclasses import dataclass
from decimal import Decimal

from pipelines.catalog.cells import CODE, CURRENCY, PRICE, TEXT
from pipelines.catalog.rows import Row, column
from pipelines.catalog.table import CatalogTable, Reference


@dataclass(frozen=True, kw_only=True)
class Threshold(Row):
    """One row per threshold: usage and fees of a customer's open periods that come to an amount.

    An edit holds from the next run on; it changes no invoice.
    """

    file_name = "thresholds.csv"

    threshold_id: str = column(CODE, "Id of the threshold.")
    customer_id: str = column(TEXT, "Whose open periods are added up.")
    amount: Decimal = column(PRICE, "It is crossed when they come to this.")
    currency: str = column(CURRENCY, "Currency of the amount; lines of others do not count.")


TABLE = CatalogTable(
    Threshold,
    key=("threshold_id",),
    references=(Reference(("customer_id",), "customers.csv"),),
    is_optional=True,
    is_priced=False,
    is_seed=False,
)
