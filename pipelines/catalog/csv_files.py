"""CSV files of the catalog, read strictly: each row is well-formed, or among the problems."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import polars as pl

from pipelines.catalog.cells import shown
from pipelines.catalog.rows import Column, Problem
from pipelines.catalog.table import CatalogTable
from pipelines.vocabulary.counted import counted

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""What some programs write before UTF-8."""

_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs"}
"""What spreadsheets write between cells instead of commas."""


@dataclass(frozen=True)
class FileRead:
    """One file as read; both frames have `line`, from 1, and the columns of the table.

    Attributes:
        texts: rows that have every column, as text, though a cell may be ill-formed.
        frame: rows whose every cell is well-formed, typed.
        problems: what kept other rows out.
    """

    texts: pl.DataFrame
    frame: pl.DataFrame
    problems: tuple[Problem, ...]

    @property
    def is_readable(self) -> bool:
        """Whether every row is among `texts`, so that an absent key is truly absent."""
        return all(problem.column for problem in self.problems)


def read_file(table: CatalogTable[Any], content: bytes | None) -> FileRead:
    """The rows of one file.

    Each text that a column holds is read once: most columns of a long file repeat few texts.

    Args:
        table: what the file may hold.
        content: its bytes; None where the file is absent.
    """
    numbers, cells_by_column, problems = _cells_by_column(table, content)
    lines = pl.Series("line", numbers, pl.Int64)
    texts, values = {"line": lines}, {"line": lines}
    for each in table.columns:
        cells = cells_by_column[each.name]
        texts[each.name] = pl.Series(cells, dtype=pl.String)
        values[each.name], ill_formed = _read_column(table, each, numbers, cells)
        problems += ill_formed
    wrong = [problem.row for problem in problems if problem.column]
    return FileRead(
        pl.DataFrame(texts),
        pl.DataFrame(values).filter(~pl.col("line").is_in(wrong)),
        tuple(problems),
    )


def _read_column(
    table: CatalogTable[Any], column: Column, numbers: list[int], cells: list[str]
) -> tuple[pl.Series, list[Problem]]:
    values, reasons = dict[str, object](), dict[str, str]()
    for cell in dict.fromkeys(cells):
        try:
            values[cell] = column.value(cell)
        except ValueError as error:
            values[cell], reasons[cell] = None, str(error)
    problems = [
        Problem(table.file_name, line, column.name, reasons[cell])
        for line, cell in (zip(numbers, cells, strict=True) if reasons else ())
        if cell in reasons
    ]
    return pl.Series([values[cell] for cell in cells], dtype=column.kind.dtype), problems


def _cells_by_column(
    table: CatalogTable[Any], content: bytes | None
) -> tuple[list[int], dict[str, list[str]], list[Problem]]:
    # Of rows that have every column: their lines, and their cells. The rows themselves are not
    # kept: Python's collector would go through all of them again and again.
    numbers, problems = list[int](), list[Problem]()
    cells_by_column = {each.name: list[str]() for each in table.columns}
    found = numbers, cells_by_column, problems
    if content is None and table.is_optional:
        return found
    if content is None or (reason := _content_reason(content) or _separator_reason(content)):
        missing = "the file is missing; add it, with its header alone if it has no rows"
        problems.append(Problem(table.file_name, 0, "", missing if content is None else reason))
        return found
    reader = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
    header, line = list[str](), 1
    try:
        header = next(reader)
        if reason := _header_reason(header, table.columns):
            problems.append(Problem(table.file_name, line, "", reason))
            return found
        columns = [cells_by_column[name] for name in header]
        line = reader.line_num + 1
        for cells in reader:
            if reason := _row_reason(cells, len(header)):
                problems.append(Problem(table.file_name, line, "", reason))
            else:
                numbers.append(line)
                for column, cell in zip(columns, cells, strict=True):
                    column.append(cell)
            line = reader.line_num + 1
    except csv.Error as error:
        reason = f"is no CSV from here on: {error}"
        problems.append(Problem(table.file_name, line, "", reason))
    for left_out in cells_by_column.keys() - set(header):
        cells_by_column[left_out] = [""] * len(numbers)
    return found


def _content_reason(content: bytes) -> str:
    if not content:
        return "the file is empty; write at least its header"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "the file is UTF-16, as some spreadsheets save it; save it as CSV in UTF-8"
    if content.startswith(BYTE_ORDER_MARK):
        return "the file starts with two byte order marks; save it as plain UTF-8"
    # What reads the file after us may take a lone or odd line end differently.
    if content.count(b"\r") not in {0, content.count(b"\n")} or content.count(
        b"\r\n"
    ) != content.count(b"\r"):
        return "the file has line ends that programs read differently; save it with LF or CRLF"
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return f"the file is not UTF-8 in row {line}; save it as UTF-8"
    return ""


def _separator_reason(content: bytes) -> str:
    header = content.partition(b"\n")[0]
    for sign, name in _OTHER_SEPARATORS.items():
        if sign.encode() in header and b"," not in header:
            return f"the cells are separated by {name}; save the file with commas between them"
    return ""


def _header_reason(header: list[str], columns: Sequence[Column]) -> str:
    known = [each.name for each in columns]
    missing = [each.name for each in columns if each.name not in header and not each.is_optional]
    unknown = [name for name in header if name not in known]
    repeated = sorted({name for name in header if header.count(name) > 1} - set(unknown))
    reasons = [f"lacks {', '.join(missing)}"] if missing else []
    reasons += [f"has {_unknown_column(name, missing or known)}" for name in unknown]
    reasons += [f"has {shown(name)} twice" for name in repeated]
    if not reasons:
        return ""
    needed = ",".join(each.name for each in columns if not each.is_optional)
    also = ", and of the columns that may be left out what you need"
    also = also if any(each.is_optional for each in columns) else ""
    return f"the header {' and '.join(reasons)}; write {needed} in any order{also}"


def _unknown_column(name: str, known: Sequence[str]) -> str:
    similar = get_close_matches(name.strip().lower(), known, n=1)
    return f"the unknown column {shown(name)}" + (f" (meant is {similar[0]}?)" if similar else "")


def _row_reason(cells: list[str], count: int) -> str:
    if not cells:
        return "is blank; remove the line"
    if len(cells) == count:
        return ""
    found = f"has {counted(len(cells), 'cell')} and the header {count}"
    for sign, name in _OTHER_SEPARATORS.items():
        if len(cells) == 1 and cells[0].count(sign) == count - 1:
            return f"{found}: its cells are separated by {name}; write commas between them"
    if len(cells) < count:
        return f"{found}; write one per column, empty or not"
    return (
        f"{found}; write one per column, put a text with a comma in quotes, and write decimals "
        "with a point"
    )
