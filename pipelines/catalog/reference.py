"""The reference of the catalog's files, `docs/catalog.md`, written from their declarations.

`make docs` writes it, and a test says when it is not current.
"""

import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipelines.catalog.catalog import TABLES
from pipelines.catalog.charge_models.charge import Charge
from pipelines.catalog.charge_models.usage_charge import UsageCharge
from pipelines.catalog.rows import Column
from pipelines.catalog.table import CatalogTable
from pipelines.catalog.tables.charges import MODELS, terms_of
from pipelines.vocabulary.limits import NAME_BYTES_MAX

_INTRODUCTION = """\
# The catalog

The catalog says who sends events, who is billed, for what, and at which prices. It is a folder of
CSV files, `dbt_project/seeds` unless `METERLINE_CATALOG` names another one.

- The files are UTF-8, with commas between cells and a header. The header has the columns below, in
  any order.
- A column that may be left out of the header counts as empty in every row.
- A cell has no spaces around its text, no control characters, and not the word `null`.
- A *text* has at most {bytes} bytes. A *code* is a text of letters, digits, `_`, `-` and `.`, and
  begins with a letter or a digit. A *decimal* of 15 + 15 digits has at most 15 before the point and
  15 after it.
- A *filter* is conditions joined by `;`, which must all hold. `region=eu|us` is one of these texts,
  `region!=eu|us` none of them or absent, `region?` there, `region!?` absent, and `ms>5`, `ms>=5`,
  `ms<5` and `ms<=5` compare numbers. A *match* is `region=eu;cloud=aws`, with `*` for any text. In
  names and texts, write `;`, `|`, `%`, `=` and `!` percent-encoded: `%3B` is `;`; in names also
  `?`, `<` and `>`.
- What is *not priced yet* is read and held against its rules, and refused: nothing is billed as if
  it were not there.
- No two rows of a file have the same key.

A run reads all files before it does anything else. If something is ill-formed or contradicts
itself, it writes nothing and lists every such place: file, row, column, value, and what to write.
`meterline check` lists the same before any run. It also finds a `group_by` that a metric does not
offer, and an edit that takes away what is billed.

[`docs/prices.md`](prices.md) has an example for each charge model, with rows and arithmetic.

This page is written from `pipelines/catalog/tables` and `pipelines/catalog/charge_models` by
`make docs`.
"""


_SHARED = frozenset(terms_of(UsageCharge))
"""Columns of every model that prices a metric; the chapter of charges.csv has them."""


def render_reference(
    tables: Mapping[str, CatalogTable[Any]], models: Mapping[str, type[Charge]]
) -> str:
    """The page in Markdown: a chapter a file, and one with the charge models."""
    introduction = _INTRODUCTION.format(bytes=NAME_BYTES_MAX)
    chapters = [introduction, *map(_chapter, tables.values()), _models_chapter(models)]
    return "\n".join(chapters)


def _chapter(table: CatalogTable[Any]) -> str:
    lines = [f"## {table.file_name}", "", *_doc(table.row), ""]
    lines += [f"- Key: {_names(table.key)}."]
    lines += [f"- {_names(each.columns)} must be found in {each.to}." for each in table.references]
    if table.is_optional:
        lines += ["- A catalog may do without this file."]
    if not table.is_priced:
        lines += ["- Not priced yet: a row is refused."]
    return "\n".join([*lines, "", *_columns(table.columns), ""])


def _models_chapter(models: Mapping[str, type[Charge]]) -> str:
    lines = ["## Charge models", "", "What `charge_model` in charges.csv may be.", ""]
    for name, model in models.items():
        lines += [f"### {name}", "", *_doc(model), ""]
        terms = {each: term for each, term in terms_of(model).items() if each not in _SHARED}
        if terms:
            lines += [*_columns(terms.values()), ""]
    return "\n".join(lines)


def _columns(columns: Iterable[Column]) -> Iterator[str]:
    yield from ("| column | cell | may be empty | meaning |", "| --- | --- | --- | --- |")
    for each in columns:
        may_be_empty = (
            "no" if each.is_required else "yes, or left out" if each.is_optional else "yes"
        )
        meaning = each.meaning if each.is_priced else f"{each.meaning} *Not priced yet.*"
        cells = (f"`{each.name}`", each.kind.written, may_be_empty, meaning)
        yield f"| {' | '.join(cells)} |"


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in columns)


def _doc(row: type) -> list[str]:
    return (inspect.getdoc(row) or "").splitlines()


if __name__ == "__main__":
    sys.stdout.write(render_reference(TABLES, MODELS))
