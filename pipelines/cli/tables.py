"""Reports as a person reads them at a terminal."""

from collections.abc import Sequence
from decimal import Decimal

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.intake.replayed import Replayed
from pipelines.operations.attention import OldestUndecided, Refusal, WaitingFile
from pipelines.operations.closed_differences import ClosedDifferences
from pipelines.operations.reissues import Reissued, ReissueTrial
from pipelines.operations.report import VERDICT_COUNTS, FileClass, HomeReport, UnreadObject
from pipelines.operations.summary import (
    WAITING_KINDS,
    Billed,
    CurrencyTotal,
    NotBilled,
    UnbilledUsage,
    Waiting,
)
from pipelines.operations.trial import Trial
from pipelines.vocabulary.counted import counted
from pipelines.vocabulary.money import amount_text
from pipelines.vocabulary.visible import visible

_REASONS_SHOWN = 14
_DUE_DRAFTS_SHOWN = 50
_FILES_SHOWN = 20


def show_report(report: HomeReport, console: Console) -> None:
    """Prints verdicts, what was refused and why, what needs a person, and the invoices.

    It ends with what is billed, what is not, and what waits.
    """
    for sentence in report.contradictions:
        _say(f"[bold red]nothing is billed[/bold red] {shown_text(sentence)}", console)
    if report.file_classes:
        _show_verdicts(report.file_classes, console)
    else:
        console.print("Nothing has been taken in yet: `meterline run` reads the landing.")
    _show_reasons(report.reasons, console)
    _show_files("[red]quarantined[/red]", report.quarantined, console)
    _show_files("[red]held[/red]", report.held, console)
    _show_files("[yellow]not read[/yellow]", report.not_read, console)
    for warning in report.warnings:
        _say(f"[yellow]catalog[/yellow] {shown_text(warning)}", console)
    if report.in_progress:
        files = counted(len(report.in_progress), "landed file waits", "landed files wait")
        _say(
            f"[yellow]in progress[/yellow] {files} to be decided: `meterline run` takes "
            f"{'it' if len(report.in_progress) == 1 else 'them'} in",
            console,
        )
    if report.oldest_undecided:
        _show_oldest(report.oldest_undecided, console)
    _show_invoices(report, console)
    label = "[yellow]due, still a draft[/yellow]"
    for draft in report.due_drafts[:_DUE_DRAFTS_SHOWN]:
        _say(f"{label} {shown_text(draft.invoice_id)}: {shown_text(draft.reason)}", console)
    _show_more(label, len(report.due_drafts) - _DUE_DRAFTS_SHOWN, console)
    for used in report.waivers:
        because = f" ({used.waived_because})" if used.waived_because else ""
        _say(
            f"[yellow]finalized in spite of a file[/yellow] {used.invoice_number}: "
            f"{shown_text(used.path)}, because {shown_text(used.why)}; "
            f"{shown_text(used.waived_by + because)} waived it",
            console,
        )
    label = "[yellow]to give back[/yellow]"
    for back in report.to_give_back[:_DUE_DRAFTS_SHOWN]:
        _say(
            f"{label} {back.amount} {back.currency} to {shown_text(back.customer_id)}, by "
            f"{back.invoice_number}: {shown_text(back.reason)}; no credit note is made yet, so pay "
            "it out",
            console,
        )
    _show_more(label, len(report.to_give_back) - _DUE_DRAFTS_SHOWN, console)
    _show_billed(report.billed, console)
    _show_not_billed(report.not_billed, console)
    _show_waiting(report.waiting, console)
    if report.periods_without_terms:
        periods = counted(report.periods_without_terms, "closed period has", "closed periods have")
        _say(f"{periods} no stored terms: a change of prices never concerns them.", console)
    _show_closed_differences(report.closed_differences, console)


def show_closing(trial: Trial, console: Console) -> None:
    """Prints what a closing would finalize, and what holds back the rest."""
    table = _table(
        f"Would be finalized as of {trial.as_of}",
        "customer",
        "invoice",
        "total",
        numbers=("total",),
    )
    for invoice in trial.invoices[:_DUE_DRAFTS_SHOWN]:
        table.add_row(
            shown_text(invoice.customer_id),
            shown_text(invoice.invoice_id),
            f"{invoice.total_amount} {invoice.currency}",
        )
    console.print(table)
    _show_more("[bold]would be finalized[/bold]", len(trial.invoices) - _DUE_DRAFTS_SHOWN, console)
    for draft in trial.held_back[:_DUE_DRAFTS_SHOWN]:
        _say(
            f"[yellow]stays a draft[/yellow] {shown_text(draft.invoice_id)}: "
            f"{shown_text(draft.reason)}",
            console,
        )
    _show_more("[yellow]stays a draft[/yellow]", len(trial.held_back) - _DUE_DRAFTS_SHOWN, console)
    sums = ", ".join(_amount(total) for total in trial.totals) or "nothing"
    unnumbered = (
        f", {counted(len(trial.unnumbered), 'period')} of 0 would be closed without an invoice"
        if trial.unnumbered
        else ""
    )
    _say(
        f"{counted(len(trial.invoices), 'invoice')} would be finalized ({sums}), "
        f"{counted(len(trial.held_back), 'due draft stays', 'due drafts stay')}{unnumbered}; "
        "nothing was changed.",
        console,
    )


