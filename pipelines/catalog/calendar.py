"""The billing calendar of a catalog: its periods, names and cuts, as far as a run needs them."""

from datetime import datetime, timedelta

import polars as pl

from pipelines.catalog.catalog import Catalog
from pipelines.catalog.periods import billing_periods
from pipelines.catalog.refusal_cuts import customer_names, refusal_cuts
from pipelines.catalog.tables.customer_aliases import Alias
from pipelines.catalog.tables.customers import Customer
from pipelines.catalog.tables.plans import Plan
from pipelines.catalog.tables.subscriptions import Subscription
from pipelines.vocabulary.frames import REFUSAL_CUTS


def periods_until(catalog: Catalog, as_of: datetime) -> pl.DataFrame:
    """Every billing period an event known by `as_of` may lie in; schema `BILLING_PERIODS`.

    An event may be dated ahead of its arrival by the largest future skew of any source.
    """
    skew = catalog.sources["future_skew"].max() or timedelta()
    assert isinstance(skew, timedelta)  # noqa: S101 -- the schema says so; for the type checker
    return billing_periods(
        catalog.frame(Subscription),
        catalog.frame(Customer),
        catalog.frame(Plan),
        until=as_of + skew,
    )


def names(catalog: Catalog) -> pl.DataFrame:
    """The interval table of customer ids and aliases; schema `CUSTOMER_NAMES`."""
    aliases = catalog.frame(Alias).rename(
        {"valid_from": "valid_from_at", "valid_to": "valid_to_at"}
    )
    return customer_names(catalog.frame(Customer), aliases)


def cuts_until(catalog: Catalog, received_at: pl.Series) -> pl.DataFrame:
    """The step functions of refusal cuts, as far as files received then need them.

    Returns:
        Schema `REFUSAL_CUTS`; empty without files.
    """
    newest = received_at.max()
    if not isinstance(newest, datetime):
        return pl.DataFrame(schema=REFUSAL_CUTS)
    return refusal_cuts(names(catalog), periods_until(catalog, newest))
