"""dbt tables: the tables of the working warehouse that Python writes for dbt, or reads from it.

Python writes the schemas `calendar` and `landing` before dbt starts. So Polars and dbt use the same
billing periods and the same list of files.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl

from pipelines.vocabulary.frames import (
    BILLING_PERIODS,
    DRAFT_LINES,
    DRAFTS,
    SOURCE_CUSTOMERS,
    WAITING,
)
from pipelines.vocabulary.tables import UTC_MICROSECONDS

CALENDAR_TABLES = (
    "billing_periods",
    "local_days",
    "customer_names",
    "moved_names",
    "charge_cells",
    "fees_billed_once",
    "reopened_periods",
    "fees_in_advance",
    "periods_on_hold",
    "auto_customer_sources",
    "clock",
)
"""The tables of the schema `calendar`."""

IN_PROGRESS_COLUMNS = ("source", "path", "size_bytes", "received_at", "reason")
"""The columns of `landing.files_in_progress`."""

PERIODS_ON_HOLD = pl.Schema(
    {name: BILLING_PERIODS[name] for name in ("subscription_id", "period_start_at")}
)
"""One row per open period that was added to the past and that nobody accepted."""

CLOCK = pl.Schema(
    {"as_of": UTC_MICROSECONDS, "batch_id": pl.Int64(), "catalog_digest": pl.String()}
)
"""The schema of `calendar.clock`, which has one row about the run."""


def replace_tables(
    warehouse: Path, schema: str, frames: Mapping[str, pl.DataFrame]
) -> dict[str, int]:
    """The number of rows of each table, once all of them are replaced in one transaction.

    Args:
        warehouse: DuckDB file; made if it does not exist.
        schema: schema of the tables; made if it does not exist.
        frames: the rows of each table, by table. Other tables of the schema stay.
    """
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("BEGIN")
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        for name, frame in frames.items():
            connection.register("rows", frame.to_arrow())
            connection.execute(f"CREATE OR REPLACE TABLE {schema}.{name} AS SELECT * FROM rows")
            connection.unregister("rows")
        connection.execute("COMMIT")
    return {name: frame.height for name, frame in frames.items()}


def write_calendar(
    warehouse: Path,
    periods: pl.DataFrame,
    local_days: pl.DataFrame,
    customer_names: pl.DataFrame,
    moved_names: pl.DataFrame,
    charge_cells: pl.DataFrame,
    billed_once: pl.DataFrame,
    reopened: pl.DataFrame,
    in_advance: pl.DataFrame,
    on_hold: pl.DataFrame,
    as_of: datetime,
    batch_id: int,
    catalog_digest: str,
    auto_customer_sources: Collection[str] = (),
) -> dict[str, int]:
    """The number of rows of each of `CALENDAR_TABLES`, once they are replaced.

    Args:
        warehouse: DuckDB file; made if it does not exist.
        periods: schema `BILLING_PERIODS`; open time alone. dbt gets their `next_invoice_id` too.
        local_days: schema `LOCAL_DAYS`; of the zones of all periods, open and closed.
        customer_names: schema `CUSTOMER_NAMES`.
        moved_names: schema `MOVED_NAMES`.
        charge_cells: schema `FIXED_CELLS`.
        billed_once: schema `FEES_BILLED_ONCE`.
        reopened: schema `REOPENED_PERIODS`.
        in_advance: schema `FEES_IN_ADVANCE`.
        on_hold: schema `PERIODS_ON_HOLD`; those that wait until a person accepts them.
        as_of: the instant of the run.
        batch_id: number of the last batch of events.
        catalog_digest: digest of the catalog in use.
        auto_customer_sources: sources whose unknown customers become provisional customers.
    """
    sources = pl.DataFrame({"source": sorted(auto_customer_sources)}, {"source": pl.String()})
    clock = pl.DataFrame([(as_of, batch_id, catalog_digest)], CLOCK, orient="row")
    frames = (
        with_next_invoice_id(periods, reopened),
        local_days,
        customer_names,
        moved_names,
        charge_cells,
        billed_once,
        reopened,
        in_advance,
        on_hold,
        sources,
        clock,
    )
    return replace_tables(warehouse, "calendar", dict(zip(CALENDAR_TABLES, frames, strict=True)))


def with_next_invoice_id(periods: pl.DataFrame, reopened: pl.DataFrame) -> pl.DataFrame:
    """The open periods with the id of their invoice, where it is not made of their label.

    Args:
        periods: schema `BILLING_PERIODS`.
        reopened: schema `REOPENED_PERIODS`.
    """
    label = ["subscription_id", "period_start_label"]
    ids = reopened.select(*label, "next_invoice_id")
    return periods.join(ids, on=label, how="left", maintain_order="left")


def write_files_in_progress(warehouse: Path, files: pl.DataFrame) -> int:
    """The number of rows of `landing.files_in_progress`, once it is replaced.

    Args:
        warehouse: DuckDB file; made if it does not exist.
        files: the listed file versions that no batch has taken; schema `WAITING`.
    """
    rows = files.select(pl.col(name).cast(WAITING[name]) for name in IN_PROGRESS_COLUMNS)
    return replace_tables(warehouse, "landing", {"files_in_progress": rows})["files_in_progress"]


@contextmanager
def opened(warehouse_file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the working warehouse, read-only and in UTC; needs the writer lock."""
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


def open_periods(warehouse: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """The periods of open time that the drafts were made for; schema `BILLING_PERIODS`."""
    columns = ", ".join(BILLING_PERIODS)
    found = warehouse.execute(f"SELECT {columns} FROM calendar.billing_periods").pl()
    return found.cast(BILLING_PERIODS)


def source_customers(connection: duckdb.DuckDBPyConnection, relation: str) -> pl.DataFrame:
    """One row per source and customer with an accepted event, and when the first was received.

    Args:
        connection: a connection to the working warehouse or to published marts.
        relation: dbt's relation with columns source, customer_id and first_received_at, with any
            number of rows per source and customer.
    """
    found = connection.execute(
        f"""
        SELECT source, customer_id, min(first_received_at) AS first_received_at
        FROM {relation} WHERE customer_id IS NOT NULL GROUP BY ALL
        """
    ).pl()
    return found.cast(SOURCE_CUSTOMERS)
