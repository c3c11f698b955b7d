"""`meterline lake`: work on the lake's own files; `rebuild` makes damaged ones again."""

from typing import Annotated

import typer

from pipelines.cli.console import AsJson, print_json, terminal

command = typer.Typer(help="Work on the files of the lake.", no_args_is_help=True)


@command.callback()
def _lake() -> None:
    """Work on the files of the lake."""


@command.command()
def rebuild(
    batch: Annotated[int, typer.Option(help="The events batch that a damaged file belongs to.")],
    as_json: AsJson = False,
) -> None:
    """Decide a batch again from the landing, and put back its damaged files; changes no other."""
    with terminal(as_json=as_json) as here:
        from pipelines.home import Home
        from pipelines.recovery.rebuild import rebuild_batch
        from pipelines.vocabulary.counted import counted

        with here.progress():
            rebuilt = rebuild_batch(Home(here.settings), batch)
        if here.is_json:
            print_json(vars(rebuilt))
            return
        if not rebuilt.files:
            here.say(f"Every file of batch {batch} is as it was committed; nothing was changed.")
            return
        here.say(
            f"Made {counted(len(rebuilt.files), 'file')} of batch {batch} again with "
            f"{counted(rebuilt.rows, 'row')}, byte for byte as committed: "
            f"{', '.join(rebuilt.files)}."
        )
