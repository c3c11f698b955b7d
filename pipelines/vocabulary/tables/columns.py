"""What a column and a table of the lake are, and the columns that many tables share.

The total order of events is (`file_id`, `line`): discovery assigns `file_id` by (received_at,
path), and `line` counts within a file.
"""

from dataclasses import dataclass

import polars as pl

UTC_MICROSECONDS = pl.Datetime("us", "UTC")
"""The one type of an instant."""

LABEL = pl.Datetime("us")
"""The type of a label: a local date and time, whose zone stands beside it."""

PROPERTIES = pl.Map(pl.String, pl.String)
"""Property name → exact source text of a string, number or boolean."""


@dataclass(frozen=True)
class Column:
    """One column of a lake table.

    Attributes:
        name: as in SQL and in frames.
        sql_type: type in the lake (DuckDB's name).
        dtype: type in a Polars frame.
        meaning: what a reader must know, unit and nullability included. A column that a later
            migration added is null in the rows written before.
    """

    name: str
    sql_type: str
    dtype: pl.DataType
    meaning: str


@dataclass(frozen=True)
class LakeTable:
    """A table of the lake, which only ever grows.

    Attributes:
        name: as in SQL.
        meaning: what one row is.
        columns: in the order of the lake, `batch_id` first. A new column stands at the end,
            because there a migration adds it.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pl.Schema:
        """The Polars schema of a frame that holds rows of this table."""
        return pl.Schema({column.name: column.dtype for column in self.columns})

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in the order of the table."""
        return tuple(column.name for column in self.columns)


def bigint(name: str, meaning: str) -> Column:
    """A number of 64 bits: an id, a count, a size."""
    return Column(name, "BIGINT", pl.Int64(), meaning)


def integer(name: str, meaning: str) -> Column:
    """A small number: a position, a revision."""
    return Column(name, "INTEGER", pl.Int32(), meaning)


def decimal(name: str, scale: int, meaning: str) -> Column:
    """An exact number of 38 digits, `scale` of them behind the point."""
    return Column(name, f"DECIMAL(38,{scale})", pl.Decimal(38, scale), meaning)


def text(name: str, meaning: str) -> Column:
    """A text of any length."""
    return Column(name, "VARCHAR", pl.String(), meaning)


def boolean(name: str, meaning: str) -> Column:
    """True or false."""
    return Column(name, "BOOLEAN", pl.Boolean(), meaning)


def instant(name: str, meaning: str) -> Column:
    """An instant in UTC, to the microsecond."""
    return Column(name, "TIMESTAMPTZ", UTC_MICROSECONDS, meaning)


def label(name: str, meaning: str) -> Column:
    """A local date and time without a zone."""
    return Column(name, "TIMESTAMP", LABEL, meaning)


def blob(name: str, meaning: str) -> Column:
    """Bytes."""
    return Column(name, "BLOB", pl.Binary(), meaning)


BATCH_ID = bigint("batch_id", "The transaction that wrote the row; `batch_id <= n` is the past.")
FILE_ID = bigint("file_id", "The registry's sequence number of the file version.")
SOURCE = text("source", "The sender: first folder below the landing.")
RECEIVED_AT = instant("received_at", "When the file version was received (UTC).")
