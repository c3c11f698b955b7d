"""`meterline status`: what the home holds."""

from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.console import AsJson, Terminal, print_json, terminal

if TYPE_CHECKING:
    from pipelines.operations.report import HomeReport
    from pipelines.settings import Settings

NEEDS_A_PERSON = 3
"""The exit code of `--check` when something needs a person; an error has another one."""


def command(
    as_json: AsJson = False,
    digest: Annotated[
        bool, typer.Option("--digest", help="Add the digest of all that was decided.")
    ] = False,
    is_check: Annotated[
        bool,
        typer.Option("--check", help="Say only what needs a person, and end with 3 if anything."),
    ] = False,
) -> None:
    """Show what the home holds: files, verdicts, invoices, what is billed, what not, what waits."""
    with terminal(as_json=as_json) as here:
        from pipelines.cli.tables import show_report
        from pipelines.operations.report import read_report

        report = read_report(here.settings)
        if is_check:
            _check(report, here)
            return
        digests = {"digest": _digest(here.settings)} if digest else {}
        if here.is_json:
            print_json(vars(report) | digests)
            return
        show_report(report, here.console)
        for name, value in digests.items():
            here.say(f"{name} {value}")


def _check(report: "HomeReport", here: Terminal) -> None:
    from pipelines.home import Home
    from pipelines.operations.needs import needs_of

    needs = needs_of(report, Home(here.settings))
    if here.is_json:
        print_json({"needs": needs})
    for need in needs if not here.is_json else ():
        here.tell("needs a person", "yellow", need)
    if needs:
        raise typer.Exit(NEEDS_A_PERSON)


def _digest(settings: "Settings") -> str:
    from pipelines.home import Home
    from pipelines.lake.lake_digest import lake_digest

    with Home(settings).lake() as lake:
        return lake_digest(lake)
