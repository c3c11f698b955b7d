"""Settling: lines of an invoice to an amount due (billing.md §8, steps 5 to 11, and §12).

A case and its result are those of `meterline preview`, kind `settle` (preview.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from witness.amounts import allocated, exact_text
from witness.settle_cases import (
    NOTHING,
    Block,
    Case,
    Discount,
    Line,
    Money,
    Tax,
    blocks_of,
    currency_of,
    discounts_of,
    instant_of,
    lines_of,
    money_of,
    taxes_of,
)

RECIPE = 1


def settle_answer(case: Case) -> dict[str, Any]:
    """The result of a valid case of the kind `settle`, as preview.md writes it."""
    money = money_of(case)
    lines = lines_of(case, money)
    discounts, taxes = discounts_of(case), taxes_of(case)
    blocks = sorted(blocks_of(case), key=lambda block: block.order)
    discount_lines(lines, [each for each in discounts if each.charge_codes], money)
    lines += plan_lines(case.get("plan") or {}, lines, [tax.tax_code for tax in taxes], money)
    discount_lines(lines, [each for each in discounts if not each.charge_codes], money)
    take_out_taxes(lines, [] if is_exempt(case) else taxes, money)
    add_taxes(lines, [] if is_exempt(case) else taxes, money)
    pay(lines, [block for block in blocks if is_in_time(case, block)])
    return {
        "lines": [line_texts(line) for line in lines],
        "discounts": [discount_texts(each, lines, money) for each in discounts],
        "taxes": [tax_texts(tax, lines, is_exempt(case)) for tax in taxes],
        "credits": [block_texts(block, lines) for block in blocks],
        **totals(lines),
        "recipe_version": RECIPE,
    }


def is_exempt(case: Case) -> bool:
    """True if no line bears a tax."""
    return case.get("tax_exempt") in (True, "yes")


def covers(discount: Discount, line: Line) -> bool:
    """True if the discount falls on the line."""
    if discount.charge_codes:
        return line.kind in ("usage", "flat") and line.charge_code in discount.charge_codes
    return not line.gives_back


def discount_lines(lines: Sequence[Line], discounts: Iterable[Discount], money: Money) -> None:
    """Takes discounts off lines, each on what those before it left."""
    for discount in sorted(discounts, key=lambda each: each.order):
        covered = [line for line in lines if covers(discount, line)]
        whole = sum((line.left for line in covered), NOTHING)
        if whole <= 0:
            continue
        if discount.kind == "percent":
            taken = money.rounded(whole * discount.value / 100)
        else:
            taken = money.rounded(discount.value)
            if discount.is_once:
                taken = max(NOTHING, taken - discount.used)
        taken = min(taken, whole)
        parts = allocated(taken, [line.left for line in covered], money.digits)
        for line, part in zip(covered, parts, strict=True):
            line.gross_discounts[discount.discount_id] = part


def plan_lines(
    plan: Mapping[str, Any], lines: Sequence[Line], tax_codes: Sequence[str], money: Money
) -> list[Line]:
    """The line that brings all lines down to the plan's maximum or up to its minimum, if any."""
    share = plan.get("share") or {"days": 1, "of": 1}
    part = Fraction(share["days"], share["of"])
    total = sum((line.left for line in lines), NOTHING)
    found = list[Line]()
    if plan.get("maximum_amount") not in (None, ""):
        most = money.rounded(Fraction(plan["maximum_amount"]) * part)
        if total > most:
            found.append(Line("maximum", "maximum", None, most - total, tax_codes))
            total = most
    if plan.get("minimum_amount") not in (None, ""):
        least = money.rounded(Fraction(plan["minimum_amount"]) * part)
        if total < least:
            found.append(Line("minimum", "minimum", None, least - total, tax_codes))
    assert len(found) < 2, "a minimum is not above the maximum"
    return found


def take_out_taxes(lines: Sequence[Line], taxes: Sequence[Tax], money: Money) -> None:
    """Takes inclusive taxes out of lines, and restates their discounts and amounts."""
    together = dict[tuple[str, ...], list[Line]]()
    for line in lines:
        borne = tuple(tax.tax_code for tax in taxes_on(line, taxes) if tax.is_inclusive)
        if borne:
            together.setdefault(borne, []).append(line)
    for codes, same in together.items():
        of_codes = sorted(
            (tax for tax in taxes if tax.tax_code in codes), key=lambda tax: tax.tax_code
        )
        is_by_line = any(tax.is_by_line for tax in of_codes)
        rates = sum((tax.rate for tax in of_codes), NOTHING)
        alone = [line for line in same if line.gives_back or is_by_line]
        for line in alone:
            tax_out_of([line], of_codes, money.rounded(line.left - line.left / (1 + rates)), money)
        others = [line for line in same if not (line.gives_back or is_by_line)]
        gross = sum((line.left for line in others), NOTHING)
        if gross > 0:
            tax_out_of(others, of_codes, money.rounded(gross - gross / (1 + rates)), money)
        for line in same:
            restate(line, rates, money)
    for line in lines:
        if not line.discounts:
            line.discounts = dict(line.gross_discounts)
        line.net = line.left - sum(line.taxes.values(), NOTHING)
        line.amount = line.net + sum(line.discounts.values(), NOTHING)


def taxes_on(line: Line, taxes: Sequence[Tax]) -> list[Tax]:
    """The taxes that a line bears."""
    return [tax for tax in taxes if tax.tax_code in line.tax_codes]


