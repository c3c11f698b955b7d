"""What the catalog says of each sender, from all its files: the schema `SOURCES`."""

import polars as pl

from pipelines.catalog.table import Tables
from pipelines.catalog.tables.event_schemas import EventAttribute
from pipelines.catalog.tables.source_fields import SourceField
from pipelines.catalog.tables.sources import Source
from pipelines.vocabulary.frames import SOURCES

SENDER_TABLES = (Source, SourceField, EventAttribute)
"""The tables that say how events are read and decided."""


def sources_of(tables: Tables) -> pl.DataFrame:
    """One row per sender, defaults filled in, in the order of the file; schema `SOURCES`."""
    attributes, fields = list(tables[EventAttribute]), list(tables[SourceField])
    rows = []
    for source in tables[Source]:
        limits = source.limits
        rows.append(
            {
                "source": source.source,
                "dialect": source.dialect,
                "dedupe_scope": limits.dedupe_scope,
                "dedupe_window": limits.dedupe_window,
                "max_lateness": limits.max_lateness,
                "future_skew": limits.future_skew,
                "received_at_from": source.received_at_from,
                "late_lookup": source.late_lookup,
                "conflicts_expected": source.conflicts_expected,
                "key_fields": list(source.idempotency_key_fields),
                "fields": [
                    {"field": row.field, "path": row.path, "form": row.form}
                    for row in fields
                    if row.source == source.source
                ],
                "event_schemas": [
                    {
                        "event_name": row.event_name,
                        "name": row.name,
                        "kind": row.kind,
                        "is_required": row.is_required,
                    }
                    for row in attributes
                    if row.source == source.source
                ],
                "not_usage": list(source.not_usage),
                "paths": list(source.paths),
                "batch_member": source.batch_member,
                "format": source.format,
                "null_text": source.null_text,
                "separator": source.separator,
                "decimal_separator": source.decimal_separator,
            }
        )
    return pl.DataFrame(rows, schema=SOURCES)
