"""Naive fees: on which document each fee in advance stands, worked out item by item.

The law alone: each document carries what is due less what was billed so far. It imports nothing of
`pipelines`, as `naive_books` does.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from tests.worlds.naive_books import Bill, Fee, Period, Today

Item = tuple[str, str, str, date]
"""Subscription, currency, charge and the first day of what a fee is for."""

FeeLine = tuple[str, str, str, datetime]
"""Kind of the line, code of the charge, canonical JSON of the group, first instant of service."""


@dataclass
class Fees:
    """What documents billed: kind and amount of each line by item.

    `made` has the documents of fees alone, by id, with the period that each was for.
    """

    billed: dict[Item, list[tuple[str, Decimal]]] = field(default_factory=dict)
    made: dict[str, Period] = field(default_factory=dict)

    def add(self, invoice_id: str, document: "Document") -> None:
        """A document was finalized."""
        for line, item in document.items.items():
            self.billed.setdefault(item, []).append((line[0], document.lines[line][1]))
        if invoice_id != document.period.invoice_id:
            self.made[invoice_id] = document.period

    def taken(self, today: Today) -> set[tuple[str, str]]:
        """File and column of what takes a fee away before any of its periods is closed."""
        found = set[tuple[str, str]]()
        closed = {each.subscription_id for each in today.closed}
        for period in self.made.values():
            row = today.subscriptions.get(period.subscription_id)
            if period.subscription_id not in closed:
                if row is None:
                    found.add(("subscriptions.csv", "subscription_id"))
                elif row["customer_id"] != period.customer_id:
                    found.add(("subscriptions.csv", "customer_id"))
        return found

    def total(self, item: Item) -> Decimal:
        return sum((amount for _, amount in self.billed[item]), Decimal(0))

    def once(self, closed: Sequence[Period]) -> set[Fee]:
        """The fees that closed periods were billed for, unless they were given back."""
        found = set[Fee]()
        for period in closed:
            for item, lines in self.billed.items():
                kinds = {kind for kind, _ in lines}
                is_back = "unused_advance" in kinds and self.total(item) == 0
                is_its = item[0] == period.subscription_id and item[3] == period.start
                if is_its and "flat" in kinds and not is_back:
                    found.add((period.subscription_id, period.plan_code, item[2]))
        return found


@dataclass
class Document:
    """A draft: its lines with quantity and amount, and what each line's item is."""

    period: Period
    cut_at: datetime
    lines: dict[FeeLine, tuple[Fraction | None, Decimal]] = field(default_factory=dict)
    items: dict[FeeLine, Item] = field(default_factory=dict)
    is_faulty: bool = False

    def add(self, line: FeeLine, item: Item, quantity: Fraction | None, amount: Decimal) -> None:
        self.lines[line] = quantity, amount
        self.items[line] = item

    @property
    def total(self) -> Decimal:
        return max(Decimal(0), sum((amount for _, amount in self.lines.values()), Decimal(0)))


def documents(
    today: Today,
    bills: Mapping[str, Bill],
    begun: Sequence[Period],
    fees: Fees,
    waiting: AbstractSet[str],
) -> dict[str, Document]:
    """The draft of each period that has begun, and those of fees in advance alone, by id.

    Args:
        today: the catalog and closed time.
        bills: what each of these periods comes to on paper, by the id of its invoice.
        begun: the open periods that have begun.
        fees: what was billed so far.
        waiting: the drafts that wait for a person.
    """
    found = {each.invoice_id: Document(each, each.cut_at) for each in begun}
    settled = set[Item]()
    for period in begun:
        charges = today.charges(period)
        for (kind, code, group), due in bills[period.invoice_id].lines.items():
            item = period.subscription_id, period.currency, code, period.start
            line = kind, code, group, period.start_at
            own = found[period.invoice_id]
            if kind != "flat":
                own.lines[line] = due
            elif item in fees.billed:
                settled.add(item)
                difference = due[1] - fees.total(item)
                if charges[code]["billed"] != "once" and difference:
                    own.add((_kind(difference), *line[1:]), item, None, difference)
            elif charges[code]["invoiced_in"] == "advance":
                if due[1]:
                    _bearer(today, period, found, fees, waiting).add(line, item, *due)
            else:
                own.add(line, item, *due)
    closed = {(each.subscription_id, each.start) for each in today.closed}
    for item in fees.billed.keys() - settled:
        if (item[0], item[3]) not in closed and fees.total(item) != 0:
            _give_back(item, -fees.total(item), found, begun, waiting)
    return {
        name: each for name, each in found.items() if name == each.period.invoice_id or each.lines
    }


def _kind(amount: Decimal) -> str:
    return "unused_advance" if amount < 0 else "adjustment"


def _bearer(
    today: Today,
    period: Period,
    found: dict[str, Document],
    fees: Fees,
    waiting: AbstractSet[str],
) -> Document:
    """The document on which a fee stands that was not billed yet."""
    own = found[period.invoice_id]
    of_life = [each for each in today.closed if each.subscription_id == period.subscription_id]
    opened = [
        each.period
        for each in found.values()
        if each.period.subscription_id == period.subscription_id
    ]
    before = [each for each in (*of_life, *opened) if each.end_at == period.start_at]
    name = f"{period.invoice_id}/advance"
    if any(each in of_life or each.invoice_id in waiting for each in before):
        return own
    if before and before[0].currency == period.currency:
        return found[before[0].invoice_id]
    if name in fees.made:
        return own
    last_cut = max((each.cut_at for each in of_life), default=period.start_at)
    cut_at = before[0].cut_at if before else max(period.start_at, last_cut)
    return found.setdefault(name, Document(period, cut_at))


def _give_back(
    item: Item,
    amount: Decimal,
    found: Mapping[str, Document],
    begun: Sequence[Period],
    waiting: AbstractSet[str],
) -> None:
    """Puts a fee that is due no more on its period's document, else on the first one."""
    subscription_id, currency, code, start = item
    fitting = [
        each
        for each in begun
        if each.subscription_id == subscription_id and each.invoice_id not in waiting
    ]
    if not fitting:
        return
    best = min(
        fitting,
        key=lambda each: (each.currency != currency, each.start != start, each.start_at),
    )
    own = found[best.invoice_id]
    own.is_faulty |= best.currency != currency
    line = _kind(amount), code, "{}", datetime.combine(start, datetime.min.time())
    own.add(line, item, None, amount)
