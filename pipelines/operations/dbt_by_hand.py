"""dbt by hand: one command of dbt as a run gives it: lake, calendar, catalog and settings."""

import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from pipelines.lake.writer_lock import writer_lock
from pipelines.operations.dbt_connection import connection_of, frozen_catalog
from pipelines.settings import DBT_PROJECT, Settings
from pipelines.vocabulary.errors import MeterlineError
from pipelines.warehouse.dbt_runner import PreparedProject, prepare_project, run_by_hand

WITHOUT_A_CONNECTION = frozenset({"ls", "list", "parse"})
"""Commands that look at the project alone. They need no home, and wait for no run."""

WITH_A_CONNECTION = frozenset({"build", "compile", "docs", "run", "seed", "show", "test"})
"""Commands that look into the working warehouse, or change it."""

DICTIONARY = "dictionary.html"
"""The page that `docs generate` makes, beside the parsed project that it is about."""


def run_dbt(settings: Settings, arguments: Sequence[str], project_dir: Path = DBT_PROJECT) -> bool:
    """True if the command succeeded; dbt prints what it does itself.

    It works in the warehouse that the next run builds anew, and never in what is published.

    Args:
        settings: of the home.
        arguments: those of dbt; the first one is the command.
        project_dir: folder of the dbt project.

    Raises:
        AlreadyRunningError: a run is writing to the warehouse.
        MeterlineError: the command is none of these, no run made a calendar, or dbt broke off.
    """
    command = arguments[0] if arguments else ""
    if command not in WITHOUT_A_CONNECTION | WITH_A_CONNECTION:
        shown = repr(command) if command else "none"
        raise MeterlineError(
            f"expected a command of dbt, one of {_listed()}, found {shown}; for "
            "example `meterline dbt build --select fct_invoices`"
        )
    if list(arguments[:2]) == ["docs", "serve"]:
        raise MeterlineError("use `meterline docs`, which serves the dictionary on 127.0.0.1")
    project = prepare_project(project_dir, settings.dbt_target)
    return _run(settings, project, arguments, is_connected=command in WITH_A_CONNECTION)


def dictionary(settings: Settings, project_dir: Path = DBT_PROJECT) -> Path:
    """The file with the dictionary of this project, made once for each version of the project.

    Args:
        settings: of the home.
        project_dir: folder of the dbt project.

    Raises:
        AlreadyRunningError: it is to be made, and a run is writing to the warehouse.
        MeterlineError: it is to be made, and no run made a calendar, or dbt broke off.
    """
    project = prepare_project(project_dir, settings.dbt_target)
    page = project.folder / DICTIONARY
    if not page.is_file():
        arguments = ["--quiet", "docs", "generate", "--static"]
        if not _run(settings, project, arguments, is_connected=True):
            raise MeterlineError("dbt made no dictionary; it says why above")
        made = _artifacts(settings) / "target" / "static_index.html"
        shutil.copyfile(made, page.with_suffix(".unfinished"))
        page.with_suffix(".unfinished").replace(page)
    return page


def _run(
    settings: Settings, project: PreparedProject, arguments: Sequence[str], *, is_connected: bool
) -> bool:
    lock = writer_lock(settings.writer_lock, "dbt by hand", settings.lock_wait_seconds)
    with lock if is_connected else nullcontext():
        return run_by_hand(
            project,
            arguments,
            connection=connection_of(settings) if is_connected else {},
            seed_folder=frozen_catalog(settings) if is_connected else settings.catalog,
            artifacts=_artifacts(settings),
        )


def _artifacts(settings: Settings) -> Path:
    return settings.dbt_target / "by-hand"


def _listed() -> str:
    return ", ".join(sorted(WITHOUT_A_CONNECTION | WITH_A_CONNECTION))
