"""Charge filters: which groups of metered usage a charge takes, by the macros that bill."""

import duckdb
import polars as pl

from pipelines.warehouse.metric_macros import macro_sql


def groups_taken(filters: str | None, group_keys: pl.Series) -> pl.Series:
    """Those groups that meet all conditions.

    Args:
        filters: of a charge, as charges.csv has them; None takes all.
        group_keys: JSON objects of properties and their texts, null for one that is not there.
    """
    if not filters:
        return group_keys
    with duckdb.connect() as connection:
        connection.register("groups", pl.DataFrame({"group_key": group_keys}).to_arrow())
        return connection.execute(
            f"""
            SELECT group_key FROM (
                SELECT group_key, {macro_sql("properties_of_group", "group_key")} AS properties,
                    {macro_sql("conditions_of", "$filters")} AS conditions
                FROM groups
            ) WHERE {macro_sql("conditions_hold", "conditions", "properties")}
            """,
            {"filters": filters},
        ).pl()["group_key"]
