"""`meterline what-if`: what a new metric would have counted, before anybody merges it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.console import AsJson, Terminal, print_json, terminal

if TYPE_CHECKING:
    from pipelines.operations.what_if import WhatIf


def command(
    metric: Annotated[Path, typer.Option(help="File with one call of billable_metric.")],
    customer: Annotated[str, typer.Option(help="A customer_id of the catalog.")],
    period: Annotated[
        str,
        typer.Option(help="2026-03, 2026-03-01 or 2026-03-01..2026-03-08, end exclusive; local."),
    ],
    as_json: AsJson = False,
) -> None:
    """Count what a new metric would have counted from the events taken in; write nothing."""
    with terminal(as_json=as_json) as here:
        from pipelines.operations.what_if import what_if

        with here.progress():
            found = what_if(here.settings, metric, customer, period)
        if here.is_json:
            print_json(found.answer())
        else:
            _show(found, here)


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
