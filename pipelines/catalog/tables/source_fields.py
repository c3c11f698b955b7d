"""source_fields.csv: where the fields of a sender's events stand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pipelines.catalog.cells import TEXT, shown
from pipelines.catalog.rows import Problem, Row, column
from pipelines.catalog.table import CatalogTable, Reference, Tables
from pipelines.catalog.tables.sources import Source
from pipelines.reading.dialects import reader_of
from pipelines.reading.dialects.custom import MappingError

MAPPED_FIELDS: Mapping[str, str] = MappingProxyType({"custom": "", "cloudevents": "properties"})
"""Dialect → how its fields begin that stand where the catalog says; all others are its vendor's."""


@dataclass(frozen=True, kw_only=True)
class SourceField(Row):
    """One row per field of the events of a source that has the dialect `custom`.

    Of one source only `customer` may stand several times. What no row names has Meterline's own
    name.
    """

    file_name = "source_fields.csv"

    source: str = column(TEXT, "The sender, as in sources.csv.")
    field: str = column(
        TEXT,
        "`customer` (of several, the first that is present counts), `subscription`, `event_name`, "
        "`timestamp`, `optional_timestamp` (the file's receipt stands for one that is missing), "
        "`properties` (an object), or `properties.` and the name of one property.",
    )
    path: str = column(
        TEXT, "Where it stands: `id`, `usage.total`, `$.usage.total` or `$['dotted.name'].total`."
    )
    form: str | None = column(
        TEXT,
        "Of a timestamp: `rfc3339`, `iso8601`, `iso8601_utc`, `iso8601+05:30` (local times of "
        "that offset), `unix_seconds`, `unix_milliseconds` or `unix_microseconds`. Of "
        "properties: `nested` (by their paths, the default) or `flat`. Of an event's name: "
        "`constant`, and the path is the name itself.",
        empty=None,
    )


def fields_that_cannot_be(tables: Tables) -> Iterator[Problem]:
    """A source's fields can be read where its rows say."""
    fields = list(tables[SourceField])
    for source in tables[Source]:
        rows = [row for row in fields if row.source == source.source]
        mapped = MAPPED_FIELDS.get(source.dialect)
        strangers = [row for row in rows if mapped is None or not row.field.startswith(mapped)]
        if strangers:
            yield strangers[0].problem(
                "field",
                f"{shown(source.source)} has the dialect {shown(source.dialect)}, whose "
                f"{shown(strangers[0].field)} stands where its vendor says; write 'custom' in "
                "sources.csv, or remove the row",
            )
            continue
        declared = [{"field": row.field, "path": row.path, "form": row.form} for row in rows]
        reader = {
            "dialect": source.dialect,
            "fields": declared,
            "key_fields": [],
            "event_schemas": [],
        }
        try:
            reader_of(reader)
        except MappingError as error:
            yield rows[error.number].problem(error.column, str(error))


TABLE = CatalogTable(
    SourceField,
    key=("source", "field", "path"),
    references=(Reference(("source",), "sources.csv"),),
    rules=(fields_that_cannot_be,),
    is_optional=True,
)
