"""`attach.sql`: the accepted events behind a generation, as a view over the lake."""

from pathlib import Path

import duckdb

from pipelines.lake.ducklake import quoted
from pipelines.warehouse.export import Export, Exported


def attach_sql(exported: Exported) -> str:
    """SQL that shows the accepted events behind a generation as the view `accepted_events`.

    ATTACH takes a path and no expression. So the paths are those of the home that published, and
    the first statement refuses a copy of it, from which the original's lake would be read.
    """
    generation = exported.generation
    statements = [
        _refusal_of_a_copy(exported.marts.parent.parent),
        *exported.attach_lake,
        "CREATE OR REPLACE TEMPORARY VIEW accepted_events AS "
        f"SELECT *, {quoted(generation.generation_id)} AS generation_id "
        f"FROM lake.accepted_events WHERE batch_id <= {generation.batch_id}",
    ]
    return (
        f"-- Every accepted event behind generation {generation.generation_id}, as the view "
        "accepted_events.\n"
        "-- Reads the lake and blocks nobody. Run it on a connection to marts.duckdb, opened "
        "read-only.\n"
        f"-- The LOAD lines are for DuckDB {duckdb.__version__} where Meterline is installed; "
        "elsewhere:\n"
        "-- INSTALL ducklake; INSTALL sqlite; and leave them out.\n"
        + "".join(f"{statement};\n" for statement in statements)
    )


def _refusal_of_a_copy(published: Path) -> str:
    here = quoted(f"{published.resolve()}/")
    return (
        "SELECT error('this home is a copy, and attach.sql reads the lake of the original: run '\n"
        "    || '`meterline publish` in the copy, which writes its own: ' || path)\n"
        "FROM duckdb_databases() WHERE database_name = current_database()\n"
        f"    AND path LIKE '%/published/%' AND NOT starts_with(path, {here})"
    )


EXPORT = Export("attach.sql", attach_sql)
"""The export `attach.sql`; a reader runs it on a connection to the marts."""
