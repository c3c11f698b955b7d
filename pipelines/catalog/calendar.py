"""The billing calendar as dbt reads it: tables of the warehouse, written before dbt starts.

Belongs here: the schema `calendar` of the warehouse. Must not be put here: how periods are
computed (see `periods`). Polars decides by the same frames, so both see one calendar.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl

from pipelines.catalog.catalog import Catalog
from pipelines.catalog.periods import billing_periods
from pipelines.catalog.refusal_cuts import customer_names, refusal_cuts
from pipelines.vocabulary.frames import REFUSAL_CUTS
from pipelines.vocabulary.tables import UTC_MICROSECONDS

CALENDAR_TABLES = ("billing_periods", "customer_names", "auto_customer_sources", "clock")
"""Tables of the schema `calendar`; sources of the dbt project."""


def periods_until(catalog: Catalog, as_of: datetime) -> pl.DataFrame:
    """Every billing period an event known by `as_of` may lie in; schema `BILLING_PERIODS`.

    An event may be dated ahead of its arrival by the largest future skew of any source.
    """
    skew = catalog.sources["future_skew"].max() or timedelta()
    assert isinstance(skew, timedelta)  # noqa: S101 -- the schema says so; for the type checker
    return billing_periods(
        catalog.subscriptions, catalog.customers, catalog.plans, until=as_of + skew
    )


def names(catalog: Catalog) -> pl.DataFrame:
    """The interval table of customer ids and aliases; schema `CUSTOMER_NAMES`."""
    return customer_names(catalog.customers, catalog.aliases)


def write_calendar(
    warehouse: Path,
    periods: pl.DataFrame,
    customer_names: pl.DataFrame,
    finalized: pl.DataFrame,
    as_of: datetime,
    batch_id: int,
    catalog_digest: str,
    auto_customer_sources: Collection[str] = (),
) -> dict[str, int]:
    """Replaces the tables of the schema `calendar`; returns their row counts.

    Args:
        warehouse: DuckDB file; made when missing.
        periods: schema `BILLING_PERIODS`.
        customer_names: schema `CUSTOMER_NAMES`.
        finalized: `subscription_id`, `period_start_at`, `cut_at`, `event_batch_id` of each
            finalized invoice.
        as_of: the instant the run speaks for.
        batch_id: the last batch of events.
        catalog_digest: of the catalog in use.
        auto_customer_sources: whose unknown customers are provisional.
    """
    frames = {
        "billing_periods": periods.join(
            finalized.select(
                "subscription_id",
                "period_start_at",
                pl.col("cut_at").alias("finalized_cut_at"),
                pl.col("event_batch_id").cast(pl.Int64).alias("finalized_batch_id"),
            ),
            on=["subscription_id", "period_start_at"],
            how="left",
        )
        # A grace period that is changed later does not move the cut of a closed period.
        .with_columns(pl.coalesce("finalized_cut_at", "cut_at").alias("cut_at"))
        .drop("finalized_cut_at"),
        "customer_names": customer_names,
        "auto_customer_sources": pl.DataFrame(
            {"source": sorted(auto_customer_sources)}, schema={"source": pl.String()}
        ),
        "clock": pl.DataFrame(
            {"as_of": [as_of], "batch_id": [batch_id], "catalog_digest": [catalog_digest]},
            schema={
                "as_of": UTC_MICROSECONDS,
                "batch_id": pl.Int64(),
                "catalog_digest": pl.String(),
            },
        ),
    }
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("BEGIN")
        connection.execute("CREATE SCHEMA IF NOT EXISTS calendar")
        for name in CALENDAR_TABLES:
            connection.register("rows", frames[name].to_arrow())
            connection.execute(f"CREATE OR REPLACE TABLE calendar.{name} AS SELECT * FROM rows")
            connection.unregister("rows")
        connection.execute("COMMIT")
    return {name: frames[name].height for name in CALENDAR_TABLES}


def cuts_until(catalog: Catalog, received_at: pl.Series) -> pl.DataFrame:
    """The step functions of refusal cuts, as far as files received then need them.

    Returns:
        Schema `REFUSAL_CUTS`; empty without files.
    """
    newest = received_at.max()
    if not isinstance(newest, datetime):
        return pl.DataFrame(schema=REFUSAL_CUTS)
    return refusal_cuts(names(catalog), periods_until(catalog, newest))
