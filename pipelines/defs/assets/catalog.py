"""Catalog: read and frozen before anything else."""

import dagster as dg

from pipelines.catalog.catalog import Catalog
from pipelines.catalog.tables.customers import Customer
from pipelines.catalog.tables.subscriptions import Subscription
from pipelines.defs.lineage import CATALOG_KEY
from pipelines.defs.resources import Writer


@dg.asset(key=CATALOG_KEY, group_name="1_catalog", output_required=True)
def frozen_catalog(
    context: dg.AssetExecutionContext, writer: dg.ResourceParam[Writer]
) -> dg.Output[Catalog]:
    """The catalog's CSV files, validated as a whole and frozen by digest."""
    found = writer.home.catalog()
    writer.home.frozen_catalogs.freeze(found)
    for warning in found.warnings:
        context.log.warning(warning)
    return dg.Output(
        found,
        metadata={
            "digest": found.digest,
            "customers": found.frame(Customer).height,
            "subscriptions": found.frame(Subscription).height,
            "warnings": len(found.warnings),
        },
    )
