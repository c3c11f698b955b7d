from pathlib import Path

from pipelines.lake.catalog_databases import SqliteCatalog
from pipelines.warehouse.dbt_plugin import (
    LAKE_CATALOG,
    READABLE_FOLDERS,
    WAREHOUSE,
    connection_environment,
    connection_statements,
)

ENVIRONMENT = connection_environment(
    warehouse=Path("/home/warehouse/warehouse.duckdb"),
    lake_catalog=SqliteCatalog(Path("/home/lake/catalog.sqlite")),
    lake_data=Path("/home/lake/data"),
    lake_snapshot=7,
    readable_folders=[Path("/home/it's/catalog")],
    threads=2,
    memory_limit="1GiB",
)


def test_lake_is_attached_read_only_at_its_snapshot_before_access_is_closed() -> None:
    statements = connection_statements(ENVIRONMENT)
    (attach,) = [number for number, text in enumerate(statements) if text.startswith("ATTACH")]
    assert "READ_ONLY" in statements[attach]
    assert "SNAPSHOT_VERSION 7" in statements[attach]
    assert statements[-1] == "set enable_external_access = false"
    assert attach < len(statements) - 1


def test_only_the_homes_own_folders_are_readable() -> None:
    assert ENVIRONMENT[WAREHOUSE] == "/home/warehouse/warehouse.duckdb"
    assert ENVIRONMENT[READABLE_FOLDERS].split(":") == [
        "/home/lake",
        "/home/lake/data",
        "/home/warehouse",
        "/home/it's/catalog",
    ]
    assert "'/home/it''s/catalog'" in connection_statements(ENVIRONMENT)[-2]


def test_without_a_lake_only_the_time_zone_is_set() -> None:
    environment = {name: value for name, value in ENVIRONMENT.items() if name != LAKE_CATALOG}
    assert connection_statements(environment) == ["set global TimeZone = 'UTC'"]
