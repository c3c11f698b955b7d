"""The billing calendar of a catalog: its periods, names and cuts, as far as a run needs them."""

from datetime import datetime, timedelta

import polars as pl

from pipelines.catalog.catalog import Catalog
from pipelines.catalog.charge_models.charge import Charge
from pipelines.catalog.periods import billing_periods
from pipelines.catalog.refusal_cuts import customer_names, refusal_cuts
from pipelines.catalog.table import Tables
from pipelines.catalog.tables.customer_aliases import Alias
from pipelines.catalog.tables.customers import Customer, ends_of
from pipelines.catalog.tables.plans import Plan
from pipelines.catalog.tables.subscription_pauses import Pause
from pipelines.catalog.tables.subscription_phases import Phase
from pipelines.catalog.tables.subscriptions import Subscription
from pipelines.periods.local_days import local_days
from pipelines.vocabulary.frames import CLOSED_CUTS, REFUSAL_CUTS

_DAY = timedelta(days=1)


def periods_until(catalog: Catalog, closed_spans: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """Every period of open time an event known by `as_of` may lie in; schema `BILLING_PERIODS`.

    An event may be dated ahead of its arrival by the largest future skew of any source.

    Args:
        catalog: the catalog in use.
        closed_spans: schema `CLOSED_SPANS`.
        as_of: the instant up to which events are known.
    """
    skew = catalog.sources["future_skew"].max() or timedelta()
    assert isinstance(skew, timedelta)  # noqa: S101 -- the schema says so; for the type checker
    return billing_periods(
        catalog.frame(Subscription),
        catalog.frame(Customer),
        catalog.frame(Plan),
        until=as_of + skew,
        closed=closed_spans,
        phases=catalog.frame(Phase),
        pauses=catalog.frame(Pause),
    )


def local_days_of(periods: pl.DataFrame, closed_zones: pl.DataFrame) -> pl.DataFrame:
    """The local days of every time zone in use; schema `LOCAL_DAYS`.

    They reach from a day before the first period of all zones to a day after the last one of their
    own. A subscription may have moved: what it holds from its time in another zone is counted by
    the days of today's.

    Args:
        periods: schema `BILLING_PERIODS`; open time alone.
        closed_zones: schema `ZONE_SPANS`; one row per zone of closed time.
    """
    of_open_time = periods.select(
        "time_zone",
        from_at=pl.min_horizontal("period_start_at", "full_start_at"),
        to_at=pl.max_horizontal("period_end_at", "full_end_at"),
    )
    spans = pl.concat([of_open_time, closed_zones])
    return local_days(spans.with_columns(pl.col("from_at").min() - _DAY, pl.col("to_at") + _DAY))


def charged_metrics(catalog: Catalog) -> pl.DataFrame:
    """One row per plan that charges a metric: `plan_code`, and its `metric_codes` with commas."""
    return (
        catalog.frame(Charge)
        .drop_nulls("metric_code")
        .group_by("plan_code")
        .agg(pl.col("metric_code").unique().sort().str.join(",").alias("metric_codes"))
        .sort("plan_code")
    )


def names(catalog: Catalog) -> pl.DataFrame:
    """The interval table of customer ids and aliases; schema `CUSTOMER_NAMES`."""
    return names_of(catalog.tables)


def names_of(tables: Tables) -> pl.DataFrame:
    """The same, of tables that need hold no more than customers and aliases."""
    aliases = tables[Alias].frame.rename({"valid_from": "valid_from_at", "valid_to": "valid_to_at"})
    customers = tables[Customer].frame.join(
        ends_of(tables), on="customer_id", how="left", maintain_order="left"
    )
    return customer_names(customers, aliases)


def earliest_in_time(catalog: Catalog, received_at: pl.Series) -> datetime | None:
    """The earliest instant of an event that is not too late for every source; None: any instant.

    Example: files were received on 10 and 12 June, and the sources allow 33 and 44 days. An event
    before 27 April is refused as too late, whatever period it lies in.
    """
    lateness, oldest = catalog.sources["max_lateness"], received_at.min()
    longest = lateness.max()
    if lateness.null_count() or not isinstance(longest, timedelta):
        return None
    return oldest - longest if isinstance(oldest, datetime) else None


def cuts_until(
    catalog: Catalog, closed_spans: pl.DataFrame, closed_cuts: pl.DataFrame, received_at: pl.Series
) -> pl.DataFrame:
    """The step functions of refusal cuts, as far as files received then need them.

    In open time an event comes too late when the grace of its period is over. In closed time the
    stored cut counts.

    Args:
        catalog: the catalog in use.
        closed_spans: schema `CLOSED_SPANS`.
        closed_cuts: schema `CLOSED_CUTS`; those of periods that events may still lie in.
        received_at: of the files.

    Returns:
        Schema `REFUSAL_CUTS`; empty without files.
    """
    newest = received_at.max()
    if not isinstance(newest, datetime):
        return pl.DataFrame(schema=REFUSAL_CUTS)
    open_time = periods_until(catalog, closed_spans, newest).with_columns(cut_at="grace_end_at")
    return refusal_cuts(names(catalog), pl.concat([open_time.select(*CLOSED_CUTS), closed_cuts]))
