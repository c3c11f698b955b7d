"""`meterline restore`: a home, or the damaged files of its lake, put back from a backup."""

from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from pipelines.cli.console import AsJson, Terminal, print_json, terminal
from pipelines.vocabulary.errors import MeterlineError


def command(
    address: Annotated[str, typer.Option("--from", help="What `meterline backup --to` named.")],
    files: Annotated[
        bool, typer.Option("--files", help="Only the missing and damaged files of the lake.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Read the whole backup, and write nothing.")
    ] = False,
    number: Annotated[int | None, typer.Option(help="An older backup; the newest if left out.")] = (
        None
    ),
    as_json: AsJson = False,
) -> None:
    """Put a lost home back from a backup, or the files of a lake that are damaged or missing."""
    with terminal(as_json=as_json) as here:
        if files and (check or number is not None):
            raise MeterlineError(
                "--files takes each file from whichever backup has it; leave --check and --number "
                "away"
            )
        if check:
            _check(here, address, number)
        else:
            _restore(here, address, number, only_files=files)


def _check(here: Terminal, address: str, number: int | None) -> None:
    from pathlib import Path

    from pipelines.recovery.restore import check_backup
    from pipelines.recovery.store import open_store
    from pipelines.vocabulary.counted import counted

    store = open_store(address, here.settings.s3_endpoint_url)
    with TemporaryDirectory(prefix="meterline-restore-") as scratch:
        manifest = check_backup(store, Path(scratch), number)
    if here.is_json:
        values = {"number": manifest.number, "batch_id": manifest.batch_id}
        print_json(values | {"files": len(manifest.files), "size_bytes": manifest.size_bytes})
        return
    here.say(
        f"Backup {manifest.number} is whole: {counted(len(manifest.files), 'file')} with "
        f"{manifest.size_bytes:,} bytes, up to batch {manifest.batch_id}."
    )


def _restore(here: Terminal, address: str, number: int | None, *, only_files: bool) -> None:
    from pipelines.home import Home
    from pipelines.recovery.restore import restore_files, restore_home
    from pipelines.recovery.store import open_store
    from pipelines.vocabulary.counted import counted

    home, store = Home(here.settings), open_store(address, here.settings.s3_endpoint_url)
    with here.progress():
        restored = restore_files(home, store) if only_files else restore_home(home, store, number)
    if here.is_json:
        print_json(vars(restored))
        return
    written = f"{counted(restored.files, 'file')} with {restored.size_bytes:,} bytes"
    if only_files:
        here.say(f"Put back {written}; every file of the lake is as it was committed.")
        return
    there = f"; {restored.there_already:,} more were there" if restored.there_already else ""
    here.say(
        f"Restored backup {restored.number} to {home.settings.home}, up to batch "
        f"{restored.batch_id}: {written}{there}. `meterline run` goes on from there, and makes the "
        "marts again."
    )
