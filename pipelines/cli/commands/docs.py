"""`meterline docs`: the dictionary of all tables and columns, in a browser."""

import sys
import webbrowser
from typing import Annotated

import typer

from pipelines.cli.console import terminal


def command(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8580,
    is_served: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve it, or only say where the file is.")
    ] = True,
) -> None:
    """Open the dictionary: every table and column, and who reads them."""
    with terminal() as here:
        from pipelines.cli.page_server import page_server
        from pipelines.operations.dbt_by_hand import dictionary

        with here.progress():
            page = dictionary(here.settings)
        if not is_served:
            here.say(f"The dictionary: {page}")
            return
        with page_server(page, port) as server:
            address = f"http://127.0.0.1:{server.server_port}"
            here.say(f"The dictionary: {address} (Ctrl-C ends it)")
            if sys.stdout.isatty():
                webbrowser.open(address)
            server.serve_forever()
