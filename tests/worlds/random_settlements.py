"""Random cases of the kind `settle`: all steps mixed, often exactly at a bound or a half."""

import random
from fractions import Fraction
from typing import Any

from tests.worlds.random_prices import Numbers
from witness.amounts import exact_text, minor_digits

Case = dict[str, Any]
Row = dict[str, Any]

CURRENCIES = ("USD", "USD", "EUR", "JPY", "KWD", "CLF")
CHARGES = ("a", "b", "c", None)
KINDS = ("usage", "usage", "usage", "flat", "minimum", "overage", "true_up", "maximum",
         "unused_advance", "adjustment")  # fmt: skip
TAX_CODES = ("city", "gst", "pst", "vat")
RATES = ("0", "5", "7.7", "8.25", "10", "19", "20", "33.333333333333333", "100", "1000")
PERCENTS = ("0", "10", "12.5", "33.333333333333333333", "50", "100")
ZONES = ("Etc/UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia")
WHENS = ("2026-03-01", "2026-03-31", "2026-04-01", "2026-04-01T00:00:00Z",
         "2026-03-31T22:00:00Z", "2026-04-01T00:00:00.000001Z", "2026-05-01")  # fmt: skip


def random_settle_case(dice: random.Random) -> Case:
    """A valid case, of amounts that a bill can hold."""
    currency = dice.choice(CURRENCIES)
    manner = dice.choice(["handy", "half", "half", "short", "short", "wide"])
    numbers = Numbers(dice, manner, minor_digits(currency))
    codes = dice.sample(TAX_CODES, dice.choice([0, 1, 1, 2, 3]))
    case: Case = {"kind": "settle", "lines": _lines(numbers, codes)}
    if codes:
        case["taxes"] = [_tax(dice, numbers, code) for code in codes]
    if currency != "USD" or dice.random() < 0.3:
        case["currency"] = currency
    if dice.random() < 0.6:
        case["rounding"] = dice.choice(["half_away", "half_even"])
    if dice.random() < 0.1:
        case["tax_exempt"] = dice.random() < 0.8
    if dice.random() < 0.4:
        case["plan"] = _plan(numbers)
    if dice.random() < 0.7:
        case["discounts"] = _discounts(numbers)
    if dice.random() < 0.6:
        case["credits"] = _credits(numbers, currency)
        if dice.random() < 0.6:
            case["period_end"] = dice.choice(WHENS)
            case["time_zone"] = dice.choice(ZONES)
    return case


def _money(numbers: Numbers) -> str:
    """An amount of money, in whole minor units or not."""
    if numbers.manner == "wide":
        return numbers.decimal(20, 18)
    return numbers.amount()


def _whole_units(numbers: Numbers, most: int = 60_000) -> str:
    return exact_text(Fraction(numbers.dice.randint(0, most), 10**numbers.digits))


def _lines(numbers: Numbers, codes: list[str]) -> list[Row]:
    dice = numbers.dice
    lines = list[Row]()
    for _ in range(dice.choice([0, 1, 2, 3, 3, 5, 12])):
        row: Row = {"amount": _money(numbers)}
        kind = dice.choice(KINDS)
        if kind != "usage" or dice.random() < 0.5:
            row["kind"] = kind
        below_0 = {"maximum": 1.0, "unused_advance": 1.0, "adjustment": 0.6}
        if dice.random() < below_0.get(kind, 0.03):
            row["amount"] = exact_text(-Fraction(row["amount"]))
        if dice.random() < 0.2:
            # Lines of equal amounts have equal remainders.
            row["amount"] = lines[0]["amount"] if lines else "0"
        charge = dice.choice(CHARGES)
        if charge is not None:
            row["charge_code"] = charge
        if codes and dice.random() < 0.4:
            row["tax_codes"] = dice.sample(codes, dice.randint(0, len(codes)))
        lines.append(row)
    return lines


def _tax(dice: random.Random, numbers: Numbers, code: str) -> Row:
    tax: Row = {"tax_code": code, "rate_percent": dice.choice(RATES)}
    if numbers.manner == "wide":
        tax["rate_percent"] = numbers.percent()
    if dice.random() < 0.5:
        tax["inclusive"] = dice.random() < 0.8
    if dice.random() < 0.4:
        tax["rounding"] = dice.choice(["line", "invoice"])
    return tax


def _plan(numbers: Numbers) -> Row:
    dice = numbers.dice
    least, most = sorted((numbers.amount(), numbers.amount()), key=Fraction)
    plan: Row = {}
    if dice.random() < 0.7:
        plan["minimum_amount"] = least
    if dice.random() < 0.5:
        plan["maximum_amount"] = most
    if dice.random() < 0.5:
        of = dice.choice([1, 7, 28, 31, 90, 366])
        plan["share"] = {"days": dice.choice([0, of, dice.randint(0, of)]), "of": of}
    return plan


def _discounts(numbers: Numbers) -> list[Row]:
    dice = numbers.dice
    rows = list[Row]()
    for place in range(dice.choice([1, 1, 2, 3, 6])):
        row: Row = {"kind": dice.choice(["percent", "amount"])}
        if row["kind"] == "percent":
            row["value"] = dice.choice(PERCENTS)
        else:
            row["value"] = _money(numbers)
            if dice.random() < 0.5:
                row["spread"] = dice.choice(["each", "once"])
                if row["spread"] == "once" and dice.random() < 0.7:
                    row["used"] = _whole_units(numbers)
        if dice.random() < 0.5:
            row["charge_codes"] = dice.sample(CHARGES[:3], dice.randint(1, 3))
        if dice.random() < 0.4:
            row["priority"] = dice.choice([1, 99, 100, 101, 9999])
        if dice.random() < 0.1:
            row["periods"] = dice.choice([1, 12])
        # Some ids stand against the order of the list; ids that are left out are d0, d1 and so on.
        if dice.random() < 0.3:
            row["discount_id"] = f"z{9 - place}"
        rows.append(row)
    return rows


def _credits(numbers: Numbers, currency: str) -> list[Row]:
    dice = numbers.dice
    rows = list[Row]()
    for place in range(dice.choice([1, 1, 2, 3, 6])):
        row: Row = {"amount": _whole_units(numbers, dice.choice([0, 9, 2_000, 90_000]))}
        if numbers.manner == "wide":
            row["amount"] = str(dice.randrange(10**15))
        if dice.random() < 0.4:
            row["priority"] = dice.choice([1, 50, 100])
        if dice.random() < 0.3:
            row["cost_basis"] = dice.choice(["0", "0.5", "1"])
        for name, chance in (("effective_at", 0.5), ("voided_at", 0.15)):
            if dice.random() < chance:
                row[name] = dice.choice(WHENS)
        if dice.random() < 0.5:
            # After whatever it is effective at, in every zone.
            early = row.get("effective_at") in (None, "2026-03-01")
            row["expires_at"] = dice.choice(WHENS[1:]) if early else "2026-05-02"
        if dice.random() < 0.3:
            row["charge_codes"] = dice.sample(CHARGES[:3], dice.randint(1, 3))
        if dice.random() < 0.2:
            row["kinds"] = dice.sample(["usage", "flat", "minimum", "adjustment"], 2)
        if dice.random() < 0.1 and currency not in ("JPY", "CLF", "KWD"):
            row["currency"] = dice.choice(["USD", "EUR"])
        if dice.random() < 0.3:
            row["credit_id"] = f"z{9 - place}"
        rows.append(row)
    return rows
