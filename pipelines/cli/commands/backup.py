"""`meterline backup`: the home, copied to a folder or S3."""

from typing import Annotated

import typer

from pipelines.cli.console import AsJson, print_json, terminal


def command(
    to: Annotated[str, typer.Option(help="A folder, or s3://bucket/prefix.")],
    as_json: AsJson = False,
) -> None:
    """Copy what is new in the home to a backup, while runs go on; docs/backup.md has more."""
    with terminal(as_json=as_json) as here:
        from pipelines.home import Home
        from pipelines.recovery.backup import back_up
        from pipelines.recovery.store import open_store
        from pipelines.vocabulary.counted import counted

        home = Home(here.settings)
        with here.progress():
            made = back_up(home, open_store(to, here.settings.s3_endpoint_url))
        if here.is_json:
            print_json(vars(made))
            return
        if not made.is_new:
            here.say(
                f"Nothing new: backup {made.number} has the home as it is after batch "
                f"{made.batch_id}."
            )
            return
        here.say(
            f"Backup {made.number} has the home as it was after batch {made.batch_id}: "
            f"{counted(made.files, 'file')} with {made.size_bytes:,} bytes, of which "
            f"{made.new_files:,} with {made.new_bytes:,} bytes were copied now."
        )
