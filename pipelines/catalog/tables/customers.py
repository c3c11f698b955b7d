"""customers.csv: who is billed, in which currency and zone."""

from dataclasses import dataclass

from pipelines.catalog.cells import CURRENCY, DAYS_MAX, TEXT, TIME_ZONE, one_of, whole_number
from pipelines.catalog.rows import Row, column
from pipelines.catalog.table import CatalogTable


@dataclass(frozen=True, kw_only=True)
class Customer(Row):
    """One row per customer.

    An edit holds from the next run on, for periods that are not closed. A changed zone holds from
    the end of the last closed period. A currency that was billed cannot change.
    """

    file_name = "customers.csv"

    customer_id: str = column(TEXT, "Id by which senders and subscriptions name the customer.")
    name: str = column(TEXT, "Name for people.")
    currency: str = column(CURRENCY, "Used where a plan names none.")
    time_zone: str = column(TIME_ZONE, "Zone whose midnights begin the billing periods.")
    grace_period_days: int = column(
        whole_number(0, DAYS_MAX), "Local days after a period's end until its cut."
    )
    late_usage_policy: str = column(
        one_of("reject", "adjust"), "What becomes of usage received after the cut."
    )


TABLE = CatalogTable(Customer, key=("customer_id",))
