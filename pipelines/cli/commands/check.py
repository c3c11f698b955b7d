"""`meterline check`: what a run would stumble over, before any file is taken in."""

from typing import TYPE_CHECKING

import typer

from pipelines.cli.console import AsJson, Terminal, print_json, terminal

if TYPE_CHECKING:
    from pipelines.operations.check import Checked


def command(as_json: AsJson = False) -> None:
    """Check settings, catalog, metrics and dbt project, also against what is closed."""
    with terminal(as_json=as_json) as here:
        from pipelines.operations.check import check_home

        with here.progress():
            checked = check_home(here.settings)
        if here.is_json:
            print_json(vars(checked))
        else:
            _show(checked, here)
        if checked.problems:
            raise typer.Exit(1)


def _show(checked: "Checked", here: Terminal) -> None:
    from pipelines.vocabulary.counted import counted

    for problem in checked.problems:
        here.tell("problem", "bold red", problem)
    for warning in checked.warnings:
        here.tell("warning", "yellow", warning)
    for sentence in checked.columns:
        here.tell("columns", "dim", sentence)
    if checked.left_out:
        count = sum(map(len, checked.left_out.values()))
        files = ", ".join(checked.left_out)
        told = f"{counted(count, 'column')} left out, and empty, in {files} (`--json` names them)"
        here.tell("columns", "dim", told)
    if checked.problems:
        here.say(f"{counted(len(checked.problems), 'problem')}; nothing was changed.")
        return
    closed = (
        f", and agree with {counted(checked.closed_periods, 'closed period')}"
        if checked.closed_periods
        else ""
    )
    here.say(
        f"Settings, catalog ({counted(checked.customers or 0, 'customer')}, "
        f"{counted(checked.subscriptions or 0, 'subscription')}), dbt project and "
        f"{counted(len(checked.metrics), 'metric')} are right{closed}."
    )
