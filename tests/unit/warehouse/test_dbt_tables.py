"""dbt reads the tables by which Polars decided, and its drafts are read back."""

from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.catalog.calendar import local_days_of, names, periods_until
from pipelines.catalog.catalog import Catalog
from pipelines.catalog.tables.charge_cells import FIXED_CELLS
from pipelines.settings import Settings
from pipelines.vocabulary.frames import (
    BILLING_PERIODS,
    CUSTOMER_NAMES,
    LOCAL_DAYS,
    MOVED_NAMES,
    SOURCE_CUSTOMERS,
    WAITING,
    ZONE_SPANS,
)
from pipelines.vocabulary.reopened import NOTHING_REOPENED
from pipelines.warehouse.billed_fees import FEES_BILLED_ONCE, FEES_IN_ADVANCE
from pipelines.warehouse.dbt_tables import (
    CALENDAR_TABLES,
    CLOCK,
    IN_PROGRESS_COLUMNS,
    PERIODS_ON_HOLD,
    opened,
    replace_tables,
    source_customers,
    write_calendar,
    write_files_in_progress,
)
from tests.worlds.catalogs import RIGHT, Edit, read
from tests.worlds.deliveries import NOON
from tests.worlds.periods import NOTHING_CLOSED


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return read(tmp_path)


def write(
    warehouse: Path,
    catalog: Catalog,
    as_of: datetime = NOON,
    batch_id: int = 7,
) -> dict[str, int]:
    periods = periods_until(catalog, NOTHING_CLOSED, as_of)
    return write_calendar(
        warehouse,
        periods,
        local_days_of(periods, ZONE_SPANS.to_frame()),
        names(catalog),
        pl.DataFrame(schema=MOVED_NAMES),
        pl.DataFrame(schema=FIXED_CELLS),
        pl.DataFrame(schema=FEES_BILLED_ONCE),
        NOTHING_REOPENED,
        pl.DataFrame(schema=FEES_IN_ADVANCE),
        pl.DataFrame(schema=PERIODS_ON_HOLD),
        as_of,
        batch_id,
        catalog.digest,
    )


