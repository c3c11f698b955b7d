"""Held owners: whom the catalog of today means by the names in held files."""

import polars as pl

from pipelines.vocabulary.frames import HELD_OWNERS, RefKind


def held_owners(
    names_in_lines: pl.DataFrame, customer_names: pl.DataFrame, subscriptions: pl.DataFrame
) -> pl.DataFrame:
    """One row per file, name and owner; schema `HELD_OWNERS`. An unknown name has no owner.

    A name means every customer that it meant at an instant of the file's lines.

    Example: the alias `a.example` meant `acme` until 3 May, and means `globex` from then on. A held
    file names it with usage from 1 to 2 May: that is `acme`. With usage up to 3 May, it is both.

    Args:
        names_in_lines: schema `NAMES_IN_LINES`.
        customer_names: schema `CUSTOMER_NAMES`.
        subscriptions: column `subscription_id`, one row each.
    """
    known_subscriptions = subscriptions.select(
        pl.lit(RefKind.SUBSCRIPTION.value).alias("kind"),
        pl.col("subscription_id").alias("name"),
        pl.col("subscription_id").alias("owner_id"),
    )
    of_subscriptions = names_in_lines.join(known_subscriptions, on=["kind", "name"])
    began = pl.col("valid_from_at") <= pl.col("last_occurred_at")
    lasted = pl.col("first_occurred_at") < pl.col("valid_to_at")
    of_customers = (
        names_in_lines.filter(kind=RefKind.CUSTOMER.value)
        .join(customer_names, on="name")
        # A null is an open end, or an instant that nobody can read: it leaves out nothing.
        .filter(began.fill_null(value=True) & lasted.fill_null(value=True))
        .rename({"customer_id": "owner_id"})
    )
    key = ["file_id", "kind", "name"]
    found = (of_subscriptions.select(*key, "owner_id"), of_customers.select(*key, "owner_id"))
    return (
        names_in_lines.join(pl.concat(found).unique(), on=key, how="left")
        .sort(*key, "owner_id")
        .select(*HELD_OWNERS)
    )
