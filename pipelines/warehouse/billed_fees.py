"""Fees that are billed once, and were: the catalog's, among the documents of the lake."""

import polars as pl

from pipelines.catalog.catalog import Catalog
from pipelines.catalog.charge_models.flat import Flat
from pipelines.catalog.tables.charges import charges_by_model
from pipelines.lake.lake import Lake
from pipelines.vocabulary.reopened import NOTHING_REOPENED

FEES_BILLED_ONCE = pl.Schema(
    {"subscription_id": pl.String(), "plan_code": pl.String(), "charge_code": pl.String()}
)
"""One row per subscription, plan and fee that is due once and was billed."""


def fees_billed_once(
    lake: Lake, catalog: Catalog, reopened: pl.DataFrame = NOTHING_REOPENED
) -> pl.DataFrame:
    """The fees that are not due again; schema `FEES_BILLED_ONCE`.

    A fee on a void invoice was not billed, nor one on an invoice that the run reissues.

    Args:
        lake: any connection.
        catalog: the catalog in use.
        reopened: closed periods that count as open; schema `REOPENED_PERIODS`.
    """
    fees = {
        (charge.plan_code, charge.charge_code)
        for rows in charges_by_model(catalog.tables)
        if rows.row is Flat
        for charge in rows.where(pl.col("billed") == "once")
    }
    if not fees:
        return FEES_BILLED_ONCE.to_frame()
    asked = pl.DataFrame(sorted(fees), ["plan_code", "charge_code"], orient="row")
    return lake.query(
        """
        SELECT DISTINCT periods.subscription_id, periods.plan_code, lines.charge_code
        FROM lake.invoice_lines AS lines
        JOIN lake.closed_periods AS periods USING (invoice_id)
        SEMI JOIN asked USING (plan_code, charge_code)
        WHERE lines.kind = 'flat'
            AND invoice_id NOT IN (SELECT invoice_id FROM lake.acts WHERE kind = 'void')
            AND invoice_id NOT IN (SELECT invoice_id FROM reopened)
        ORDER BY ALL
        """,
        asked=asked,
        reopened=reopened.drop_nulls("invoice_id"),
    ).cast(FEES_BILLED_ONCE)
