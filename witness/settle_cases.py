"""Cases of settling, as `meterline preview` takes them, in the witness's own words (preview.md).

A case is taken as valid: what is refused is for the product to find.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

from witness.amounts import minor_digits, rounded
from witness.clocks import first_instant, midnight

Case = Mapping[str, Any]

NOTHING = Fraction(0)

GIVE_BACK = ("unused_advance", "adjustment")
"""Kinds of lines that give back what was billed before."""


@dataclass
class Line:
    """A line of an invoice; taxes and credits are by code and id.

    Attributes:
        amount: rounded; without inclusive tax once that is taken out.
        gross_discounts: by discount, what it took off.
        discounts: the same without inclusive tax.
    """

    line_id: str
    kind: str
    charge_code: str | None
    amount: Fraction
    tax_codes: Sequence[str] = ()
    gross_discounts: dict[str, Fraction] = field(default_factory=dict)
    discounts: dict[str, Fraction] = field(default_factory=dict)
    net: Fraction = NOTHING
    taxes: dict[str, Fraction] = field(default_factory=dict)
    credits: dict[str, Fraction] = field(default_factory=dict)

    @property
    def gives_back(self) -> bool:
        """True for a line of what was billed before."""
        return self.kind in GIVE_BACK

    @property
    def left(self) -> Fraction:
        """What discounts left of it so far."""
        return self.amount - sum(self.gross_discounts.values(), NOTHING)

    @property
    def due(self) -> Fraction:
        """Net and tax, less what credits paid."""
        return self.net + sum(self.taxes.values(), NOTHING) - sum(self.credits.values(), NOTHING)


@dataclass(frozen=True)
class Money:
    """Fraction digits and rounding of the case's amounts."""

    digits: int
    rounding: str

    def rounded(self, amount: Fraction) -> Fraction:
        """The amount in whole minor units."""
        return rounded(amount, self.digits, self.rounding)


@dataclass(frozen=True)
class Discount:
    """A row of discounts.csv; `used` is what one of the spread `once` gave before."""

    discount_id: str
    kind: str
    value: Fraction
    charge_codes: Sequence[str]
    priority: int
    is_once: bool
    used: Fraction

    @property
    def order(self) -> tuple[int, bool, str]:
        """By priority, then percent before amount, then discount_id."""
        return self.priority, self.kind != "percent", self.discount_id


@dataclass(frozen=True)
class Tax:
    """A row of taxes.csv."""

    tax_code: str
    rate: Fraction
    is_inclusive: bool
    is_by_line: bool


@dataclass(frozen=True)
class Block:
    """A row of credits.csv; None is no instant."""

    credit_id: str
    amount: Fraction
    currency: str
    priority: int
    cost_basis: Fraction
    charge_codes: Sequence[str]
    kinds: Sequence[str]
    effective_at: datetime | None
    expires_at: datetime | None
    voided_at: datetime | None

    @property
    def order(self) -> tuple[object, ...]:
        """Priority, soonest expiry (none last), cost basis, oldest effective_at, credit_id."""
        never, always = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
        return (
            self.priority,
            self.expires_at or never,
            self.cost_basis,
            self.effective_at or always,
            self.credit_id,
        )


def money_of(case: Case) -> Money:
    """Digits and rounding."""
    return Money(minor_digits(currency_of(case)), case.get("rounding") or "half_away")


def currency_of(case: Case) -> str:
    """The currency; USD where it is left out."""
    return str(case.get("currency") or "USD")


def lines_of(case: Case, money: Money) -> list[Line]:
    """The lines, rounded; one without tax codes bears all taxes of the case."""
    every = [row["tax_code"] for row in case.get("taxes") or ()]
    return [
        Line(
            row.get("id") or f"line{place}",
            row.get("kind") or "usage",
            row.get("charge_code"),
            money.rounded(Fraction(row["amount"])),
            row.get("tax_codes") or every,
        )
        for place, row in enumerate(case["lines"])
    ]


def discounts_of(case: Case) -> list[Discount]:
    """The discounts in the order of the case."""
    return [
        Discount(
            row.get("discount_id") or f"d{place}",
            row["kind"],
            Fraction(row["value"]),
            row.get("charge_codes") or (),
            int(row.get("priority") or 100),
            row.get("spread") == "once",
            Fraction(row.get("used") or 0),
        )
        for place, row in enumerate(case.get("discounts") or ())
    ]


def taxes_of(case: Case) -> list[Tax]:
    """The taxes in the order of the case."""
    return [
        Tax(
            row["tax_code"],
            Fraction(row["rate_percent"]) / 100,
            row.get("inclusive") in (True, "yes"),
            row.get("rounding") == "line",
        )
        for row in case.get("taxes") or ()
    ]


def blocks_of(case: Case) -> list[Block]:
    """The blocks of credit in the order of the case."""
    return [
        Block(
            row.get("credit_id") or f"c{place}",
            Fraction(row["amount"]),
            row.get("currency") or currency_of(case),
            int(row.get("priority") or 50),
            Fraction(1 if row.get("cost_basis") in (None, "") else row["cost_basis"]),
            row.get("charge_codes") or (),
            row.get("kinds") or (),
            instant_of(case, row.get("effective_at")),
            instant_of(case, row.get("expires_at")),
            instant_of(case, row.get("voided_at")),
        )
        for place, row in enumerate(case.get("credits") or ())
    ]


def instant_of(case: Case, when: str | None) -> datetime | None:
    """An instant, or the first one of a local date."""
    if not when:
        return None
    if "T" in when:
        return datetime.fromisoformat(when).astimezone(UTC)
    return first_instant(case.get("time_zone") or "Etc/UTC", midnight(date.fromisoformat(when)))
