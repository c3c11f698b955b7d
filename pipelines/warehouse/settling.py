"""Settling: lines to an amount due, by the SQL that bills (billing.md §8, steps 5 to 11).

The tables below are what the dbt project's macros of `macros/settling` read and give. Whoever
settles without a lake, as `meterline preview` does, fills them by hand. Keys may be of any type;
here they are numbers of the run.
"""

from dataclasses import dataclass

import polars as pl

from pipelines.warehouse.macro_chains import Answers, Stages, worked_out

RECIPE_VERSION = 1
"""The order of the steps and their rules, by its number."""

_DECIMAL = pl.Decimal(38, 18)
_PRICE = pl.Decimal(30, 15)
_INSTANT = pl.Datetime("us", "UTC")

INVOICES = pl.Schema(
    {
        "invoice_key": pl.Int64(),
        "payer_key": pl.Int64(),
        "invoice_place": pl.Int64(),
        "currency": pl.String(),
        "minor_unit_digits": pl.Int64(),
        "rounding": pl.String(),
        "is_tax_exempt": pl.Boolean(),
        "minimum_amount": _PRICE,
        "maximum_amount": _PRICE,
        "days": pl.Int64(),
        "of_days": pl.Int64(),
        "period_end_at": _INSTANT,
    }
)
"""An invoice, its plan's bounds for a share of days, and the end of its period (null: unknown).

The invoices of a payer share what its discounts and blocks of credit have left, in order of
`invoice_place`.
"""

INVOICE_LINES = pl.Schema(
    {
        "invoice_key": pl.Int64(),
        "line_number": pl.Int64(),
        "kind": pl.String(),
        "charge_code": pl.String(),
        "amount": _DECIMAL,
        "tax_codes": pl.List(pl.String()),
    }
)
"""A line by its place on the invoice; without tax codes it bears all taxes of the invoice."""

DISCOUNTS = pl.Schema(
    {
        "payer_key": pl.Int64(),
        "discount_id": pl.String(),
        "kind": pl.String(),
        "value": _DECIMAL,
        "charge_codes": pl.List(pl.String()),
        "spread": pl.String(),
        "periods": pl.Int64(),
        "priority": pl.Int64(),
        "used": _DECIMAL,
    }
)
"""A discount, as discounts.csv has it. `used` is what one of the spread `once` gave before."""

TAXES = pl.Schema(
    {
        "invoice_key": pl.Int64(),
        "tax_code": pl.String(),
        "rate_percent": _PRICE,
        "inclusive": pl.Boolean(),
        "rounding": pl.String(),
    }
)
"""A tax of an invoice, as taxes.csv has it."""

CREDITS = pl.Schema(
    {
        "payer_key": pl.Int64(),
        "credit_id": pl.String(),
        "amount": _PRICE,
        "currency": pl.String(),
        "minor_unit_digits": pl.Int64(),
        "effective_at": _INSTANT,
        "expires_at": _INSTANT,
        "voided_at": _INSTANT,
        "priority": pl.Int64(),
        "cost_basis": _PRICE,
        "charge_codes": pl.List(pl.String()),
        "kinds": pl.List(pl.String()),
    }
)
"""A block of credit, as credits.csv has it; `amount` is what it has left."""

SETTLED_LINES = pl.Schema(
    {
        "invoice_key": pl.Int64(),
        "line_number": pl.Int64(),
        "kind": pl.String(),
        "amount": pl.String(),
        "discount_amount": pl.String(),
        "net_amount": pl.String(),
        "tax_amount": pl.String(),
        "credit_amount": pl.String(),
    }
)
"""What each line comes to, and the plan's minimum or maximum, as texts.

Here and below, a text is null beyond the digits of an amount.
"""

SETTLED_DISCOUNTS = pl.Schema(
    {
        "payer_key": pl.Int64(),
        "discount_id": pl.String(),
        "amount": pl.String(),
        "left": pl.String(),
    }
)
"""What each discount took off; `left` is null unless it is spread `once`."""

SETTLED_TAXES = pl.Schema(
    {
        "invoice_key": pl.Int64(),
        "tax_code": pl.String(),
        "base": pl.String(),
        "amount": pl.String(),
    }
)
"""What each tax comes to. Lines that give back are in the amount and in no base."""

