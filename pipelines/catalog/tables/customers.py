"""customers.csv: who is billed, in which currency and zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.catalog.cells import (
    CODE,
    CURRENCY,
    DATE,
    DAYS_MAX,
    NAMES,
    TEXT,
    TIME_ZONE,
    YES_NO,
    one_of,
    shown,
    whole_number,
)
from pipelines.catalog.rows import Problem, Row, column, later
from pipelines.catalog.table import CatalogTable, Tables
from pipelines.catalog.tables.taxes import unknown_taxes
from pipelines.periods.zones import first_instants
from pipelines.vocabulary.tables import LABEL


@dataclass(frozen=True, kw_only=True)
class Customer(Row):
    """One row per customer.

    An edit holds from the next run on, for periods that are not closed. A changed zone holds from
    the end of the last closed period. A currency that was billed cannot change.
    """

    file_name = "customers.csv"

    customer_id: str = column(TEXT, "Id by which senders and subscriptions name the customer.")
    name: str = column(TEXT, "Name for people.")
    currency: str = column(CURRENCY, "Used where a plan names none.")
    time_zone: str = column(TIME_ZONE, "Zone whose midnights begin the billing periods.")
    grace_period_days: int = column(
        whole_number(0, DAYS_MAX), "Local days after a period's end until its cut."
    )
    late_usage_policy: str = column(
        one_of("reject", "adjust"), "What becomes of usage received after the cut."
    )
    ends_on: date | None = column(
        DATE,
        "From this local day on the id names nobody, and it may be another customer's alias. Its "
        "subscriptions must have ended. Empty is never.",
        empty=None,
        is_optional=True,
    )
    tax_codes: list[str] = later(
        NAMES, "Taxes on every line whose charge names none; empty is none.", empty=()
    )
    tax_exempt: bool = column(
        YES_NO, "`yes`: no line bears a tax; empty is no.", empty=False, is_optional=True
    )
    invoice_series: str = column(
        CODE,
        "The series that its invoices are numbered in, without gaps; empty is INV. A change holds "
        "for invoices that are not final.",
        empty="INV",
        is_optional=True,
    )


def ends_of(tables: Tables) -> pl.DataFrame:
    """The customers that end: `customer_id`, and the instant `ends_at` from which on they are gone.

    That is the first instant of the local day `ends_on`.
    """
    ending = tables[Customer].where(pl.col("ends_on").is_not_null()).frame
    ends_at = first_instants(ending["time_zone"], ending["ends_on"].cast(LABEL))
    return ending.select("customer_id", ends_at=ends_at)


def invoice_series(tables: Tables) -> dict[str, str]:
    """The series of the invoice numbers of each customer, by `customer_id`."""
    return dict(tables[Customer].frame.select("customer_id", "invoice_series").iter_rows())


def _series_that_differ_in_case(tables: Tables) -> Iterator[Problem]:
    """Series that a person would take for one: their numbers would come twice."""
    first = dict[str, str]()
    for line, series in tables[Customer].frame.select("line", "invoice_series").iter_rows():
        known = first.setdefault(series.lower(), series)
        if known != series:
            yield Problem(
                Customer.file_name,
                line,
                "invoice_series",
                f"expected {shown(known)} as in another row, found {shown(series)}; write a series "
                "alike in all rows",
            )


TABLE = CatalogTable(
    Customer,
    key=("customer_id",),
    rules=(unknown_taxes(Customer), _series_that_differ_in_case),
)
