"""Format 2: lines of every kind, summary rows, and the terms by which the invoice was made.

Discounts, taxes and credits are summary rows, one each, and stand as sums on the lines that they
fall on. Example: a line of 10.00 with 1.00 off and a tax of 20 % has `amount` 10, `discount_amount`
1, `net_amount` 9 and `tax_amount` 1.8. The summary rows are -1 and 1.8, and 10.8 is due.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from pipelines.invoicing.document_values import Row, instant_text, optional_decimal, read_json
from pipelines.vocabulary.money import plain_decimal

SUMMARY_KINDS = ("discount", "tax", "credit")
"""Kinds of summary rows."""

_FACTS = (
    "catalog_digest",
    "corrects_invoice_id",
    "currency",
    "customer_id",
    "format",
    "invoice_id",
    "invoice_number",
    "kind",
    "plan_code",
    "recipe_version",
    "series",
    "series_number",
    "subscription_id",
    "terms_digest",
)
_INSTANTS = ("cut_at", "period_end_at", "period_start_at")
_AMOUNTS = (
    "subtotal_amount",
    "discount_amount",
    "net_amount",
    "tax_amount",
    "total_amount",
    "credit_amount",
    "amount_due",
)
_LINE_FACTS = (
    "adjusts_line_id",
    "amount_unrounded",
    "charge_code",
    "charge_model",
    "currency",
    "event_count",
    "kind",
    "line_id",
    "line_number",
    "metric_code",
    "price_digest",
    "share_days",
    "share_of_days",
    "unit",
)
_LINE_INSTANTS = ("service_end_at", "service_start_at")
_LINE_DECIMALS = (
    "amount",
    "billed_quantity",
    "credit_amount",
    "discount_amount",
    "net_amount",
    "quantity",
    "tax_amount",
    "unit_price",
)


def document(invoice: Row, lines: Sequence[Row]) -> dict[str, Any]:
    """The document of an invoice.

    Values are written as in format 1. A value that a line has not is null.

    Args:
        invoice: the numbered invoice; columns derived from the document may be missing.
        lines: its lines and summary rows, by `line_number`.

    Raises:
        InvariantError: a group or the tiers are not JSON of texts and nulls.
    """
    return {
        **{name: invoice[name] for name in _FACTS},
        **{name: instant_text(invoice[name]) for name in _INSTANTS},
        **{name: plain_decimal(invoice[name]) for name in _AMOUNTS},
        "lines": [_line(line) for line in lines if line["kind"] not in SUMMARY_KINDS],
        "summary_rows": [_summary_row(line) for line in lines if line["kind"] in SUMMARY_KINDS],
    }


def _line(line: Row) -> dict[str, Any]:
    valid_from: date | None = line["price_valid_from"]
    return {
        **{name: line[name] for name in _LINE_FACTS},
        **{name: instant_text(line[name]) for name in _LINE_INSTANTS},
        **{name: optional_decimal(line[name]) for name in _LINE_DECIMALS},
        "price_valid_from": None if valid_from is None else valid_from.isoformat(),
        "group": read_json(line["group_key"], line["line_id"]),
        "tiers": read_json(line["tiers"], line["line_id"]),
    }


def _summary_row(line: Row) -> dict[str, Any]:
    return {
        "kind": line["kind"],
        "code": line["charge_code"],
        "line_id": line["line_id"],
        "line_number": line["line_number"],
        "amount": plain_decimal(line["amount"]),
    }
