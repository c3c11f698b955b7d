"""Rows of a query: shown to a person, or written as CSV, JSON or Parquet.

A number is written in full and exactly, without exponent and trailing zeros. An instant is RFC 3339
in UTC. In JSON a decimal is a text, because readers of JSON take numbers as floats.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from rich import box
from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.table import Table

from pipelines.cli.tables import shown_text
from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.instants import rfc3339_text
from pipelines.vocabulary.money import KNOWN_CURRENCIES, amount_text, plain_decimal
from pipelines.vocabulary.visible import visible, visible_json

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_SHOWN = 200
"""The most rows that a person is shown; a file has all of them."""

_BLOCK_ROWS = 10_000

_NO_BOUND = 1_000_000

_NUMBERS = (int, float, Decimal)

_GAP = 2
"""Spaces between two columns of a table."""


def show_rows(rows: "DuckDBPyConnection", console: Console) -> None:
    """Prints the first rows: as a table if it fits, else as records, a line for each cell.

    Where the output is no terminal it has no width, and everything fits.
    """
    names = _names(rows)
    found = rows.fetchmany(ROWS_SHOWN + 1)
    cells = [[shown_text(text) for text in _texts(names, row)] for row in found[:ROWS_SHOWN]]
    numbers = [any(isinstance(row[at], _NUMBERS) for row in found) for at in range(len(names))]
    table = _table(names, cells, numbers)
    if not console.is_terminal or _width(table, console) <= console.width:
        console.print(table)
    else:
        _show_records(names, cells, console)
    if len(found) > ROWS_SHOWN:
        console.print(f"the first {ROWS_SHOWN} rows; add a LIMIT or ask more narrowly")


def write_csv(rows: "DuckDBPyConnection", out: TextIO) -> None:
    """All rows as CSV with a header; null is an empty cell. On a terminal nothing in it acts."""
    write = csv.writer(out, lineterminator="\n").writerow
    seen = visible if out.isatty() else str
    names = _names(rows)
    write(map(seen, names))
    for row in _all(rows):
        write(map(seen, _texts(names, row)))


def write_json(rows: "DuckDBPyConnection", out: TextIO) -> None:
    """All rows as one JSON array with an object for each.

    Raises:
        MeterlineError: two columns have the same name.
    """
    names, lead = _names(rows), "["
    if len(set(names)) < len(names):
        raise MeterlineError("two columns have the same name; name them apart with AS")
    for row in _all(rows):
        values = {name: _plain(value) for name, value in zip(names, row, strict=True)}
        out.write(f"{lead}\n  {visible_json(json.dumps(values, ensure_ascii=False))}")
        lead = ","
    out.write("[]\n" if lead == "[" else "\n]\n")


def write_parquet(rows: "DuckDBPyConnection", path: Path) -> int:
    """The number of rows, once the file has all of them; it appears when it is whole.

    Raises:
        OSError: the file cannot be written.
    """
    from pyarrow import parquet

    unfinished = path.with_name(f".{path.name}.unfinished")
    count = 0
    try:
        batches = rows.to_arrow_reader(_BLOCK_ROWS)
        with parquet.ParquetWriter(unfinished, batches.schema, compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(batch)
                count += batch.num_rows
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _names(rows: "DuckDBPyConnection") -> list[str]:
    return [column[0] for column in rows.description or ()]


def _all(rows: "DuckDBPyConnection") -> Iterator[Sequence[Any]]:
    while block := rows.fetchmany(_BLOCK_ROWS):
        yield from block


def _texts(names: Sequence[str], row: Sequence[Any]) -> list[str]:
    """The text of each cell; an amount has the digits of the currency beside it."""
    currency = row[names.index("currency")] if "currency" in names else None
    is_known = isinstance(currency, str) and currency in KNOWN_CURRENCIES
    return [
        _amount(value, str(currency))
        if is_known and isinstance(value, Decimal) and name.endswith("amount")
        else _text(value)
        for name, value in zip(names, row, strict=True)
    ]


def _amount(value: Decimal, currency: str) -> str:
    """The amount, to the minor unit at least: 11.50 USD is `11.50`, and 0.0025 stays as it is."""
    least, whole = amount_text(value, currency), plain_decimal(value)
    return least if Decimal(least) == value else whole


def _text(value: Any) -> str:
    plain = _plain(value)
    if plain is None:
        return ""
    if isinstance(plain, str):
        return plain
    return json.dumps(plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """The value as JSON has it."""
    match value:
        case dict():
            plain: Any = {str(key): _plain(each) for key, each in value.items()}
        case list() | tuple():
            plain = [_plain(each) for each in value]
        case Decimal():
            plain = plain_decimal(value)
        case datetime() if value.tzinfo is not None:
            plain = rfc3339_text(value)
        case date() | time():
            plain = value.isoformat()
        case bytes():
            plain = value.hex()
        case None | bool() | int() | str():
            plain = value
        case float() if isfinite(value):
            plain = value
        case _:
            plain = str(value)
    return plain


def _table(names: Sequence[str], cells: Sequence[Sequence[str]], numbers: Sequence[bool]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for name, is_number in zip(names, numbers, strict=True):
        justify: JustifyMethod = "right" if is_number else "left"
        table.add_column(shown_text(name), justify=justify, no_wrap=True)
    for row in cells:
        table.add_row(*row)
    return table


def _width(table: Table, console: Console) -> int:
    """The columns of a terminal that the table takes if nothing of it is folded."""
    return console.measure(table, options=console.options.update(max_width=_NO_BOUND)).maximum


def _show_records(names: Sequence[str], cells: Sequence[Sequence[str]], console: Console) -> None:
    widest = max(map(cell_len, map(visible, names)))
    for number, row in enumerate(cells, start=1):
        console.print(f"[dim]── {number} ──[/dim]", highlight=False)
        for name, text in zip(names, row, strict=True):
            label = shown_text(name)
            space = " " * (widest - cell_len(visible(name)) + _GAP)
            # In one line, however long: a path that is broken cannot be copied.
            console.print(f"[bold]{label}[/bold]{space}{text}", highlight=False, soft_wrap=True)
