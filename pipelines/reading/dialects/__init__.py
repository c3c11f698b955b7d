"""Dialects: how events are read, one module a vendor.

A dialect turns one strict JSON object into the typed fields of a usage event, or raises
`RefusedLineError` with a reason.

To add a dialect, add one module that defines `DIALECT`. Its name in `sources.csv` is the name of
the module.

Belongs here: a vendor's field names and rules about one event. Must not be put here: verdicts that
need other events or the catalog (see `intake.decide`).
"""

import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

import polars as pl

from pipelines.reading.dialects.amendment import read_event
from pipelines.reading.dialects.custom import DeclaredField, declared_form
from pipelines.reading.dialects.event import EventFields, RefusedLineError, parse_path, unwrapped
from pipelines.reading.dialects.form import Dialect, EventForm
from pipelines.reading.dialects.not_usage import NotUsageError, parse_not_usage
from pipelines.reading.dialects.schemas import EventSchema, EventSchemas
from pipelines.reading.layout import Layout
from pipelines.vocabulary.members import members

DIALECTS: Mapping[str, Dialect] = MappingProxyType(members(sys.modules[__name__], "DIALECT"))
"""Each dialect by its name in `sources.csv`."""


def reader_of(source: Mapping[str, Any]) -> Dialect:
    """The reader of one source's events: its dialect, with what the catalog declares for it.

    The reader is data: it can be compared, and sent to another process.

    Args:
        source: a row of the schema `SOURCES`.

    Raises:
        MappingError: a declared field is wrong.
        ValueError: a field of the key, or of what is no usage, is not a path.
    """
    dialect = DIALECTS[source["dialect"]]
    form = dialect.form
    if source["fields"]:
        form = declared_form(form, (DeclaredField(**field) for field in source["fields"]))
    if source["key_fields"]:
        form = replace(
            form,
            key=tuple(parse_path(path) for path in source["key_fields"]),
            key_may_be_place=False,
            key_takes_numbers=True,
            prepared_for_key=dialect.prepared_for_key,
        )
    if source.get("not_usage"):
        declared = tuple(parse_not_usage(kind) for kind in source["not_usage"])
        form = replace(form, not_usage=(*form.not_usage, *declared))
    if source["event_schemas"]:
        form = replace(form, schemas=_schemas(source["event_schemas"], dialect.own_schemas))
    return replace(dialect, form=form, layout=_layout(source))


def _layout(source: Mapping[str, Any]) -> Layout:
    names = (field.name for field in fields(Layout))
    return Layout(**{name: source[name] for name in names if source.get(name) is not None})


def readers_of(sources: pl.DataFrame) -> dict[str, Dialect]:
    """The reader of each source's events, by source.

    Args:
        sources: one row per sender, schema `SOURCES`.
    """
    return {row["source"]: reader_of(row) for row in sources.iter_rows(named=True)}


def _schemas(rows: list[dict[str, Any]], own: tuple[EventSchema, ...]) -> EventSchemas:
    """The event schemas of a source. A declared one replaces the vendor's of the same name."""
    schemas = {schema.event_name: schema for schema in own}
    for name in dict.fromkeys(row["event_name"] for row in rows):
        required = [row for row in rows if row["event_name"] == name and row["is_required"]]
        schemas[name] = EventSchema(
            name,
            attributes=tuple(row["name"] for row in required if row["kind"] == "attribute"),
            dimensions=tuple(row["name"] for row in required if row["kind"] == "dimension"),
        )
    return EventSchemas(tuple(schemas.values()))


__all__ = [
    "DIALECTS",
    "DeclaredField",
    "Dialect",
    "EventFields",
    "EventForm",
    "NotUsageError",
    "RefusedLineError",
    "read_event",
    "reader_of",
    "readers_of",
    "unwrapped",
]
