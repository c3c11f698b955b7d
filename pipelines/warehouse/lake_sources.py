"""Lake sources: the lake's tables as sources of the dbt project, written from their declarations.

`make docs` writes them to `_lake__sources.yml`. A test fails if that file is not current.
"""

import json
import sys
from collections.abc import Sequence

from pipelines.lake.migrate import SCHEMA_VERSION
from pipelines.vocabulary.tables import LAKE_TABLES, Column, LakeTable

_SOURCE = """\
# Written by `make docs` from `pipelines/vocabulary/tables`.
version: 2

sources:
  - name: lake
    description: >
      The system of record, attached read-only at one snapshot; append-only, and
      every row carries `batch_id`.
    database: lake
    schema: main
    tables:
"""


def render_sources(tables: Sequence[LakeTable]) -> str:
    """The yml of the source `lake`: every table, with one line per column."""
    return _SOURCE + "".join(map(_table, tables))


def _table(table: LakeTable) -> str:
    lines = [
        f"      - name: {table.name}",
        f"        description: {_quoted(table.meaning)}",
        "        columns:",
        *map(_column, table.columns),
    ]
    return "\n".join(lines) + "\n"


def _column(column: Column) -> str:
    data_type = _quoted(column.sql_type.lower())
    description = _quoted(column.meaning)
    return (
        f"          - {{name: {column.name}, data_type: {data_type}, description: {description}}}"
    )


def _quoted(text: str) -> str:
    # Any text in JSON is also a text in YAML.
    return json.dumps(text, ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.write(render_sources((SCHEMA_VERSION, *LAKE_TABLES)))
