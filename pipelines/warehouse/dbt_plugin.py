"""dbt's connection: the lake attached read-only at one snapshot, and nothing else reachable.

Belongs here: what a DuckDB connection of dbt needs before the first model runs. Must not be
put here: which models run, or when (see `dbt_runner`). dbt-duckdb makes this plugin itself,
from `profiles.yml`, so what it has to know comes by environment: `connection_environment`
writes it and `Plugin` reads it, side by side in this module.

The invariant: all models of one dbt invocation see one state of the lake, whoever commits
to it meanwhile, and their SQL can open no file that was not named here.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin

from pipelines.lake.catalog_databases import SqliteCatalog
from pipelines.lake.ducklake import attach_statements, quoted

WAREHOUSE = "METERLINE_WAREHOUSE"
"""Path of the DuckDB file that dbt builds; `profiles.yml` reads it too."""

THREADS = "METERLINE_THREADS"
"""DuckDB's threads."""

MEMORY_LIMIT = "METERLINE_MEMORY_LIMIT"
"""DuckDB's memory limit, with its unit."""

LAKE_CATALOG = "METERLINE_LAKE_CATALOG"
"""SQLite file of the lake's catalog."""

LAKE_DATA = "METERLINE_LAKE_DATA"
"""The lake's DATA_PATH."""

LAKE_SNAPSHOT = "METERLINE_LAKE_SNAPSHOT"
"""Id of the snapshot that every model sees."""

READABLE_FOLDERS = "METERLINE_READABLE_FOLDERS"
"""Folders that SQL may open, joined by the system's path separator."""


def connection_environment(
    *,
    warehouse: Path,
    lake_catalog: SqliteCatalog,
    lake_data: Path,
    lake_snapshot: int,
    readable_folders: Sequence[Path],
    threads: int,
    memory_limit: str,
) -> dict[str, str]:
    """The environment variables that tell dbt's connection where it works.

    Args:
        warehouse: DuckDB file that dbt builds.
        lake_catalog: the lake's catalog database.
        lake_data: the lake's DATA_PATH.
        lake_snapshot: id of the snapshot that every model sees.
        readable_folders: what SQL may open besides the lake and the warehouse (seed files).
        threads: DuckDB's threads.
        memory_limit: DuckDB's memory limit, with its unit.
    """
    folders = [*lake_catalog.folders, lake_data, warehouse.parent, *readable_folders]
    return {
        WAREHOUSE: str(warehouse),
        THREADS: str(threads),
        MEMORY_LIMIT: memory_limit,
        LAKE_CATALOG: str(lake_catalog),
        LAKE_DATA: str(lake_data),
        LAKE_SNAPSHOT: str(lake_snapshot),
        READABLE_FOLDERS: os.pathsep.join(str(folder.resolve()) for folder in folders),
    }


class Plugin(BasePlugin):
    """Prepares the one connection of a dbt invocation.

    Without `METERLINE_LAKE_CATALOG` it attaches nothing and closes nothing off, so that
    `dbt parse` and `dbt compile` work by hand in a checkout that has no home yet.
    """

    def update_connection_config(
        self,
        creds: DuckDBCredentials,  # noqa: ARG002 -- the signature is dbt-duckdb's
        config: dict[str, Any],
    ) -> None:
        """No extension is ever fetched; threads and memory are those of the settings."""
        config["autoinstall_known_extensions"] = "false"
        for variable, option in ((THREADS, "threads"), (MEMORY_LIMIT, "memory_limit")):
            if variable in os.environ:
                config[option] = os.environ[variable]

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """The lake is attached, then external access is off for the connection's life."""
        for statement in connection_statements(os.environ):
            conn.execute(statement)


def connection_statements(environment: Mapping[str, str]) -> list[str]:
    """SQL that prepares a connection; only the time zone when no lake is named.

    Args:
        environment: holds what `connection_environment` made.
    """
    # Global, because dbt works on cursors, and a cursor does not inherit session settings.
    statements = ["set global TimeZone = 'UTC'"]
    if LAKE_CATALOG not in environment:
        return statements
    folders = environment[READABLE_FOLDERS].split(os.pathsep)
    return [
        *statements,
        *attach_statements(
            SqliteCatalog(Path(environment[LAKE_CATALOG])),
            Path(environment[LAKE_DATA]),
            read_only=True,
            snapshot_id=int(environment[LAKE_SNAPSHOT]),
        ),
        f"set allowed_directories = [{', '.join(map(quoted, folders))}]",
        "set enable_external_access = false",
    ]
