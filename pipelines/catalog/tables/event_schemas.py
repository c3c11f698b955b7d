"""event_schemas.csv: what the events of a sender must have."""

from dataclasses import dataclass

from pipelines.catalog.cells import TEXT, YES_NO, one_of
from pipelines.catalog.rows import Row, column
from pipelines.catalog.table import CatalogTable, Reference


@dataclass(frozen=True, kw_only=True)
class EventAttribute(Row):
    """One row per attribute or dimension of a source's events of one name.

    A source without rows is not checked. Of one that has rows, an event of another name is refused.

    An edit holds for files of the next run. What was accepted stays, and refused lines are decided
    again by `meterline replay`.
    """

    file_name = "event_schemas.csv"

    source: str = column(TEXT, "The sender, as in sources.csv.")
    event_name: str = column(TEXT, "Name of the event, as sent.")
    name: str = column(TEXT, "The attribute or dimension.")
    kind: str = column(
        one_of("attribute", "dimension"), "Other dialects than togai do not tell them apart."
    )
    is_required: bool = column(
        YES_NO, "Whether an event without it is refused as a schema violation."
    )


TABLE = CatalogTable(
    EventAttribute,
    key=("source", "event_name", "name"),
    references=(Reference(("source",), "sources.csv"),),
    is_optional=True,
)
