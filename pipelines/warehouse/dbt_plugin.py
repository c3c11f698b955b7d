"""dbt plugin: prepares dbt's connection, with the lake attached read-only at one snapshot.

dbt-duckdb makes the plugin itself, as `profiles.yml` says. So its configuration comes in
environment variables: `connection_environment` writes them and `Plugin` reads them.

Invariant: all models of one dbt invocation see the same state of the lake, whatever is committed
meanwhile. Their SQL can open only the files and folders named here.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.flags import get_flags
from dbt_common.exceptions import DbtRuntimeError

from pipelines.lake.catalog_databases import SqliteCatalog
from pipelines.lake.ducklake import attach_statements, quoted

WAREHOUSE = "METERLINE_WAREHOUSE"
"""The variable with the path of the DuckDB file that dbt builds; `profiles.yml` reads it too."""

THREADS = "METERLINE_THREADS"
"""The variable with DuckDB's threads."""

MEMORY_LIMIT = "METERLINE_MEMORY_LIMIT"
"""The variable with DuckDB's memory limit, with its unit."""

LAKE_CATALOG = "METERLINE_LAKE_CATALOG"
"""The variable with the path of the SQLite file of the lake's catalog."""

LAKE_DATA = "METERLINE_LAKE_DATA"
"""The variable with the lake's DATA_PATH."""

LAKE_SNAPSHOT = "METERLINE_LAKE_SNAPSHOT"
"""The variable with the id of the snapshot that every model sees."""

READABLE_FOLDERS = "METERLINE_READABLE_FOLDERS"
"""The variable with the folders that SQL may open, joined by the system's path separator."""

_WITHOUT_A_HOME = frozenset({"parse", "compile", "list"})
"""Commands of dbt that say something about the project alone."""


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
    """The environment variables that configure dbt's connection.

    Args:
        warehouse: DuckDB file that dbt builds.
        lake_catalog: the lake's catalog database.
        lake_data: the lake's DATA_PATH.
        lake_snapshot: id of the snapshot that every model sees.
        readable_folders: folders that SQL may open besides the lake and the warehouse, for seeds.
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
    """Prepares the only connection of a dbt invocation.

    Without `METERLINE_LAKE_CATALOG` it attaches nothing and restricts no access. So `dbt parse` and
    `dbt compile` work by hand in a checkout without a home.
    """

    def update_connection_config(
        self,
        creds: DuckDBCredentials,  # noqa: ARG002 -- the signature is dbt-duckdb's
        config: dict[str, Any],
    ) -> None:
        """Sets threads and memory as in the settings, and forbids to download extensions.

        Raises:
            DbtRuntimeError: dbt was started by itself, and is about to look into a warehouse.
        """
        command = get_flags().WHICH  # type: ignore[no-untyped-call]
        if WAREHOUSE not in os.environ and command not in _WITHOUT_A_HOME:
            command = {"generate": "docs generate"}.get(command, command)
            raise DbtRuntimeError(
                f"use `meterline dbt {command} …`, which attaches the lake and the catalog of a "
                "home, instead of dbt alone"
            )
        config["autoinstall_known_extensions"] = "false"
        for variable, option in ((THREADS, "threads"), (MEMORY_LIMIT, "memory_limit")):
            if variable in os.environ:
                config[option] = os.environ[variable]

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Attaches the lake, then turns external access off for the life of the connection."""
        for statement in connection_statements(os.environ):
            conn.execute(statement)


def connection_statements(environment: Mapping[str, str]) -> list[str]:
    """The SQL statements that prepare a connection; without a lake, they only set the time zone.

    Args:
        environment: the variables of `connection_environment`.
    """
    # The setting is global, because dbt's cursors do not inherit the settings of a session.
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
