"""Random cases of the kind `price`: every model and column, often exactly at a bound or a half."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any

from tests.worlds.price_cases import Case, Row
from witness.amounts import exact_text, minor_digits

MODELS = ("standard", "graduated", "volume", "package", "stairstep", "graduated_percentage",
          "matrix", "flat", "percentage")  # fmt: skip
TIERED = ("graduated", "volume", "stairstep", "graduated_percentage")
DIVISORS = ("1", "10", "1000", "1024", "3600", "0.001", "7", "0.000000123456789012",
            "123456789012345678")  # fmt: skip
PRICES = ("0", "0.01", "0.0025", "0.00001", "1", "2.5", "0.3", "19.99", "1000")
QUANTITIES = ("0", "1", "2", "3", "7", "10", "100", "100.5", "0.25", "999", "1000000", "-3",
              "12345.678901")  # fmt: skip
CURRENCIES = ("USD", "USD", "JPY", "KWD")
REGIONS = ("ap", "eu", "us", "zz")
CLOUDS = ("aws", "gcp")
BILLED_MAX = Fraction(10) ** 20
"""A quantity has at most 20 digits before its point."""
AMOUNT_MAX = Fraction(10) ** 23
"""An amount has at most 23 digits before its point."""


@dataclass(frozen=True)
class Numbers:
    """Numbers of one manner.

    Attributes:
        manner: `handy` as people write them, `half` for amounts that end at half a minor unit,
            `short` with few digits, or `wide` with all the digits that a column may have.
        digits: fraction digits of the currency.
    """

    dice: random.Random
    manner: str
    digits: int

    def price(self) -> str:
        """A price, not negative."""
        if self.manner == "half":
            half = Fraction(2 * self.dice.randint(0, 99) + 1, 2 * 10**self.digits)
            return exact_text(half)
        if self.manner == "short":
            return self.decimal(6, 5)
        return self.decimal(15, 15) if self.manner == "wide" else self.dice.choice(PRICES)

    def amount(self) -> str:
        """A price of a size that bounds and commitments have, with or without half a unit."""
        if self.manner == "wide":
            return self.decimal(15, 15)
        size = Fraction(self.dice.randint(0, 40_000), 2 * 10**self.digits)
        return exact_text(size * self.dice.choice([1, 1, 10, 100]))

    def quantity(self) -> str:
        """A quantity, now and then negative."""
        if self.manner == "half":
            return str(2 * self.dice.randint(0, 60) + 1)
        if self.manner == "short":
            return self.sign() + self.decimal(7, 6)
        if self.manner == "wide":
            return self.sign() + self.decimal(20, 18)
        return self.dice.choice(QUANTITIES)

    def units(self) -> str:
        """A quantity of a catalog, not negative."""
        return self.quantity().removeprefix("-")

    def size(self) -> str:
        """A quantity above 0."""
        units = self.units()
        return units if Fraction(units) > 0 else "1"

    def percent(self) -> str:
        """A percentage from 0 to 1000."""
        if self.manner == "wide":
            return self.decimal(2, 15)
        return self.dice.choice(["0", "1", "2.9", "5", "50", "33.333333333333333", "1000", "0.5"])

    def sign(self) -> str:
        """A sign, mostly none."""
        return "-" if self.dice.random() < 0.05 else ""

    def decimal(self, integer_digits: int, fraction_digits: int) -> str:
        """A decimal of up to so many digits; often of all of them."""
        some = self.dice.choice([1, 2, integer_digits, self.dice.randint(1, integer_digits)])
        parts = self.dice.choice([0, fraction_digits, self.dice.randint(0, fraction_digits)])
        if self.dice.random() < 0.05:
            some, parts = integer_digits, fraction_digits
            return f"{'9' * some}.{'9' * parts}"
        whole = self.dice.randrange(10**some)
        fraction = Fraction(self.dice.randrange(10**parts), 10**parts)
        return exact_text(whole + fraction)


def random_price_case(dice: random.Random) -> Case:
    """A valid case; its answer may still be an overflow, which `is_beyond` tells."""
    currency = dice.choice(CURRENCIES)
    manner = dice.choice(["handy", "handy", "half", "half", "short", "wide"])
    numbers = Numbers(dice, manner, minor_digits(currency))
    model = dice.choice(MODELS)
    charge = _charge(numbers, model)
    case: Case = {"kind": "price", "charge": charge}
    _add_usage(numbers, case)
    if dice.random() < 0.4:
        _add_discounts(numbers, case, currency)
    if dice.random() < 0.4:
        of = dice.choice([1, 7, 28, 30, 31, 90, 365, 366])
        case["share"] = {"days": dice.choice([0, 1, of, dice.randint(0, of)]), "of": of}
    if dice.random() < 0.2:
        case["is_final"] = dice.random() < 0.3
    if currency != "USD" or dice.random() < 0.5:
        case["currency"] = currency
    if dice.random() < 0.6:
        case["rounding"] = dice.choice(["half_away", "half_even"])
    # What was billed before has a quantity and an amount, and no count of events.
    is_total = "quantity" in case and "fixed_amount" not in charge
    if (is_total or model == "flat") and dice.random() < 0.3:
        billed = Fraction(dice.randint(0, 40_000), 10**numbers.digits)
        case["already_billed"] = {"amount": exact_text(billed)}
        if is_total and dice.random() < 0.8:
            case["already_billed"]["quantity"] = numbers.units()
    return case


def is_beyond(result: Case) -> bool:
    """True if a quantity or an amount has more digits before its point than a bill can hold."""
    quantities = [
        line[name] for line in result["lines"] for name in ("quantity", "billed_quantity")
    ]
    amounts = [result[name] for name in ("amount", "amount_unrounded", "difference")]
    for line in result["lines"]:
        amounts += [line["amount_unrounded"], line["amount"]]
        amounts += [tier["amount_unrounded"] for tier in line["tiers"]]
        amounts += [event["amount_unrounded"] for event in line["events"]]
        quantities += [tier["quantity"] for tier in line["tiers"]]
    return _is_above(quantities, BILLED_MAX) or _is_above(amounts, AMOUNT_MAX)


def _is_above(texts: list[str | None], most: Fraction) -> bool:
    return any(text is not None and abs(Fraction(text)) >= most for text in texts)


def _charge(numbers: Numbers, model: str) -> Row:
    """A charge with the columns that its model has, most of them now and then."""
    dice = numbers.dice
    charge: Row = {"charge_model": model}
    if model in ("standard", "package"):
        charge["unit_price"] = numbers.price()
    if model in TIERED:
        _add_tiers(numbers, charge)
    if model in _OF_MODEL:
        _OF_MODEL[model](numbers, charge)
    if model in ("standard", "package"):
        _maybe(dice, 0.3, charge, free_units=numbers.units())
    if model != "flat":
        _add_conversion(numbers, charge)
        if dice.random() < 0.25:
            charge["commitment_amount"] = numbers.amount()
            factor = dice.choice(["1", "1.5", "2.0001", "3"])
            _maybe(dice, 0.7, charge, commitment_overage_factor=factor)
            _maybe(dice, 0.5, charge, commitment_true_up=dice.random() < 0.5)
    # Whether a fee that is billed once has bounds of whole periods is nowhere said.
    if charge.get("billed") != "once" and dice.random() < 0.35:
        least, most = sorted((numbers.amount(), numbers.amount()), key=Fraction)
        _maybe(dice, 0.6, charge, minimum_amount=least)
        _maybe(dice, 0.6, charge, maximum_amount=most)
    _maybe(dice, 0.2, charge, prorated=dice.choice([True, False, "yes", "no"]))
    _maybe(dice, 0.1, charge, name="Anything")
    return charge


def _maybe(dice: random.Random, chance: float, row: Row, **columns: Any) -> None:
    if dice.random() < chance:
        row |= columns


def _add_conversion(numbers: Numbers, charge: Row) -> None:
    dice = numbers.dice
    if numbers.manner != "half":
        _maybe(dice, 0.4, charge, unit_divisor=dice.choice(DIVISORS))
    if charge["charge_model"] != "percentage":
        rounding = dice.choice(["none", "up", "down", "nearest"])
        _maybe(dice, 0.3, charge, unit_rounding=rounding)
    _maybe(dice, 0.1, charge, unit="things")


def _add_tiers(numbers: Numbers, charge: Row) -> None:
    """From one to four tiers; the last is open."""
    dice, model = numbers.dice, charge["charge_model"]
    widths = [Fraction(numbers.size()) for _ in range(dice.randint(0, 3))]
    bounds = [bound for bound in accumulate(widths) if bound < BILLED_MAX]
    rows = list[Row]()
    for start, end in pairwise([Fraction(0), *bounds, None]):
        row: Row = {"up_to_units": None if end is None else exact_text(end)}
        if model == "graduated_percentage":
            row["rate_percent"] = numbers.percent()
        elif model != "stairstep":
            row["unit_price"] = numbers.price()
            _maybe(dice, 0.2, row, package_size=numbers.size())
        _maybe(dice, 0.8 if model == "stairstep" else 0.4, row, flat_amount=numbers.amount())
        _maybe(dice, 0.2, row, maximum_amount=numbers.amount())
        if start is not None:
            _maybe(dice, 0.2, row, from_units=exact_text(start))
        rows.append(row)
    charge["tiers"] = rows
    if Fraction(rows[0].get("flat_amount", 0)) or dice.random() < 0.5:
        charge["flat_at_zero"] = dice.choice([True, False, "yes", "no"])


def _add_package(numbers: Numbers, charge: Row) -> None:
    charge["package_size"] = numbers.size()
    _maybe(numbers.dice, 0.5, charge, package_rounding=numbers.dice.choice(["up", "down"]))


def _add_cells(numbers: Numbers, charge: Row) -> None:
    """Cells of which no two fix equally many properties of one group."""
    dice = numbers.dice
    cells = [{"match": {"region": "*"}, "unit_price": numbers.price()}]
    cells += [
        {"match": {"region": region} | dice.choice([{}, {"cloud": "*"}]),
         "unit_price": numbers.price()}
        for region in dice.sample(REGIONS, 2)
    ]  # fmt: skip
    cells += [
        {"match": {"region": dice.choice(REGIONS), "cloud": cloud}, "unit_price": numbers.price()}
        for cloud in CLOUDS
    ]
    charge["cells"] = dice.sample(cells, dice.randint(1, len(cells)))
    charge["group_by"] = ["cloud", "region"]
    if dice.random() < 0.8 or cells[0] not in charge["cells"]:
        charge["unit_price"] = numbers.price()


def _add_fee(numbers: Numbers, charge: Row) -> None:
    dice = numbers.dice
    _maybe(dice, 0.9, charge, flat_amount=numbers.price())
    _maybe(dice, 0.5, charge, quantity=numbers.units())
    _maybe(dice, 0.2, charge, billed=dice.choice(["period", "once"]))
    _maybe(dice, 0.2, charge, invoiced_in=dice.choice(["arrears", "advance"]))


def _add_percentage(numbers: Numbers, charge: Row) -> None:
    dice = numbers.dice
    _maybe(dice, 0.9, charge, rate_percent=numbers.percent())
    _maybe(dice, 0.4, charge, fixed_amount=numbers.price())
    if dice.random() < 0.7:
        _maybe(dice, 0.4, charge, free_events=dice.choice([0, 1, 2, 3]))
        _maybe(dice, 0.4, charge, free_amount=numbers.units())
        least, most = sorted((numbers.price(), numbers.price()), key=Fraction)
        _maybe(dice, 0.4, charge, minimum_per_event=least)
        _maybe(dice, 0.4, charge, maximum_per_event=most)


_OF_MODEL: dict[str, Callable[[Numbers, Row], None]] = {
    "package": _add_package,
    "matrix": _add_cells,
    "flat": _add_fee,
    "percentage": _add_percentage,
}

_OF_EVENTS = ("free_events", "free_amount", "minimum_per_event", "maximum_per_event")


def _add_usage(numbers: Numbers, case: Case) -> None:
    """What was counted, in one of the ways that the model takes."""
    dice, charge = numbers.dice, case["charge"]
    model = charge["charge_model"]
    if model == "flat":
        return
    ways = ["quantity", "quantity", "groups", "buckets", "events"]
    if model == "matrix":
        ways = ["groups", "events"]
    elif any(name in charge for name in _OF_EVENTS):
        ways = ["events"]
    elif model == "percentage":
        ways.remove("buckets")
    way = dice.choice(ways)
    if way != "buckets":
        _maybe(dice, 0.1, charge, priced_each="period")
    if way == "quantity":
        case["quantity"] = _counted(numbers, charge)
        _maybe(dice, 0.4, case, event_count=dice.choice([0, 1, 5, 1000]))
    elif way == "buckets":
        charge["priced_each"] = "bucket"
        case["buckets"] = [_counted(numbers, charge) for _ in range(dice.choice([0, 1, 3, 7]))]
    elif way == "groups":
        case["groups"] = [
            {"group": group, "quantity": _counted(numbers, charge)}
            | dice.choice([{}, {"event_count": dice.randint(0, 9)}])
            for group in _groups(dice, charge)
        ]
    else:
        of = _groups(dice, charge) if model == "matrix" or dice.random() < 0.4 else [{}]
        events = [
            {"value": _counted(numbers, charge), "group": dice.choice(of)}
            for _ in range(dice.choice([0, 1, 3, 6]))
        ]
        if of == [{}]:
            events = [{"value": event["value"]} for event in events]
        case["events"] = events


def _groups(dice: random.Random, charge: Row) -> list[Row]:
    """Groups of one or two properties, without order; a missing property has a text instead."""
    names = charge.get("group_by") or dice.choice([["region"], ["cloud", "region"]])
    if dice.random() < 0.7:
        charge["group_by"] = names
    all_groups: list[Row] = [{"region": region} for region in REGIONS]
    if names != ["region"]:
        all_groups = [group | {"cloud": cloud} for group in all_groups for cloud in CLOUDS]
    if dice.random() < 0.4:
        charge["group_by"] = names
        charge["missing_dimension"] = dice.choice(["eu", "none"])
        all_groups.append(dict.fromkeys(names))
        if names != ["region"]:
            all_groups.append(all_groups[0] | {"region": None})
    return dice.sample(all_groups, dice.randint(1, len(all_groups)))


def _counted(numbers: Numbers, charge: Row) -> str:
    """A quantity; often one that comes to a bound of a tier or package, or a little beyond it."""
    dice = numbers.dice
    bounds = [Fraction(row["up_to_units"]) for row in charge.get("tiers", ())[:-1]]
    if "package_size" in charge:
        bounds += [Fraction(charge["package_size"]) * times for times in (1, 2, 3)]
    if "free_amount" in charge:
        bounds += [Fraction(charge["free_amount"]) / times for times in (1, 2)]
    if not bounds or dice.random() < 0.4:
        return numbers.quantity()
    steps = ("0", "0", "0", "1", "-1", "0.000001", "-0.000000000000000001")
    beyond = Fraction(dice.choice(steps))
    units = dice.choice(bounds) + Fraction(charge.get("free_units", 0)) + beyond
    counted = units * Fraction(charge.get("unit_divisor", 1))
    fits = (counted * 10**18).denominator == 1 and abs(counted) < BILLED_MAX
    return exact_text(counted) if fits else numbers.quantity()


def _add_discounts(numbers: Numbers, case: Case, currency: str) -> None:
    dice = numbers.dice
    kinds = ["percent", "percent", "amount", "units"]
    if case["charge"]["charge_model"] in ("flat", "percentage"):
        kinds.remove("units")
    rows = list[Row]()
    for place in range(dice.choice([1, 1, 2, 3, 12])):
        kind = dice.choice(kinds)
        row: Row = {"kind": kind}
        if kind == "percent":
            percents = ["0", "10", "12.5", "33.333333333333333333", "50", "100"]
            row["value"] = dice.choice(percents)
        elif kind == "amount":
            row["value"] = numbers.amount()
            _maybe(dice, 0.3, row, currency=currency)
        else:
            row["value"] = numbers.units()
        if kind != "percent":
            _maybe(dice, 0.3, row, spread=dice.choice(["each", "once"]))
        _maybe(dice, 0.1, row, periods=dice.choice([1, 12]))
        _maybe(dice, 0.3, row, priority=dice.choice([1, 50, 100, 101, 9999]))
        # Some ids stand against the order of the list; ids that are left out are d0, d1 and so on.
        _maybe(dice, 0.2, row, discount_id=f"z{9 - place % 10}-{place}")
        rows.append(row)
    case["discounts"] = rows
