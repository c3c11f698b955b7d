"""The catalog: reference data read from CSV, validated as a whole, typed, and frozen by digest.

Belongs here: opening the files, the typed frames, the frozen copy. Must not be put here: what
a file may hold (see `catalog_files`) and what files may say together (see `catalog_rules`).

Invariant: a `Catalog` exists only if nothing in it contradicts itself, and its digest names
the very bytes it was read from, which dbt loads from the frozen copy.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import polars as pl

from pipelines.catalog.rows import FILE_NAMES, OPTIONAL_FILES, Row, Tables, read_tables
from pipelines.catalog.rules import (
    DialectWindows,
    catalog_problems,
    catalog_warnings,
    source_limits,
)
from pipelines.catalog.senders import reader_problems, source_reader
from pipelines.reading.dialects import DIALECTS
from pipelines.vocabulary.errors import CatalogError
from pipelines.vocabulary.frames import SOURCES
from pipelines.vocabulary.tables import UTC_MICROSECONDS

DIALECT_WINDOWS: DialectWindows = MappingProxyType(
    {name: dialect.dedupe_window for name, dialect in DIALECTS.items()}
)
"""Dialects a source may have, and the dedupe window its vendor promises; None is unlimited."""

CUSTOMERS = pl.Schema(
    {
        "customer_id": pl.String(),
        "name": pl.String(),
        "currency": pl.String(),
        "time_zone": pl.String(),
        "grace_period_days": pl.Int32(),
        "late_usage_policy": pl.String(),
    }
)
"""One row per customer."""

ALIASES = pl.Schema(
    {
        "alias": pl.String(),
        "customer_id": pl.String(),
        "valid_from_at": UTC_MICROSECONDS,
        "valid_to_at": UTC_MICROSECONDS,
    }
)
"""One row per alias and validity `[from, to)`; a null bound is open."""

PLANS = pl.Schema({"plan_code": pl.String(), "name": pl.String(), "currency": pl.String()})
"""One row per plan; a null currency is the customer's."""

CHARGES = pl.Schema(
    {
        "plan_code": pl.String(),
        "charge_code": pl.String(),
        "metric_code": pl.String(),
        "charge_model": pl.String(),
        "unit_price": pl.Decimal(30, 15),
        "group_by": pl.List(pl.String()),
        "valid_from": pl.Date(),
    }
)
"""One row per price version of a charge; `group_by` is empty when ungrouped."""

CHARGE_TIERS = pl.Schema(
    {
        "plan_code": pl.String(),
        "charge_code": pl.String(),
        "valid_from": pl.Date(),
        "from_units": pl.Decimal(38, 18),
        "up_to_units": pl.Decimal(38, 18),
        "unit_price": pl.Decimal(30, 15),
        "flat_amount": pl.Decimal(30, 15),
    }
)
"""One row per tier: from exclusive, up to inclusive (null = open), flat 0 where none is said."""

SUBSCRIPTIONS = pl.Schema(
    {
        "subscription_id": pl.String(),
        "customer_id": pl.String(),
        "plan_code": pl.String(),
        "interval": pl.String(),
        "interval_count": pl.Int32(),
        "anchor": pl.String(),
        "start_date": pl.Date(),
        "end_date": pl.Date(),
    }
)
"""One row per subscription; local dates, the end exclusive, null = open."""

_UNFINISHED = ".unfinished-"


@dataclass(frozen=True)
class Catalog:
    """Reference data that does not contradict itself.

    Attributes:
        sources: schema `SOURCES` of `rules`, defaults filled in; in the order of the file,
            as all frames here.
        customers: schema `CUSTOMERS`.
        aliases: schema `ALIASES`.
        plans: schema `PLANS`.
        charges: schema `CHARGES`.
        charge_tiers: schema `CHARGE_TIERS`.
        subscriptions: schema `SUBSCRIPTIONS`.
        warnings: what is allowed but may surprise, a sentence each.
        digest: SHA-256 (hex) over the files' names and bytes.
        files: name → bytes, as read.
        auto_customer_sources: whose unknown customers are provisional rather than nobody.
    """

    sources: pl.DataFrame
    customers: pl.DataFrame
    aliases: pl.DataFrame
    plans: pl.DataFrame
    charges: pl.DataFrame
    charge_tiers: pl.DataFrame
    subscriptions: pl.DataFrame
    warnings: tuple[str, ...]
    digest: str
    files: Mapping[str, bytes]
    auto_customer_sources: frozenset[str] = frozenset()


