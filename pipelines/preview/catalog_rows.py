"""Rows of the catalog that a case gives as objects, by the classes and rules of the catalog."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from pipelines.catalog.rows import Problem, ProblemKind, RowT, columns_of, field_of
from pipelines.preview.faults import Code
from pipelines.preview.fields import Fields

ALWAYS = date(1970, 1, 1)
"""From when a row of a case is valid: a case has no dates to choose between rows."""

_CODES: Mapping[ProblemKind, Code] = {
    "missing": Code.MISSING_FIELD,
    "contradiction": Code.CONTRADICTION,
    "unsupported": Code.NOT_SUPPORTED,
}


def read_row(
    fields: Fields, row: type[RowT], given: Mapping[str, object], usual: Mapping[str, object]
) -> RowT | None:
    """The row of an object; None where a cell is ill-formed or missing, which is noted.

    Args:
        fields: the members are columns. The number of the row is its place, from 0.
        row: declares the columns.
        given: values of columns that a case does not have.
        usual: what a column means that is left out, if a case says other than the catalog.
    """
    noted = len(fields.faults)
    values: dict[str, Any] = {field_of(name): value for name, value in given.items()}
    for name, column in columns_of(row).items():
        if name in given:
            continue
        if name in usual:
            value = fields.text(name, column.kind, usual[name])
        elif column.is_required:
            value = fields.needed(name, column.kind)
        else:
            value = fields.text(name, column.kind, column.empty)
        values[field_of(name)] = value
    return row(line=fields.row, **values) if len(fields.faults) == noted else None


def note_problems(problems: Iterable[Problem], *tables: Sequence[Fields]) -> None:
    """Notes what the rules of the catalog find.

    Args:
        problems: their rows are places in a list of the case.
        tables: the objects of the rows of each table, in order of their places.
    """
    rows = {(f"{each.table}.csv", each.row): each for table in tables for each in table}
    for problem in problems:
        rows[problem.file_name, problem.row].note(
            _CODES[problem.kind], problem.column, problem.reason
        )
