"""`meterline run`: the main job."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.console import AsJson, Terminal, print_json, terminal

if TYPE_CHECKING:
    from pipelines.settings import Settings


def command(
    as_of: Annotated[
        str | None,
        typer.Option(help="Instant the run speaks for, RFC 3339; the present when left out."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take in what has landed, rate it, close what is due, and publish the marts."""
    with terminal(as_json=as_json) as here:
        from pipelines.cli.job import run_job
        from pipelines.cli.tables import show_report
        from pipelines.intake.kinds import NewFiles
        from pipelines.operations.report import read_report

        started = time.monotonic()
        with here.progress():
            outcome, listed = run_job(here.settings, NewFiles(), as_of)
        seconds = time.monotonic() - started
        report = read_report(here.settings, listed)
        if here.is_json:
            print_json({"run": vars(outcome) | {"seconds": round(seconds, 3)}} | vars(report))
            return
        show_report(report, here.console)
        here.say(f"{outcome.sentence()} [dim]({seconds:.1f} s)[/dim]")
        _show_where_next(here)


def _show_where_next(here: Terminal) -> None:
    here.say(
        "\n[bold]Where to look next[/bold]\n"
        "  make ui       lineage, checks and this run at http://127.0.0.1:3000\n"
        "  make sql      a prompt on the published marts, for example\n"
        "                select * from fct_invoice_lines limit 5;\n"
        f"  the marts     {_marts_file(here.settings)}"
    )


def _marts_file(settings: "Settings") -> str:
    """The path of the marts, relative where that is shorter to type."""
    path = settings.published / "current" / "marts.duckdb"
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
