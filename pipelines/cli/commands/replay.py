"""`meterline replay`: refused lines decided again, or replaced by a corrected copy."""

from typing import Annotated

import typer

from pipelines.cli.console import (
    AsJson,
    AskedBy,
    Terminal,
    login_name,
    print_json,
    terminal,
)
from pipelines.vocabulary.errors import MeterlineError

Chosen = list[str] | None


def command(
    source: Annotated[Chosen, typer.Option(help="Only this sender.")] = None,
    file: Annotated[Chosen, typer.Option(help="Only this path below the landing, or glob.")] = None,
    reason: Annotated[
        Chosen,
        typer.Option(
            help="Only lines refused for it; also `duplicate`, `conflict`, `not_usage`, `held`."
        ),
    ] = None,
    release: Annotated[
        Chosen, typer.Option(help="Let this held file in (path or glob), whatever it holds.")
    ] = None,
    corrected: Annotated[
        str | None,
        typer.Option("--from", help="A corrected copy of --file, landed under a name with _."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    by: AskedBy = "",
    as_json: AsJson = False,
) -> None:
    """Decide refused lines again by the catalog of today, at their old place."""
    with terminal(as_json=as_json) as here:
        from pipelines.cli.job import run_replay, try_replay
        from pipelines.cli.tables import show_replay
        from pipelines.intake.replay_selection import Selection

        if corrected is not None:
            if not file or len(file) > 1 or source or reason or release or dry_run:
                raise MeterlineError("--from goes with one --file, the path it corrects, alone")
            _correct(here, file[0], corrected)
            return
        selection = Selection(
            sources=tuple(source or ()),
            files=tuple(file or ()),
            reasons=tuple(reason or ()),
            release=tuple(release or ()),
            by=by or login_name(),
        )
        with here.progress():
            outcome = (try_replay if dry_run else run_replay)(here.settings, selection)
        if here.is_json:
            print_json(vars(outcome))
            return
        show_replay(outcome.replayed, dry_run, here.console)


def _correct(here: Terminal, original: str, copy: str) -> None:
    from pipelines.cli.job import run_job
    from pipelines.cli.tables import show_report
    from pipelines.intake.kinds import Correction
    from pipelines.operations.report import read_report

    with here.progress():
        outcome, listed = run_job(here.settings, Correction(original, copy))
    report = read_report(here.settings, listed)
    if here.is_json:
        print_json({"run": outcome} | vars(report))
        return
    show_report(report, here.console)
    here.say(outcome.sentence())
