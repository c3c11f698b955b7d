"""Contradictions: why nothing may be billed by today's catalog in this home."""

from pipelines.catalog.catalog import Catalog
from pipelines.catalog.cells import shown
from pipelines.catalog.closed_time import collisions, customers_billed_twice
from pipelines.lake.closed_book import closed_spans, double_bills
from pipelines.lake.lake import Lake


def contradictions(lake: Lake, catalog: Catalog, metric_codes: frozenset[str]) -> list[str]:
    """Everything that stops billing, a sentence each: invoices that bill twice come first.

    Args:
        lake: any connection.
        catalog: the catalog in use.
        metric_codes: the billable metrics there are.
    """
    spans = closed_spans(lake)
    return [
        *_billed_twice(lake, customers_billed_twice(spans)),
        *map(str, collisions(catalog, spans, metric_codes)),
    ]


def _billed_twice(lake: Lake, customers: list[str]) -> list[str]:
    if not customers:
        return []
    return [
        f"{row['invoice_number']} and {row['other_number']} both bill "
        f"{shown(row['metric_code'])} of the customer {shown(row['customer_id'])} from "
        f"{row['from_date']} to {row['to_date']}; end one of them, for example by "
        f"`meterline void {row['other_number']} --reason 'billed twice'`"
        for row in double_bills(lake, customers).iter_rows(named=True)
    ]
