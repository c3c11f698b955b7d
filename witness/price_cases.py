"""Cases of prices, as `meterline preview` takes them, in the witness's own words (preview.md).

A case is taken as valid: what is refused is for the product to find.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from witness.amounts import minor_digits, rounded
from witness.charges import NOTHING, Cell, Charge, Tier

Case = Mapping[str, Any]
Group = dict[str, str | None]

_WORDS = (
    "charge_model",
    "missing_dimension",
    "unit_rounding",
    "package_rounding",
    "billed",
    "priced_each",
)
_NUMBERS = (
    "unit_price",
    "unit_divisor",
    "free_units",
    "package_size",
    "flat_amount",
    "quantity",
    "rate_percent",
    "fixed_amount",
    "free_amount",
    "minimum_per_event",
    "maximum_per_event",
    "minimum_amount",
    "maximum_amount",
    "commitment_amount",
    "commitment_overage_factor",
)
_OF_TIERS = ("unit_price", "rate_percent", "flat_amount", "package_size", "maximum_amount")
_FLAGS = ("prorated", "flat_at_zero", "commitment_true_up")


@dataclass(frozen=True)
class Terms:
    """What is the same for all lines of a case.

    Attributes:
        digits: fraction digits of the currency.
        rounding: `half_away` or `half_even`.
        share: the part of the full period that the charge is in force.
        is_final: False while another part of the period follows.
    """

    digits: int
    rounding: str
    share: Fraction
    is_final: bool

    def rounded(self, amount: Fraction) -> Fraction:
        """The amount in whole minor units."""
        return rounded(amount, self.digits, self.rounding)


@dataclass(frozen=True)
class Discount:
    """A row of discounts.csv."""

    discount_id: str
    kind: str
    value: Fraction
    priority: int

    @property
    def order(self) -> tuple[int, bool, str]:
        """By priority, then percent before amount, then discount_id."""
        return self.priority, self.kind != "percent", self.discount_id


@dataclass
class Counted:
    """What was counted of a group: a total, or buckets in order of time, or events in order."""

    group: Group
    quantity: Fraction = NOTHING
    event_count: int = 0
    buckets: list[Fraction] | None = None
    events: list[tuple[int, Fraction]] | None = None


def charge_of(case: Case) -> Charge:
    """The charge of a case; a column that it leaves empty has its default."""
    given = {name: cell for name, cell in case["charge"].items() if cell not in (None, "", [])}
    columns: dict[str, Any] = {name: given[name] for name in _WORDS if name in given}
    columns |= {name: number(given[name]) for name in _NUMBERS if name in given}
    columns |= {name: given[name] in (True, "yes") for name in _FLAGS if name in given}
    if "free_events" in given:
        columns["free_events"] = int(given["free_events"])
    return Charge(
        **columns,
        group_by=tuple(given.get("group_by", ())),
        tiers=tiers_of(given.get("tiers", ())),
        cells=tuple(cell_of(row) for row in given.get("cells", ())),
    )


def tiers_of(rows: Sequence[Case]) -> tuple[Tier, ...]:
    """The tiers of a charge; each begins where the one before it ends, the first at 0."""
    tiers, start = list[Tier](), NOTHING
    for row in rows:
        given = {name: number(row[name]) for name in _OF_TIERS if row.get(name) not in (None, "")}
        end = None if row.get("up_to_units") in (None, "") else number(row["up_to_units"])
        tiers.append(Tier(start, end, **given))
        start = NOTHING if end is None else end
    return tuple(tiers)


def cell_of(row: Case) -> Cell:
    """A cell of a matrix; a property that may be anything is not fixed."""
    fixed = {name: text for name, text in row["match"].items() if text not in (None, "*")}
    return Cell(fixed, number(row["unit_price"]))


def counted_of(case: Case, charge: Charge) -> list[Counted]:
    """What was counted of each group, in order: null first, then texts by code point."""
    if case.get("buckets") is not None:
        buckets = [number(text) for text in case["buckets"]]
        return [Counted({}, sum(buckets, NOTHING), buckets=buckets)]
    if case.get("quantity") is not None:
        before = (case.get("already_billed") or {}).get("quantity") or 0
        total = number(case["quantity"]) + number(before)
        return [Counted({}, total, case.get("event_count") or 0)]
    found = dict[tuple[str | None, ...], Counted]()
    names = group_names(case, charge)
    if not names:
        found[()] = Counted({}, events=None if case.get("events") is None else [])
    for place, row in enumerate(case.get("events") or case.get("groups") or ()):
        group = row.get("group") or {}
        key = tuple(
            charge.missing_dimension if group.get(name) is None else group[name] for name in names
        )
        own = found.setdefault(key, Counted(dict(zip(names, key, strict=True))))
        if case.get("events") is None:
            own.quantity += number(row["quantity"])
            own.event_count += row.get("event_count") or 0
        else:
            own.quantity += number(row["value"])
            own.event_count += 1
            own.events = [] if own.events is None else own.events
            own.events.append((place, number(row["value"])))
    return [found[key] for key in sorted(found, key=lambda key: [(text or "") for text in key])]


def group_names(case: Case, charge: Charge) -> list[str]:
    """The properties of the charge's groups: its own, or all that the case names."""
    rows = case.get("events") or case.get("groups") or ()
    return sorted(charge.group_by or {name for row in rows for name in row.get("group") or {}})


def number(value: str | int) -> Fraction:
    """A decimal of a case."""
    return Fraction(value)


def terms_of(case: Case) -> Terms:
    """What is the same for all lines."""
    share = case.get("share") or {"days": 1, "of": 1}
    return Terms(
        minor_digits(case.get("currency") or "USD"),
        case.get("rounding") or "half_away",
        Fraction(share["days"], share["of"]),
        case.get("is_final") is not False,
    )


def discounts_of(case: Case) -> list[Discount]:
    """The discounts of a case."""
    return [
        Discount(
            row.get("discount_id") or f"d{place}",
            row["kind"],
            number(row["value"]),
            int(row.get("priority") or 100),
        )
        for place, row in enumerate(case.get("discounts") or ())
    ]
