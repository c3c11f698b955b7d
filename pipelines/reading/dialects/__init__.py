"""Dialects: what each vendor's customers send, as one small module each.

A dialect turns one strict JSON object into the typed fields of a usage event, or raises
`RefusedLineError` with a reason. Adding a dialect is adding a module and a line in `DIALECTS`.
Must not be put here: verdicts that need other events or the catalog (see `decide`).
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import polars as pl

from pipelines.reading.dialects import (
    cloudevents,
    custom,
    lago,
    metronome,
    orb,
    segment,
    stripe,
    togai,
)
from pipelines.reading.dialects.amendment import read_event
from pipelines.reading.dialects.custom import DeclaredField, declared_form
from pipelines.reading.dialects.event import EventFields, RefusedLineError, parse_path, unwrapped
from pipelines.reading.dialects.form import Dialect, EventForm, EventSchema, EventSchemas

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "cloudevents": cloudevents.DIALECT,
        "custom": custom.DIALECT,
        "lago": lago.DIALECT,
        "metronome": metronome.DIALECT,
        "orb": orb.DIALECT,
        "segment": segment.DIALECT,
        "stripe": stripe.DIALECT,
        "togai": togai.DIALECT,
    }
)
"""Dialect by the name used in `sources.csv`."""


def reader_of(source: Mapping[str, Any]) -> Dialect:
    """What reads the events of a source: its dialect, with what its catalog says of it.

    The reader is data: it can be compared, and handed to another process.

    Args:
        source: a row of the schema `SOURCES`.

    Raises:
        MappingError: a declared field cannot be.
        ValueError: a field of the key is no path.
    """
    dialect = DIALECTS[source["dialect"]]
    form = dialect.form
    if source["fields"]:
        form = declared_form(form, (DeclaredField(**field) for field in source["fields"]))
    if source["key_fields"]:
        form = replace(
            form,
            key=tuple(parse_path(path) for path in source["key_fields"]),
            key_takes_numbers=True,
            prepared_for_key=togai.by_name if dialect is togai.DIALECT else None,
        )
    if source["event_schemas"]:
        form = replace(form, schemas=_schemas(source["event_schemas"], dialect))
    return replace(dialect, form=form)


def readers_of(sources: pl.DataFrame) -> dict[str, Dialect]:
    """What reads the events of each source, by the source; `sources` has the schema `SOURCES`."""
    return {row["source"]: reader_of(row) for row in sources.iter_rows(named=True)}


def _schemas(rows: list[dict[str, Any]], dialect: Dialect) -> EventSchemas:
    own = togai.OWN_SCHEMAS if dialect is togai.DIALECT else ()
    declared = {schema.event_name: schema for schema in own}
    for name in dict.fromkeys(row["event_name"] for row in rows):
        required = [row for row in rows if row["event_name"] == name and row["is_required"]]
        declared[name] = EventSchema(
            name,
            attributes=tuple(row["name"] for row in required if row["kind"] == "attribute"),
            dimensions=tuple(row["name"] for row in required if row["kind"] == "dimension"),
        )
    return EventSchemas(tuple(declared.values()))


__all__ = [
    "DIALECTS",
    "DeclaredField",
    "Dialect",
    "EventFields",
    "EventForm",
    "RefusedLineError",
    "read_event",
    "reader_of",
    "readers_of",
    "unwrapped",
]
