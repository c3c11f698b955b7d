"""Files in progress: what has landed and is not decided, as dbt reads it.

Belongs here: the schema `landing` of the warehouse. Must not be put here: what is new (see
`discovery`).
"""

from pathlib import Path

import duckdb
import polars as pl

from pipelines.vocabulary.tables import LANDING_FILES

COLUMNS = ("source", "path", "size_bytes", "received_at")
"""Columns of `landing.files_in_progress`; a source of the dbt project."""


def write_files_in_progress(warehouse: Path, files: pl.DataFrame) -> int:
    """Replaces the table `landing.files_in_progress`; returns its row count.

    Args:
        warehouse: DuckDB file; made when missing.
        files: file versions that the listing holds and no batch has taken; columns as in
            `landing_files`.
    """
    rows = files.select(pl.col(name).cast(LANDING_FILES.schema[name]) for name in COLUMNS)
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("BEGIN")
        connection.execute("CREATE SCHEMA IF NOT EXISTS landing")
        connection.register("rows", rows.to_arrow())
        connection.execute(
            "CREATE OR REPLACE TABLE landing.files_in_progress AS SELECT * FROM rows"
        )
        connection.execute("COMMIT")
    return rows.height
