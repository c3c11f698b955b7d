"""`meterline ui`: Dagster's UI of the home."""

from typing import Annotated

import typer

from pipelines.cli.console import terminal


def command(port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000) -> None:
    """Open the Dagster UI of this home on 127.0.0.1."""
    with terminal() as here:
        from pipelines.defs.dagster_home import open_ui

        here.say(f"Dagster UI: http://127.0.0.1:{port} (Ctrl-C ends it)")
        raise typer.Exit(open_ui(here.settings, port))
