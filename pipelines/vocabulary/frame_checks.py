"""What a frame must be like that passes from one room to another."""

from collections.abc import Collection

import polars as pl

from pipelines.vocabulary.errors import InvariantError


def checked(
    rows: pl.DataFrame, schema: pl.Schema, what: str, nullable: Collection[str] = ()
) -> pl.DataFrame:
    """The rows with the columns of the schema alone, each of its type and without nulls.

    Types are not cast: a cast to a shorter decimal would round silently.

    Args:
        rows: any frame.
        schema: the columns that must be there.
        what: how an error names the frame.
        nullable: the columns that may hold nulls.

    Raises:
        InvariantError: a column is missing, has another type, or holds a null.
    """
    for name, dtype in schema.items():
        found = rows.schema.get(name)
        if found != dtype:
            raise InvariantError(f"{what}: expected {name} as {dtype}, found {found}")
        if name not in nullable and rows[name].null_count():
            raise InvariantError(f"{what}: expected {name} in every row, found it null")
    return rows.select(*schema)
