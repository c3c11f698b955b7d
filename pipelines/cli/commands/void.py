"""`meterline void`: finalized invoices end."""

from typing import Annotated

import typer

from pipelines.cli.console import AsJson, AskedBy, login_name, print_json, terminal
from pipelines.vocabulary.errors import MeterlineError


def command(
    invoices: Annotated[
        list[str], typer.Argument(help="Numbers of finalized invoices, such as INV-000001.")
    ],
    reason: Annotated[str, typer.Option(help="Why; it stands in the books for ever.")],
    by: AskedBy = "",
    as_json: AsJson = False,
) -> None:
    """End finalized invoices: number and text stay, and their periods bill nothing.

    The marts are published again. The usage is listed as `invoice_voided` in
    `rpt_unbilled_usage`.
    """
    with terminal(as_json=as_json) as here:
        from pipelines.cli.job import are_void, run_job, try_acts
        from pipelines.intake.kinds import Void
        from pipelines.vocabulary.acts import Asked

        asked = Asked(by or login_name(), reason, void=tuple(invoices))
        # What can only be refused is refused before a run of Dagster begins.
        acts = try_acts(here.settings, asked)
        names = ", ".join(asked.void)
        verb = "is" if len(acts) == 1 else "are"
        try:
            with here.progress():
                outcome, _ = run_job(here.settings, Void(asked))
        except MeterlineError as error:
            if not are_void(here.settings, acts):
                raise
            raise MeterlineError(
                f"{names} {verb} void, but nothing was published: {error}"
            ) from None
        if here.is_json:
            print_json({"void": [act.invoice_id for act in acts], "generation": outcome.generation})
            return
        here.say(f"{names} {verb} void. Published generation {outcome.generation}.")
