"""Report: what a home holds, for a person at a terminal or a program reading JSON.

Belongs here: reading the lake and the published marts, and showing them. Must not be put
here: anything that changes either.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb
import polars as pl
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.config import Settings
from pipelines.lake import Lake
from pipelines.money import minor_unit_digits
from pipelines.publish import current_generation

VERDICT_COUNTS = ("lines", "accepted", "duplicate", "conflict", "rejected", "blank")
"""Columns of the table of verdicts; the last five add up to the first."""

_REASONS_SHOWN = 8


@dataclass(frozen=True)
class HomeReport:
    """What a home holds.

    Attributes:
        as_of: instant of the newest run, RFC 3339; None before the first.
        file_classes: per source and kind of file: files and lines by verdict.
        quarantined: file versions that could not be read, with the reason.
        reasons: refused lines by verdict and reason, most frequent first.
        invoices: finalized and draft invoices of the published generation.
        generation: id of the published generation; None before the first.
    """

    as_of: str | None
    file_classes: list[dict[str, Any]]
    quarantined: list[dict[str, Any]]
    reasons: list[dict[str, Any]]
    invoices: list[dict[str, Any]]
    generation: str | None

    def as_json(self) -> dict[str, Any]:
        """The report as plain JSON values; decimals and instants are text."""
        return {
            "as_of": self.as_of,
            "generation": self.generation,
            "file_classes": self.file_classes,
            "quarantined": self.quarantined,
            "reasons": self.reasons,
            "invoices": self.invoices,
        }


def read_report(settings: Settings) -> HomeReport:
    """What the home holds now; a home no run has touched gives an empty report."""
    generation = current_generation(settings.published)
    if not settings.lake_catalog.is_file():
        return HomeReport(None, [], [], [], [], None)
    with Lake(settings.lake_catalog, settings.lake_data) as lake:
        as_of = lake.query(
            "SELECT strftime(max(as_of), '%Y-%m-%dT%H:%M:%SZ') AS t FROM lake.batches"
        )
        return HomeReport(
            as_of=as_of["t"][0],
            file_classes=_file_classes(lake).to_dicts(),
            quarantined=_quarantined(lake).to_dicts(),
            reasons=_reasons(lake).to_dicts(),
            invoices=_invoices(settings),
            generation=generation.generation_id if generation else None,
        )


def show_report(report: HomeReport, console: Console) -> None:
    """Prints the report: verdicts, what was refused and why, and the invoices."""
    if not report.file_classes:
        console.print("Nothing has been taken in yet: `meterline run` reads the landing.")
        return
    _show_verdicts(report, console)
    _show_reasons(report, console)
    for file in report.quarantined:
        console.print(
            f"[red]quarantined[/red] {escape(file['path'])}: {escape(file['reason'])}; "
            "land a corrected file under the same name",
            highlight=False,
        )
    _show_invoices(report, console)


def _file_classes(lake: Lake) -> pl.DataFrame:
    sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in VERDICT_COUNTS)
    return lake.query(
        f"""
        SELECT source, regexp_extract(path, '[^/.]*((\\.[A-Za-z]+)+)$', 1) AS file_kind,
            count(*) AS files, {sums}
        FROM lake.landing_files JOIN lake.file_decisions USING (file_id)
        GROUP BY ALL ORDER BY ALL
        """
    )


def _quarantined(lake: Lake) -> pl.DataFrame:
    return lake.query(
        """
        SELECT path, reason FROM lake.landing_files JOIN lake.file_decisions USING (file_id)
        WHERE status = 'quarantined' ORDER BY file_id
        """
    )


def _reasons(lake: Lake) -> pl.DataFrame:
    return lake.query(
        """
        SELECT verdict, reason_code, count(*) AS lines,
            any_value(reason ORDER BY file_id, line) AS example
        FROM lake.refused_events GROUP BY ALL
        ORDER BY lines DESC, verdict, reason_code
        """
    )


def _invoices(settings: Settings) -> list[dict[str, Any]]:
    generation = current_generation(settings.published)
    if generation is None:
        return []
    marts = settings.published / generation.generation_id / "marts.duckdb"
    with duckdb.connect(str(marts), read_only=True) as connection:
        rows = connection.execute(
            """
            SELECT status, invoice_number, customer_id, subscription_id,
                strftime(period_start_at, '%Y-%m-%dT%H:%M:%SZ'),
                strftime(period_end_at, '%Y-%m-%dT%H:%M:%SZ'), currency, total_amount
            FROM fct_invoices
            ORDER BY status = 'draft', invoice_number, customer_id, subscription_id, period_start_at
            """
        ).fetchall()
    names = (
        "status",
        "invoice_number",
        "customer_id",
        "subscription_id",
        "period_start_at",
        "period_end_at",
        "currency",
        "total_amount",
    )
    invoices = [dict(zip(names, row, strict=True)) for row in rows]
    for invoice in invoices:
        invoice["total_amount"] = _money(invoice["total_amount"], invoice["currency"])
    return invoices


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount:.{minor_unit_digits(currency)}f}"


def _table(title: str, *columns: str, numbers: tuple[str, ...] = ()) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left")
    return table


def _show_verdicts(report: HomeReport, console: Console) -> None:
    counts = ("files", *VERDICT_COUNTS)
    table = _table("Verdicts per kind of file", "source", "files named", *counts, numbers=counts)
    for row in report.file_classes:
        table.add_row(row["source"], f"*{row['file_kind']}", *(f"{row[name]:,}" for name in counts))
    console.print(table)


def _show_reasons(report: HomeReport, console: Console) -> None:
    if not report.reasons:
        return
    table = _table("Refused lines", "verdict", "reason", "lines", "for example", numbers=("lines",))
    for row in report.reasons[:_REASONS_SHOWN]:
        table.add_row(
            row["verdict"], row["reason_code"] or "", f"{row['lines']:,}", escape(row["example"])
        )
    console.print(table)


def _show_invoices(report: HomeReport, console: Console) -> None:
    if not report.invoices:
        return
    drafts = sum(invoice["status"] == "draft" for invoice in report.invoices)
    table = _table(
        f"Invoices: {len(report.invoices) - drafts} finalized, {drafts} drafts "
        f"(as of {report.as_of})",
        "number",
        "customer",
        "subscription",
        "period (UTC)",
        "total",
        "",
        numbers=("total",),
    )
    for invoice in report.invoices:
        table.add_row(
            invoice["invoice_number"] or "draft",
            invoice["customer_id"],
            invoice["subscription_id"],
            f"{invoice['period_start_at'][:16]} – {invoice['period_end_at'][:16]}",
            invoice["total_amount"],
            invoice["currency"],
        )
    console.print(table)