def rows(warehouse: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(query).fetchall()


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    return tmp_path / "new" / "warehouse.duckdb"


def test_tables_hold_the_frames(warehouse: Path, catalog: Catalog) -> None:
    counts = write(warehouse, catalog)

    periods = periods_until(catalog, NOTHING_CLOSED, NOON)
    assert counts == {
        "billing_periods": periods.height,
        "local_days": local_days_of(periods, ZONE_SPANS.to_frame()).height,
        "customer_names": 5,
        "moved_names": 0,
        "charge_cells": 0,
        "fees_billed_once": 0,
        "reopened_periods": 0,
        "fees_in_advance": 0,
        "periods_on_hold": 0,
        "auto_customer_sources": 0,
        "clock": 1,
    }
    assert tuple(counts) == CALENDAR_TABLES
    for table, count in counts.items():
        assert rows(warehouse, f"SELECT count(*) FROM calendar.{table}") == [(count,)]
    assert rows(warehouse, "FROM calendar.clock") == [(NOON, 7, catalog.digest)]
    # Null bounds are open.
    assert rows(warehouse, "FROM calendar.customer_names WHERE name IN ('web', 'acme')") == [
        ("acme", "acme", None, None),
        ("web", "acme", None, datetime.fromisoformat("2026-06-01T00:00:00Z")),
        ("web", "zürich", datetime.fromisoformat("2026-06-01T00:00:00Z"), None),
    ]


def test_instants_are_instants_and_days_are_days(warehouse: Path, catalog: Catalog) -> None:
    write(warehouse, catalog)
    found = rows(
        warehouse,
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name IN "
        "('billing_periods', 'clock', 'local_days') AND schema_name = 'calendar'",
    )

    for name in ("as_of", "period_start_at", "period_end_at", "cut_at", "day_start_at"):
        assert (name, "TIMESTAMP WITH TIME ZONE") in found
    assert ("period_start_date", "DATE") in found
    assert ("day_number", "INTEGER") in found
    assert ("period_start_label", "TIMESTAMP") in found


def test_writing_again_replaces_what_was_written(
    warehouse: Path, catalog: Catalog, tmp_path: Path
) -> None:
    write(warehouse, catalog)
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    other = read(other_folder, Edit("customer_aliases.csv", "ops,", "dev,").of(RIGHT))
    write(warehouse, other, as_of=NOON + timedelta(days=1), batch_id=8)

    assert rows(warehouse, "FROM calendar.clock") == [(NOON + timedelta(days=1), 8, other.digest)]
    aliases = rows(warehouse, "SELECT name FROM calendar.customer_names WHERE name <= 'ops'")
    assert aliases == [("acme",), ("dev",)]


def test_empty_catalog_of_periods_gives_empty_tables(warehouse: Path) -> None:
    counts = write_calendar(
        warehouse,
        pl.DataFrame(schema=BILLING_PERIODS),
        pl.DataFrame(schema=LOCAL_DAYS),
        pl.DataFrame(schema=CUSTOMER_NAMES),
        pl.DataFrame(schema=MOVED_NAMES),
        pl.DataFrame(schema=FIXED_CELLS),
        pl.DataFrame(schema=FEES_BILLED_ONCE),
        NOTHING_REOPENED,
        pl.DataFrame(schema=FEES_IN_ADVANCE),
        pl.DataFrame(schema=PERIODS_ON_HOLD),
        NOON,
        0,
        "c" * 64,
    )

    assert counts == dict.fromkeys(CALENDAR_TABLES, 0) | {"clock": 1}
    assert rows(warehouse, "FROM calendar.billing_periods") == []


def test_sources_that_make_customers_are_listed(warehouse: Path, catalog: Catalog) -> None:
    assert catalog.auto_customer_sources == frozenset()
    write_calendar(
        warehouse,
        periods_until(catalog, NOTHING_CLOSED, NOON),
        pl.DataFrame(schema=LOCAL_DAYS),
        names(catalog),
        pl.DataFrame(schema=MOVED_NAMES),
        pl.DataFrame(schema=FIXED_CELLS),
        pl.DataFrame(schema=FEES_BILLED_ONCE),
        NOTHING_REOPENED,
        pl.DataFrame(schema=FEES_IN_ADVANCE),
        pl.DataFrame(schema=PERIODS_ON_HOLD),
        NOON,
        7,
        catalog.digest,
        frozenset({"raw", "app"}),
    )

    assert rows(warehouse, "FROM calendar.auto_customer_sources") == [("app",), ("raw",)]


def test_other_schemas_of_the_warehouse_stay(warehouse: Path, catalog: Catalog) -> None:
    warehouse.parent.mkdir()
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("CREATE SCHEMA marts")
        connection.execute("CREATE TABLE marts.clock AS SELECT 1 AS kept")
    write(warehouse, catalog)

    assert rows(warehouse, "FROM marts.clock") == [(1,)]


def test_write_that_fails_changes_nothing(warehouse: Path, catalog: Catalog) -> None:
    write(warehouse, catalog)
    later = pl.DataFrame([(NOON, 8, catalog.digest)], CLOCK, orient="row")
    with pytest.raises(duckdb.Error):
        replace_tables(warehouse, "calendar", {"clock": later, "no such name": later})

    assert rows(warehouse, "SELECT batch_id FROM calendar.clock") == [(7,)]


@pytest.mark.parametrize("files", [0, 2])
def test_table_is_replaced_by_what_waits_now(files: int, tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse" / "warehouse.duckdb"
    rows = [
        {"source": "cdn", "path": f"cdn/{number}", "size_bytes": number, "received_at": NOON}
        for number in range(files)
    ]
    write_files_in_progress(warehouse, pl.DataFrame([*rows, {"path": "gone"}], WAITING))

    assert write_files_in_progress(warehouse, pl.DataFrame(rows, WAITING)) == files

    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute("SELECT * FROM landing.files_in_progress ORDER BY path")
        names = tuple(column[0] for column in found.description or ())
        assert (names, len(found.fetchall())) == (IN_PROGRESS_COLUMNS, files)


HOUR = timedelta(hours=1)


def test_a_source_feeds_whom_its_events_are_attributed_to(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    settings.warehouse.parent.mkdir()
    with duckdb.connect(str(settings.warehouse)) as warehouse:
        warehouse.execute("SET TimeZone = 'Asia/Tokyo'")
        warehouse.execute("CREATE SCHEMA attribution")
        warehouse.execute(
            "CREATE TABLE attribution.int_events_counted"
            "(source VARCHAR, customer_id VARCHAR, first_received_at TIMESTAMPTZ)"
        )
        warehouse.executemany(
            "INSERT INTO attribution.int_events_counted VALUES (?, ?, ?)",
            [
                ("cdn", "acme", NOON + HOUR),
                ("cdn", "acme", NOON),
                ("cdn", "globex", NOON + HOUR),
                ("app", "acme", NOON + 2 * HOUR),
                ("app", None, NOON),
            ],
        )

    with opened(settings.warehouse) as warehouse:
        found = source_customers(warehouse, "attribution.int_events_counted")

    assert found.schema == SOURCE_CUSTOMERS
    assert sorted(found.rows()) == [
        ("app", "acme", NOON + 2 * HOUR),
        ("cdn", "acme", NOON),
        ("cdn", "globex", NOON + HOUR),
    ]
