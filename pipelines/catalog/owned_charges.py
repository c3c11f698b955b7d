"""Owned charges: the charges that rows for a customer, a subscription or a plan may name."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import polars as pl

from pipelines.catalog.cells import shown
from pipelines.catalog.charge_models.charge import Charge
from pipelines.catalog.rows import Problem, Row
from pipelines.catalog.table import Rule, Tables
from pipelines.catalog.tables.subscription_phases import plans_by_subscription
from pipelines.catalog.tables.subscriptions import Subscription

OWNERS: Final = ("customer_id", "subscription_id", "plan_code")
"""Columns by which a row names whom it is for."""


def unknown_charges(row: type[Row]) -> Rule:
    """The rule that the `charge_codes` of a file are charges of plans that its owner is on."""

    def rule(tables: Tables) -> Iterator[Problem]:
        naming = tables[row].where(pl.col("charge_codes").list.len() > 0)
        if naming.frame.is_empty():
            return
        codes = _codes_by_owner(tables)
        for each in naming:
            owners = {name: getattr(each, name, None) for name in OWNERS}
            known = {code for owner in owners.items() for code in codes.get(owner, ())}
            for code in each.charge_codes:  # type: ignore[attr-defined]
                if code not in known:
                    yield each.problem(
                        "charge_codes",
                        f"{shown(code)} is no charge of a plan of this owner; there are: "
                        f"{', '.join(sorted(known)) or 'none'}",
                    )

    return rule


def _codes_by_owner(tables: Tables) -> dict[tuple[str, object], set[str]]:
    """Charge codes by the column that names an owner, and its cell."""
    codes = defaultdict[tuple[str, object], set[str]](set)
    charges = tables.whole(Charge).frame.select("plan_code", "charge_code")
    for plan_code, charge_code in charges.iter_rows():
        codes["plan_code", plan_code].add(charge_code)
    owners = tables.whole(Subscription).frame.select("subscription_id", "customer_id")
    customers = dict(owners.iter_rows())
    for subscription_id, plans in plans_by_subscription(tables).items():
        for plan_code in plans:
            found = codes["plan_code", plan_code]
            codes["subscription_id", subscription_id] |= found
            codes["customer_id", customers[subscription_id]] |= found
    return codes
