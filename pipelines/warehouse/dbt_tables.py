"""Tables that pass between Python and dbt in the working warehouse."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from pipelines.vocabulary.frames import DRAFT_LINES, DRAFTS, SOURCE_CUSTOMERS


@contextmanager
def opened(warehouse_file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The working warehouse, read-only and in UTC; only under the writer lock."""
    with duckdb.connect(str(warehouse_file), read_only=True) as warehouse:
        warehouse.execute("SET TimeZone = 'UTC'")
        yield warehouse


def drafts_and_lines(warehouse: duckdb.DuckDBPyConnection) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The draft invoices (schema `DRAFTS`) and their lines (`DRAFT_LINES`), as dbt left them."""
    frames = [
        warehouse.execute(f"SELECT {', '.join(schema)} FROM invoicing.{table}").pl()
        for table, schema in (
            ("int_invoices_drafted", DRAFTS),
            ("int_invoice_lines_drafted", DRAFT_LINES),
        )
    ]
    return frames[0], frames[1]


def source_customers(connection: duckdb.DuckDBPyConnection, relation: str) -> pl.DataFrame:
    """Who has an accepted event from which source, and since when, as dbt attributed them.

    Args:
        connection: to the working warehouse under the lock, or to published marts.
        relation: columns source, customer_id, first_received_at; more rows than one a pair.
    """
    found = connection.execute(
        f"""
        SELECT source, customer_id, min(first_received_at) AS first_received_at
        FROM {relation} WHERE customer_id IS NOT NULL GROUP BY ALL
        """
    ).pl()
    return found.cast(SOURCE_CUSTOMERS)
