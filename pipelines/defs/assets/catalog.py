"""Catalog: read and frozen before anything else."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from pipelines.catalog.catalog import Catalog
from pipelines.catalog.tables.customers import Customer
from pipelines.catalog.tables.subscriptions import Subscription
from pipelines.defs.event_log import KeptEventLogStorage
from pipelines.defs.lineage import CATALOG_KEY
from pipelines.defs.resources import Writer
from pipelines.defs.shown import in_own_words
from pipelines.vocabulary.errors import CatalogError


@dg.asset(key=CATALOG_KEY, group_name="1_catalog", kinds={"csv", "python"}, output_required=True)
def frozen_catalog(
    context: dg.AssetExecutionContext, writer: dg.ResourceParam[Writer]
) -> dg.Output[Catalog]:
    """The catalog's CSV files, validated as a whole and frozen by digest."""
    with in_own_words(), _alone_in_failing(context):
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


@contextmanager
def _alone_in_failing(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Takes every other asset off the run's plan if the catalog is refused: nothing else failed."""
    try:
        yield
    except CatalogError:
        storage = context.instance.event_log_storage
        if isinstance(storage, KeptEventLogStorage):
            storage.forget_plan(context.run.run_id, CATALOG_KEY)
        raise
