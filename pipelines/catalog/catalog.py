"""The catalog: reference data read from CSV, validated as a whole, and typed.

A `Catalog` exists only if nothing in it contradicts itself. Its digest names the very bytes it was
read from.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import polars as pl

from pipelines.catalog import tables as table_modules
from pipelines.catalog.csv_files import BYTE_ORDER_MARK, read_file
from pipelines.catalog.rows import Row
from pipelines.catalog.rules import catalog_problems
from pipelines.catalog.senders import sources_of
from pipelines.catalog.table import CatalogTable, Tables
from pipelines.catalog.tables.sources import Source
from pipelines.vocabulary.errors import CatalogError
from pipelines.vocabulary.members import members

TABLES: Final[Mapping[str, CatalogTable[Any]]] = MappingProxyType(
    {table.file_name: table for table in members(table_modules, "TABLE").values()}
)
"""Every table of a catalog, by the name of its CSV file."""


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
    files = read_contents(folder)
    return catalog_of(validated_tables(files, metric_codes), files)


def validated_tables(files: Mapping[str, bytes], metric_codes: frozenset[str]) -> Tables:
    """The rows of all files of a catalog.

    Raises:
        CatalogError: with every problem found, ordered by file and row.
    """
    read = {name: read_file(table, files.get(name)) for name, table in TABLES.items()}
    tables = Tables(
        {name: file.frame for name, file in read.items()},
        ill_formed=[name for name, file in read.items() if file.problems],
    )
    if problems := catalog_problems(TABLES.values(), read, tables, metric_codes):
        raise CatalogError([str(problem) for problem in problems])
    return tables


def stored_tables(files: Mapping[str, bytes], rows: Iterable[type[Row]] = ()) -> Tables:
    """The rows of files that were valid when they were stored; they are not judged again.

    Args:
        files: name → bytes; one that is missing has no rows.
        rows: the classes of the rows to read; none: of all tables.
    """
    names = [row.file_name for row in rows] or list(TABLES)
    return Tables({name: read_file(TABLES[name], files.get(name)).frame for name in names})


def catalog_of(tables: Tables, files: Mapping[str, bytes]) -> Catalog:
    """The catalog of tables that do not contradict themselves, and of the files they stand in."""
    warn = (warn for table in TABLES.values() for warn in table.warnings)
    return Catalog(
        tables=tables,
        sources=sources_of(tables),
        warnings=tuple(sentence for each in warn for sentence in each(tables)),
        digest=catalog_digest(files),
        files=MappingProxyType(dict(files)),
    )


def read_contents(folder: Path) -> dict[str, bytes]:
    """The bytes of each file of the catalog in a folder, by name, without a byte order mark.

    A spreadsheet that adds the mark has changed nothing, so the digest stays what it was.

    Raises:
        CatalogError: there is none, or one cannot be opened.
    """
    contents = dict[str, bytes]()
    for name in TABLES:
        try:
            contents[name] = (folder / name).read_bytes().removeprefix(BYTE_ORDER_MARK)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise CatalogError([f"{name}: cannot be read from {folder}: {error}"]) from error
    if strangers := list(_misspelt(folder, contents)):
        raise CatalogError(strangers)
    if not contents:
        needed = ", ".join(name for name, table in TABLES.items() if not table.is_optional)
        raise CatalogError([f"{folder} holds no catalog; it needs {needed}"])
    return contents


def _misspelt(folder: Path, contents: Mapping[str, bytes]) -> Iterator[str]:
    """Files that are called nearly like one of the catalog that is absent, and have its key.

    Nobody would read such a file, and its prices would be passed over. Other files in the folder
    are somebody's own, such as a mapping that a metric joins.
    """
    absent = {name.lower(): table for name, table in TABLES.items() if name not in contents}
    for path in sorted(folder.glob("*.[cC][sS][vV]")):
        close = get_close_matches(path.name.lower(), absent, n=1, cutoff=0.75)
        if path.name not in TABLES and close:
            table = absent[close[0]]
            header = path.read_bytes().partition(b"\n")[0].decode(errors="replace")
            if table.key[0] in re.split(r"[,;\t\r\"]", header):
                yield (
                    f"{path.name}: is no file of the catalog, and nobody would read it; rename it "
                    f"to {table.file_name}, or to something that is less like it"
                )


def catalog_digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 (hex) over names, sizes and bytes of the files, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(files):
        # The size keeps two files from being taken for one.
        digest.update(f"{name}\n{len(files[name])}\n".encode())
        digest.update(files[name])
    return digest.hexdigest()
