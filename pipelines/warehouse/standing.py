"""What a phase of dbt left in the warehouse, remembered there: it need not be built again.

It is remembered in the warehouse itself, so that another warehouse, a restored one or one that
lost a table builds everything.
"""

import hashlib
from collections.abc import Collection
from pathlib import Path

import duckdb

from pipelines.warehouse.phases import Relation

_REMEMBERED = "main.standing"


def stands(warehouse: Path, phase: str, made_from: str, relations: Collection[Relation]) -> bool:
    """True if the phase left these relations, made from the same, and they are as it left them.

    Args:
        warehouse: DuckDB file; nobody has it open for writing.
        phase: name of the phase.
        made_from: names the project and the catalog.
        relations: seeds and views of the phase.
    """
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        try:
            found = connection.execute(
                f"SELECT digest FROM {_REMEMBERED} WHERE phase = ?", [phase]
            ).fetchone()
        except duckdb.CatalogException:
            return False
        return found == (_digest(connection, made_from, relations),)


def remember(warehouse: Path, phase: str, made_from: str, relations: Collection[Relation]) -> None:
    """Notes that the phase was built whole; the arguments are those of `stands`."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            f"INSERT INTO {_REMEMBERED} VALUES (?, ?)",
            [phase, _digest(connection, made_from, relations)],
        )


def forget(warehouse: Path, phase: str) -> None:
    """Notes that the phase is being built: nothing of it stands until it is remembered again."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {_REMEMBERED}"
            "(phase VARCHAR PRIMARY KEY, digest VARCHAR NOT NULL)"
        )
        connection.execute(f"DELETE FROM {_REMEMBERED} WHERE phase = ?", [phase])


def _digest(
    connection: duckdb.DuckDBPyConnection, made_from: str, relations: Collection[Relation]
) -> str:
    """SHA-256 (hex) over the origin of the relations, their definitions and the tables' rows."""
    tables, views = (
        connection.execute(f"SELECT schema_name, {kind}_name, sql FROM duckdb_{kind}s()").fetchall()
        for kind in ("table", "view")
    )
    kept = sorted(row for row in (*tables, *views) if row[:2] in relations)
    # The rows too: somebody may have run dbt by hand with other seeds of the same length.
    rows = [
        connection.execute(
            f'SELECT count(*), sum(hash(each)) FROM "{schema}"."{name}" AS each'
        ).fetchone()
        for schema, name in sorted(row[:2] for row in tables if row[:2] in relations)
    ]
    return hashlib.sha256(repr((made_from, sorted(relations), kept, rows)).encode()).hexdigest()
