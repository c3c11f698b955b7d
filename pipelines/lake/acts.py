"""Acts in the lake: what people asked for, and the chain of invoices and voids."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

import polars as pl

from pipelines.lake.lake import Lake
from pipelines.vocabulary.acts import Act, ActKind, Void
from pipelines.vocabulary.tables import ACTS

VOID_INVOICES = f"SELECT invoice_id FROM lake.acts WHERE kind = '{ActKind.VOID.value}'"
"""SQL: the invoices that are void."""

_POSITION = "coalesce(chain_position, series_number)"
_DIGESTS = "canonical_json, document_sha256, previous_chain_sha256, chain_sha256"

DRAFT_ID = """
    subscription_id || '/'
        || replace(replace(period_start_label::VARCHAR, ' 00:00:00', ''), ' ', 'T')
"""
"""SQL: the id that the draft of a period has; see `label_text` in the dbt project."""

CHAIN = f"""
    SELECT {_POSITION} AS chain_position, series, series_number, invoice_number, {_DIGESTS}
    FROM lake.invoices
    UNION ALL
    SELECT acts.chain_position, NULL, NULL, invoices.invoice_number,
        acts.canonical_json, acts.document_sha256, acts.previous_chain_sha256, acts.chain_sha256
    FROM lake.acts AS acts LEFT JOIN lake.invoices AS invoices USING (invoice_id)
    WHERE acts.kind = '{ActKind.VOID.value}'
"""
"""SQL: one row per link, an invoice or a void, in any order; columns `chain.CHAIN_COLUMNS`.

An invoice that was closed before there were voids has the position of its number.
"""


def act_count(lake: Lake) -> int:
    """The number of acts."""
    return lake.row_count("acts")


def act_rows(lake: Lake, acts: Sequence[Act], batch_id: int, as_of: datetime) -> pl.DataFrame:
    """One row of the lake table `acts` per act, numbered after those there are.

    Args:
        lake: any connection.
        acts: in the order in which they are numbered.
        batch_id: number of the transaction that writes the rows.
        as_of: the instant they speak for.
    """
    rows = [
        {
            "batch_id": batch_id,
            "act_number": number,
            "kind": act.kind.value,
            "subscription_id": act.subscription_id,
            "invoice_id": act.invoice_id,
            "file_id": act.file_id,
            "asked_by": act.asked_by,
            "reason": act.reason,
            "as_of": as_of,
            **{field.name: getattr(act.void, field.name, None) for field in fields(Void)},
        }
        for number, act in enumerate(acts, start=act_count(lake) + 1)
    ]
    return pl.DataFrame(rows, schema=ACTS.schema)


def void_invoices(lake: Lake) -> list[str]:
    """The ids of the invoices that are void."""
    return lake.query(VOID_INVOICES)["invoice_id"].to_list()


def links_from(lake: Lake, position: int) -> pl.DataFrame:
    """One row per link of the chain from a position on."""
    return lake.query(
        f"SELECT * FROM ({CHAIN}) WHERE chain_position >= $position", {"position": position}
    )


def newest_links(lake: Lake) -> pl.DataFrame:
    """The link of the last invoice, and those of the voids after it."""
    found = lake.query(f"SELECT coalesce(max({_POSITION}), 0) AS last FROM lake.invoices")
    return links_from(lake, int(found["last"][0]))


def last_numbers(lake: Lake, position: int | None = None) -> dict[str, int]:
    """The last number of each series.

    Args:
        lake: any connection.
        position: the place in the chain up to which invoices count; None: all of them.
    """
    found = lake.query(
        f"""
        SELECT series, max(series_number) AS series_number FROM lake.invoices
        WHERE $position IS NULL OR {_POSITION} <= $position GROUP BY series
        """,
        {"position": position},
    )
    return dict(found.iter_rows())


def accepted_subscriptions(lake: Lake) -> list[str]:
    """The subscriptions whose added past may be billed.

    An acceptance lasts until the next cut of its subscription is closed.
    """
    found = lake.query(
        """
        SELECT DISTINCT subscription_id FROM lake.acts
        WHERE kind = $accept AND batch_id > coalesce((
            SELECT max(closed.batch_id) FROM lake.closed_periods AS closed
            WHERE closed.subscription_id = acts.subscription_id
        ), 0)
        ORDER BY subscription_id
        """,
        {"accept": ActKind.ACCEPT.value},
    )
    return found["subscription_id"].to_list()


def drafts_on_hold(lake: Lake) -> pl.DataFrame:
    """One row per draft that a closing held back: `invoice_id` and `subscription_id`.

    One that was closed since, with an invoice or without, is a draft no more.
    """
    return lake.query(
        f"""
        SELECT DISTINCT invoice_id, subscription_id FROM lake.acts WHERE kind = $hold
        AND invoice_id NOT IN (SELECT invoice_id FROM lake.invoices)
        AND invoice_id NOT IN (
            SELECT {DRAFT_ID} FROM lake.closed_periods WHERE invoice_id IS NULL
        )
        """,
        {"hold": ActKind.HOLD.value},
    )


def waived_files(lake: Lake) -> list[int]:
    """The file versions that hold back nobody, by a person's waiver."""
    found = lake.query(
        "SELECT DISTINCT file_id FROM lake.acts WHERE kind = $waive ORDER BY file_id",
        {"waive": ActKind.WAIVE.value},
    )
    return found["file_id"].to_list()
