"""Closed fees: a fee in advance binds its subscription before any of its periods is closed."""

from collections.abc import Iterator

import polars as pl

from pipelines.catalog.catalog import Catalog
from pipelines.catalog.cells import shown
from pipelines.catalog.rows import Problem
from pipelines.catalog.tables.subscriptions import Subscription

FEE_OWNERS = pl.Schema(
    {"subscription_id": pl.String(), "customer_id": pl.String(), "invoice_number": pl.String()}
)
"""One row per subscription that was billed in advance alone, with the first of its invoices."""


def fees_without_owner(catalog: Catalog, owners: pl.DataFrame) -> Iterator[Problem]:
    """What a catalog takes away from fees that were billed in advance.

    Example: s1 begins on 1 June, and its fee for June was billed on that day. While June is open,
    its row may get another end or another plan, and may not go.

    Args:
        catalog: the catalog in use.
        owners: schema `FEE_OWNERS`.
    """
    today = catalog.tables[Subscription].frame.select(
        "subscription_id", "line", customer_today="customer_id"
    )
    file_name = Subscription.file_name
    for row in owners.join(today, on="subscription_id", how="left").iter_rows(named=True):
        name = shown(row["subscription_id"])
        billed = f"a fee of {name} was billed in advance by {row['invoice_number']}"
        if row["line"] is None:
            reason = (
                f"expected a row for {name}, found none, but {billed}; put the row back, and end "
                "it early if it is over, or void the invoice"
            )
            yield Problem(file_name, 0, "subscription_id", reason)
        elif row["customer_today"] != row["customer_id"]:
            reason = (
                f"expected customer {shown(row['customer_id'])}, found "
                f"{shown(row['customer_today'])}, but {billed}; put it back, or void the invoice"
            )
            yield Problem(file_name, row["line"], "customer_id", reason)
