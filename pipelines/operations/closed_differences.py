"""Closed differences: how many closed lines would be counted otherwise today."""

from dataclasses import dataclass, field

import duckdb

MART = "rpt_closed_differences"
"""The mart that has a row for each of them."""


@dataclass(frozen=True)
class ClosedDifferences:
    """Closed lines whose usage, counted by today's catalog and definitions, is another.

    Attributes:
        lines: how many there are.
        invoices: on how many invoices, or in how many periods closed without one.
        metrics: codes of their metrics, sorted.
        command: shows them.
    """

    lines: int = 0
    invoices: int = 0
    metrics: list[str] = field(default_factory=list)
    command: str = f'meterline sql "select * from {MART}"'


def closed_differences(marts: duckdb.DuckDBPyConnection) -> ClosedDifferences:
    """What the published marts say of them; a generation of an earlier version says nothing."""
    found = marts.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = $mart", {"mart": MART})
    if found.fetchone() is None:
        return ClosedDifferences()
    rows = marts.execute(
        f"""
        SELECT count(*), count(DISTINCT invoice_id),
            coalesce(list(DISTINCT metric_code ORDER BY metric_code), [])
        FROM {MART}
        """
    ).fetchall()
    return ClosedDifferences(*rows[0])