def read_catalog(
    folder: Path,
    metric_codes: frozenset[str],
    dialect_windows: DialectWindows = DIALECT_WINDOWS,
) -> Catalog:
    """The catalog in a folder, whole and free of contradictions.

    Each file is read once: what is validated, digested and frozen are the same bytes. Files
    that are not of the catalog are left alone.

    Args:
        folder: holds the CSV files.
        metric_codes: the billable metrics there are.
        dialect_windows: the dialects there are, and their usual windows.

    Raises:
        CatalogError: with every problem found, ordered by file and row.
    """
    files = _file_contents(folder)
    tables = read_tables(files)
    problems = sorted(
        [
            *tables.problems,
            *catalog_problems(tables, metric_codes, dialect_windows),
            *reader_problems(tables),
        ]
    )
    if problems:
        raise CatalogError([str(problem) for problem in problems])
    return Catalog(
        sources=_sources(tables, dialect_windows),
        customers=_frame(tables.customers.rows, CUSTOMERS),
        aliases=_frame(
            tables.customer_aliases.rows,
            ALIASES,
            valid_from_at="valid_from",
            valid_to_at="valid_to",
        ),
        plans=_frame(tables.plans.rows, PLANS),
        charges=_frame(tables.charges.rows, CHARGES).with_columns(pl.col("group_by").fill_null([])),
        charge_tiers=_frame(tables.charge_tiers.rows, CHARGE_TIERS)
        .with_columns(pl.col("flat_amount").fill_null(0))
        .cast({"flat_amount": CHARGE_TIERS["flat_amount"]}),
        subscriptions=_frame(tables.subscriptions.rows, SUBSCRIPTIONS),
        warnings=catalog_warnings(tables, dialect_windows),
        digest=catalog_digest(files),
        files=MappingProxyType(files),
        auto_customer_sources=frozenset(
            row.source for row in tables.sources.rows if row.auto_customers
        ),
    )


def _file_contents(folder: Path) -> dict[str, bytes]:
    contents = dict[str, bytes]()
    for name in FILE_NAMES:
        try:
            contents[name] = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise CatalogError([f"{name}: cannot be read from {folder}: {error}"]) from error
    if not contents:
        needed = ", ".join(name for name in FILE_NAMES if name not in OPTIONAL_FILES)
        raise CatalogError([f"{folder} holds no catalog; it needs {needed}"])
    return contents


def _sources(tables: Tables, dialect_windows: DialectWindows) -> pl.DataFrame:
    rows = []
    for row in tables.sources.rows:
        limits = source_limits(row, dialect_windows)
        rows.append(
            {
                "source": row.source,
                "dedupe_scope": limits.dedupe_scope,
                "dedupe_window": limits.dedupe_window,
                "max_lateness": limits.max_lateness,
                "future_skew": limits.future_skew,
                "received_at_from": row.received_at_from,
                "late_lookup": bool(row.late_lookup),
                "conflicts_expected": bool(row.conflicts_expected),
                **source_reader(tables, row),
            }
        )
    return pl.DataFrame(rows, schema=SOURCES)


def _frame(rows: Iterable[Row], schema: pl.Schema, **field_by_column: str) -> pl.DataFrame:
    fields = [field_by_column.get(column, column) for column in schema]
    return pl.DataFrame(
        [[getattr(row, field) for field in fields] for row in rows], schema=schema, orient="row"
    )


def read_sources(folder: Path, dialect_windows: DialectWindows = DIALECT_WINDOWS) -> pl.DataFrame:
    """The sources of a catalog that was valid when it was frozen; schema `SOURCES`.

    Args:
        folder: a frozen copy.
        dialect_windows: the dialects there are, and their usual windows.
    """
    return _sources(read_tables(_file_contents(folder)), dialect_windows)


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
