"""The macros of the dbt project as SQL text, without dbt, and their values as DuckDB gives them."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import duckdb
import jinja2
import pyarrow as pa

from pipelines.warehouse.metric_macros import given_by_dbt, macro_source


def macro_sql(call: str, **of_dbt: object) -> str:
    """The SQL of a call such as `whole('quantity')`.

    Args:
        call: a call of a macro.
        of_dbt: what the macro needs of dbt, by name. Without it, such a macro cannot be called.
    """
    source = _macros() + "{{ " + call + " }}"
    return _environment().from_string(source, globals=of_dbt).render().strip()


def metric_macros() -> Any:
    """All macros by name, to be called with values of Python."""
    return _environment().from_string(_macros()).module


def ask(
    columns: Mapping[str, str],
    cases: Sequence[Sequence[object]],
    *expressions: str,
    relation: str = "cases",
) -> list[tuple[Any, ...]]:
    """The values of the expressions for each case, in one query.

    Args:
        columns: SQL type of each column of the table `cases`.
        cases: one value per column, as text; None is null.
        expressions: SQL over the columns of the relation.
        relation: a row for each case, in order; the table `cases` itself if it is left out.
    """
    texts = {
        name: [None if case[place] is None else str(case[place]) for case in cases]
        for place, name in enumerate(columns)
    }
    typed = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in columns.items())
    with _database().cursor() as connection:
        connection.register(
            "texts",
            pa.table({name: pa.array(column, pa.string()) for name, column in texts.items()}),
        )
        return connection.execute(
            f"with cases as (select {typed} from texts) select {', '.join(expressions)} "
            f"from {relation} as relation_of_cases"
        ).fetchall()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@cache
def _environment() -> jinja2.Environment:
    # Renders SQL of our own, never HTML.
    made = jinja2.Environment(undefined=jinja2.StrictUndefined, extensions=["jinja2.ext.do"])  # noqa: S701
    made.globals |= given_by_dbt(_macros())
    return made


@cache
def _macros() -> str:
    return macro_source()
