"""The reference of the lake's tables, `docs/lake.md`, written from their declarations.

`make docs` writes it, and a test says when it is not current.
"""

import sys
from collections.abc import Sequence
from textwrap import fill

from pipelines.lake.migrate import MIGRATIONS, SCHEMA_VERSION, Migration
from pipelines.vocabulary.tables import LAKE_TABLES, LakeTable

_COLUMNS_MAX = 100

_INTRODUCTION = """\
# The lake

The lake is the system of record: what landed, what was decided about each line, and every invoice.
It is a [DuckLake](https://ducklake.select): Parquet files below `lake/data` in the home, and a
catalog database, `lake/catalog.sqlite`, that says which files are a table.

- Tables are only appended to. No row is updated or deleted.
- Every row carries `batch_id`, the number of the transaction that wrote it. The lake as it was
  after batch 7 is `WHERE batch_id <= 7`.
- Instants are in UTC, to the microsecond.
- A column that a later schema added is null in the rows written before.

This page is written from `pipelines/vocabulary/tables` and `pipelines/lake/migrations` by
`make docs`. The lake itself says the same in the comments of its tables and columns.
"""


def render_reference(tables: Sequence[LakeTable], migrations: Sequence[Migration]) -> str:
    """The page in Markdown: a chapter a table, and what each migration did."""
    chapters = [_INTRODUCTION, *map(_chapter, tables), _migrations_chapter(migrations)]
    return "\n".join(chapters)


def _chapter(table: LakeTable) -> str:
    rows = [
        f"| `{column.name}` | `{column.sql_type}` | {_cell(column.meaning)} |"
        for column in table.columns
    ]
    header = ["| column | type | meaning |", "| --- | --- | --- |"]
    return "\n".join(
        [f"## {table.name}", "", fill(table.meaning, _COLUMNS_MAX), "", *header, *rows, ""]
    )


def _migrations_chapter(migrations: Sequence[Migration]) -> str:
    rows = [f"| {migration.version} | {_cell(migration.name)} |" for migration in migrations]
    text = (
        "The first run of a newer Meterline brings the lake to the newest schema, one transaction\n"
        "a migration. A program refuses a lake of a newer schema than it knows."
    )
    header = ["| schema | what its migration did |", "| --- | --- |"]
    return "\n".join(["## Schemas", "", text, "", *header, *rows, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(render_reference((*LAKE_TABLES, SCHEMA_VERSION), MIGRATIONS))
