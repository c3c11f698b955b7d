"""commitments.csv: what subscriptions commit to over a term."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from pipelines.catalog.cells import CODE, DATE, FACTOR, NAMES, PRICE, TEXT, YES_NO, shown
from pipelines.catalog.owned_charges import unknown_charges
from pipelines.catalog.rows import Problem, Row, column
from pipelines.catalog.table import CatalogTable, Reference, Tables


@dataclass(frozen=True, kw_only=True)
class Commitment(Row):
    """One row per commitment, over the periods that start from `starts_on` to before `ends_on`.

    An edit changes every draft from the next run on, and no finalized invoice.
    """

    file_name = "commitments.csv"

    commitment_id: str = column(CODE, "Id of the commitment.")
    subscription_id: str = column(TEXT, "Who commits.")
    amount: Decimal = column(PRICE, "What is due over the whole term, in the plan's currency.")
    starts_on: date = column(DATE, "First local day.")
    ends_on: date = column(DATE, "First local day without it.")
    true_up: bool = column(
        YES_NO,
        "`no`: usage below the commitment costs no more than it is; empty is yes.",
        empty=True,
        is_optional=True,
    )
    overage_factor: Decimal = column(
        FACTOR,
        "What usage above the commitment is multiplied by; empty is 1.",
        empty=Decimal(1),
        is_optional=True,
    )
    charge_codes: list[str] = column(
        NAMES, "The charges that it covers; empty is all usage.", empty=(), is_optional=True
    )


def ends_before_starts(tables: Tables) -> Iterator[Problem]:
    """A commitment is for some time."""
    for row in tables[Commitment].where(pl.col("ends_on") <= pl.col("starts_on")):
        yield row.problem(
            "ends_on",
            f"{row.ends_on} is not after starts_on {row.starts_on}; the end is the first day "
            "without the commitment",
        )


def charges_covered_twice(tables: Tables) -> Iterator[Problem]:
    """At most one commitment covers a charge on a day."""
    commitments = defaultdict[str, list[Commitment]](list)
    repeated = pl.col("subscription_id").is_duplicated()
    for row in tables.whole(Commitment).where(repeated):
        commitments[row.subscription_id].append(row)
    for rows in commitments.values():
        rows.sort(key=lambda row: (row.starts_on, row.line))
        for place, row in enumerate(rows):
            for other in rows[:place]:
                if other.ends_on > row.starts_on and _share_a_charge(row, other):
                    yield row.problem(
                        "starts_on",
                        f"from {row.starts_on} on it covers what {shown(other.commitment_id)} "
                        f"(row {other.line}) covers until {other.ends_on}; one commitment covers "
                        "a charge on a day, so end one before the other, or name other charges",
                    )
                    break


def _share_a_charge(one: Commitment, other: Commitment) -> bool:
    if not one.charge_codes or not other.charge_codes:
        return True
    return not set(one.charge_codes).isdisjoint(other.charge_codes)


TABLE = CatalogTable(
    Commitment,
    key=("commitment_id",),
    references=(Reference(("subscription_id",), "subscriptions.csv"),),
    rules=(ends_before_starts, charges_covered_twice, unknown_charges(Commitment)),
    is_optional=True,
    is_priced=False,
    is_seed=False,
)
