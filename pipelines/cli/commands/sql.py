"""`meterline sql`: a first look at the published marts without any other tool.

Notebooks and BI tools open the same file themselves, read-only: `published/current/marts.duckdb`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.console import terminal
from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.visible import visible_lines

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from rich.console import Console

    from pipelines.settings import Settings


def command(
    query: Annotated[
        str | None, typer.Argument(help="One statement; a prompt opens when left out.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print all rows as CSV.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all rows as one JSON array; decimals as texts.")
    ] = False,
    parquet: Annotated[
        Path | None, typer.Option(help="Write all rows to this Parquet file.")
    ] = None,
) -> None:
    """Query the published marts; the query can change nothing and blocks nobody."""
    with terminal(as_json=as_json) as here:
        if as_csv + as_json + (parquet is not None) > 1:
            raise MeterlineError("write one of --csv, --json and --parquet")
        is_shown = not (as_csv or as_json or parquet)
        if query is None and is_shown and sys.stdin.isatty():
            prompt(here.settings, here.console)
            return
        statement = query if query is not None else sys.stdin.read()
        if is_shown:
            answer(here.settings, statement, here.console)
        elif parquet is not None:
            here.say(_write_parquet(here.settings, statement, parquet))
        else:
            _write(here.settings, statement, is_csv=as_csv)


def answer(settings: "Settings", query: str, console: "Console") -> None:
    """Prints the rows of one statement over the published marts.

    Raises:
        MeterlineError: nothing is published yet, or the statement is no SQL.
    """
    from pipelines.cli.rows import show_rows

    with _asked(settings, query) as rows:
        if rows is not None:
            show_rows(rows, console)


def prompt(settings: "Settings", console: "Console") -> None:
    """Reads statements, each ended by `;`, until the input ends.

    Raises:
        MeterlineError: nothing is published yet.
    """
    import readline  # noqa: F401 -- gives `input` a history and arrow keys

    import duckdb

    from pipelines.cli.rows import show_rows
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
                    rows = _rows(marts, statement)
                    if rows is not None:
                        show_rows(rows, console)
                except duckdb.Error as error:
                    console.print(visible_lines(str(error)), style="red", markup=False)
                statement = ""


def _write(settings: "Settings", query: str, *, is_csv: bool) -> None:
    from pipelines.cli.rows import write_csv, write_json

    with _asked(settings, query) as rows:
        if rows is None:
            raise MeterlineError(_NO_ROWS)
        (write_csv if is_csv else write_json)(rows, sys.stdout)


def _write_parquet(settings: "Settings", query: str, path: Path) -> str:
    """A sentence about the file, once it is written."""
    from pipelines.cli.rows import write_parquet
    from pipelines.vocabulary.counted import counted

    with _asked(settings, query) as rows:
        if rows is None:
            raise MeterlineError(_NO_ROWS)
        try:
            count = write_parquet(rows, path)
        except OSError as error:
            if error.errno is None:
                # So pyarrow passes on what DuckDB says of the statement.
                raise MeterlineError(f"{error}") from None
            raise MeterlineError(
                f"{path} cannot be written: {error.strerror or error}; name another file"
            ) from None
    return f"Wrote {counted(count, 'row')} to {path}."


_NO_ROWS = "the statement has no rows to write; expected one SELECT"


@contextmanager
def _asked(settings: "Settings", query: str) -> Iterator["DuckDBPyConnection | None"]:
    """The rows of a statement over the published marts; None if it is none.

    Raises:
        MeterlineError: nothing is published yet, or the statement is no SQL.
    """
    import duckdb

    from pipelines.home import Home

    with Home(settings).marts() as marts:
        try:
            yield _rows(marts, query)
        except duckdb.Error as error:
            raise MeterlineError(f"{error}") from None


def _rows(marts: "DuckDBPyConnection", query: str) -> "DuckDBPyConnection | None":
    # DuckDB gives None for a statement of nothing but blanks and comments.
    rows: DuckDBPyConnection | None = marts.execute(query)
    return rows if rows is not None and rows.description is not None else None
