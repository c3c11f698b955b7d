"""What a warehouse keeps from run to run, as rows that can be compared with another warehouse's."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

Query = Callable[[str], list[tuple[Any, ...]]]
"""Gives the rows of a SELECT."""

_WITH_SLOT = ("state_", "days_")


def kept_rows(query: Query, schema: str = "warehouse.states") -> dict[str, Counter[str]]:
    """How often each row is there, by the name of what is kept.

    Slots are numbered as they come, so a row has the columns of its slot instead of the number.

    Args:
        query: of the warehouse.
        schema: of the kept tables, with its database.
    """
    found = dict[str, Counter[str]]()
    database, name = schema.split(".")
    here = f"database_name = '{database}' AND schema_name = '{name}'"
    relations = query(
        f"SELECT view_name FROM duckdb_views() WHERE {here} UNION ALL SELECT table_name "
        f"FROM duckdb_tables() WHERE {here} AND (table_name IN ('marks', 'calendars') "
        "OR table_name LIKE 'usage%')"
    )
    for (relation,) in relations:
        table = f'{schema}."{relation}"'
        sql = f"SELECT COLUMNS(each -> each != 'slot_id') FROM {table}"
        if relation.startswith(_WITH_SLOT):
            slots = f'{schema}."slots_{relation.split("_", 1)[1]}"'
            sql = (
                f"SELECT slots.* EXCLUDE (slot_id), parts.* EXCLUDE (slot_id) FROM {table} AS parts"
                f" LEFT JOIN {slots} AS slots ON parts.slot_id = slots.slot_id"
            )
        found[relation] = Counter(map(repr, query(sql)))
    assert "marks" in found, f"nothing is kept in {schema}"
    return found


def require_same(
    found: Mapping[str, Counter[str]], expected: Mapping[str, Counter[str]], what: str = ""
) -> None:
    """Fails unless both have the same rows, and says which differ."""
    assert found.keys() == expected.keys(), what
    for name, rows in found.items():
        extra, missing = sorted(rows - expected[name]), sorted(expected[name] - rows)
        assert (extra, missing) == ([], []), (
            f"{what} {name}: extra {extra[:3]}, missing {missing[:3]}"
        )
