"""`meterline status`: what the home holds."""

from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.console import AsJson, print_json, terminal

if TYPE_CHECKING:
    from pipelines.settings import Settings


def command(
    as_json: AsJson = False,
    digest: Annotated[
        bool, typer.Option("--digest", help="Add the digest of all that was decided.")
    ] = False,
) -> None:
    """Show what the home holds: files, verdicts, invoices, what is billed, what not, what waits."""
    with terminal(as_json=as_json) as here:
        from pipelines.cli.tables import show_report
        from pipelines.operations.report import read_report

        report = read_report(here.settings)
        digests = {"digest": _digest(here.settings)} if digest else {}
        if here.is_json:
            print_json(vars(report) | digests)
            return
        show_report(report, here.console)
        for name, value in digests.items():
            here.say(f"{name} {value}")


def _digest(settings: "Settings") -> str:
    from pipelines.home import Home
    from pipelines.lake.lake_digest import lake_digest

    with Home(settings).lake() as lake:
        return lake_digest(lake)