def show_reissue_trial(trial: ReissueTrial, console: Console) -> None:
    """Prints what a reissue would change, or why it would be refused."""
    show_reissued(trial.invoices, f"Would be reissued as of {trial.as_of}", console)
    for reason in trial.held_back[:_DUE_DRAFTS_SHOWN]:
        _say(f"[yellow]would be refused[/yellow] {shown_text(reason)}", console)
    _show_more(
        "[yellow]would be refused[/yellow]", len(trial.held_back) - _DUE_DRAFTS_SHOWN, console
    )
    _say("Nothing was changed.", console)


def show_reissued(invoices: Sequence[Reissued], title: str, console: Console) -> None:
    """Prints old, new and difference of invoices that are reissued, and their sums."""
    table = _table(
        title, "customer", "invoice", "billed", "new", "difference", "reissued as",
        numbers=("billed", "new", "difference"),
    )  # fmt: skip
    for invoice in invoices[:_DUE_DRAFTS_SHOWN]:
        table.add_row(
            shown_text(invoice.customer_id),
            shown_text(invoice.invoice_number),
            f"{invoice.billed} {invoice.currency}",
            f"{invoice.would_be} {invoice.currency}",
            f"{invoice.difference} {invoice.currency}",
            shown_text(invoice.reissued_as or ""),
        )
    console.print(table)
    _show_more("reissued", len(invoices) - _DUE_DRAFTS_SHOWN, console)
    sums = dict[str, Decimal]()
    for invoice in invoices:
        difference = Decimal(invoice.difference)
        sums[invoice.currency] = sums.get(invoice.currency, Decimal(0)) + difference
    texts = (f"{amount_text(total, code)} {code}" for code, total in sorted(sums.items()))
    _say(f"Difference in all: {', '.join(texts)}.", console)


def show_replay(replayed: Replayed, is_dry_run: bool, console: Console) -> None:
    """Prints what a replay changed, or would change."""
    if replayed.changes:
        table = _table(
            "Decided again", "before", "after", "lines", "for example", numbers=("lines",)
        )
        for change in replayed.changes:
            lines, example = f"{change.lines:,}", shown_text(change.example)
            table.add_row(change.before, change.after, lines, example)
        console.print(table)
    for file in replayed.not_replayed:
        sentence = f"{shown_text(file.path)}: {shown_text(file.reason)}"
        _say(f"[yellow]left as it is[/yellow] {sentence}", console)
    changed = counted(sum(change.lines for change in replayed.changes), "line")
    verb = "would change" if is_dry_run else "changed"
    stay = counted(replayed.unchanged, "stays as it is", "stay as they are")
    _say(f"{changed} of {counted(replayed.files, 'file')} {verb}, {stay}.", console)


def shown_text(text: str) -> str:
    """Text of others as a terminal shows it: markup and control characters are not obeyed."""
    return escape(visible(text))


def _say(sentence: str, console: Console) -> None:
    console.print(sentence, highlight=False)


def _table(
    title: str,
    *columns: str,
    numbers: tuple[str, ...] = (),
    folded: tuple[str, ...] = ("for example",),
) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=0,
        pad_edge=False,
    )
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in numbers else "left",
            no_wrap=column not in folded,
            overflow="fold",
        )
    return table


def _show_verdicts(file_classes: Sequence[FileClass], console: Console) -> None:
    has_other_kinds = any(files.not_usage for files in file_classes)
    counted_lines = (name for name in VERDICT_COUNTS if has_other_kinds or name != "not_usage")
    names = ("files", *counted_lines)
    table = _table("Verdicts per kind of file", "source", "kind", *names, numbers=names)
    for files in file_classes:
        counts = (f"{getattr(files, name):,}" for name in names)
        table.add_row(shown_text(files.source), f"*{files.file_kind}", *counts)
    console.print(table)


def _show_reasons(reasons: Sequence[Refusal], console: Console) -> None:
    if not reasons:
        return
    table = _table("Refused lines", "verdict", "reason", "lines", "for example", numbers=("lines",))
    for refusal in reasons[:_REASONS_SHOWN]:
        place = f"{refusal.example_path} line {refusal.example_line}"
        table.add_row(
            refusal.verdict,
            refusal.reason_code or ("expected" if refusal.is_expected else ""),
            f"{refusal.lines:,}",
            shown_text(f"{refusal.example} ({place})"),
        )
    console.print(table)


