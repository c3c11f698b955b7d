"""Tables of the catalog: all that is said of one CSV file, and its rows as rules read them."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Generic

import polars as pl

from pipelines.catalog.rows import REQUIRED, Column, Problem, RowT, columns_of, field_of


class TableNotWholeError(Exception):
    """Some rows of a table are ill-formed, so a rule that needs all of them cannot be judged."""


@dataclass(frozen=True)
class Rows(Generic[RowT]):
    """Well-formed rows of one file, in its order.

    A file may have a hundred thousand rows, and few of them contradict anything. So a rule narrows
    the frame to the rows in question, and iterates over these alone.

    Attributes:
        row: class of a row.
        frame: `line`, and the columns of the file.
    """

    row: type[RowT]
    frame: pl.DataFrame

    def where(self, *conditions: pl.Expr) -> "Rows[RowT]":
        """Those rows for which all conditions are true."""
        return Rows(self.row, self.frame.filter(*conditions))

    def __iter__(self) -> Iterator[RowT]:
        columns = columns_of(self.row)
        # A charge model has defaults of its own in columns that other models leave empty.
        defaults = {
            name: each.empty for name, each in columns.items() if each.empty not in (None, REQUIRED)
        }
        for values in self.frame.select("line", *columns).iter_rows(named=True):
            empty = {name: each for name, each in defaults.items() if values[name] is None}
            yield self.row(**{field_of(name): each for name, each in (values | empty).items()})


class Tables:
    """The files of a catalog, as frames of their well-formed rows."""

    def __init__(
        self, frames: Mapping[str, pl.DataFrame], ill_formed: Collection[str] = ()
    ) -> None:
        """Holds what was read.

        Args:
            frames: file name → `line`, and the columns of the file.
            ill_formed: names of files of which some rows are missing in `frames`.
        """
        self.frames = frames
        self._ill_formed = frozenset(ill_formed)

    def __getitem__(self, row: type[RowT]) -> Rows[RowT]:
        """The well-formed rows of a file."""
        return Rows(row, self.frames[row.file_name])

    def whole(self, row: type[RowT]) -> Rows[RowT]:
        """All rows of a file.

        Raises:
            TableNotWholeError: some of them are ill-formed.
        """
        if row.file_name in self._ill_formed:
            raise TableNotWholeError(row.file_name)
        return self[row]


Rule = Callable[[Tables], Iterable[Problem]]
"""What contradicts itself between rows. A rule that asks for a whole table (`Tables.whole`) is left
out while some rows of that table are ill-formed."""

Warn = Callable[[Tables], Iterable[str]]
"""What is allowed but may surprise, a sentence each; asked of a catalog without problems."""

BILLABLE_METRICS: Final = "the billable metrics"
"""What a column `metric_code` refers to: models of the dbt project, not a file."""


@dataclass(frozen=True)
class Reference:
    """Columns that name a row of another file; a row that leaves all of them empty names none.

    Attributes:
        columns: called alike in both files.
        to: the other file, or `BILLABLE_METRICS`.
    """

    columns: tuple[str, ...]
    to: str


@dataclass(frozen=True)
class CatalogTable(Generic[RowT]):
    """One CSV file of the catalog.

    Attributes:
        row: its columns; the first line of its docstring says what a row is.
        key: columns that no two rows have alike.
        references: to other files.
        rules: what contradicts itself, in this file or between it and others.
        warnings: what may surprise.
        is_optional: True if a catalog may lack the file; it has no rows then.
        is_priced: False if bills do not know the file yet; any row of it is then refused.
        is_seed: False if dbt does not load the file: Python alone reads it.
        more_columns: columns that `row` does not declare.
    """

    row: type[RowT]
    key: tuple[str, ...]
    references: tuple[Reference, ...] = ()
    rules: tuple[Rule, ...] = ()
    warnings: tuple[Warn, ...] = ()
    is_optional: bool = False
    is_priced: bool = True
    is_seed: bool = True
    more_columns: tuple[Column, ...] = ()

    @property
    def file_name(self) -> str:
        """Name of the CSV file."""
        return self.row.file_name

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns, in the order of the header."""
        return (*columns_of(self.row).values(), *self.more_columns)

    @property
    def schema(self) -> pl.Schema:
        """Types of a frame of its rows."""
        return pl.Schema({each.name: each.kind.dtype for each in self.columns})
