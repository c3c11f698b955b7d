"""Contradictions: why nothing may be billed by today's catalog in this home."""

import polars as pl

from pipelines.catalog.catalog import Catalog
from pipelines.catalog.cells import shown
from pipelines.catalog.closed_fees import fees_without_owner
from pipelines.catalog.closed_time import collisions, customers_billed_twice
from pipelines.lake.closed_book import closed_spans, double_bills
from pipelines.lake.lake import Lake
from pipelines.vocabulary.reopened import NOTHING_REOPENED
from pipelines.warehouse.billed_fees import fee_owners


def contradictions(
    lake: Lake,
    catalog: Catalog,
    metric_codes: frozenset[str],
    reopened: pl.DataFrame = NOTHING_REOPENED,
) -> list[str]:
    """Everything that stops billing, a sentence each: invoices that bill twice come first.

    Args:
        lake: any connection.
        catalog: the catalog in use.
        metric_codes: the billable metrics there are.
        reopened: closed periods that count as open; schema `REOPENED_PERIODS`.
    """
    spans = closed_spans(lake, reopened)
    return [
        *_billed_twice(lake, customers_billed_twice(spans), reopened),
        *map(str, collisions(catalog, spans, metric_codes)),
        *map(str, fees_without_owner(catalog, fee_owners(lake))),
    ]


def _billed_twice(lake: Lake, customers: list[str], reopened: pl.DataFrame) -> list[str]:
    if not customers:
        return []
    return [
        f"{row['invoice_number']} and {row['other_number']} both bill "
        f"{shown(row['metric_code'])} of the customer {shown(row['customer_id'])} from "
        f"{row['from_date']} to {row['to_date']}; end one of them, for example by "
        f"`meterline void {row['other_number']} --reason 'billed twice'`"
        for row in double_bills(lake, customers, reopened).iter_rows(named=True)
    ]
