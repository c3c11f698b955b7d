"""Catalog seeds: the files of the catalog as seeds of the dbt project, written from their tables.

`make docs` writes them to `dbt_project/seeds/_catalog__seeds.yml`. A test fails if that file is not
current. Every column is loaded as text; the staging models read it.
"""

import inspect
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from pipelines.catalog.catalog import TABLES
from pipelines.catalog.cells import CURRENCY
from pipelines.catalog.rows import Column
from pipelines.catalog.table import BILLABLE_METRICS, CatalogTable

_HEAD = """\
# Written by `make docs` from `pipelines/catalog/tables` and `pipelines/catalog/charge_models`.
version: 2

seeds:
"""


def render_seeds(tables: Iterable[CatalogTable[Any]]) -> str:
    """The yml of the seeds: each with its columns, and what dbt asserts of them."""
    return _HEAD + "".join(_seed(table) for table in tables if table.is_seed)


def _seed(table: CatalogTable[Any]) -> str:
    name = table.file_name.removesuffix(".csv")
    meaning = (inspect.getdoc(table.row) or "").splitlines()[0].removesuffix(".")
    key = ", ".join(f"`{column}`" for column in table.key)
    lines = [
        f"  - name: {name}",
        f"    description: {_quoted(f'{meaning}; key ({key}).')}",
        "    config:",
        "      column_types:",
        *(f"        {each.name}: varchar" for each in table.columns),
        "    data_tests:",
        "      - assertions:",
        f"          name: assertions_of_{name}",
        "          arguments:",
        "            all:",
        *(f"              - {assertion}" for assertion in _assertions(table)),
        "    columns:",
        *(
            f"      - {{name: {each.name}, description: {_quoted(each.meaning)}}}"
            for each in table.columns
        ),
    ]
    return "\n".join(lines) + "\n"


def _assertions(table: CatalogTable[Any]) -> Iterator[str]:
    """What dbt asserts of a seed, of the columns that every file has."""
    columns = {each.name: each for each in table.columns if not each.is_optional}
    keys = [columns[name] for name in table.key if name in columns]
    never_empty = ", ".join(each.name for each in keys if each.is_required)
    maybe_empty = ", ".join(each.name for each in keys if not each.is_required)
    nullable = f", nullable_columns: [{maybe_empty}]" if maybe_empty else ""
    # The staging model asserts a key of which a column may be left out.
    if len(keys) == len(table.key):
        yield f"unique_key: {{columns: [{never_empty}]{nullable}}}"
    targets = {
        each.columns[0]: each.to.removesuffix(".csv")
        for each in table.references
        if len(each.columns) == 1 and each.to != BILLABLE_METRICS
    }
    for column in columns.values():
        yield from _assertions_of(column, targets.get(column.name))


def _assertions_of(column: Column, target: str | None) -> Iterator[str]:
    name = column.name
    if column.is_required:
        yield f"not_null: {{column_name: {name}}}"
    if target is not None:
        yield f"relationships: {{column_name: {name}, to: ref('{target}'), field: {name}}}"
    if column.kind == CURRENCY:
        yield f"relationships: {{column_name: {name}, to: ref('currencies'), field: currency}}"
    if column.kind.choices and column.is_required:
        yield f"one_of: {{column_name: {name}, values: [{', '.join(column.kind.choices)}]}}"
    if name == "charge_model":
        yield f"one_of: {{column_name: {name}, values: var('charge_models')}}"


def _quoted(text: str) -> str:
    # Any text in JSON is also a text in YAML.
    return json.dumps(text, ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.write(render_seeds(TABLES.values()))
