"""The program `meterline`, made of the modules in `commands`."""

from typing import Annotated

import typer

from pipelines.cli import commands
from pipelines.vocabulary.members import members

app = typer.Typer(
    help="Usage events that land as files become billable metrics, invoices and proof.",
    epilog="Exit codes: 0 done; 1 an error, or a check that found something; 2 wrong usage; "
    "3 something needs a person (status --check); 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"meterline {version('meterline')}")
        raise typer.Exit


@app.callback()
def _options(
    is_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version, and end."
        ),
    ] = False,
) -> None:
    del is_version


contexts = members(commands, "CONTEXT")
for name, command in members(commands, "command").items():
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name.replace("_", "-"))
    else:
        context = contexts.get(name)
        app.command(name.replace("_", "-"), context_settings=context)(command)
