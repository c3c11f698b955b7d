"""Prices: quantities of one charge in one period to lines and a total (billing.md §7, §8 and §12).

A case and its result are those of `meterline preview`, kind `price` (preview.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from witness.amounts import allocated, exact_text
from witness.charges import (
    NOTHING,
    Charge,
    Paid,
    Reached,
    added_up,
    billed_units,
    converted,
    flat_fee,
    paid_events,
    percentage,
    price_of,
    priced,
)
from witness.price_cases import (
    Case,
    Counted,
    Discount,
    Group,
    Terms,
    charge_of,
    counted_of,
    discounts_of,
    number,
    terms_of,
)


@dataclass(frozen=True)
class Line:
    """A line of an invoice.

    `parts` is the exact amount of each bucket, or that of the whole line where it has none. A
    commitment per bucket is compared with each of them.
    """

    kind: str
    amount_unrounded: Fraction
    amount: Fraction
    discount_amount: Fraction = NOTHING
    group: Group = field(default_factory=dict)
    quantity: Fraction | None = None
    billed_quantity: Fraction | None = None
    event_count: int = 0
    unit_price: Fraction | None = None
    tiers: Sequence[Reached] = ()
    events: Sequence[Paid] = ()
    parts: Sequence[Fraction] = ()

    @property
    def net_amount(self) -> Fraction:
        """The amount less its discounts."""
        return self.amount - self.discount_amount


def price_answer(case: Case) -> dict[str, Any]:
    """The result of a valid case of the kind `price`, as preview.md writes it."""
    charge = charge_of(case)
    terms = terms_of(case)
    discounts = discounts_of(case)
    units = sum((each.value for each in discounts if each.kind == "units"), NOTHING)
    lines = lines_of(case, charge, terms, units)
    lines = discounted(lines, [each for each in discounts if each.kind != "units"], terms)
    unrounded = sum((line.amount_unrounded for line in lines), NOTHING)
    committed = commitment_lines(charge, lines, terms)
    bounds = bound_lines(charge, [*lines, *committed], terms)
    lines += bounds + committed
    amount = sum((line.net_amount for line in lines), NOTHING)
    billed = case.get("already_billed")
    before = None if billed is None else number(billed["amount"])
    return {
        "lines": [line_texts(line) for line in lines],
        "amount_unrounded": exact_text(unrounded),
        "amount": exact_text(amount),
        "already_billed": None if before is None else exact_text(before),
        "difference": None if before is None else exact_text(amount - before),
    }


def lines_of(case: Case, charge: Charge, terms: Terms, pot: Fraction) -> list[Line]:
    """The usage or flat lines of a case, rounded, in order of their groups.

    Args:
        case: what was counted.
        charge: what it costs.
        terms: the share and the rounding.
        pot: units that discounts give.
    """
    if charge.charge_model == "flat":
        assert pot == 0
        fee = flat_fee(charge, terms.share)
        count = charge.quantity
        return [Line("flat", fee, terms.rounded(fee), quantity=count, billed_quantity=count,
                     unit_price=charge.flat_amount)]  # fmt: skip
    lines = []
    for counted in counted_of(case, charge):
        if charge.charge_model == "percentage":
            assert pot == 0
            line = percentage_line(charge, counted)
        else:
            line, pot = usage_line(charge, counted, pot)
        lines.append(replace(line, amount=terms.rounded(line.amount_unrounded)))
    return lines


def usage_line(charge: Charge, counted: Counted, pot: Fraction) -> tuple[Line, Fraction]:
    """The line of a group, not rounded, and what is left of the units that discounts give."""
    quantities = [counted.quantity] if counted.buckets is None else counted.buckets
    billed, pot = billed_units(charge, quantities, pot)
    price = price_of(charge, counted.group)
    reached = [priced(charge, units, price) for units in billed]
    parts = [sum((tier.amount for tier in tiers), NOTHING) for tiers in reached]
    tiers = added_up(reached)
    if charge.charge_model in ("graduated", "volume"):
        price = tiers[0].unit_price if len(tiers) == 1 else None
    total = sum(parts, NOTHING)
    line = Line(
        "usage", total, NOTHING, group=counted.group, quantity=counted.quantity,
        billed_quantity=sum(billed, NOTHING), event_count=counted.event_count, unit_price=price,
        tiers=tiers, parts=parts,
    )  # fmt: skip
    return line, pot


def percentage_line(charge: Charge, counted: Counted) -> Line:
    """The line of a group of a percentage charge, not rounded."""
    paid = list[Paid]()
    if counted.events is None:
        total = percentage(charge, counted.quantity, counted.event_count)
        billed = converted(charge, counted.quantity)
    else:
        paid = paid_events(charge, counted.events)
        total = sum((event.amount for event in paid), NOTHING)
        billed = sum((event.value for event in paid), NOTHING)
    return Line(
        "usage", total, NOTHING, group=counted.group, quantity=counted.quantity,
        billed_quantity=billed, event_count=counted.event_count,
        events=paid if charge.has_terms_of_events else (), parts=[total],
    )  # fmt: skip


def discounted(lines: Sequence[Line], discounts: Sequence[Discount], terms: Terms) -> list[Line]:
    """The lines after discounts of kind percent and amount, each on what the ones before it left.

    A percentage is rounded once over all lines. An amount is rounded, and then at most what is
    left. Each is allocated to the lines in proportion to what is left of them.
    """
    left = list(lines)
    for discount in sorted(discounts, key=lambda each: each.order):
        nets = [line.net_amount for line in left]
        whole = sum(nets, NOTHING)
        if discount.kind == "percent":
            total = terms.rounded(whole * discount.value / 100)
        else:
            assert discount.kind == "amount"
            total = min(terms.rounded(discount.value), whole)
        parts = allocated(total, nets, terms.digits)
        left = [
            replace(line, discount_amount=line.discount_amount + part)
            for line, part in zip(left, parts, strict=True)
        ]
    return left


def commitment_lines(charge: Charge, lines: Sequence[Line], terms: Terms) -> list[Line]:
    """What usage above the commitment costs more, and what is due for usage below it.

    Exact amounts of all groups together are compared, before discounts. The commitment of a
    period is prorated, and that of a bucket is not.
    """
    committed = charge.commitment_amount
    if committed is None:
        return []
    if charge.priced_each == "bucket":
        amounts = [part for line in lines for part in line.parts]
    else:
        amounts = [sum((line.amount_unrounded for line in lines), NOTHING)]
        committed *= terms.share if charge.prorated else 1
    more = charge.commitment_overage_factor - 1
    overage = sum((max(NOTHING, amount - committed) * more for amount in amounts), NOTHING)
    true_up = sum((max(NOTHING, committed - amount) for amount in amounts), NOTHING)
    if not (charge.commitment_true_up and terms.is_final):
        true_up = NOTHING
    found = [("overage", overage), ("true_up", true_up)]
    arisen = [Line(kind, exact, terms.rounded(exact)) for kind, exact in found]
    return [line for line in arisen if line.amount != 0]


def bound_lines(charge: Charge, lines: Sequence[Line], terms: Terms) -> list[Line]:
    """The line that lowers the charge to its maximum, and the one that raises it to its minimum.

    Both bounds are prorated and rounded before they are compared with the net amount of the
    lines. The maximum comes first.
    """
    share = terms.share if charge.prorated else Fraction(1)
    total = sum((line.net_amount for line in lines), NOTHING)
    found = []
    if charge.maximum_amount is not None:
        below = min(NOTHING, terms.rounded(charge.maximum_amount * share) - total)
        found.append(Line("maximum", below, below))
        total += below
    if charge.minimum_amount is not None and terms.is_final:
        above = max(NOTHING, terms.rounded(charge.minimum_amount * share) - total)
        found.append(Line("minimum", above, above))
    return [line for line in found if line.amount != 0]


def line_texts(line: Line) -> dict[str, Any]:
    """A line as results write it."""
    return {
        "kind": line.kind,
        "group": line.group,
        "quantity": text(line.quantity),
        "billed_quantity": text(line.billed_quantity),
        "event_count": line.event_count,
        "unit_price": text(line.unit_price),
        "amount_unrounded": exact_text(line.amount_unrounded),
        "amount": exact_text(line.amount),
        "discount_amount": exact_text(line.discount_amount),
        "net_amount": exact_text(line.net_amount),
        "tiers": [tier_texts(tier) for tier in line.tiers],
        "events": [event_texts(event) for event in line.events],
    }


def tier_texts(tier: Reached) -> dict[str, Any]:
    """A tier of a line as results write it."""
    return {
        "from_units": exact_text(tier.from_units),
        "up_to_units": text(tier.up_to_units),
        "quantity": exact_text(tier.quantity),
        "packages": text(tier.packages),
        "unit_price": text(tier.unit_price),
        "rate_percent": text(tier.rate_percent),
        "flat_amount": exact_text(tier.flat_amount),
        "amount_unrounded": exact_text(tier.amount),
    }


def event_texts(event: Paid) -> dict[str, Any]:
    """An event of a line as results write it; its index is its place in the case's list."""
    return {
        "index": event.place,
        "free": exact_text(event.free),
        "charged": event.is_charged,
        "amount_unrounded": exact_text(event.amount),
    }


def text(value: Fraction | None) -> str | None:
    """The text of a number, None for none."""
    return None if value is None else exact_text(value)
