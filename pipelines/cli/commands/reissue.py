"""`meterline reissue`: invoices end, and their periods are closed anew."""

from typing import Annotated

import typer

from pipelines.cli.console import AsJson, AskedBy, login_name, print_json, terminal
from pipelines.vocabulary.errors import MeterlineError


def command(
    invoices: Annotated[
        list[str], typer.Argument(help="Numbers of finalized invoices, such as INV-000001.")
    ],
    reason: Annotated[str, typer.Option(help="Why; it stands in the books for ever.")],
    as_of: Annotated[
        str | None,
        typer.Option(help="Instant the run speaks for, RFC 3339; the present when left out."),
    ] = None,
    by: AskedBy = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be billed, and change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """End finalized invoices, and close their periods anew by today's catalog and usage.

    An invoice keeps its number and text, and is void. The new one has a number of its own. If
    one of them cannot be closed, nothing is changed.
    """
    with terminal(as_json=as_json) as here:
        from pipelines.cli.job import are_reissued, run_job, try_acts, try_reissues
        from pipelines.cli.tables import show_reissue_trial, show_reissued
        from pipelines.intake.kinds import Reissue
        from pipelines.vocabulary.acts import Asked

        asked = Asked(by or login_name(), reason, reissue=tuple(invoices))
        # What can only be refused is refused before a run of Dagster begins.
        acts = try_acts(here.settings, asked)
        if dry_run:
            with here.progress():
                trial = try_reissues(here.settings, asked, as_of)
            if here.is_json:
                print_json(vars(trial))
            else:
                show_reissue_trial(trial, here.console)
            return
        try:
            with here.progress():
                outcome, _ = run_job(here.settings, Reissue(asked), as_of)
        except MeterlineError as error:
            reissued = are_reissued(here.settings, acts)
            if not reissued:
                raise
            names = ", ".join(invoice.invoice_number for invoice in reissued)
            raise MeterlineError(f"{names} reissued, but nothing was published: {error}") from None
        reissued = are_reissued(here.settings, acts)
        if here.is_json:
            print_json({"invoices": reissued, "generation": outcome.generation})
            return
        show_reissued(reissued, "Reissued", here.console)
        here.say(f"Published generation {outcome.generation}.")
