"""Report: what a home holds, for a person at a terminal or a program reading JSON.

Belongs here: reading the lake and the published marts, and showing them. Must not be put
here: anything that changes either.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.home import Home
from pipelines.lake.file_states import LATEST_DECISIONS, file_states, undecided_states
from pipelines.lake.lake import Lake
from pipelines.landing.discovery import discover
from pipelines.operations import attention
from pipelines.settings import Settings
from pipelines.vocabulary.money import minor_unit_digits
from pipelines.vocabulary.tables import LANDING_FILES
from pipelines.vocabulary.verdicts import Verdict

VERDICT_COUNTS = ("lines", "accepted", "duplicate", "conflict", "rejected", "blank", "held")
"""Columns of the table of verdicts; the last six add up to the first."""

_REASONS_SHOWN = 12
_INVOICES_SHOWN = 50
_FILES_SHOWN = 20


@dataclass(frozen=True)
class HomeReport:
    """What a home holds.

    Attributes:
        as_of: instant the published generation speaks for, RFC 3339; None before the first.
        file_classes: per source and kind of file: files and lines by verdict.
        quarantined: file versions that could not be read and that nothing has healed, with
            the reason and what to do.
        held: the same for those with too many rejected lines.
        reasons: refused lines by verdict and reason, most frequent first, with an example;
            conflicts that their source expects stand apart.
        conflicts: lines with an accepted key and another payload that nobody expects.
        invoices: finalized and draft invoices of the published generation.
        generation: id of the published generation; None before the first.
        in_progress: file versions landed and not decided yet.
        not_read: objects of the landing that are not read, with the reason.
        warnings: what the catalog allows but may surprise.
        oldest_undecided: the file that waits longest, and its age; None when none waits.
        due_drafts: why each draft whose cut has passed is still a draft.
    """

    as_of: str | None
    file_classes: list[dict[str, Any]]
    quarantined: list[dict[str, Any]]
    held: list[dict[str, Any]]
    reasons: list[dict[str, Any]]
    conflicts: int
    invoices: list[dict[str, Any]]
    generation: str | None
    in_progress: list[dict[str, Any]]
    not_read: list[dict[str, Any]]
    warnings: list[str]
    oldest_undecided: dict[str, Any] | None
    due_drafts: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """The report as plain JSON values; decimals and instants are text."""
        return asdict(self)


def read_report(settings: Settings) -> HomeReport:
    """What the home and its landing hold now; a home no run has touched holds nothing.

    Raises:
        MeterlineError: the catalog contradicts itself, or the landing cannot be listed.
    """
    home = Home(settings)
    generation = home.generation()
    catalog = home.catalog()
    listed_at = datetime.now(UTC)
    listing = home.landing().list_objects()
    registry = pl.DataFrame(schema=LANDING_FILES.schema)
    discovery = discover(listing, registry, catalog.sources, listed_at)
    taken_in: dict[str, Any] = {
        "file_classes": [],
        "quarantined": [],
        "held": [],
        "reasons": [],
        "conflicts": 0,
        "due_drafts": [],
    }
    states = undecided_states(discovery.files)
    if home.has_lake:
        with home.lake() as lake:
            registry = lake.table(LANDING_FILES)
            discovery = discover(listing, registry, catalog.sources, listed_at)
            states = file_states(lake, discovery.files)
            reasons = attention.refusals(lake, catalog.sources)
            taken_in = {
                "file_classes": _file_classes(lake).to_dicts(),
                **attention.waiting_files(lake, states),
                "reasons": reasons,
                "conflicts": sum(
                    row["lines"]
                    for row in reasons
                    if row["verdict"] == Verdict.CONFLICT and not row["is_expected"]
                ),
                "due_drafts": attention.due_drafts(home, catalog, states, listed_at),
            }
    return HomeReport(
        as_of=f"{generation.as_of:%Y-%m-%dT%H:%M:%SZ}" if generation else None,
        **taken_in,
        invoices=_invoices(home) if generation else [],
        generation=generation.generation_id if generation else None,
        in_progress=discovery.files.select("path", "size_bytes").to_dicts(),
        not_read=discovery.ignored.to_dicts(),
        warnings=list(catalog.warnings),
        oldest_undecided=attention.oldest_undecided(states, listed_at),
    )


def show_report(report: HomeReport, console: Console) -> None:
    """Prints the report: verdicts, what was refused and why, and the invoices."""
    if report.file_classes:
        _show_verdicts(report, console)
    else:
        console.print("Nothing has been taken in yet: `meterline run` reads the landing.")
    _show_reasons(report, console)
    _show_files("[red]quarantined[/red]", report.quarantined, console)
    _show_files("[red]held[/red]", report.held, console)
    _show_files("[yellow]not read[/yellow]", report.not_read, console)
    for warning in report.warnings:
        console.print(f"[yellow]catalog[/yellow] {shown_text(warning)}", highlight=False)
    if report.in_progress:
        console.print(
            f"[yellow]in progress[/yellow] {len(report.in_progress):,} landed files wait to be "
            "decided: `meterline run` takes them in",
            highlight=False,
        )
    _show_oldest(report, console)
    _show_invoices(report, console)
    for draft in report.due_drafts[:_INVOICES_SHOWN]:
        sentence = f"{shown_text(draft['invoice_id'])}: {shown_text(draft['reason'])}"
        console.print(f"[yellow]due, still a draft[/yellow] {sentence}", highlight=False)


def show_replay(replayed: dict[str, Any], is_dry_run: bool, console: Console) -> None:
    """Prints what a replay changed, or would change."""
    changes = replayed["changes"]
    if changes:
        table = _table(
            "Decided again", "before", "after", "lines", "for example", numbers=("lines",)
        )
        for row in changes:
            cells = (row["before"], row["after"], f"{row['lines']:,}", shown_text(row["example"]))
            table.add_row(*cells)
        console.print(table)
    for file in replayed["not_replayed"]:
        sentence = f"{shown_text(file['path'])}: {shown_text(file['reason'])}"
        console.print(f"[yellow]left as it is[/yellow] {sentence}", highlight=False)
    changed = sum(row["lines"] for row in changes)
    verb = "would change" if is_dry_run else "changed"
    console.print(
        f"{changed:,} lines of {replayed['files']:,} files {verb}, {replayed['unchanged']:,} stay "
        "as they are.",
        highlight=False,
    )


def shown_text(text: str) -> str:
    """Text of others as a terminal shows it: markup and control characters are not obeyed."""
    signs = (sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
    return escape("".join(signs))


def _file_classes(lake: Lake) -> pl.DataFrame:
    sums = ", ".join(f"coalesce(sum({name}), 0)::BIGINT AS {name}" for name in VERDICT_COUNTS)
    return lake.query(
        f"""
        SELECT source, regexp_extract(path, '[^/.]*((\\.[A-Za-z]+)+)$', 1) AS file_kind,
            count(*) AS files, {sums}
        FROM lake.landing_files JOIN ({LATEST_DECISIONS}) USING (file_id)
        GROUP BY ALL ORDER BY ALL
        """
    )


def _invoices(home: Home) -> list[dict[str, Any]]:
    with home.marts() as connection:
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
            shown_text(f"{row['example']} ({row['example_path']} line {row['example_line']})"),
        )
    console.print(table)


def _show_oldest(report: HomeReport, console: Console) -> None:
    oldest = report.oldest_undecided
    if oldest is None:
        return
    hours = oldest["age_seconds"] // 3600
    age = f"{hours // 24} days" if hours >= 48 else f"{hours} hours"
    console.print(
        f"[yellow]oldest undecided[/yellow] {shown_text(oldest['path'])}: {oldest['status']}, "
        f"received {oldest['received_at']}, {age} ago",
        highlight=False,
    )


def _show_files(label: str, files: list[dict[str, Any]], console: Console) -> None:
    for file in files[:_FILES_SHOWN]:
        sentence = f"{shown_text(file['path'])}: {shown_text(file['reason'])}"
        advice = f"; {shown_text(file['what_to_do'])}" if "what_to_do" in file else ""
        console.print(f"{label} {sentence}{advice}", highlight=False)
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
