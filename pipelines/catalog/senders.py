"""What the catalog says of how a source's events are read, and whether that can be.

Belongs here: gathering what several files say of one source. Must not be put here: what a
declared field means (see `dialects`), single cells (see `catalog_files`).
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pipelines.catalog.cells import shown
from pipelines.catalog.rows import Problem, SourceFieldRow, SourceRow, Tables
from pipelines.reading.dialects import DIALECTS, reader_of
from pipelines.reading.dialects.custom import MappingError
from pipelines.reading.dialects.event import parse_path

MAPPED_FIELDS: Mapping[str, str] = MappingProxyType({"custom": "", "cloudevents": "properties"})
"""Dialect → how its fields begin that stand where the catalog says; all others are its vendor's."""


def source_reader(tables: Tables, source: SourceRow) -> dict[str, Any]:
    """What says how a source's events are read: these columns of the schema `SOURCES`."""
    return {
        "dialect": source.dialect,
        "key_fields": list(source.idempotency_key_fields or ()),
        "fields": [
            {"field": row.field, "path": row.path, "form": row.form}
            for row in _fields_of(tables, source)
        ],
        "event_schemas": [
            {
                "event_name": row.event_name,
                "name": row.name,
                "kind": row.kind,
                "is_required": row.is_required,
            }
            for row in tables.event_schemas.rows
            if row.source == source.source
        ],
    }


def reader_problems(tables: Tables) -> Iterator[Problem]:
    """Everything that keeps the events of a source from being read as the catalog says."""
    for source in tables.sources.rows:
        yield from _key_problems(tables, source)
        rows = _fields_of(tables, source)
        mapped = MAPPED_FIELDS.get(source.dialect)
        strangers = [row for row in rows if mapped is None or not row.field.startswith(mapped)]
        if strangers:
            yield Problem(
                tables.source_fields.file_name,
                strangers[0].line,
                "field",
                f"{shown(source.source)} has the dialect {shown(source.dialect)}, whose "
                f"{shown(strangers[0].field)} stands where its vendor says; write 'custom' in "
                "sources.csv, or remove the row",
            )
        elif source.dialect in DIALECTS:
            # Keys have their own problems.
            reader = {**source_reader(tables, source), "key_fields": []}
            try:
                reader_of(reader)
            except MappingError as error:
                yield Problem(
                    tables.source_fields.file_name,
                    rows[error.number].line,
                    error.column,
                    str(error),
                )


def _fields_of(tables: Tables, source: SourceRow) -> list[SourceFieldRow]:
    return [row for row in tables.source_fields.rows if row.source == source.source]


def _key_problems(tables: Tables, source: SourceRow) -> Iterator[Problem]:
    for path in source.idempotency_key_fields or ():
        try:
            parse_path(path)
        except ValueError as error:
            yield Problem(
                tables.sources.file_name, source.line, "idempotency_key_fields", str(error)
            )
