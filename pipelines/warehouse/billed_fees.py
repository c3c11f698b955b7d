"""Billed fees: what documents of the lake have billed of fees that are due once, or in advance."""

from collections.abc import Iterator

import polars as pl

from pipelines.catalog.catalog import Catalog
from pipelines.catalog.charge_models.charge import Charge
from pipelines.catalog.charge_models.flat import Flat
from pipelines.catalog.closed_fees import FEE_OWNERS
from pipelines.catalog.tables.charges import charges_by_model
from pipelines.lake.acts import VOID_INVOICES
from pipelines.lake.closed_book import STILL_CLOSED
from pipelines.lake.lake import Lake
from pipelines.vocabulary.reopened import NOTHING_REOPENED
from pipelines.vocabulary.tables import INVOICE_LINES, LABEL

FEES_BILLED_ONCE = pl.Schema(
    {"subscription_id": pl.String(), "plan_code": pl.String(), "charge_code": pl.String()}
)
"""One row per subscription, plan and fee that is due once and was billed."""

FEES_IN_ADVANCE = pl.Schema(
    {
        "subscription_id": pl.String(),
        "service_start_label": LABEL,
        **{
            name: INVOICE_LINES.schema[name]
            for name in (
                "currency",
                "charge_code",
                "line_id",
                "price_valid_from",
                "service_start_at",
                "service_end_at",
            )
        },
        "billed_amount": INVOICE_LINES.schema["amount"],
        "is_billed": pl.Boolean(),
        "is_on_own_document": pl.Boolean(),
    }
)
"""One row per subscription, start, currency and fee that a document before its own billed.

`line_id` and what stands beside it are of the line that billed it first, of one that is not void if
there is any. `is_billed`: there is one. `is_on_own_document`: an invoice of fees in advance alone,
void or not, has one.
"""


_LABEL = "[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+)?"
"""Regular expression: a label, as ids write it; see `label_text` in the dbt project."""

_OF_LINE = f"""
    regexp_extract(substr(line_id, length(invoice_id) + 1), '^/[a-z_]+/({_LABEL})/[^/{{]+/', 1)
"""
"""SQL: the label that a line's id has where it is not for the period of its invoice; else empty.

A charge may be called like a label: what comes after it is then a group, which begins with `{{`.
"""

_OF_INVOICE = f"regexp_extract(invoice_id, '/({_LABEL})(?:/advance)?(?:/r[0-9]+)?$', 1)"
"""SQL: the label in the id of an invoice."""

_FLAT_LINES = f"""
    SELECT invoices.subscription_id, lines.*,
        coalesce(invoices.chain_position, invoices.series_number) AS invoice_position,
        invoices.kind = 'advance' AS is_on_own_document,
        {_OF_LINE} != '' AS is_ahead,
        CAST(replace(coalesce(nullif({_OF_LINE}, ''), {_OF_INVOICE}), 'T', ' ') AS TIMESTAMP)
            AS service_start_label,
        invoice_id IN ({VOID_INVOICES})
            OR invoice_id IN (
                SELECT invoice_id FROM reopened WHERE is_asked AND invoice_id IS NOT NULL
            ) AS is_void
    FROM lake.invoice_lines AS lines JOIN lake.invoices AS invoices USING (invoice_id)
    WHERE lines.charge_model = 'flat'
        AND lines.kind IN ('flat', 'unused_advance', 'adjustment')
"""
"""SQL: the lines of fees, with the local start of what each is for; needs a frame `reopened`.

One on an invoice that the run reissues is void by then.
"""


def fees_billed_once(
    lake: Lake, catalog: Catalog, reopened: pl.DataFrame = NOTHING_REOPENED
) -> pl.DataFrame:
    """The fees that are not due again; schema `FEES_BILLED_ONCE`.

    A fee on a void invoice was not billed, nor one on an invoice that the run reissues. One that
    was billed in advance belongs to the period that it is for, once that is closed; until then
    `fees_in_advance` has it.

    Args:
        lake: any connection.
        catalog: the catalog in use.
        reopened: closed periods that count as open; schema `REOPENED_PERIODS`.
    """
    is_once = pl.col("billed") == "once"
    fees = {(charge.plan_code, charge.charge_code) for charge in _fees(catalog, is_once)}
    if not fees:
        return FEES_BILLED_ONCE.to_frame()
    asked = pl.DataFrame(sorted(fees), ["plan_code", "charge_code"], orient="row")
    return lake.query(
        f"""
        SELECT periods.subscription_id, periods.plan_code, billed.charge_code
        FROM ({_FLAT_LINES}) AS billed
        JOIN ({STILL_CLOSED}) AS periods
            ON billed.subscription_id = periods.subscription_id
            AND billed.service_start_label = periods.period_start_label
        SEMI JOIN asked ON periods.plan_code = asked.plan_code
            AND billed.charge_code = asked.charge_code
        WHERE NOT billed.is_void
        GROUP BY ALL
        -- What was given back is as if it had not been billed.
        HAVING bool_or(billed.kind = 'flat')
            AND NOT (bool_or(billed.kind = 'unused_advance') AND sum(billed.amount) = 0)
        ORDER BY ALL
        """,
        asked=asked,
        reopened=reopened,
    ).cast(FEES_BILLED_ONCE)


