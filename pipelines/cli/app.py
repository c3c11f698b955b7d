"""The program `meterline`, made of the modules in `commands`."""

import typer

from pipelines.cli import commands
from pipelines.vocabulary.members import members

app = typer.Typer(
    help="Usage events that land as files become billable metrics, invoices and proof.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

for name, command in members(commands, "command").items():
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name.replace("_", "-"))
    else:
        app.command(name.replace("_", "-"))(command)
