"""File states: what closing waits for, and whom that concerns.

Belongs here: the two frames that `close.closable` asks for. Must not be put here: the rules (see
`close`).
"""

from pathlib import Path

import duckdb
import polars as pl

from pipelines.lake.lake import Lake
from pipelines.vocabulary.frames import FILE_STATES, PENDING, SOURCE_CUSTOMERS

LATEST_DECISIONS = """
    SELECT * FROM lake.file_decisions
    QUALIFY row_number() OVER (PARTITION BY file_id ORDER BY revision DESC) = 1
"""
"""SQL: the decision about each file version that counts, the one of its latest revision."""


def file_states(lake: Lake, undecided: pl.DataFrame) -> pl.DataFrame:
    """Every file version the lake knows, by its latest decision, and those still waiting.

    A file that a decided one corrects is decided itself.

    Args:
        lake: any connection.
        undecided: listed file versions that no batch has taken; columns of `landing_files`.
    """
    decided = lake.query(
        f"""
        WITH latest AS ({LATEST_DECISIONS}),
        corrected AS (
            SELECT corrects_file_id AS file_id
            FROM lake.landing_files JOIN latest USING (file_id) WHERE status = 'decided'
        )
        SELECT file_id, source, path, received_at,
            CASE WHEN file_id IN (SELECT file_id FROM corrected WHERE file_id IS NOT NULL)
                THEN 'decided' ELSE status END AS status
        FROM lake.landing_files JOIN latest USING (file_id)
        """
    ).cast(FILE_STATES)
    return pl.concat([decided, undecided_states(undecided)])


def undecided_states(undecided: pl.DataFrame) -> pl.DataFrame:
    """The waiting file versions alone: all there is before the first run."""
    return undecided.with_columns(pl.lit(PENDING).alias("status")).select(*FILE_STATES)


def unread_files(states: pl.DataFrame) -> pl.DataFrame:
    """The held and quarantined ones that no later decided version of their path heals."""
    is_decided = pl.col("status") == "decided"
    last_decided = pl.col("file_id").filter(is_decided).max().over("path").fill_null(0)
    return states.filter(
        pl.col("status").is_in(["held", "quarantined"]) & (pl.col("file_id") > last_decided)
    ).sort("file_id")


def source_customers(database: Path, relation: str) -> pl.DataFrame:
    """Who has an accepted event from which source, and since when, as dbt attributed them.

    Args:
        database: DuckDB file: the working warehouse under the lock, or published marts.
        relation: columns source, customer_id, first_received_at; more rows than one a pair.
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute(
            f"""
            SELECT source, customer_id, min(first_received_at) AS first_received_at
            FROM {relation} WHERE customer_id IS NOT NULL GROUP BY ALL
            """
        ).pl()
    return found.cast(SOURCE_CUSTOMERS)