def fees_of_closed_periods(lake: Lake, reopened: pl.DataFrame) -> pl.DataFrame:
    """The fees that a reissue would take from periods that stay closed.

    Args:
        lake: any connection.
        reopened: the closed periods that are open then; schema `REOPENED_PERIODS`.

    Returns:
        One row per invoice that is reissued and such a period: invoice_number, and period, the
        number of the period's invoice or, without one, its start.
    """
    return lake.query(
        f"""
        SELECT DISTINCT invoices.invoice_number,
            coalesce(later.invoice_number, closed.period_start_label::VARCHAR) AS period
        FROM ({_FLAT_LINES}) AS billed
        JOIN ({STILL_CLOSED}) AS closed
            ON billed.subscription_id = closed.subscription_id
            AND billed.service_start_label = closed.period_start_label
        JOIN lake.invoices AS invoices ON billed.invoice_id = invoices.invoice_id
        LEFT JOIN lake.invoices AS later ON closed.invoice_id = later.invoice_id
        WHERE billed.is_ahead
            AND billed.invoice_id IN (SELECT invoice_id FROM reopened WHERE is_asked)
        ORDER BY ALL
        """,
        reopened=reopened,
    )


def fee_owners(lake: Lake) -> pl.DataFrame:
    """The subscriptions that were billed in advance alone; schema `FEE_OWNERS`.

    Where a period is closed, or the invoice is void, there is none.
    """
    return lake.query(
        f"""
        SELECT subscription_id, arg_min(customer_id, chain_position) AS customer_id,
            arg_min(invoice_number, chain_position) AS invoice_number
        FROM lake.invoices
        WHERE kind = 'advance' AND invoice_id NOT IN ({VOID_INVOICES})
            AND subscription_id NOT IN (SELECT subscription_id FROM lake.closed_periods)
        GROUP BY subscription_id ORDER BY subscription_id
        """
    ).cast(FEE_OWNERS)


def plans_in_advance(catalog: Catalog) -> frozenset[str]:
    """The plans that have a fee in advance."""
    is_ahead = pl.col("invoiced_in") == "advance"
    return frozenset(charge.plan_code for charge in _fees(catalog, is_ahead))


def _fees(catalog: Catalog, condition: pl.Expr) -> Iterator[Charge]:
    for rows in charges_by_model(catalog.tables):
        if rows.row is Flat:
            yield from rows.where(condition)


def fees_in_advance(lake: Lake, reopened: pl.DataFrame = NOTHING_REOPENED) -> pl.DataFrame:
    """What was billed in advance of open time; schema `FEES_IN_ADVANCE`.

    A fee on a void invoice comes to nothing. Once the period that it is for is closed, it is
    settled.

    Args:
        lake: any connection.
        reopened: closed periods that count as open; schema `REOPENED_PERIODS`.
    """
    return lake.query(
        f"""
        WITH billed AS (
            SELECT billed.*, (is_void, invoice_position, line_number) AS place
            FROM ({_FLAT_LINES}) AS billed
            ANTI JOIN ({STILL_CLOSED}) AS closed
                ON billed.subscription_id = closed.subscription_id
                AND billed.service_start_label = closed.period_start_label
            WHERE is_ahead OR is_on_own_document
        )
        SELECT subscription_id, service_start_label, currency, charge_code,
            {", ".join(f"arg_min({name}, place) AS {name}" for name in _OF_FIRST_LINE)},
            coalesce(sum(amount) FILTER (NOT is_void), 0) AS billed_amount,
            bool_or(NOT is_void) AS is_billed,
            bool_or(is_on_own_document) AS is_on_own_document
        FROM billed
        GROUP BY subscription_id, service_start_label, currency, charge_code
        ORDER BY ALL
        """,
        reopened=reopened,
    ).cast(FEES_IN_ADVANCE)


_OF_FIRST_LINE = ("line_id", "price_valid_from", "service_start_at", "service_end_at")
