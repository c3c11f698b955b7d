"""`meterline what-if`: what a new metric would have counted, and what another plan would cost."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.console import AsJson, Terminal, print_json, terminal

if TYPE_CHECKING:
    from pipelines.operations.what_if import WhatIf
    from pipelines.operations.what_if_plan import PlanWhatIf

PERIODS_SHOWN = 50
"""The most periods that a person is shown; JSON has all of them."""


def command(
    metric: Annotated[
        Path | None, typer.Option(help="File with one call of billable_metric: count by it.")
    ] = None,
    plan: Annotated[
        str | None, typer.Option(help="A plan_code of the catalog: price metered history by it.")
    ] = None,
    customer: Annotated[
        str | None, typer.Option(help="A customer_id of the catalog; with --plan all if left out.")
    ] = None,
    period: Annotated[
        str | None,
        typer.Option(
            help="With --metric: 2026-03, 2026-03-01 or 2026-03-01..2026-03-08, end exclusive; "
            "local."
        ),
    ] = None,
    first_day: Annotated[
        str | None,
        typer.Option("--from", help="With --plan: periods that begin on this local day or later."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Count by a new metric, or price by another plan, what was taken in; write nothing."""
    with terminal(as_json=as_json) as here:
        if (metric is None) == (plan is None):
            raise typer.BadParameter("write one of --metric and --plan")
        if metric is not None:
            if customer is None or period is None or first_day is not None:
                raise typer.BadParameter("--metric goes with --customer and --period")
            _count(metric, customer, period, here)
        elif plan is not None:
            if period is not None:
                raise typer.BadParameter("--plan goes with --customer and --from; leave --period")
            _price(plan, customer, first_day, here)


def _count(metric: Path, customer: str, period: str, here: Terminal) -> None:
    from pipelines.operations.what_if import what_if

    with here.progress():
        found = what_if(here.settings, metric, customer, period)
    if here.is_json:
        print_json(found.answer())
    else:
        _show(found, here)


def _price(plan: str, customer: str | None, first_day: str | None, here: Terminal) -> None:
    from pipelines.operations.what_if_plan import what_if_plan

    with here.progress():
        found = what_if_plan(here.settings, plan, customer, first_day)
    if here.is_json:
        print_json(vars(found))
    else:
        _show_plan(found, here)


def _show(found: "WhatIf", here: Terminal) -> None:
    from rich import box
    from rich.table import Table

    from pipelines.cli.tables import shown_text

    here.say(
        f"{shown_text(found.metric_code)} of {shown_text(found.customer_id)} from "
        f"{found.start:%Y-%m-%d %H:%M:%S} to {found.end:%Y-%m-%d %H:%M:%S} UTC "
        f"({found.time_zone}); billed nowhere."
    )
    groups = found.result["groups"]
    properties = list(groups[0]["group"]) if groups else []
    table = Table(box=box.SIMPLE)
    for name in properties:
        table.add_column(shown_text(name))
    for name in ("quantity", "unit", "events"):
        table.add_column(name, justify="left" if name == "unit" else "right")
    for group in groups:
        texts = [group["group"][name] for name in properties]
        cells = ["(none)" if text is None else shown_text(text) for text in texts]
        quantity = "(none)" if group["quantity"] is None else group["quantity"]
        table.add_row(*cells, quantity, shown_text(found.unit), f"{group['event_count']:,}")
    here.console.print(table) if groups else here.say("No event counts.")
    for each in found.unmetered:
        here.say(
            f"not counted: {each.event_count:,} with {each.reason}, such as "
            f"{shown_text(each.example)}"
        )


def _show_plan(found: "PlanWhatIf", here: Terminal) -> None:
    from rich import box
    from rich.table import Table

    from pipelines.cli.tables import shown_text
    from pipelines.vocabulary.counted import counted

    here.say(
        f"{shown_text(found.plan_code)} for {counted(len(found.invoices), 'metered period')} as of "
        f"{found.as_of}, before discounts, taxes and credits; billed nowhere."
    )
    table = Table(box=box.SIMPLE)
    for name in ("customer", "invoice", "status"):
        table.add_column(name)
    for name in ("billed", "would be", "difference"):
        table.add_column(name, justify="right")
    for each in found.invoices[:PERIODS_SHOWN]:
        names = map(shown_text, (each.customer_id, each.invoice_id, each.status))
        table.add_row(
            *names,
            _amount(each.billed, each.currency),
            _amount(each.would_be, each.would_be_currency),
            _amount(each.difference, each.currency),
        )
    for total in found.totals:
        amounts = (total.billed, total.would_be, total.difference)
        cells = (_amount(amount, total.currency) for amount in amounts)
        table.add_row("all", counted(total.periods, "period"), "", *cells, style="bold")
    here.console.print(table) if found.invoices else here.say("No period is metered.")
    if (more := len(found.invoices) - PERIODS_SHOWN) > 0:
        here.say(f"… and {more:,} more: --json lists all of them")
    notes: dict[str, list[str]] = {}
    for each in found.invoices:
        if each.note is not None:
            notes.setdefault(each.note, []).append(each.invoice_id)
    for note, invoices in notes.items():
        more_text = f" and {len(invoices) - 1:,} more" if len(invoices) > 1 else ""
        here.say(f"not compared: {shown_text(invoices[0])}{more_text}: {shown_text(note)}")
    for left in found.left_out:
        here.say(
            f"on no line: {counted(left.event_count, 'event')} of {shown_text(left.metric_code)}, "
            f"{left.reason}"
        )
    for warning in found.warnings:
        here.say(shown_text(warning))


def _amount(text: str | None, currency: str) -> str:
    from decimal import Decimal

    from pipelines.vocabulary.money import amount_text

    return "" if text is None else f"{amount_text(Decimal(text), currency)} {currency}"
