"""Sums: each amount of an invoice is added again from its parts, before the invoice is final.

dbt computed these amounts, in SQL. They are added here a second time, in Python's decimals.

1. `RULES` has the rule of each kind of line: what its amount follows from.
2. What a line comes to after discounts is its amount less its discounts.
3. Each total is the sum of its lines, and the summary rows say the same.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal, Inexact, InvalidOperation
from types import MappingProxyType
from typing import Final

from pipelines.invoicing.document_formats.format_2 import SUMMARY_KINDS
from pipelines.invoicing.document_values import Row, read_json
from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.money import (
    exact_sum,
    minor_unit_digits,
    plain_decimal,
    round_half_away,
)

_EXACT = Context(prec=120, traps=[Inexact, InvalidOperation])
"""Wide enough for any sum of DECIMAL(38, 15) amounts. A sum that is not exact raises."""

_NONE = Decimal(0)


def require_sums(invoice: Row, lines: Sequence[Row]) -> None:
    """Passes if each line follows from its parts, and each total is the sum of its lines.

    Example: a usage line in USD has tiers of 1.234 and 0.001. It must be 1.24: the sum 1.235,
    rounded half away from zero. Tiers rounded one by one would add up to 1.23.

    Args:
        invoice: needs `line_count`, `currency` and the amounts of an invoice.
        lines: its lines and summary rows, by `line_number`.

    Raises:
        InvariantError: a line is missing, its group is no JSON, its kind has no rule, or an amount
            is not the sum of its parts.
    """
    invoice_id = invoice["invoice_id"]
    numbers = [line["line_number"] for line in lines]
    if numbers != [*range(1, invoice["line_count"] + 1)]:
        raise InvariantError(
            f"{invoice_id}: expected lines 1 to {invoice['line_count']}, found {numbers}"
        )
    digits = minor_unit_digits(invoice["currency"])
    for line in lines:
        read_json(line["group_key"], line["line_id"])
        if line["currency"] != invoice["currency"]:
            raise InvariantError(
                f"{line['line_id']}: expected the invoice's currency {invoice['currency']}, found "
                f"{line['currency']}"
            )
        if line["kind"] not in SUMMARY_KINDS:
            _require_line(line, digits)
    _require_totals(invoice, lines)


def sum_of_tiers(line: Row) -> Decimal:
    """What the tiers of a line come to, exactly.

    Args:
        line: needs `line_id` and `tiers`.

    Raises:
        InvariantError: a tier has no amount.
    """
    return exact_sum(_tier_amounts(line))


def _require_line(line: Row, digits: int) -> None:
    """Passes if a line keeps the rule of its kind, and its net amount is what discounts leave."""
    rule = RULES.get(line["kind"])
    if rule is None:
        known = ", ".join(RULES)
        raise InvariantError(
            f"{line['line_id']}: expected a line of kind {known}, found {line['kind']}"
        )
    rule(line, digits)
    net = _EXACT.subtract(line["amount"], line["discount_amount"])
    _require_equal(f"{line['line_id']}, net_amount", net, line["net_amount"])


def _require_usage(line: Row, digits: int) -> None:
    """Passes if the tiers add up to the unrounded amount, and this is rounded once."""
    line_id, added = line["line_id"], sum_of_tiers(line)
    _require_equal(line_id, round_half_away(added, digits), line["amount"])
    stated = line["amount_unrounded"]
    if stated != plain_decimal(added):
        raise InvariantError(
            f"{line_id}, amount_unrounded: expected {plain_decimal(added)}, the sum of its tiers, "
            f"found {stated}"
        )


RULES: Final[Mapping[str, Callable[[Row, int], None]]] = MappingProxyType({"usage": _require_usage})
"""What a line must keep, by its kind. It is given the line and the digits of the minor unit."""


def _require_totals(invoice: Row, lines: Sequence[Row]) -> None:
    billed = [line for line in lines if line["kind"] not in SUMMARY_KINDS]
    subtotal, discount, net, tax, credit = (
        exact_sum(line[name] for line in billed)
        for name in ("amount", "discount_amount", "net_amount", "tax_amount", "credit_amount")
    )
    with_tax = _EXACT.add(net, tax)
    totals = {
        "subtotal_amount": subtotal,
        "discount_amount": discount,
        "net_amount": net,
        "tax_amount": tax,
        "credit_amount": credit,
        # What falls below 0 is no invoice's total.
        "total_amount": max(_NONE, with_tax),
        "amount_due": max(_NONE, _EXACT.subtract(with_tax, credit)),
    }
    for name, added in totals.items():
        _require_equal(f"{invoice['invoice_id']}, {name}", added, invoice[name])
    for kind, of_lines in zip(SUMMARY_KINDS, (-discount, tax, -credit), strict=True):
        in_rows = exact_sum(line["amount"] for line in lines if line["kind"] == kind)
        _require_equal(f"{invoice['invoice_id']}, rows of {kind}", of_lines, in_rows)


def _tier_amounts(line: Row) -> list[Decimal]:
    tiers = read_json(line["tiers"], line["line_id"])
    try:
        amounts = [Decimal(tier["amount"]) for tier in tiers]
    except (KeyError, TypeError, InvalidOperation):
        amounts = [Decimal("NaN")]
    if not all(amount.is_finite() for amount in amounts):
        raise InvariantError(f"{line['line_id']}: expected an amount in each tier, found {tiers}")
    return amounts


def _require_equal(name: str, added: Decimal, stated: Decimal | None) -> None:
    if stated is None:
        raise InvariantError(
            f"{name}: expected {plain_decimal(added)}, the sum of its parts, found no amount"
        )
    if added != stated:
        difference = _EXACT.subtract(stated, added)
        raise InvariantError(
            f"{name}: expected {plain_decimal(added)}, the sum of its parts, found "
            f"{plain_decimal(stated)}; the difference is {plain_decimal(difference)}"
        )