def tax_out_of(lines: Sequence[Line], taxes: Sequence[Tax], whole: Fraction, money: Money) -> None:
    """Gives a tax to codes by rate, and the part of each to the lines by gross."""
    grosses = [line.left for line in lines]
    of_codes = allocated(whole, [tax.rate for tax in taxes], money.digits)
    for tax, of_code in zip(taxes, of_codes, strict=True):
        one = len(lines) == 1
        parts = [of_code] if one else allocated(of_code, grosses, money.digits)
        for line, part in zip(lines, parts, strict=True):
            line.taxes[tax.tax_code] = part


def restate(line: Line, rates: Fraction, money: Money) -> None:
    """Writes the discounts of a line without the taxes of these rates."""
    grosses = list(line.gross_discounts.values())
    whole = sum(grosses, NOTHING)
    if whole == 0:
        return
    parts = allocated(
        money.rounded(whole / (1 + rates)), [abs(part) for part in grosses], money.digits
    )
    line.discounts = dict(zip(line.gross_discounts, parts, strict=True))


def add_taxes(lines: Sequence[Line], taxes: Sequence[Tax], money: Money) -> None:
    """Adds the taxes that come on top of nets, each code on its own."""
    for tax in taxes:
        if tax.is_inclusive:
            continue
        bearing = [line for line in lines if tax.tax_code in line.tax_codes]
        together = [line for line in bearing if not (line.gives_back or tax.is_by_line)]
        base = sum((line.net for line in together), NOTHING)
        if base > 0:
            whole = money.rounded(base * tax.rate)
            nets = [line.net for line in together]
            for line, part in zip(
                together, allocated(whole, nets, money.digits), strict=True
            ):  # fmt: skip
                line.taxes[tax.tax_code] = part
        for line in bearing:
            if line.gives_back or tax.is_by_line:
                line.taxes[tax.tax_code] = money.rounded(line.net * tax.rate)


def is_in_time(case: Case, block: Block) -> bool:
    """True if the block is of the currency, and may pay at the end of the period."""
    end = instant_of(case, case.get("period_end"))
    if block.currency != currency_of(case):
        return False
    if end is None:
        return True
    return (
        (block.effective_at is None or block.effective_at <= end)
        and (block.expires_at is None or end <= block.expires_at)
        and (block.voided_at is None or end < block.voided_at)
    )


def pay(lines: Sequence[Line], blocks: Iterable[Block]) -> None:
    """Pays lines from blocks, in the order of both, up to what is left of the total."""
    total = max(NOTHING, sum((line.due for line in lines), NOTHING))
    for block in blocks:
        balance = block.amount
        for line in lines:
            is_of = not block.charge_codes or line.charge_code in block.charge_codes
            if not is_of or (block.kinds and line.kind not in block.kinds):
                continue
            paid = max(NOTHING, min(line.due, balance, total))
            line.credits[block.credit_id] = paid
            balance -= paid
            total -= paid


def totals(lines: Sequence[Line]) -> dict[str, str]:
    """What the invoice comes to; nothing is below 0."""
    net = sum((line.net for line in lines), NOTHING)
    tax = sum((sum(line.taxes.values(), NOTHING) for line in lines), NOTHING)
    credit = sum((sum(line.credits.values(), NOTHING) for line in lines), NOTHING)
    found = {
        "subtotal": sum((line.amount for line in lines), NOTHING),
        "discount": sum((line.amount - line.net for line in lines), NOTHING),
        "net": net,
        "tax": tax,
        "total": net + tax,
        "credit": credit,
        "amount_due": net + tax - credit,
        "credit_note": credit - net - tax,
    }
    return {name: exact_text(max(NOTHING, amount)) for name, amount in found.items()}


def line_texts(line: Line) -> dict[str, str]:
    """A line as results write it."""
    return {
        "id": line.line_id,
        "kind": line.kind,
        "amount": exact_text(line.amount),
        "discount_amount": exact_text(line.amount - line.net),
        "net_amount": exact_text(line.net),
        "tax_amount": exact_text(sum(line.taxes.values(), NOTHING)),
        "credit_amount": exact_text(sum(line.credits.values(), NOTHING)),
    }


def discount_texts(discount: Discount, lines: Sequence[Line], money: Money) -> dict[str, Any]:
    """A discount as results write it."""
    name = discount.discount_id
    gross = sum((line.gross_discounts.get(name, NOTHING) for line in lines), NOTHING)
    left = max(NOTHING, money.rounded(discount.value) - discount.used - gross)
    return {
        "discount_id": name,
        "amount": exact_text(sum((line.discounts.get(name, NOTHING) for line in lines), NOTHING)),
        "left": exact_text(left) if discount.is_once else None,
    }


def tax_texts(tax: Tax, lines: Sequence[Line], is_exempt: bool) -> dict[str, str]:
    """A tax as results write it; lines that give back are in no base."""
    bearing = [line for line in lines if tax.tax_code in line.tax_codes and not is_exempt]
    base = sum((line.net for line in bearing if not line.gives_back), NOTHING)
    return {
        "tax_code": tax.tax_code,
        "base": exact_text(base),
        "amount": exact_text(sum((line.taxes.get(tax.tax_code, NOTHING) for line in bearing),
                                 NOTHING)),
    }  # fmt: skip


def block_texts(block: Block, lines: Sequence[Line]) -> dict[str, str]:
    """A block of credit as results write it."""
    drawn = sum((line.credits.get(block.credit_id, NOTHING) for line in lines), NOTHING)
    return {
        "credit_id": block.credit_id,
        "drawn": exact_text(drawn),
        "balance": exact_text(block.amount - drawn),
    }
