"""Charge filters: which groups of metered usage a charge takes, by the macro that metrics use."""

from collections.abc import Sequence

import duckdb
import polars as pl

from pipelines.catalog.filters import Condition
from pipelines.warehouse.metric_macros import macro_sql


def groups_taken(conditions: Sequence[Condition], group_keys: pl.Series) -> pl.Series:
    """Those groups that meet all conditions.

    Args:
        conditions: of a charge's filter.
        group_keys: JSON objects of properties and their texts, null for one that is not there.
    """
    if not conditions:
        return group_keys
    met = " AND ".join(
        macro_sql("filter_conditions", {each.name: _rule(each)}) for each in conditions
    )
    with duckdb.connect() as connection:
        connection.register("groups", pl.DataFrame({"group_key": group_keys}).to_arrow())
        return connection.execute(
            f"""
            SELECT group_key FROM (
                SELECT group_key, group_key::JSON::MAP(VARCHAR, VARCHAR) AS properties FROM groups
            ) WHERE {met}
            """
        ).pl()["group_key"]


def _rule(condition: Condition) -> dict[str, object] | list[str]:
    """The condition as an option of a metric has it."""
    match condition.operator:
        case "in":
            return list(condition.texts)
        case "not_in":
            return {"not_in": list(condition.texts)}
        case "exists" | "absent":
            return {"exists": condition.operator == "exists"}
        case operator:
            return {operator: condition.texts[0]}
