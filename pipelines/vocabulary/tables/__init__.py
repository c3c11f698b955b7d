"""Tables of the lake: every column once, with its type and its meaning.

Belongs here: one module a subject, with the tables of that subject. Must not be put here: anything
that computes, or the SQL that makes the tables (see `lake/migrations`).

To add a table, declare it in a module here and add the migration that creates it. Nothing else
lists the tables: `LAKE_TABLES`, `docs/lake.md` and dbt's sources follow from the modules.
"""

from importlib import import_module
from pkgutil import iter_modules

from pipelines.vocabulary.tables.batches import BATCHES, CATALOGS, DEFINITIONS, TERMS
from pipelines.vocabulary.tables.books import ACTS, CLOSED_PERIODS
from pipelines.vocabulary.tables.columns import (
    LABEL,
    PROPERTIES,
    UTC_MICROSECONDS,
    Column,
    LakeTable,
)
from pipelines.vocabulary.tables.events import ACCEPTED_EVENTS, REFUSED_EVENTS
from pipelines.vocabulary.tables.files import FILE_DECISIONS, HELD_NAMES, LANDING_FILES
from pipelines.vocabulary.tables.invoices import INVOICE_LINES, INVOICES
from pipelines.vocabulary.tables.lake_files import LAKE_FILES


def _declared_tables() -> tuple[LakeTable, ...]:
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    values = (value for module in modules for value in vars(module).values())
    # A dict, because a module may import the table of another one.
    return tuple(dict.fromkeys(value for value in values if isinstance(value, LakeTable)))


LAKE_TABLES = _declared_tables()
"""Every table of the lake but `schema_version`, in the order of modules and declarations."""

__all__ = [
    "ACCEPTED_EVENTS",
    "ACTS",
    "BATCHES",
    "CATALOGS",
    "CLOSED_PERIODS",
    "DEFINITIONS",
    "FILE_DECISIONS",
    "HELD_NAMES",
    "INVOICES",
    "INVOICE_LINES",
    "LABEL",
    "LAKE_FILES",
    "LAKE_TABLES",
    "LANDING_FILES",
    "PROPERTIES",
    "REFUSED_EVENTS",
    "TERMS",
    "UTC_MICROSECONDS",
    "Column",
    "LakeTable",
]
