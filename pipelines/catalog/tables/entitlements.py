"""entitlements.csv: what a plan lets its subscribers use."""

from dataclasses import dataclass
from decimal import Decimal

from pipelines.catalog.cells import CODE, QUANTITY, one_of
from pipelines.catalog.rows import Row, column
from pipelines.catalog.table import BILLABLE_METRICS, CatalogTable, Reference


@dataclass(frozen=True, kw_only=True)
class Entitlement(Row):
    """One row per plan and feature.

    An edit holds from the next run on; it changes no invoice.
    """

    file_name = "entitlements.csv"

    plan_code: str = column(CODE, "The plan.")
    feature_code: str = column(CODE, "Code of the feature.")
    metric_code: str = column(CODE, "The billable metric that says how much was used.")
    quota: Decimal | None = column(
        QUANTITY, "How much may be used in a period; empty is without limit.", empty=None
    )
    kind: str = column(
        one_of("limit", "budget"),
        "Use beyond the quota is not meant to happen (`limit`), or is allowed and billed "
        "(`budget`); empty is budget.",
        empty="budget",
        is_optional=True,
    )


TABLE = CatalogTable(
    Entitlement,
    key=("plan_code", "feature_code"),
    references=(
        Reference(("plan_code",), "plans.csv"),
        Reference(("metric_code",), BILLABLE_METRICS),
    ),
    is_optional=True,
    is_priced=False,
    is_seed=False,
)
