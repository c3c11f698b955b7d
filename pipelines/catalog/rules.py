"""What is wrong with a catalog as a whole: its files, its keys, its references, its rules."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.catalog.cells import shown
from pipelines.catalog.csv_files import FileRead
from pipelines.catalog.rows import REQUIRED, Problem
from pipelines.catalog.table import BILLABLE_METRICS, CatalogTable, TableNotWholeError, Tables
from pipelines.vocabulary.money import plain_decimal


def catalog_problems(
    declared: Iterable[CatalogTable[Any]],
    files: Mapping[str, FileRead],
    tables: Tables,
    metric_codes: frozenset[str],
) -> list[Problem]:
    """Everything that is ill-formed or contradicts itself, ordered by place.

    Keys and references are checked on the text of every row, so that one ill-formed cell does not
    make its row unknown to others.

    Args:
        declared: every table of a catalog.
        files: each of them as read, by file name.
        tables: their well-formed rows.
        metric_codes: the billable metrics there are.
    """
    targets = _targets(files, metric_codes)
    found = list[Problem]()
    for table in declared:
        read = files[table.file_name]
        found += read.problems
        found += _repeated_keys(table, read.texts)
        found += _unknown_references(table, read, targets)
        for rule in table.rules:
            try:
                found += list(rule(tables))
            except TableNotWholeError:
                continue
        found += _unpriced(table, tables)
    return sorted(found)


def _repeated_keys(table: CatalogTable[Any], texts: pl.DataFrame) -> Iterator[Problem]:
    first = pl.col("line").min().over(table.key)
    repeated = texts.select("line", *table.key, first_line=first).filter(
        pl.col("line") > pl.col("first_line")
    )
    for line, *key, first_line in repeated.iter_rows():
        reason = f"{_shown(key) or 'an empty key'} stands in row {first_line} already; keep one"
        yield Problem(table.file_name, line, table.key[-1], reason)


def _unpriced(table: CatalogTable[Any], tables: Tables) -> Iterator[Problem]:
    """What bills do not know yet: they must not pass it over as if it were not there."""
    rows = tables[table.row]
    if not table.is_priced:
        for line in rows.frame["line"]:
            reason = "not priced yet: bills do not know this file; remove the row"
            yield Problem(table.file_name, line, "", reason)
        return
    for column in table.columns:
        if column.is_priced:
            continue
        cell = pl.col(column.name)
        says_more: pl.Expr
        if isinstance(column.usual, tuple):
            says_more = cell.list.len() > 0
        elif column.usual is None or column.usual is REQUIRED:
            says_more = cell.is_not_null()
        else:
            says_more = cell.ne(column.usual)
        for line, value in rows.where(says_more).frame.select("line", cell).iter_rows():
            reason = f"not priced yet: {shown(_written(value))}; leave the cell empty"
            yield Problem(table.file_name, line, column.name, reason)


def _written(value: object) -> str:
    match value:
        case Decimal():
            return plain_decimal(value)
        case bool():
            return "yes" if value else "no"
        case list():
            return ";".join(value)
    return str(value)


@dataclass(frozen=True)
class _Target:
    """What references name: keys as text, and what to do about one that is not there."""

    keys: pl.DataFrame
    advice: str


def _targets(files: Mapping[str, FileRead], metric_codes: frozenset[str]) -> dict[str, _Target]:
    targets = {
        name: _Target(read.texts, f"is not in {name}; add it there or correct it here")
        for name, read in files.items()
        if read.is_readable
    }
    codes = sorted(metric_codes)
    targets[BILLABLE_METRICS] = _Target(
        pl.DataFrame({"metric_code": codes}, {"metric_code": pl.String}),
        f"is no billable metric; there are: {', '.join(codes) or 'none'}",
    )
    return targets


def _unknown_references(
    table: CatalogTable[Any], read: FileRead, targets: Mapping[str, _Target]
) -> Iterator[Problem]:
    # A cell that is ill-formed is a problem already. What it would name is not known.
    ill_formed = {(problem.row, problem.column) for problem in read.problems}
    for reference in table.references:
        if reference.to not in targets:
            continue
        target, columns = targets[reference.to], reference.columns
        naming = read.texts.filter(pl.any_horizontal(pl.col(name) != "" for name in columns))
        for line, *key in (
            naming.join(target.keys, on=columns, how="anti").select("line", *columns).iter_rows()
        ):
            if not any((line, name) in ill_formed for name in columns):
                reason = f"{_shown(key)} {target.advice}"
                yield Problem(table.file_name, line, columns[-1], reason)


def _shown(key: Iterable[str]) -> str:
    return ", ".join(shown(part) for part in key if part)
