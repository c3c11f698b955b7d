"""Giving back: what invoices owe to customers, which no credit note says yet."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pipelines.catalog.calendar import periods_until
from pipelines.catalog.catalog import Catalog
from pipelines.lake.acts import VOID_INVOICES
from pipelines.lake.closed_book import closed_spans
from pipelines.lake.lake import Lake
from pipelines.vocabulary.money import amount_text
from pipelines.warehouse.billed_fees import fees_in_advance


@dataclass(frozen=True)
class GivenBack:
    """Money that a customer is to be given back.

    Attributes:
        customer_id: whose it is.
        amount: in the currency, with its decimals.
        currency: ISO 4217 code.
        invoice_number: the invoice that it comes from.
        reason: why, in a sentence.
    """

    customer_id: str
    amount: str
    currency: str
    invoice_number: str
    reason: str


def to_give_back(lake: Lake, catalog: Catalog, as_of: datetime) -> list[GivenBack]:
    """What is to be paid out, in the order of the invoices that it comes from.

    An invoice may give back more than it bills. And a subscription may have ended before a period
    that was billed in advance: then no invoice comes after it.

    Args:
        lake: any connection.
        catalog: the catalog in use.
        as_of: the instant of the home.
    """
    fees = fees_in_advance(lake).filter("is_billed", pl.col("billed_amount") > 0)
    if fees.height:
        alive = periods_until(catalog, closed_spans(lake), as_of).select("subscription_id")
        fees = fees.join(alive.unique(), on="subscription_id", how="anti")
    rows = lake.query(
        f"""
        SELECT customer_id, -(net_amount + tax_amount) AS amount, currency, invoice_number,
            'it gives back more than it bills' AS reason, chain_position
        FROM lake.invoices
        WHERE net_amount + tax_amount < 0 AND invoice_id NOT IN ({VOID_INVOICES})
        UNION ALL
        SELECT customer_id, billed_amount, fees.currency, invoice_number,
            fees.charge_code || ' was billed in advance, and the subscription ended before',
            chain_position
        FROM fees
        JOIN lake.invoice_lines USING (line_id)
        JOIN lake.invoices USING (invoice_id)
        ORDER BY chain_position, reason
        """,
        fees=fees.select("line_id", "billed_amount", "currency", "charge_code"),
    )
    return [
        GivenBack(customer, amount_text(amount, currency), currency, number, reason)
        for customer, amount, currency, number, reason, _ in rows.iter_rows()
    ]
