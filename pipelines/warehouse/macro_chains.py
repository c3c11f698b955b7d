"""Macro chains: tables worked out by one macro after another, in a database of their own.

`rating` and `settling` say which macros, and what these read and give. Nothing is kept, and no file
is read or written.
"""

from collections.abc import Mapping, Sequence

import duckdb
import polars as pl

from pipelines.vocabulary.frame_checks import checked
from pipelines.warehouse.metric_macros import macro_sql

Stages = Mapping[str, Sequence[str]]
"""Each table with its macro and what that reads, in order."""

Answers = Mapping[str, tuple[str, Sequence[str], str, pl.Schema]]
"""Each answer with its macro, what that reads, its order and its schema."""

_MEMORY_LIMIT = "1GiB"


def worked_out(
    given: Mapping[str, tuple[pl.DataFrame, pl.Schema]], stages: Stages, answers: Answers
) -> dict[str, pl.DataFrame]:
    """The answers by name.

    Args:
        given: the tables that are there at the beginning, each with its schema.
        stages: the tables that are made.
        answers: what is read of them in the end.

    Raises:
        InvariantError: a table that is given has another schema.
    """
    with duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")
        connection.execute("SET threads = 2; SET TimeZone = 'UTC'; SET temp_directory = ''")
        connection.execute("SET enable_external_access = false")
        for name, (frame, schema) in given.items():
            connection.register("frame", checked(frame, schema, name, schema))
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM frame")
            connection.unregister("frame")
        for name, (macro, *relations) in stages.items():
            connection.execute(f"CREATE TABLE {name} AS {macro_sql(macro, *relations)}")
        found = {}
        for name, (macro, reads, order, schema) in answers.items():
            answer = connection.execute(
                f"SELECT * FROM ({macro_sql(macro, *reads)}) AS answers ORDER BY {order}"
            ).pl()
            found[name] = answer.select(
                pl.col(column).cast(kind) for column, kind in schema.items()
            )
        return found
