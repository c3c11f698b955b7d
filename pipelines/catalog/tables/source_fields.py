"""source_fields.csv: where the fields of a sender's events stand."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.catalog.cells import TEXT
from pipelines.catalog.rows import Problem, Row, column
from pipelines.catalog.table import CatalogTable, Reference, Tables
from pipelines.catalog.tables.sources import Source
from pipelines.reading.dialects import reader_of
from pipelines.reading.dialects.custom import MappingError


@dataclass(frozen=True, kw_only=True)
class SourceField(Row):
    """One row per field of a source's events that stands elsewhere than its dialect says.

    Of one source only `customer` and `json_text` may stand several times. What no row names is
    where the dialect says: in `custom`, it has Meterline's own name.

    An edit holds for files of the next run. What was accepted stays, and refused lines are decided
    again by `meterline replay`.
    """

    file_name = "source_fields.csv"

    source: str = column(TEXT, "The sender, as in sources.csv.")
    field: str = column(
        TEXT,
        "`customer` (of several, the first that is present counts), `subscription`, `event_name`, "
        "`timestamp`, `optional_timestamp` (the file's receipt stands for one that is missing), "
        "`properties` (an object), or `properties.` and the name of one property; `json_text` is a "
        "member that holds an object as a JSON text.",
    )
    path: str = column(
        TEXT, "Where it stands: `id`, `usage.total`, `$.usage.total` or `$['dotted.name'].total`."
    )
    form: str | None = column(
        TEXT,
        "Of a timestamp: `rfc3339`, `iso8601`, `iso8601_utc`, `iso8601+05:30` (local times of "
        "that offset), `unix_seconds`, `unix_milliseconds` or `unix_microseconds`. Of "
        "properties: `nested` (by their paths, the default) or `flat`. Of a customer or an "
        "event's name: `constant`, and the path is the name itself; or `folder`, and the path is "
        "the number of the folder below the source's, or `region` for a folder `region=eu`.",
        empty=None,
    )


def fields_that_cannot_be(tables: Tables) -> Iterator[Problem]:
    """A source's fields can be read where its rows say."""
    fields = list(tables[SourceField])
    for source in tables[Source]:
        rows = [row for row in fields if row.source == source.source]
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
