"""Book fill: the closed book of a home whose invoices are older than the book.

Each invoice knows the catalog it was priced with, and the lake has its bytes. So the period of an
invoice is made once more as it was made on the day, and written down.
"""

from dataclasses import replace

import polars as pl

from pipelines.catalog.calendar import charged_metrics, periods_until
from pipelines.catalog.catalog import Catalog
from pipelines.invoicing.closed_book import closed_rows
from pipelines.lake.closed_book import closed_count
from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import RunFacts
from pipelines.vocabulary.frames import CLOSED_SPANS
from pipelines.vocabulary.tables import BATCHES, CATALOGS, CLOSED_PERIODS, UTC_MICROSECONDS
from pipelines.warehouse.stored_catalogs import last_catalog_digest, stored_catalog


def fill_closed_book(lake: Lake, facts: RunFacts) -> int:
    """The number of closed periods that were written down: none where the book is begun.

    It is one transaction. A run that is killed before it ends leaves nothing, and the next one
    starts over.

    Args:
        lake: open for writing, under the writer lock.
        facts: the facts of the run.

    Raises:
        InvariantError: an invoice is for no period of its catalog.
    """
    if closed_count(lake):
        return 0
    invoices = lake.query(
        "SELECT invoice_id, subscription_id, period_start_at, cut_at, event_batch_id, "
        "catalog_digest FROM lake.invoices WHERE kind IS DISTINCT FROM 'advance' "
        "ORDER BY series_number"
    ).cast({"period_start_at": UTC_MICROSECONDS, "cut_at": UTC_MICROSECONDS})
    if not invoices.height:
        return 0
    contents = lake.table(CATALOGS)
    batch_id = lake.last_batch_id() + 1
    # Today's catalog is not judged yet: it may be refused, and the lake may never have it.
    facts = replace(facts, catalog_digest=last_catalog_digest(lake))
    rows = pl.concat(
        _rows_of(
            stored_catalog(contents, str(digest)),
            invoices.filter(pl.col("catalog_digest") == digest),
            invoices,
            batch_id,
        )
        for digest in invoices["catalog_digest"].unique(maintain_order=True)
    ).unique(["subscription_id", "period_start_label", "invoice_id"], maintain_order=True)
    lake.commit_batch(
        batch_id,
        rows={BATCHES: facts.batch_row(batch_id, "fill"), CLOSED_PERIODS: rows},
        staged_files={},
    )
    return rows.height


def _rows_of(
    catalog: Catalog, invoices: pl.DataFrame, all_invoices: pl.DataFrame, batch_id: int
) -> pl.DataFrame:
    """The rows of the invoices of one catalog, and of empty periods before them."""
    until = invoices.select(pl.col("cut_at").max()).item()
    periods = periods_until(catalog, pl.DataFrame(schema=CLOSED_SPANS), until)
    last = invoices.group_by("subscription_id").agg(
        pl.col("period_start_at").max().alias("last_start_at"),
        pl.col("event_batch_id").min(),
        pl.col("catalog_digest").first(),
    )
    empty = (
        periods.join(last, on="subscription_id")
        .filter(pl.col("period_start_at") < pl.col("last_start_at"))
        .join(all_invoices, on=["subscription_id", "period_start_at"], how="anti")
        .select(
            "subscription_id",
            "period_start_at",
            pl.lit(None, pl.String).alias("invoice_id"),
            "event_batch_id",
            "catalog_digest",
        )
    )
    # What priced them was not kept, so nothing rates them again.
    closings = pl.concat([invoices.select(empty.columns), empty]).with_columns(
        terms_digest=pl.lit(None, pl.String), recipe=pl.lit(None, pl.Int32)
    )
    return closed_rows(periods, closings, charged_metrics(catalog), batch_id)
