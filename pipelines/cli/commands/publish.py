"""`meterline publish`: the marts again."""

from pipelines.cli.console import AsJson, print_json, terminal


def command(as_json: AsJson = False) -> None:
    """Build and publish the marts again, after the same checks; takes in and closes nothing."""
    with terminal(as_json=as_json) as here:
        from pipelines.cli.job import run_job
        from pipelines.intake.kinds import Republication
        from pipelines.operations.report import read_report
        from pipelines.vocabulary.counted import counted

        with here.progress():
            outcome, listed = run_job(here.settings, Republication())
        if here.is_json:
            print_json({"run": outcome} | vars(read_report(here.settings, listed)))
            return
        counts = read_report(here.settings, listed).invoice_counts
        invoices = counted(counts.finalized, "finalized invoice")
        drafts = counted(counts.draft, "draft")
        here.say(f"Published generation {outcome.generation}: {invoices} and {drafts}.")
