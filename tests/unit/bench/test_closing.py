"""The bench of closing closes what it drafted, by a catalog that prices the same."""

from pathlib import Path

import polars as pl

from bench.closing import METRICS, Clock, Cost, close, make_catalog, make_drafts, show_table
from bench.rating_fill import CHARGES
from pipelines.catalog.catalog import read_catalog
from pipelines.invoicing.chain import verify_chain
from pipelines.invoicing.documents import verify_documents
from pipelines.lake.acts import CHAIN
from pipelines.vocabulary.tables import INVOICE_LINES, INVOICES, TERMS
from tests.worlds.lakes import open_lake

INVOICES_MADE = 12


def test_all_that_is_drafted_is_closed_and_verified(tmp_path: Path) -> None:
    make_catalog(tmp_path / "catalog", INVOICES_MADE)
    make_drafts(tmp_path / "warehouse.duckdb", INVOICES_MADE)
    catalog, clock = read_catalog(tmp_path / "catalog", METRICS), Clock()
    with open_lake(tmp_path / "home", read_only=False) as lake:
        closed = close(lake, catalog, tmp_path / "warehouse.duckdb", clock)
        invoices, lines = lake.table(INVOICES), lake.table(INVOICE_LINES)
        terms, links = lake.table(TERMS), lake.query(CHAIN)

    assert closed == (INVOICES_MADE, INVOICES_MADE * CHARGES)
    assert (invoices.height, lines.height, terms.height) == (*closed, INVOICES_MADE)
    assert verify_documents(invoices, lines) is None
    assert verify_chain(links) is None
    assert lines.filter(pl.col("price_digest").is_null()).is_empty()
    assert len(clock.parts) == 6


def test_table_says_the_parts() -> None:
    cost = Cost(3, 30, 1.26, 0.94, 2**21, {"terms": 0.25})
    assert [line.split()[-1] for line in show_table(cost).splitlines()] == [
        "3.0", "30.0", "0.9", "1.3", "2.0", "0.2",
    ]  # fmt: skip
