"""Attention: what in a home waits for a person, and what the person can do.

Belongs here: reading the lake for refusals, held and unreadable files, drafts that stay drafts.
Must not be put here: showing it (see `report`), sending it (see `alarms`), changing anything.
"""

import shlex
from datetime import datetime
from typing import Any

import polars as pl

from pipelines.catalog.catalog import Catalog
from pipelines.home import Home
from pipelines.invoicing.due import HeldBack, closable, settle_time
from pipelines.lake.file_states import LATEST_DECISIONS, unhealed, unread_files
from pipelines.lake.lake import Lake
from pipelines.vocabulary.frames import DRAFTS
from pipelines.warehouse.dbt_tables import source_customers

_ADVICE = {
    "held": "`meterline replay --release {path}` lets it in; a corrected upload under its name "
    "replaces it",
    "quarantined": "land a corrected file under its name, or retry: "
    "`meterline replay --file {path}`",
}


def refusals(lake: Lake, sources: pl.DataFrame) -> list[dict[str, Any]]:
    """Refused lines by verdict and reason, most frequent first, with an example and its place.

    Conflicts that their source expects (see the schema `SOURCES`) stand apart, and last.
    """
    return lake.query(
        f"""
        WITH latest AS ({LATEST_DECISIONS}),
        refused AS (
            SELECT refused.*, files.path FROM lake.refused_events AS refused
            JOIN latest ON latest.file_id = refused.file_id
                AND latest.revision = coalesce(refused.revision, 0)
            JOIN lake.landing_files AS files ON files.file_id = refused.file_id
        )
        SELECT verdict, reason_code,
            verdict = 'conflict' AND coalesce(conflicts_expected, false) AS is_expected,
            count(*) AS lines,
            any_value(reason ORDER BY file_id, line) AS example,
            any_value(path ORDER BY file_id, line) AS example_path,
            any_value(line ORDER BY file_id, line) AS example_line
        FROM refused LEFT JOIN sources USING (source) GROUP BY ALL
        ORDER BY is_expected, lines DESC, verdict, reason_code
        """,
        sources=sources.select("source", "conflicts_expected"),
    ).to_dicts()


def waiting_files(lake: Lake, states: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Quarantined and held files that nothing has healed: why, and what to do next."""
    unread = unread_files(states).select("file_id", "path", "status")
    rows = lake.query(
        f"""
        WITH latest AS ({LATEST_DECISIONS})
        SELECT unread.path, unread.status, latest.reason, latest.lines, latest.rejected
        FROM unread JOIN latest USING (file_id) ORDER BY file_id
        """,
        unread=unread,
    ).to_dicts()
    return {
        status: [
            row | {"what_to_do": _advice(status, row["path"])}
            for row in rows
            if row["status"] == status
        ]
        for status in ("quarantined", "held")
    }


def _advice(status: str, path: str) -> str:
    # The path is a sender's: a person copies the command into a shell.
    return _ADVICE[status].format(path=shlex.quote(path))


def oldest_undecided(states: pl.DataFrame, now: datetime) -> dict[str, Any] | None:
    """The file that waits longest to be decided, held and quarantined ones included."""
    pending = states.filter(pl.col("status") == "pending")
    waiting = pl.concat([pending, unread_files(states)]).sort("received_at", "file_id").head(1)
    if not waiting.height:
        return None
    (row,) = waiting.to_dicts()
    received_at: datetime = row["received_at"]
    return {
        "path": row["path"],
        "status": row["status"],
        "received_at": f"{received_at:%Y-%m-%dT%H:%M:%SZ}",
        "age_seconds": max(0, int((now - received_at).total_seconds())),
    }


def due_drafts(
    home: Home, catalog: Catalog, states: pl.DataFrame, listed_at: datetime
) -> list[dict[str, Any]]:
    """Why each draft whose cut has passed is still a draft; `ready` where the next run closes it.

    Args:
        home: the home.
        catalog: in use.
        states: see `file_states`.
        listed_at: when the listing behind `states` began.
    """
    generation = home.generation()
    if generation is None:
        return []
    with home.marts() as connection:
        drafts = connection.execute(
            f"SELECT {', '.join(DRAFTS)} FROM fct_invoices WHERE status = 'draft'"
        ).pl()
        fed = source_customers(connection, "fct_source_customers")
    closing = closable(
        drafts.cast(DRAFTS),
        unhealed(states),
        fed,
        generation.as_of,
        listed_at,
        settle_time(catalog.sources),
    )
    due = closing.held_back.filter(pl.col("reason_code") != HeldBack.NOT_DUE.value)
    ready = closing.closable.with_columns(
        pl.lit("ready").alias("reason_code"),
        pl.lit("nothing holds it back any more: `meterline run` closes it").alias("reason"),
    )
    columns = ["invoice_id", "customer_id", "subscription_id", "reason_code", "reason"]
    return pl.concat([due.select(columns), ready.select(columns)]).to_dicts()
