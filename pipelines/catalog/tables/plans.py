"""plans.csv: what can be subscribed to."""

from dataclasses import dataclass

from pipelines.catalog.cells import CODE, CURRENCY, TEXT
from pipelines.catalog.rows import Row, column
from pipelines.catalog.table import CatalogTable


@dataclass(frozen=True, kw_only=True)
class Plan(Row):
    """One row per plan.

    An edit holds from the next run on, for drafts. A currency that was billed cannot change.
    """

    file_name = "plans.csv"

    plan_code: str = column(CODE, "Code by which charges and subscriptions name the plan.")
    name: str = column(TEXT, "Name for people.")
    currency: str | None = column(
        CURRENCY, "Currency of its prices; empty is the customer's.", empty=None
    )


TABLE = CatalogTable(Plan, key=("plan_code",))
