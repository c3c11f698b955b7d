"""customer_aliases.csv: other names that senders use for a customer."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from pipelines.catalog.cells import INSTANT, TEXT, shown
from pipelines.catalog.rows import Problem, Row, column
from pipelines.catalog.table import CatalogTable, Reference, Tables
from pipelines.catalog.tables.customers import Customer, ends_of
from pipelines.vocabulary.instants import rfc3339_text

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Alias(Row):
    """One row per alias and validity `[from, to)`.

    An edit holds from the next run on, for all usage that is on no finalized invoice.
    """

    file_name = "customer_aliases.csv"

    alias: str = column(TEXT, "Another name that senders use for the customer.")
    customer_id: str = column(TEXT, "The customer it means.")
    valid_from: datetime | None = column(
        INSTANT, "From when on it is valid; empty is since ever.", empty=None
    )
    valid_to: datetime | None = column(
        INSTANT, "From when on it is no longer valid; empty is for ever.", empty=None
    )

    @property
    def span(self) -> tuple[datetime, datetime]:
        """First instant and end of its validity."""
        return self.valid_from or _ALWAYS, self.valid_to or _FOREVER


def customer_ids_as_aliases(tables: Tables) -> Iterator[Problem]:
    """An alias is nobody's id: an id names its customer until that ends."""
    customers, aliases = tables.whole(Customer), tables.whole(Alias)
    ends = dict(ends_of(tables).iter_rows())
    suspects = aliases.where(pl.col("alias").is_in(customers.frame["customer_id"].implode()))
    named = customers.where(pl.col("customer_id").is_in(suspects.frame["alias"].implode()))
    lines = {customer.customer_id: customer.line for customer in named}
    for row in suspects:
        end, place = ends.get(row.alias), f"(customers.csv, row {lines[row.alias]})"
        if row.alias == row.customer_id:
            yield row.problem(
                "alias",
                f"{shown(row.alias)} is its own customer's id {place}, which names that customer "
                "as long as there is one; remove the row",
            )
        elif end is None:
            yield row.problem(
                "alias",
                f"{shown(row.alias)} is another customer's id {place}, which names that customer "
                "always; use another alias, or write the day ends_on from which on the id is free",
            )
        elif row.span[0] < end:
            yield row.problem(
                "valid_from",
                f"alias {shown(row.alias)} begins with {_start(row)}, but it is another customer's "
                f"id {place} until {_instant(end)}; begin it then or later",
            )


def ends_before_starts(tables: Tables) -> Iterator[Problem]:
    """An alias is valid for some time."""
    for row in tables.whole(Alias).where(pl.col("valid_from") >= pl.col("valid_to")):
        yield row.problem(
            "valid_to",
            f"{_instant(row.valid_to)} is not after valid_from {_start(row)}; correct one",
        )


def aliases_of_two_customers(tables: Tables) -> Iterator[Problem]:
    """An alias names one customer at each instant, once."""
    aliases = tables.whole(Alias).where(
        pl.col("valid_from").lt(pl.col("valid_to")).fill_null(value=True)
    )
    repeated = aliases.where(pl.col("alias").is_duplicated())
    latest: Alias | None = None
    for row in sorted(repeated, key=lambda row: (row.alias, row.span[0], row.line)):
        if latest is None or latest.alias != row.alias:
            latest = row
            continue
        if row.span[0] < latest.span[1]:
            yield row.problem(
                "valid_from",
                f"alias {shown(row.alias)} names {shown(row.customer_id)} from "
                f"{_start(row)}, while row {latest.line} lets it name "
                f"{shown(latest.customer_id)} until {_instant(latest.valid_to)}; an alias "
                "names one customer at each instant, once",
            )
        latest = max(latest, row, key=lambda row: row.span[1])


def _start(alias: Alias) -> str:
    return _instant(alias.valid_from) if alias.valid_from else "the first event"


def _instant(instant: datetime | None) -> str:
    return "further notice" if instant is None else rfc3339_text(instant)


def aliases_of_ended_customers(tables: Tables) -> Iterator[str]:
    """An alias that outlives its customer: what comes under it is billed to nobody."""
    ends = dict(ends_of(tables).iter_rows())
    for row in tables[Alias].where(pl.col("customer_id").is_in(list(ends))):
        end = ends[row.customer_id]
        if row.span[1] > end:
            yield (
                f"alias {shown(row.alias)} (customer_aliases.csv, row {row.line}) names "
                f"{shown(row.customer_id)} until {_instant(row.valid_to)}, which is gone from "
                f"{_instant(end)} on: what comes under it then is billed to nobody; write that as "
                "valid_to, and a row for whom it means from then on"
            )


TABLE = CatalogTable(
    Alias,
    key=("alias", "valid_from"),
    references=(Reference(("customer_id",), "customers.csv"),),
    rules=(customer_ids_as_aliases, ends_before_starts, aliases_of_two_customers),
    warnings=(aliases_of_ended_customers,),
)
