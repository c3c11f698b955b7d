"""dbt's connection of a home: its warehouse, its lake as it is now, its catalog."""

from pathlib import Path

import duckdb

from pipelines.home import Home
from pipelines.settings import DBT_PROJECT, Settings
from pipelines.vocabulary.errors import InvariantError, MeterlineError


def connection_of(settings: Settings) -> dict[str, str]:
    """The environment of dbt's connection: this home, and the lake as it is now."""
    # Imported here, because the module imports dbt, which loading definitions need not pay.
    from pipelines.warehouse.dbt_plugin import connection_environment

    home = Home(settings)
    with home.lake() as lake:
        snapshot_id = lake.snapshot_id()
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    return connection_environment(
        warehouse=settings.warehouse,
        lake_catalog=home.lake_catalog,
        lake_data=settings.lake_data,
        lake_snapshot=snapshot_id,
        readable_folders=[settings.frozen_catalogs, DBT_PROJECT / "reference"],
        threads=settings.threads,
        memory_limit=settings.memory_limit,
    )


def frozen_catalog(settings: Settings) -> Path:
    """The folder of the catalog that the calendar in the warehouse was made from.

    Raises:
        MeterlineError: no run has written a calendar.
    """
    try:
        with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
            clock = warehouse.execute("select catalog_digest from calendar.clock").fetchone()
    except (duckdb.CatalogException, duckdb.IOException) as error:
        raise MeterlineError(
            f"{settings.warehouse} holds no calendar yet; launch the whole job `meterline`"
        ) from error
    if clock is None:
        raise InvariantError("expected one row in calendar.clock, found none; run the whole job")
    return settings.frozen_catalogs / str(clock[0])
