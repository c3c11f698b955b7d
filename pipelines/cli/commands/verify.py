"""`meterline verify`: whether what was written is still there as it was written."""

from typing import Annotated

import typer

from pipelines.cli.console import AsJson, print_json, terminal
from pipelines.vocabulary.errors import MeterlineError


def command(
    files: Annotated[
        bool, typer.Option("--files", help="Hash every file of the lake and the published marts.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check that no file changed since it was committed or published; changes nothing."""
    with terminal(as_json=as_json) as here:
        if not files:
            raise MeterlineError("say what to verify: `meterline verify --files` checks all files")
        from pipelines.home import Home
        from pipelines.lake.file_checks import check_all_files
        from pipelines.vocabulary.counted import counted

        home = Home(here.settings)
        with home.lake_to_verify() as lake:
            checks = check_all_files(lake)
        checks.require_whole()
        home.require_as_published(is_hashed=True)
        if here.is_json:
            print_json({"files": checks.files, "size_bytes": checks.size_bytes})
            return
        here.say(
            f"{counted(checks.files, 'file')} of the lake with {checks.size_bytes:,} bytes, and "
            "the published marts, are as they were written."
        )