def _show_files(
    label: str, files: Sequence[WaitingFile] | Sequence[UnreadObject], console: Console
) -> None:
    for file in files[:_FILES_SHOWN]:
        rest = []
        if isinstance(file, WaitingFile):
            if file.unknown_names:
                names = ", ".join(file.unknown_names)
                rest.append(f"it names {names}, whom the catalog does not know")
            rest.append(file.what_to_do)
        sentences = "; ".join(shown_text(text) for text in (file.reason, *rest))
        _say(f"{label} {shown_text(file.path)}: {sentences}", console)
    _show_more(label, len(files) - _FILES_SHOWN, console)


def _show_more(label: str, more: int, console: Console) -> None:
    if more > 0:
        _say(f"{label} … and {more:,} more: meterline status --json", console)


def _show_oldest(oldest: OldestUndecided, console: Console) -> None:
    hours = oldest.age_seconds // 3600
    age = counted(hours // 24, "day") if hours >= 48 else counted(hours, "hour")
    _say(
        f"[yellow]oldest undecided[/yellow] {shown_text(oldest.path)}: {oldest.status}, "
        f"received {oldest.received_at}, {age} ago",
        console,
    )


def _show_invoices(report: HomeReport, console: Console) -> None:
    if not report.invoices:
        return
    counts = report.invoice_counts
    unnumbered = f", {counts.unnumbered:,} of 0 without a number" if counts.unnumbered else ""
    table = _table(
        f"Invoices: {counts.finalized:,} finalized, {counted(counts.draft, 'draft')}{unnumbered}, "
        f"as of {report.as_of}",
        "number",
        "customer",
        "subscription",
        "from",
        "until",
        "total",
        numbers=("total",),
    )
    for invoice in report.invoices:
        table.add_row(
            invoice.invoice_number or "draft",
            shown_text(invoice.customer_id),
            shown_text(invoice.subscription_id),
            invoice.period_start_date,
            invoice.period_end_date,
            f"{invoice.total_amount or 'no total'} {invoice.currency}",
        )
    console.print(table)
    more = counts.finalized + counts.draft - len(report.invoices)
    if more > 0:
        console.print(f"  … and {more:,} more: select * from fct_invoices")


def _show_billed(billed: Billed, console: Console) -> None:
    if not billed.invoices:
        return
    table = _table("Billed", "invoices", "total", numbers=("invoices", "total"))
    for total in billed.totals:
        table.add_row(f"{total.invoices:,}", _amount(total))
    _show_with_commands(table, [billed.command], console)


def _show_not_billed(not_billed: NotBilled, console: Console) -> None:
    if not not_billed.usage:
        return
    table = _table(
        "Not billed",
        "reason",
        "metric",
        "events",
        "quantity",
        "unit",
        "largest",
        numbers=("events", "quantity"),
        folded=("metric", "unit", "largest"),
    )
    last_reason = None
    for usage in not_billed.usage:
        is_same = usage.unbilled_reason == last_reason
        last_reason = usage.unbilled_reason
        table.add_row(
            "" if is_same else usage.unbilled_reason,
            shown_text(usage.metric_code or usage.event_name or ""),
            f"{usage.event_count:,}",
            _grouped(usage.quantity) if usage.quantity is not None else "",
            shown_text(usage.unit or ""),
            _largest(usage),
        )
    _show_with_commands(table, [not_billed.usage[0].command], console)
    more = not_billed.pairs - len(not_billed.usage)
    if more > 0:
        _say(f"  … and {more:,} more: select * from rpt_unbilled_usage", console)


def _show_waiting(waiting: Sequence[Waiting], console: Console) -> None:
    if not waiting:
        return
    table = _table("Waiting", "what", "number", "total", numbers=("number", "total"))
    for kind in waiting:
        label = WAITING_KINDS[kind.kind]
        if not kind.totals:
            table.add_row(label, f"{kind.number:,}", "")
        for place, total in enumerate(kind.totals):
            table.add_row("" if place else label, f"{total.invoices:,}", _amount(total))
    _show_with_commands(table, [kind.command for kind in waiting], console)


def _show_closed_differences(found: ClosedDifferences, console: Console) -> None:
    if found.lines:
        lines = counted(found.lines, "closed line")
        _say(
            f"[yellow]closed, counted otherwise today[/yellow] {lines} of "
            f"{counted(found.invoices, 'invoice')} would differ for {', '.join(found.metrics)}; "
            f"nothing closed changes: {found.command}",
            console,
        )


def _show_with_commands(table: Table, commands: Sequence[str], console: Console) -> None:
    console.print(table)
    for command in dict.fromkeys(commands):
        # In one line, however long: a command that is broken cannot be copied.
        console.print(f"  {shown_text(command)}", highlight=False, soft_wrap=True)
    console.print()


def _amount(total: CurrencyTotal) -> str:
    return f"{total.total_amount} {total.currency}"


def _grouped(number: str) -> str:
    whole, point, fraction = number.partition(".")
    return f"{int(whole):,}{point}{fraction}"


def _largest(usage: UnbilledUsage) -> str:
    names = ", ".join(shown_text(each.name) for each in usage.largest)
    more = usage.names - len(usage.largest)
    return f"{names} and {more:,} more" if more else names
