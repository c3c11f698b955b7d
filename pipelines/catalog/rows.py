"""Rows of the catalog: a class declares the columns of its file, and a problem names a place."""

from dataclasses import dataclass, field, fields
from keyword import iskeyword
from typing import Any, ClassVar, Final, Literal, TypeVar

from pipelines.catalog.cells import Kind, refuse_ambiguous

REQUIRED: Final = object()
"""A cell of the column is never empty."""


ProblemKind = Literal["contradiction", "missing", "unsupported"]


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong at one place of the catalog, and what to do about it.

    Attributes:
        file_name: the CSV file.
        row: line of the file, from 1; 0 for the file as a whole.
        column: empty for the row as a whole.
        reason: a sentence that shows the value.
        kind: `missing` if something must be written there, `unsupported` if what is written is
            refused whatever else there is; else places contradict each other.
    """

    file_name: str
    row: int
    column: str
    reason: str
    kind: ProblemKind = field(default="contradiction", compare=False)

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row else ""
        column = f", column {self.column}" if self.column else ""
        return f"{self.file_name}{row}{column}: {self.reason}"


@dataclass(frozen=True)
class Column:
    """One column of a CSV file.

    Attributes:
        name: in the header.
        kind: what its cells hold.
        meaning: a sentence for whoever fills it in.
        empty: value of an empty cell; `REQUIRED` where none may be empty.
        is_optional: True if the header may leave the column out; all its cells are empty then.
        is_priced: False if bills do not know the column yet. A value that says something else
            than an empty cell is then refused, so that nothing is billed as if it were not there.
        usual: what an empty cell means, also where a file reads it as absent.
    """

    name: str
    kind: Kind
    meaning: str
    empty: object = REQUIRED
    is_optional: bool = False
    is_priced: bool = True
    usual: object = None

    @property
    def is_required(self) -> bool:
        """True if no cell may be empty."""
        return self.empty is REQUIRED

    def value(self, cell: str) -> object:
        """The value of a cell's text.

        Raises:
            ValueError: it is ill-formed; the sentence shows it and says what to write.
        """
        refuse_ambiguous(cell, self.kind)
        return self.empty if not cell and not self.is_required else self.kind.read(cell)


def column(
    kind: Kind,
    meaning: str,
    *,
    empty: object = REQUIRED,
    is_optional: bool = False,
    is_priced: bool = True,
) -> Any:
    """The field of a row class that declares the column of its name; see `Column`."""
    return field(metadata={"column": (kind, meaning, empty, is_optional, is_priced, empty)})


def later(kind: Kind, meaning: str, *, empty: object = None) -> Any:
    """The field of a column that may be left out and is not priced yet; see `Column`."""
    return column(kind, meaning, empty=empty, is_optional=True, is_priced=False)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A well-formed row of one file; `line` is its line there, from 1.

    A subclass declares a file: its fields are the file's columns, in the order of the header.
    """

    file_name: ClassVar[str]

    line: int

    def problem(self, column: str, reason: str, kind: ProblemKind = "contradiction") -> Problem:
        """What is wrong with this row, in a sentence that shows the value and says what to do."""
        return Problem(self.file_name, self.line, column, reason, kind)


RowT = TypeVar("RowT", bound=Row)


def columns_of(row: type[Row]) -> dict[str, Column]:
    """The columns that a row class declares and inherits, by name, in the order of the header.

    The field of a column whose name is a word of Python ends with `_`, as `from_` does.
    """
    columns = (
        Column(each.name.removesuffix("_"), *each.metadata["column"])
        for each in fields(row)
        if "column" in each.metadata
    )
    return {each.name: each for each in columns}


def field_of(column: str) -> str:
    """The name of the field that declares a column."""
    return f"{column}_" if iskeyword(column) else column
