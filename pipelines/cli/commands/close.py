"""`meterline close`: what is due becomes invoices, with what a person accepts or waives."""

from typing import Annotated

import typer

from pipelines.cli.console import AsJson, AskedBy, login_name, print_json, terminal


def command(
    as_of: Annotated[
        str | None,
        typer.Option(help="Instant the run speaks for, RFC 3339; the present when left out."),
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(help="Bill what an edit added to the past of this subscription."),
    ] = None,
    waive: Annotated[
        list[str] | None,
        typer.Option(help="Let nobody wait for this held or unreadable file (its path)."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; it stands in the books for ever.")] = "",
    by: AskedBy = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be finalized, and change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Close the invoices that are due, without taking in new files.

    A new file that was received before the cut of an invoice still holds it back.
    """
    with terminal(as_json=as_json) as here:
        from pipelines.cli.job import run_job, try_close
        from pipelines.cli.tables import show_closing, show_report
        from pipelines.intake.kinds import Close
        from pipelines.operations.report import read_report
        from pipelines.vocabulary.acts import Asked

        asked = Asked(
            by or login_name(), reason, accept=tuple(accept or ()), waive=tuple(waive or ())
        )
        if dry_run:
            with here.progress():
                trial = try_close(here.settings, asked, as_of)
            if here.is_json:
                print_json(vars(trial))
            else:
                show_closing(trial, here.console)
            return
        with here.progress():
            outcome, listed = run_job(here.settings, Close(asked), as_of)
        report = read_report(here.settings, listed)
        if here.is_json:
            print_json({"run": vars(outcome)} | vars(report))
            return
        show_report(report, here.console)
        here.say(outcome.sentence())
