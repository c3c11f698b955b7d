"""Sums: each amount of an invoice is added again from its parts, before the invoice is final.

dbt computed these amounts, in SQL. They are added here a second time, in Python's decimals.

1. `RULES` has the rule of each kind of line: what its amount follows from.
2. What a line comes to after discounts is its amount less its discounts.
3. Each total is the sum of its lines, and the summary rows say the same.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Context, Decimal, Inexact, InvalidOperation
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from pipelines.invoicing.document_formats.format_2 import SUMMARY_KINDS
from pipelines.invoicing.document_values import Row, read_json
from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.money import (
    ROUNDINGS,
    exact_sum,
    minor_unit_digits,
    plain_decimal,
    round_decimal,
    round_fraction,
)

_EXACT = Context(prec=120, traps=[Inexact, InvalidOperation])
"""Wide enough for any sum of DECIMAL(38, 15) amounts. A sum that is not exact raises."""

_NONE = Decimal(0)


def require_sums(
    invoice: Row, lines: Sequence[Row], roundings: Collection[str] = ROUNDINGS
) -> None:
    """Passes if each line follows from its parts, and each total is the sum of its lines.

    Example: a usage line in USD has tiers of 1.234 and 0.001. It must be 1.24: the sum 1.235,
    rounded half away from zero. Tiers rounded one by one would add up to 1.23.

    Args:
        invoice: needs `line_count`, `currency` and the amounts of an invoice.
        lines: its lines and summary rows, by `line_number`.
        roundings: of its plan; any of them as long as its terms are not made.

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
            _require_line(line, digits, roundings)
    _require_totals(invoice, lines)


def sum_of_tiers(line: Row) -> Decimal:
    """What the tiers of a line come to, exactly.

    Args:
        line: needs `line_id` and `tiers`.

    Raises:
        InvariantError: a tier has no amount.
    """
    return exact_sum(_tier_amounts(line))


def _require_line(line: Row, digits: int, roundings: Collection[str]) -> None:
    """Passes if a line keeps the rule of its kind, and its net amount is what discounts leave."""
    rule = RULES.get(line["kind"])
    if rule is None:
        known = ", ".join(RULES)
        raise InvariantError(
            f"{line['line_id']}: expected a line of kind {known}, found {line['kind']}"
        )
    stated = _unrounded(line)
    rule(line, stated)
    rounded = [round_decimal(stated, digits, rounding) for rounding in roundings]
    if line["amount"] not in rounded:
        _require_equal(line["line_id"], rounded[0], line["amount"])
    net = _EXACT.subtract(line["amount"], line["discount_amount"])
    _require_equal(f"{line['line_id']}, net_amount", net, line["net_amount"])


def _require_usage(line: Row, stated: Decimal) -> None:
    """Passes if the tiers add up to the unrounded amount.

    A percentage has no tiers: its events have what it comes to.
    """
    if line["charge_model"] not in _WITHOUT_TIERS:
        amounts = _tier_amounts(line)
        # Nearly every sum is exact; fractions take longer than all the rest.
        if exact_sum(amounts) != stated:
            parts = [Fraction(amount) for amount in amounts]
            _require_unrounded(line, stated, sum(parts, Fraction(0)), parts)


def _require_flat(line: Row, stated: Decimal) -> None:
    """Passes if the fee of a unit, for the units and the share of days, is the amount."""
    days, of_days = (line[name] if line[name] is not None else 1 for name in _SHARE)
    fee = Fraction(line["unit_price"]) * Fraction(line["billed_quantity"])
    _require_unrounded(line, stated, fee * days / of_days)


def _require_lowering(line: Row, _: Decimal) -> None:
    """Passes if a maximum, or what is unused of a fee, takes something off."""
    if line["amount"] >= 0:
        raise InvariantError(f"{line['line_id']}: expected less than 0, found {line['amount']}")


def _require_raising(line: Row, _: Decimal) -> None:
    """Passes if a minimum or a commitment adds something."""
    if line["amount"] <= 0:
        raise InvariantError(f"{line['line_id']}: expected more than 0, found {line['amount']}")


def _require_difference(line: Row, _: Decimal) -> None:
    """Passes if an adjustment adds something or takes it off."""
    if line["amount"] == 0:
        raise InvariantError(f"{line['line_id']}: expected another amount than 0, found 0")


RULES: Final[Mapping[str, Callable[[Row, Decimal], None]]] = MappingProxyType(
    {
        "usage": _require_usage,
        "flat": _require_flat,
        "maximum": _require_lowering,
        "minimum": _require_raising,
        "overage": _require_raising,
        "true_up": _require_raising,
        "unused_advance": _require_lowering,
        "adjustment": _require_difference,
    }
)
"""What a line and its unrounded amount must keep, by its kind, besides that it is rounded once."""

_WITHOUT_TIERS = frozenset({"percentage"})
_SHARE = ("share_days", "share_of_days")
_QUOTIENT_DIGITS = 18
"""An amount that does not end is stated with so many digits after the point."""


def _require_unrounded(
    line: Row, stated: Decimal, added: Fraction, parts: Sequence[Fraction] = ()
) -> None:
    """Passes if the unrounded amount is what was added.

    A quotient that does not end is cut at 18 digits: each amount so stated may lack half a unit of
    the last digit. Amounts of fewer digits are exact.

    Args:
        line: needs `line_id`.
        stated: its unrounded amount.
        added: what it should be.
        parts: what was added, if it was stated as well.
    """
    is_cut = any(_is_cut(each) for each in (added, *parts, Fraction(stated)))
    lacking = Fraction(len(parts) + 1, 2 * 10**_QUOTIENT_DIGITS) if is_cut else 0
    if abs(added - Fraction(stated)) > lacking:
        raise InvariantError(
            f"{line['line_id']}, amount_unrounded: expected "
            f"{plain_decimal(round_fraction(added, _QUOTIENT_DIGITS))}, the sum of its parts, "
            f"found {plain_decimal(stated)}"
        )


def _is_cut(amount: Fraction) -> bool:
    last = amount * 10**_QUOTIENT_DIGITS
    return last.denominator != 1 or bool(last.numerator % 10)


def _unrounded(line: Row) -> Decimal:
    text = line["amount_unrounded"]
    try:
        stated = Decimal(text or "")
    except InvalidOperation:
        stated = Decimal("NaN")
    if not stated.is_finite() or plain_decimal(stated) != text:
        raise InvariantError(
            f"{line['line_id']}, amount_unrounded: expected a decimal as it is written shortest, "
            f"found {text}"
        )
    return stated


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
