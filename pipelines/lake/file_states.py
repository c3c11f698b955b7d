"""File states: which decision about a file counts, and what heals a file that was not decided.

This is the one home of both rules. A held or unreadable file is healed by a corrected copy, or by a
later version of its path that is decided.
"""

import polars as pl

from pipelines.lake.lake import Lake
from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.frames import FILE_STATES, NAMES_IN_LINES, PENDING
from pipelines.vocabulary.tables import LANDING_FILES
from pipelines.vocabulary.verdicts import FileStatus

LATEST_DECISIONS = """
    SELECT * FROM lake.file_decisions
    QUALIFY row_number() OVER (PARTITION BY file_id ORDER BY revision DESC) = 1
"""
"""SQL: the decision about each file version that counts, the one of its latest revision."""

CORRECTED_FILES = f"""
    SELECT corrects_file_id FROM lake.landing_files JOIN ({LATEST_DECISIONS}) USING (file_id)
    WHERE status = 'decided' AND corrects_file_id IS NOT NULL
"""
"""SQL: the file versions whose refused lines a decided copy stands for."""


def file_states(lake: Lake, undecided: pl.DataFrame | None = None) -> pl.DataFrame:
    """Every file version that the lake knows, and those that still wait; schema `FILE_STATES`.

    A file that a decided one corrects is decided itself.

    Args:
        lake: any connection.
        undecided: listed file versions that no batch has taken; columns of `landing_files`. None
            when there are none.
    """
    decided = lake.query(
        f"""
        SELECT file_id, source, path, received_at,
            CASE WHEN file_id IN ({CORRECTED_FILES}) THEN 'decided' ELSE status END AS status
        FROM lake.landing_files JOIN ({LATEST_DECISIONS}) USING (file_id)
        """
    ).cast(FILE_STATES)
    waiting = pl.DataFrame(schema=LANDING_FILES.schema) if undecided is None else undecided
    return pl.concat([decided, undecided_states(waiting)])


def undecided_states(undecided: pl.DataFrame) -> pl.DataFrame:
    """The waiting file versions alone: all there is before the first run."""
    return undecided.with_columns(pl.lit(PENDING).alias("status")).select(*FILE_STATES)


def unhealed(states: pl.DataFrame) -> pl.DataFrame:
    """The file versions that hold something back: pending, held or quarantined, and not healed.

    Args:
        states: schema `FILE_STATES`; every version that is not decided, and every later version
            of the same path.

    Returns:
        The same columns, by file_id.

    Raises:
        InvariantError: a status is unknown.
    """
    unknown = set(states["status"]) - {PENDING, *FileStatus}
    if unknown:
        raise InvariantError(f"file states: expected a known status, found {sorted(unknown)}")
    is_decided = pl.col("status") == FileStatus.DECIDED.value
    last_decided = pl.col("file_id").filter(is_decided).max().over("path").fill_null(0)
    return states.filter(~is_decided & (pl.col("file_id") > last_decided)).sort("file_id")


def held_names(lake: Lake) -> pl.DataFrame:
    """The names in the lines of the files that are held now; schema `NAMES_IN_LINES`.

    A file that was held before the lake kept names has no row.
    """
    columns = ", ".join(f"names.{name}" for name in NAMES_IN_LINES)
    return lake.query(
        f"""
        SELECT {columns} FROM lake.held_names AS names
        JOIN ({LATEST_DECISIONS}) AS latest USING (file_id, revision)
        WHERE status = 'held' ORDER BY names.file_id, kind, name
        """
    ).cast(NAMES_IN_LINES)


def unread_files(states: pl.DataFrame) -> pl.DataFrame:
    """The held and quarantined ones among those that hold something back."""
    return unhealed(states).filter(pl.col("status") != PENDING)


def verdict_counts(lake: Lake, batch_id: int) -> pl.DataFrame:
    """One row per source of a batch: files, lines and lines by verdict."""
    return lake.query(
        """
        SELECT source, count(*) AS files, sum(lines)::BIGINT AS lines,
            sum(accepted)::BIGINT AS accepted, sum(duplicate)::BIGINT AS duplicate,
            sum(conflict)::BIGINT AS conflict, sum(rejected)::BIGINT AS rejected,
            sum(blank)::BIGINT AS blank,
            coalesce(sum(not_usage), 0)::BIGINT AS not_usage,
            coalesce(sum(held), 0)::BIGINT AS held,
            count(*) FILTER (status = 'quarantined') AS quarantined_files,
            count(*) FILTER (status = 'held') AS held_files
        FROM lake.landing_files JOIN lake.file_decisions USING (file_id)
        WHERE file_decisions.batch_id = $batch_id GROUP BY ALL ORDER BY ALL
        """,
        {"batch_id": batch_id},
    )
