"""`meterline sql`: a first look at the published marts without any other tool.

Notebooks and BI tools open the same file themselves, read-only: `published/current/marts.duckdb`.
"""

import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.console import terminal
from pipelines.vocabulary.errors import MeterlineError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from rich.console import Console

    from pipelines.settings import Settings

_ROWS_SHOWN = 200


def command(
    query: Annotated[
        str | None, typer.Argument(help="One statement; a prompt opens when left out.")
    ] = None,
) -> None:
    """Query the published marts; the query can change nothing and blocks nobody."""
    with terminal() as here:
        if query is None and sys.stdin.isatty():
            prompt(here.settings, here.console)
            return
        answer(here.settings, query if query is not None else sys.stdin.read(), here.console)


def answer(settings: "Settings", query: str, console: "Console") -> None:
    """Prints the rows of one statement over the published marts.

    Raises:
        MeterlineError: nothing is published yet, or the statement is no SQL.
    """
    import duckdb

    from pipelines.home import Home

    with Home(settings).marts() as marts:
        try:
            _print_rows(marts, query, console)
        except duckdb.Error as error:
            raise MeterlineError(f"{error}") from None


def prompt(settings: "Settings", console: "Console") -> None:
    """Reads statements, each ended by `;`, until the input ends.

    Raises:
        MeterlineError: nothing is published yet.
    """
    import readline  # noqa: F401 -- gives `input` a history and arrow keys

    import duckdb

    from pipelines.home import Home

    with Home(settings).marts() as marts:
        tables = [row[0] for row in marts.execute("SHOW TABLES").fetchall()]
        console.print(f"tables: {', '.join(tables)}")
        console.print("end a statement with ; and the prompt with Ctrl-D")
        statement = ""
        while True:
            try:
                statement += input("meterline> " if not statement else "        -> ") + "\n"
            except (EOFError, KeyboardInterrupt):
                console.print()
                return
            if statement.rstrip().endswith(";"):
                try:
                    _print_rows(marts, statement, console)
                except duckdb.Error as error:
                    console.print(str(error), style="red", markup=False)
                statement = ""


def _print_rows(marts: "DuckDBPyConnection", query: str, console: "Console") -> None:
    from rich import box
    from rich.table import Table

    from pipelines.cli.tables import shown_text

    # DuckDB gives None for a statement of nothing but blanks and comments.
    rows: DuckDBPyConnection | None = marts.execute(query)
    if rows is None or rows.description is None:
        return
    table = Table(box=box.SIMPLE_HEAD)
    for column in rows.description:
        table.add_column(shown_text(column[0]), overflow="fold")
    found = rows.fetchmany(_ROWS_SHOWN + 1)
    for row in found[:_ROWS_SHOWN]:
        table.add_row(*(shown_text(_text(value)) for value in row))
    console.print(table)
    if len(found) > _ROWS_SHOWN:
        console.print(f"the first {_ROWS_SHOWN} rows; add a LIMIT or ask more narrowly")


def _text(value: object) -> str:
    if value is None:
        return ""
    # Zero cents are 0.000000000000000, never 0E-15.
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
