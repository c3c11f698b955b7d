"""Report: what a home holds, for a person at a terminal or a program reading JSON.

Belongs here: reading the lake and the published marts, and showing them. Must not be put
here: anything that changes either.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.catalog import read_catalog
from pipelines.config import Settings, metric_codes
from pipelines.discovery import discover
from pipelines.lake import Lake
from pipelines.landing import Landing
from pipelines.money import minor_unit_digits
from pipelines.publish import current_generation
from pipelines.schemas import LANDING_FILES

VERDICT_COUNTS = ("lines", "accepted", "duplicate", "conflict", "rejected", "blank")
"""Columns of the table of verdicts; the last five add up to the first."""

_REASONS_SHOWN = 12
_INVOICES_SHOWN = 50
_FILES_SHOWN = 20


@dataclass(frozen=True)
class HomeReport:
    """What a home holds.

    Attributes:
        as_of: instant the published generation speaks for, RFC 3339; None before the first.
        file_classes: per source and kind of file: files and lines by verdict.
        quarantined: file versions that could not be read and that no later version has
            healed, with the reason.
        reasons: refused lines by verdict and reason, most frequent first; conflicts that
            their source expects stand apart.
        invoices: finalized and draft invoices of the published generation.
        generation: id of the published generation; None before the first.
        in_progress: file versions landed and not decided yet.
        not_read: objects of the landing that are not read, with the reason.
        warnings: what the catalog allows but may surprise.
    """

    as_of: str | None
    file_classes: list[dict[str, Any]]
    quarantined: list[dict[str, Any]]
    reasons: list[dict[str, Any]]
    invoices: list[dict[str, Any]]
    generation: str | None
    in_progress: list[dict[str, Any]]
    not_read: list[dict[str, Any]]
    warnings: list[str]

    def as_json(self) -> dict[str, Any]:
        """The report as plain JSON values; decimals and instants are text."""
        return asdict(self)


def read_report(settings: Settings) -> HomeReport:
    """What the home and its landing hold now; a home no run has touched holds nothing.

    Raises:
        MeterlineError: the catalog contradicts itself, or the landing cannot be listed.
    """
    generation = current_generation(settings.published)
    catalog = read_catalog(settings.catalog, metric_codes())
    registry = pl.DataFrame(schema=LANDING_FILES.schema)
    taken_in: dict[str, Any] = {
        "file_classes": [],
        "quarantined": [],
        "reasons": [],
    }
    if settings.lake_catalog.is_file():
        with Lake(settings.lake_catalog, settings.lake_data) as lake:
            registry = lake.table(LANDING_FILES)
            taken_in = {
                "file_classes": _file_classes(lake).to_dicts(),
                "quarantined": _quarantined(lake).to_dicts(),
                "reasons": _reasons(lake, catalog.sources).to_dicts(),
            }
    discovery = discover(
        Landing(settings.landing, settings.s3_endpoint_url).list_objects(),
        registry,
        catalog.sources,
        datetime.now(UTC),
    )
    return HomeReport(
        as_of=f"{generation.as_of:%Y-%m-%dT%H:%M:%SZ}" if generation else None,
        **taken_in,
        invoices=_invoices(settings),
        generation=generation.generation_id if generation else None,
        in_progress=discovery.files.select("path", "size_bytes").to_dicts(),
        not_read=discovery.ignored.to_dicts(),
        warnings=list(catalog.warnings),
    )


def show_report(report: HomeReport, console: Console) -> None:
    """Prints the report: verdicts, what was refused and why, and the invoices."""
    if report.file_classes:
        _show_verdicts(report, console)
    else:
        console.print("Nothing has been taken in yet: `meterline run` reads the landing.")
    _show_reasons(report, console)
    _show_files(
        "[red]quarantined[/red]",
        report.quarantined,
        "; land a corrected file under the same name",
        console,
    )
    _show_files("[yellow]not read[/yellow]", report.not_read, "", console)
    for warning in report.warnings:
        console.print(f"[yellow]catalog[/yellow] {shown_text(warning)}", highlight=False)
    if report.in_progress:
        console.print(
            f"[yellow]in progress[/yellow] {len(report.in_progress):,} landed files wait to be "
            "decided: `meterline run` takes them in",
            highlight=False,
        )
    _show_invoices(report, console)


def shown_text(text: str) -> str:
    """Text of others as a terminal shows it: markup and control characters are not obeyed."""
    signs = (sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
    return escape("".join(signs))


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
        WITH files AS (FROM lake.landing_files JOIN lake.file_decisions USING (file_id))
        SELECT path, reason FROM files
        WHERE status = 'quarantined' AND NOT EXISTS (
            FROM files AS healing WHERE healing.path = files.path
                AND healing.status = 'decided' AND healing.file_id > files.file_id
        )
        ORDER BY file_id
        """
    )


