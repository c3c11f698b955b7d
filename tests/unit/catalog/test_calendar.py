"""The calendar that dbt reads is the one Polars decided by, replaced as a whole."""

from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.catalog import calendar
from pipelines.catalog.calendar import CALENDAR_TABLES, names, periods_until, write_calendar
from pipelines.catalog.catalog import Catalog
from pipelines.vocabulary.frames import BILLING_PERIODS, CUSTOMER_NAMES
from pipelines.vocabulary.tables import UTC_MICROSECONDS
from tests.worlds.catalogs import RIGHT, edited, read
from tests.worlds.files import NOON, TICK

SKEW = timedelta(hours=48)
"""The largest of the catalog's sources; the others have none, or a day."""

# s3 is billed by the day in New York: 10 March 2026 begins there at 04:00 UTC.
DAY_BEGINS = datetime.fromisoformat("2026-03-10T04:00:00Z")
FINALIZED = pl.Schema(
    {
        "subscription_id": pl.String(),
        "period_start_at": UTC_MICROSECONDS,
        "cut_at": UTC_MICROSECONDS,
        "event_batch_id": pl.Int64(),
    }
)
NO_INVOICES = pl.DataFrame(schema=FINALIZED)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return read(tmp_path)


def last_day(periods: pl.DataFrame, subscription_id: str) -> object:
    return periods.filter(subscription_id=subscription_id)["period_start_date"].max()


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        pytest.param(DAY_BEGINS - SKEW, date(2026, 3, 10), id="exactly a skew before"),
        pytest.param(DAY_BEGINS - SKEW - TICK, date(2026, 3, 9), id="a tick earlier"),
        pytest.param(DAY_BEGINS, date(2026, 3, 12), id="at the midnight"),
    ],
)
def test_periods_reach_as_far_ahead_as_any_source_may_date(
    catalog: Catalog, as_of: datetime, expected: date
) -> None:
    periods = periods_until(catalog, as_of)

    assert periods.schema == BILLING_PERIODS
    assert last_day(periods, "s3") == expected


def test_catalog_whose_sources_have_no_skew_reaches_up_to_the_instant(tmp_path: Path) -> None:
    header = RIGHT["sources.csv"].splitlines()[0]
    only = {"sources.csv": f"{header}\nraw,metronome,,unlimited,,0,last_modified\n"}
    catalog = read(tmp_path, {**RIGHT, **only})

    assert last_day(periods_until(catalog, DAY_BEGINS), "s3") == date(2026, 3, 10)
    assert last_day(periods_until(catalog, DAY_BEGINS - TICK), "s3") == date(2026, 3, 9)


def test_instant_before_every_subscription_gives_no_period(catalog: Catalog) -> None:
    assert periods_until(catalog, datetime.fromisoformat("2025-12-01T00:00:00Z")).is_empty()


def test_names_are_the_ids_and_the_aliases(catalog: Catalog) -> None:
    found = names(catalog)

    assert found.schema == CUSTOMER_NAMES
    assert found.select("name", "customer_id").rows() == [
        ("acme", "acme"),
        ("ops", "acme"),
        ("web", "acme"),
        ("web", "zürich"),
        ("zürich", "zürich"),
    ]


def write(
    warehouse: Path,
    catalog: Catalog,
    finalized: pl.DataFrame = NO_INVOICES,
    as_of: datetime = NOON,
    batch_id: int = 7,
) -> dict[str, int]:
    return write_calendar(
        warehouse,
        periods_until(catalog, as_of),
        names(catalog),
        finalized,
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

    assert counts == {
        "billing_periods": periods_until(catalog, NOON).height,
        "customer_names": 5,
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
        "('billing_periods', 'clock') AND schema_name = 'calendar'",
    )

    for name in ("as_of", "period_start_at", "period_end_at", "cut_at"):
        assert (name, "TIMESTAMP WITH TIME ZONE") in found
    assert ("period_start_date", "DATE") in found
    assert ("finalized_batch_id", "BIGINT") in found


def test_finalized_period_keeps_the_cut_and_the_batch_of_its_invoice(
    warehouse: Path, catalog: Catalog
) -> None:
    # February of s1, in New York; the same instant of another subscription, and no period.
    february = datetime.fromisoformat("2026-02-01T05:00:00Z")
    # The invoice was cut by a grace period that the catalog of today does not have.
    cut_at = datetime.fromisoformat("2026-03-29T03:00:00Z")
    invoices = [
        ("s1", february, cut_at, 3),
        ("s1", february + TICK, cut_at, 4),
        ("s9", february, cut_at, 5),
    ]
    write(warehouse, catalog, pl.DataFrame(invoices, schema=FINALIZED, orient="row"))

    assert rows(
        warehouse,
        "SELECT subscription_id, period_start_date, finalized_batch_id, cut_at "
        "FROM calendar.billing_periods WHERE finalized_batch_id IS NOT NULL",
    ) == [("s1", date(2026, 2, 1), 3, cut_at)]
    assert rows(
        warehouse, f"SELECT count(*) FROM calendar.billing_periods WHERE cut_at = '{cut_at}'"
    ) == [(1,)]


def test_writing_again_replaces_what_was_written(
    warehouse: Path, catalog: Catalog, tmp_path: Path
) -> None:
    write(warehouse, catalog)
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    other = read(other_folder, edited("customer_aliases.csv", "ops,", "dev,"))
    write(warehouse, other, as_of=NOON + timedelta(days=1), batch_id=8)

    assert rows(warehouse, "FROM calendar.clock") == [(NOON + timedelta(days=1), 8, other.digest)]
    aliases = rows(warehouse, "SELECT name FROM calendar.customer_names WHERE name <= 'ops'")
    assert aliases == [("acme",), ("dev",)]


def test_empty_catalog_of_periods_gives_empty_tables(warehouse: Path) -> None:
    counts = write_calendar(
        warehouse,
        pl.DataFrame(schema=BILLING_PERIODS),
        pl.DataFrame(schema=CUSTOMER_NAMES),
        NO_INVOICES,
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
        periods_until(catalog, NOON),
        names(catalog),
        NO_INVOICES,
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


def test_write_that_fails_changes_nothing(
    warehouse: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(warehouse, catalog)
    monkeypatch.setattr(calendar, "CALENDAR_TABLES", ("clock", "no such table"))
    with pytest.raises(KeyError):
        write(warehouse, catalog, batch_id=8)

    assert rows(warehouse, "SELECT batch_id FROM calendar.clock") == [(7,)]
