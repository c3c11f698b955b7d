"""A SQL prompt on the published marts, for a first look without any other tool.

Belongs here: reading statements and printing rows. Notebooks and BI tools open the same
file themselves: `published/current/marts.duckdb`, read-only.
"""

import readline  # noqa: F401 -- gives `input` a history and arrow keys
from decimal import Decimal

import duckdb
from rich import box
from rich.console import Console
from rich.table import Table

from pipelines.home import Home
from pipelines.operations.report import shown_text
from pipelines.settings import Settings
from pipelines.vocabulary.errors import MeterlineError

_ROWS_SHOWN = 200


def answer(settings: Settings, query: str, console: Console) -> None:
    """Prints the rows of one statement over the published marts.

    Raises:
        MeterlineError: nothing is published yet, or the statement is no SQL.
    """
    with Home(settings).marts() as marts:
        try:
            _print_rows(marts, query, console)
        except duckdb.Error as error:
            raise MeterlineError(f"{error}") from None


def prompt(settings: Settings, console: Console) -> None:
    """Reads statements, each ended by `;`, until the input ends."""
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


def _print_rows(marts: duckdb.DuckDBPyConnection, query: str, console: Console) -> None:
    # DuckDB gives None for a statement of nothing but blanks and comments.
    rows: duckdb.DuckDBPyConnection | None = marts.execute(query)
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
