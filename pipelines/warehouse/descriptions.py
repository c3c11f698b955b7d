"""Descriptions: what the dbt project says of each mart and its columns, as comments in SQL.

dbt could write them with `persist_docs`. It would take a statement for each column in every build.
Here they are written once, into the published copy.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from pipelines.lake.ducklake import quoted
from pipelines.warehouse.phases import Manifest

_OF_EACH_MART = {"generation_id": "The generation that the row was published in."}
"""Columns that the publication adds to each mart."""

_WRAPPED = re.compile(r"\s*\n\s*(?!\s|- )")


@dataclass(frozen=True)
class Description:
    """What is said of a mart.

    Attributes:
        table: what a row is.
        columns: what each column means, by column.
    """

    table: str
    columns: dict[str, str] = field(default_factory=dict)


def described_marts(manifest: Manifest) -> dict[str, Description]:
    """The description of each mart, by table.

    Args:
        manifest: of the whole project, as dbt wrote it.
    """
    return {
        node["alias"]: Description(
            _unwrapped(node["description"]),
            {name: _unwrapped(each["description"]) for name, each in node["columns"].items()},
        )
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == "marts"
    }


def comment_statements(
    columns: Mapping[str, list[str]],
    descriptions: Mapping[str, Description],
    views: Collection[str] = (),
) -> Iterator[str]:
    """The SQL statements that comment the tables and columns that are there.

    Args:
        columns: the columns of each table, by table.
        descriptions: by table; a table or column without one gets no comment.
        views: those of the tables that are views.
    """
    for table, names in columns.items():
        described = descriptions.get(table, Description(""))
        if described.table:
            kind = "VIEW" if table in views else "TABLE"
            yield f'COMMENT ON {kind} "{table}" IS {quoted(described.table)}'
        for name in names:
            if meaning := (described.columns | _OF_EACH_MART).get(name):
                yield f'COMMENT ON COLUMN "{table}"."{name}" IS {quoted(meaning)}'


def _unwrapped(text: str) -> str:
    """The text with a line for each paragraph and each item of a list."""
    return _WRAPPED.sub(" ", text.strip())
