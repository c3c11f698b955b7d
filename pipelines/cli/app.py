"""`meterline`: one command line for the job that the UI and the sensor launch too.

Belongs here: arguments, progress, exit codes, what is printed. Must not be put here: work.
Dagster and dbt are imported by the commands that need them, so that `status` answers at once.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from pipelines.settings import Settings, load_settings
from pipelines.vocabulary.errors import MeterlineError

app = typer.Typer(
    help="Usage events that land as files become billable metrics, invoices and proof.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_console = Console()
_errors = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]


@app.command()
def run(
    as_of: Annotated[
        str | None,
        typer.Option(help="Instant the run speaks for, RFC 3339; the present when left out."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take in what has landed, rate it, close what is due, and publish the marts."""
    with _explained_errors(as_json):
        from pipelines.cli.job import run_job

        settings = _settings()
        started = time.monotonic()
        with _progress(quiet=as_json):
            outcome = run_job(settings, as_of)
        seconds = time.monotonic() - started
        if as_json:
            timed = {**outcome.as_json(), "seconds": round(seconds, 3)}
            _print_json({"run": timed} | _report(settings))
            return
        _show(settings)
        _console.print(f"{outcome.sentence()} [dim]({seconds:.1f} s)[/dim]", highlight=False)
        _show_where_next(settings)


@app.command()
def status(
    as_json: AsJson = False,
    digest: Annotated[
        bool, typer.Option("--digest", help="Add the digest of all that was decided.")
    ] = False,
) -> None:
    """Show what the home holds: files, verdicts, what waits, invoices."""
    with _explained_errors(as_json):
        settings = _settings()
        if as_json:
            _print_json(_report(settings) | ({"digest": _digest(settings)} if digest else {}))
            return
        _show(settings)
        if digest:
            _console.print(f"digest {_digest(settings)}", highlight=False, soft_wrap=True)


@app.command()
def publish(as_json: AsJson = False) -> None:
    """Build and publish the marts again, after the same checks; takes in and closes nothing."""
    with _explained_errors(as_json):
        from pipelines.cli.job import run_job

        settings = _settings()
        with _progress(quiet=as_json):
            outcome = run_job(settings, None, republish=True)
        if as_json:
            _print_json({"run": outcome.as_json()} | _report(settings))
            return
        _console.print(outcome.sentence(), highlight=False)


Chosen = list[str] | None


@app.command()
def replay(
    source: Annotated[Chosen, typer.Option(help="Only this sender.")] = None,
    file: Annotated[Chosen, typer.Option(help="Only this path below the landing, or glob.")] = None,
    reason: Annotated[
        Chosen,
        typer.Option(help="Only lines refused for it; also `duplicate`, `conflict`, `held`."),
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
    as_json: AsJson = False,
) -> None:
    """Decide refused lines again by the catalog of today, at their old place."""
    with _explained_errors(as_json):
        from pipelines.cli.job import run_correction, run_replay, try_replay
        from pipelines.intake.replay_selection import Selection

        settings = _settings()
        if corrected is not None:
            if not file or len(file) > 1 or source or reason or release or dry_run:
                raise MeterlineError("--from goes with one --file, the path it corrects, alone")
            with _progress(quiet=as_json):
                taken_in = run_correction(settings, file[0], corrected)
            if as_json:
                _print_json({"run": taken_in.as_json()} | _report(settings))
                return
            _show(settings)
            _console.print(taken_in.sentence(), highlight=False)
            return
        chosen = (tuple(values or ()) for values in (source, file, reason, release))
        selection = Selection(*chosen)
        with _progress(quiet=as_json):
            outcome = (try_replay if dry_run else run_replay)(settings, selection)
        if as_json:
            _print_json(outcome.as_json())
            return
        from pipelines.operations.report import show_replay

        show_replay(outcome.replayed, dry_run, _console)


@app.command()
def ui(port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000) -> None:
    """Open the Dagster UI of this home on 127.0.0.1."""
    with _explained_errors(as_json=False):
        from pipelines.defs.dagster_home import open_ui

        settings = _settings()
        _console.print(f"Dagster UI: http://127.0.0.1:{port} (Ctrl-C ends it)", highlight=False)
        raise typer.Exit(open_ui(settings, port))


@app.command()
def sql(
    query: Annotated[
        str | None, typer.Argument(help="One statement; a prompt opens when left out.")
    ] = None,
) -> None:
    """Query the published marts; the query can change nothing and blocks nobody."""
    with _explained_errors(as_json=False):
        from pipelines.cli.sql import answer, prompt

        settings = _settings()
        if query is None and sys.stdin.isatty():
            prompt(settings, _console)
            return
        answer(settings, query if query is not None else sys.stdin.read(), _console)


def _settings() -> Settings:
    try:
        return load_settings()
    except ValidationError as error:
        problems = "; ".join(
            f"METERLINE_{'_'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            for problem in error.errors()
        )
        raise MeterlineError(f"a setting has a wrong value: {problems}") from None


def _report(settings: Settings) -> dict[str, Any]:
    from pipelines.operations.report import read_report

    return read_report(settings).as_json()


def _show(settings: Settings) -> None:
    from pipelines.operations.report import read_report, show_report

    show_report(read_report(settings), _console)


def _digest(settings: Settings) -> str:
    from pipelines.home import Home
    from pipelines.lake.lake_digest import lake_digest

    with Home(settings).lake() as lake:
        return lake_digest(lake)


def _show_where_next(settings: Settings) -> None:
    marts = settings.published / "current" / "marts.duckdb"
    _console.print(
        "\n[bold]Where to look next[/bold]\n"
        "  make ui       lineage, checks and this run at http://127.0.0.1:3000\n"
        "  make sql      a prompt on the published marts, for example\n"
        "                select * from fct_invoice_lines limit 5;\n"
        f"  the marts     {_shortened(marts)}",
        highlight=False,
        # A path that is broken into lines cannot be copied.
        soft_wrap=True,
    )


def _shortened(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _print_json(values: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(values, indent=2, ensure_ascii=False) + "\n")


class _ProgressLines(logging.Handler):
    """Prints each sentence of the `meterline` logger with the seconds since the start.

    What dbt says of each node is shown for a moment only: there are hundreds.
    """

    def __init__(self, passing: Status) -> None:
        super().__init__(logging.INFO)
        self._started = time.monotonic()
        self._passing = passing

    def emit(self, record: logging.LogRecord) -> None:
        seconds = f"{time.monotonic() - self._started:6.1f} s"
        if record.name == "meterline.dbt":
            self._passing.update(f"[dim]{seconds}[/dim]  {escape(record.getMessage())}")
        else:
            _errors.print(f"[dim]{seconds}[/dim]  {escape(record.getMessage())}", highlight=False)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[None]:
    logger = logging.getLogger("meterline")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if quiet:
        yield
        return
    with _errors.status("starting") as passing:
        handler = _ProgressLines(passing)
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)


@contextmanager
def _explained_errors(as_json: bool) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        _errors.print("interrupted; nothing is half done, run again to go on")
        raise typer.Exit(130) from None
    except MeterlineError as error:
        if as_json:
            _print_json({"error": type(error).__name__, "message": str(error)})
        else:
            _errors.print("[bold red]error[/bold red] ", end="")
            _errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