SETTLED_CREDITS = pl.Schema(
    {
        "payer_key": pl.Int64(),
        "block_number": pl.Int64(),
        "credit_id": pl.String(),
        "drawn": pl.String(),
        "balance": pl.String(),
    }
)
"""What each block paid, and what it has left, in the order in which blocks pay."""

SETTLED_TOTALS = pl.Schema(
    {
        "invoice_key": pl.Int64(),
        "subtotal": pl.String(),
        "discount": pl.String(),
        "net": pl.String(),
        "tax": pl.String(),
        "total": pl.String(),
        "credit": pl.String(),
        "amount_due": pl.String(),
        "credit_note": pl.String(),
    }
)
"""What each invoice comes to; none of it is below 0."""


@dataclass(frozen=True)
class ToSettle:
    """What is settled; schemas `INVOICES` to `CREDITS`."""

    invoices: pl.DataFrame
    lines: pl.DataFrame
    discounts: pl.DataFrame
    taxes: pl.DataFrame
    credits: pl.DataFrame


@dataclass(frozen=True)
class Settled:
    """What it comes to; schemas `SETTLED_LINES` to `SETTLED_TOTALS`."""

    lines: pl.DataFrame
    discounts: pl.DataFrame
    taxes: pl.DataFrame
    credits: pl.DataFrame
    totals: pl.DataFrame


_GIVEN = {
    "invoices": INVOICES,
    "lines": INVOICE_LINES,
    "discounts": DISCOUNTS,
    "taxes": TAXES,
    "credits": CREDITS,
}

STAGES: Stages = {
    "lines_to_settle": ("lines_to_settle", "invoices", "lines"),
    "discounts_in_order": ("discounts_in_order", "discounts"),
    "charge_discounts": (
        "lines_of_charge_discounts", "invoices", "lines_to_settle", "discounts_in_order",
    ),
    "lines_of_charges": (
        "discounts_taken", "invoices", "lines_to_settle", "discounts_in_order", "charge_discounts",
    ),
    "lines_of_plans": ("plan_bounds", "invoices", "lines_of_charges"),
    "invoice_discounts": (
        "lines_of_invoice_discounts", "invoices", "lines_of_plans", "discounts_in_order",
    ),
    "lines_discounted": (
        "discounts_taken", "invoices", "lines_of_plans", "discounts_in_order", "invoice_discounts",
    ),
    "taxes_borne": ("taxes_borne", "invoices", "lines_discounted", "taxes"),
    "lines_without_tax": ("inclusive_taxes", "invoices", "lines_discounted", "taxes_borne"),
    "lines_taxed": ("exclusive_taxes", "invoices", "lines_without_tax", "taxes_borne"),
    "blocks": ("credits_in_order", "credits"),
    "lines_of_credits": ("lines_of_credits", "invoices", "lines_taxed", "blocks"),
    "lines_settled": ("credits_drawn", "invoices", "lines_taxed", "blocks", "lines_of_credits"),
    "totals_settled": ("settled_totals", "invoices", "lines_settled"),
    "discounts_settled": ("settled_discounts", "invoices", "lines_settled", "discounts_in_order"),
    "taxes_settled": ("settled_taxes", "invoices", "lines_settled", "taxes", "taxes_borne"),
    "credits_settled": ("settled_credits", "invoices", "lines_settled", "blocks"),
}  # fmt: skip
"""The chain of steps: each table with its macro and what that reads, in order."""

_ANSWERS: Answers = {
    "lines": (
        "settled_lines_as_text", ("invoices", "lines_settled"), "invoice_key, line_number",
        SETTLED_LINES,
    ),
    "discounts": (
        "settled_discounts_as_text", ("discounts_settled",), "payer_key, discount_id",
        SETTLED_DISCOUNTS,
    ),
    "taxes": (
        "settled_taxes_as_text", ("taxes_settled",), "invoice_key, tax_code", SETTLED_TAXES,
    ),
    "credits": (
        "settled_credits_as_text", ("credits_settled",), "payer_key, block_number",
        SETTLED_CREDITS,
    ),
    "totals": ("settled_totals_as_text", ("totals_settled",), "invoice_key", SETTLED_TOTALS),
}  # fmt: skip
"""Each answer with its macro, what that reads, its order and its schema."""


def settled(given: ToSettle) -> Settled:
    """What lines come to.

    Raises:
        InvariantError: a table has another schema.
    """
    tables = {name: (getattr(given, name), schema) for name, schema in _GIVEN.items()}
    return Settled(**worked_out(tables, STAGES, _ANSWERS))
