"""The catalog: reference data read from CSV, validated as a whole, typed, and frozen by digest.

A `Catalog` exists only if nothing in it contradicts itself. Its digest names the very bytes it was
read from, which dbt loads from the frozen copy.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import polars as pl

from pipelines.catalog import tables as table_modules
from pipelines.catalog.csv_files import FileRead, read_file
from pipelines.catalog.rows import Row
from pipelines.catalog.rules import catalog_problems
from pipelines.catalog.senders import SENDER_TABLES, sources_of
from pipelines.catalog.table import CatalogTable, Tables
from pipelines.catalog.tables.sources import Source
from pipelines.vocabulary.errors import CatalogError
from pipelines.vocabulary.members import members

TABLES: Final[Mapping[str, CatalogTable[Any]]] = MappingProxyType(
    {table.file_name: table for table in members(table_modules, "TABLE").values()}
)
"""Every table of a catalog, by the name of its CSV file."""

_UNFINISHED = ".unfinished-"


@dataclass(frozen=True)
class Catalog:
    """Reference data that does not contradict itself.

    Attributes:
        tables: the rows of each file, typed, in its order.
        sources: what the catalog says of each sender; schema `SOURCES`.
        warnings: what is allowed but may surprise, a sentence each.
        digest: SHA-256 (hex) over the files' names and bytes.
        files: name → bytes, as read.
    """

    tables: Tables
    sources: pl.DataFrame
    warnings: tuple[str, ...]
    digest: str
    files: Mapping[str, bytes]

    def frame(self, row: type[Row]) -> pl.DataFrame:
        """The rows of one file; columns as its row class declares them."""
        return self.tables[row].frame.drop("line")

    @property
    def auto_customer_sources(self) -> frozenset[str]:
        """Sources whose unknown customers are provisional rather than nobody."""
        return frozenset(row.source for row in self.tables[Source] if row.auto_customers)


def read_catalog(folder: Path, metric_codes: frozenset[str]) -> Catalog:
    """The catalog in a folder, whole and free of contradictions.

    Each file is read once: what is validated, digested and frozen are the same bytes. Files
    that are not of the catalog are left alone.

    Args:
        folder: holds the CSV files.
        metric_codes: the billable metrics there are.

    Raises:
        CatalogError: with every problem found, ordered by file and row.
    """
    contents = _file_contents(folder)
    read = _read_files(TABLES.values(), contents)
    tables = _tables(read)
    problems = catalog_problems(TABLES.values(), read, tables, metric_codes)
    if problems:
        raise CatalogError([str(problem) for problem in problems])
    return Catalog(
        tables=tables,
        sources=sources_of(tables),
        warnings=tuple(
            sentence
            for table in TABLES.values()
            for warn in table.warnings
            for sentence in warn(tables)
        ),
        digest=catalog_digest(contents),
        files=MappingProxyType(contents),
    )


def read_sources(folder: Path) -> pl.DataFrame:
    """The sources of a catalog that was valid when it was frozen; schema `SOURCES`.

    Args:
        folder: a frozen copy.
    """
    tables = [TABLES[row.file_name] for row in SENDER_TABLES]
    return sources_of(_tables(_read_files(tables, _file_contents(folder))))


def _file_contents(folder: Path) -> dict[str, bytes]:
    contents = dict[str, bytes]()
    for name in TABLES:
        try:
            contents[name] = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise CatalogError([f"{name}: cannot be read from {folder}: {error}"]) from error
    if not contents:
        needed = ", ".join(name for name, table in TABLES.items() if not table.is_optional)
        raise CatalogError([f"{folder} holds no catalog; it needs {needed}"])
    return contents


def _read_files(
    tables: Iterable[CatalogTable[Any]], contents: Mapping[str, bytes]
) -> dict[str, FileRead]:
    return {table.file_name: read_file(table, contents.get(table.file_name)) for table in tables}


def _tables(files: Mapping[str, FileRead]) -> Tables:
    return Tables(
        {name: read.frame for name, read in files.items()},
        ill_formed=[name for name, read in files.items() if read.problems],
    )


def catalog_digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 (hex) over names, sizes and bytes of the files, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(files):
        # The size keeps two files from being taken for one.
        digest.update(f"{name}\n{len(files[name])}\n".encode())
        digest.update(files[name])
    return digest.hexdigest()


def freeze_catalog(catalog: Catalog, folder: Path) -> Path:
    """The catalog's exact bytes in a folder named by its digest; made once, never changed.

    Call it under the writer lock: what an unfinished call left behind is removed.

    Args:
        catalog: as read.
        folder: holds all frozen catalogs; made if absent.

    Returns:
        `folder/<digest>`.

    Raises:
        CatalogError: the folder is there with other bytes: someone edited the frozen copy.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(leftover)
    frozen = folder / catalog.digest
    if not frozen.exists():
        unfinished = folder / f"{_UNFINISHED}{catalog.digest}"
        unfinished.mkdir()
        for name, content in catalog.files.items():
            with (unfinished / name).open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        unfinished.rename(frozen)
    if any((frozen / name).read_bytes() != content for name, content in catalog.files.items()):
        raise CatalogError(
            [f"{frozen} differs from the catalog of that digest; remove the folder and run again"]
        )
    return frozen