def _reasons(lake: Lake, sources: pl.DataFrame) -> pl.DataFrame:
    return lake.query(
        """
        SELECT verdict, reason_code,
            verdict = 'conflict' AND coalesce(conflicts_expected, false) AS is_expected,
            count(*) AS lines, any_value(reason ORDER BY file_id, line) AS example
        FROM lake.refused_events LEFT JOIN sources USING (source) GROUP BY ALL
        ORDER BY is_expected, lines DESC, verdict, reason_code
        """,
        sources=sources.select("source", "conflicts_expected"),
    )


def _invoices(settings: Settings) -> list[dict[str, Any]]:
    generation = current_generation(settings.published)
    if generation is None:
        return []
    marts = settings.published / generation.generation_id / "marts.duckdb"
    with duckdb.connect(str(marts), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows = connection.execute(
            """
            SELECT fct_invoices.status, invoice_number, customer_id, subscription_id,
                dim_billing_periods.period_start_date::VARCHAR,
                dim_billing_periods.time_zone,
                strftime(fct_invoices.period_start_at, '%Y-%m-%dT%H:%M:%SZ'),
                strftime(fct_invoices.period_end_at, '%Y-%m-%dT%H:%M:%SZ'),
                fct_invoices.currency, total_amount
            FROM fct_invoices
            JOIN dim_billing_periods USING (invoice_id, customer_id, subscription_id)
            ORDER BY fct_invoices.status DESC, series_number, customer_id, invoice_id
            """
        ).fetchall()
    names = (
        "status",
        "invoice_number",
        "customer_id",
        "subscription_id",
        "period_start_date",
        "time_zone",
        "period_start_at",
        "period_end_at",
        "currency",
        "total_amount",
    )
    invoices = [dict(zip(names, row, strict=True)) for row in rows]
    for invoice in invoices:
        end_at = datetime.fromisoformat(invoice["period_end_at"])
        invoice["period_end_date"] = str(end_at.astimezone(ZoneInfo(invoice["time_zone"])).date())
        invoice["total_amount"] = _money(invoice["total_amount"], invoice["currency"])
    return invoices


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount:.{minor_unit_digits(currency)}f}"


def _table(title: str, *columns: str, numbers: tuple[str, ...] = ()) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=0,
        pad_edge=False,
    )
    for column in columns:
        is_number = column in numbers
        table.add_column(
            column, justify="right" if is_number else "left", no_wrap=column != "for example"
        )
    return table


def _show_verdicts(report: HomeReport, console: Console) -> None:
    counts = ("files", *VERDICT_COUNTS)
    table = _table("Verdicts per kind of file", "source", "kind", *counts, numbers=counts)
    for row in report.file_classes:
        table.add_row(
            shown_text(row["source"]),
            f"*{row['file_kind']}",
            *(f"{row[name]:,}" for name in counts),
        )
    console.print(table)


def _show_reasons(report: HomeReport, console: Console) -> None:
    if not report.reasons:
        return
    table = _table("Refused lines", "verdict", "reason", "lines", "for example", numbers=("lines",))
    for row in report.reasons[:_REASONS_SHOWN]:
        table.add_row(
            row["verdict"],
            row["reason_code"] or ("expected" if row["is_expected"] else ""),
            f"{row['lines']:,}",
            shown_text(row["example"]),
        )
    console.print(table)


def _show_files(label: str, files: list[dict[str, Any]], advice: str, console: Console) -> None:
    for file in files[:_FILES_SHOWN]:
        sentence = f"{shown_text(file['path'])}: {shown_text(file['reason'])}{advice}"
        console.print(f"{label} {sentence}", highlight=False)
    more = len(files) - _FILES_SHOWN
    if more > 0:
        console.print(f"{label} … and {more:,} more: meterline status --json", highlight=False)


def _show_invoices(report: HomeReport, console: Console) -> None:
    if not report.invoices:
        return
    drafts = sum(invoice["status"] == "draft" for invoice in report.invoices)
    table = _table(
        f"Invoices: {len(report.invoices) - drafts} finalized, {drafts} drafts, as of "
        f"{report.as_of}",
        "number",
        "customer",
        "subscription",
        "from",
        "until",
        "total",
        numbers=("total",),
    )
    for invoice in report.invoices[:_INVOICES_SHOWN]:
        table.add_row(
            invoice["invoice_number"] or "draft",
            shown_text(invoice["customer_id"]),
            shown_text(invoice["subscription_id"]),
            invoice["period_start_date"],
            invoice["period_end_date"],
            f"{invoice['total_amount']} {invoice['currency']}",
        )
    console.print(table)
    more = len(report.invoices) - _INVOICES_SHOWN
    if more > 0:
        console.print(f"  … and {more:,} more: select * from fct_invoices")
