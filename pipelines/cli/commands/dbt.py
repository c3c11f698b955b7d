"""`meterline dbt`: dbt by hand, with everything attached as in a run."""

from typing import Annotated

import typer

from pipelines.cli.console import terminal

CONTEXT = {"allow_interspersed_args": False}
"""What follows the command of dbt is dbt's, also `--help`."""


def command(
    arguments: Annotated[
        list[str] | None, typer.Argument(help="A command of dbt and its options.", metavar="…")
    ] = None,
) -> None:
    """Run dbt by hand: ls, show, compile, build, run, test, seed, docs generate."""
    with terminal() as here:
        from pipelines.operations.dbt_by_hand import run_dbt

        if not run_dbt(here.settings, arguments or []):
            raise typer.Exit(1)
