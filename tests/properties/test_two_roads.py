"""The same numbers by the narrow road and by the wide one, at and around the bounds of both.

What is priced narrow is asked for a second time with every line sent down the wide road, and a
third time of the witness, which knows no roads.
"""

import random
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest

from pipelines.warehouse import macro_chains
from pipelines.warehouse.metric_macros import macro_sql
from tests.worlds.previews import previewed
from tests.worlds.price_cases import Case, Row, graduated, price_case, standard, tiers
from tests.worlds.random_prices import is_beyond
from witness.amounts import exact_text
from witness.prices import price_answer

SEEDS = range(600)

MODELS = ("standard", "graduated", "graduated", "volume", "stairstep", "package")
"""Some models have no narrow form."""

LAST = Fraction(1, 10**6)
"""The last digit of a narrow quantity."""

BELOW_LAST = Fraction(1, 10**7)
"""A digit more than it has."""

QUANTITIES = [
    Fraction(text)
    for text in ("0", "0.000001", "0.5", "1", "2", "99.999999", "100", "100.000001", "12345.678901",
                 "1000000000000", "999999999999.999999")
]  # fmt: skip
PRICES = ("0", "0.000000000000001", "0.005", "0.0025", "0.02", "1.5", "49999.999999999999999",
          "50000", "99999.999999999999999", "100000", "123456789.5")  # fmt: skip
FLATS = ("0", "0", "0.005", "3", "0.000000000000001", "49999.999999999999999", "50000", "100000")
BOUNDS = ("0.000001", "0.0000001", "1", "2", "99.999999", "100", "1000000", "999999999999.999999",
          "1000000000000")  # fmt: skip
CURRENCIES = ("USD", "JPY", "KWD", "CLF")


def quantity(dice: random.Random) -> str:
    """A quantity of few digits, or of one more than these."""
    whole = dice.choice([0, 6, 12])
    found = dice.choice([*QUANTITIES, Fraction(dice.randrange(10 ** (whole + 6)), 10**6)])
    return exact_text(
        max(found + dice.choice([*[Fraction(0)] * 4, LAST, -LAST, BELOW_LAST]), Fraction(0))
    )


def price(dice: random.Random) -> str:
    """A price of up to 5 digits before its point, or of more."""
    any_digits = exact_text(Fraction(dice.randrange(10 ** dice.choice([15, 18, 20])), 10**15))
    return dice.choice([*PRICES, *PRICES[:7], *[any_digits] * 5])


def tier_rows(dice: random.Random) -> list[Row]:
    """Tiers with narrow bounds, or with others."""
    ends = sorted({Fraction(dice.choice(BOUNDS)) for _ in range(dice.randint(0, 3))})
    made = [(exact_text(end), price(dice), dice.choice(FLATS)) for end in ends]
    return tiers(*made, (None, price(dice), dice.choice(FLATS)))


def charge(dice: random.Random) -> Row:
    """A charge of any of the models."""
    model = dice.choice(MODELS)
    more: Row = {}
    if dice.random() < 0.2:
        more["unit_divisor"] = dice.choice(["1000", "3", "0.001"])
        more["unit_rounding"] = dice.choice(["none", "up", "nearest"])
    if model == "standard":
        return standard(price(dice), **more)
    if model == "package":
        return standard(price(dice), charge_model="package", package_size="10", **more)
    rows = tier_rows(dice)
    if model == "stairstep":
        rows = [row | {"unit_price": None} for row in rows]
    elif dice.random() < 0.1:
        rows[-1] |= dice.choice([{"package_size": "7"}, {"maximum_amount": "1000"}])
    if dice.random() < 0.1:
        more |= {"commitment_amount": "50", "commitment_overage_factor": "1.5"}
    return graduated(rows, charge_model=model, flat_at_zero=dice.random() < 0.5, **more)


def case(seed: int) -> Case:
    """A case of a charge with one quantity, or with those of three groups."""
    dice = random.Random(seed)  # noqa: S311
    more: dict[str, Any] = {
        "currency": dice.choice(CURRENCIES), "rounding": dice.choice(["half_away", "half_even"]),
    }  # fmt: skip
    own = charge(dice)
    if dice.random() < 0.2:
        own["group_by"] = ["region"]
        more["groups"] = [
            {"group": {"region": region}, "quantity": quantity(dice)} for region in "abc"
        ]
    else:
        more["quantity"] = quantity(dice)
    if dice.random() < 0.2:
        more["discounts"] = [{"kind": "percent", "value": "12.5"}, {"kind": "units", "value": "1"}]
    return price_case(own, **more)


def many_tiers(count: int, units: str) -> Case:
    """A case of graduated tiers of ten units each, with prices that fall."""
    rows = [(str(10 * end), f"0.{1000 - end:04}", "0") for end in range(1, count)]
    return price_case(graduated(tiers(*rows, (None, "0.01", "0"))), quantity=units)


def without_narrow_road(name: str, *relations: object) -> str:
    """The SQL of a macro, where every line takes the wide road."""
    if name == "parts_by_road":
        return f"select *, cast(null as decimal(18, 6)) as narrow_quantity from {relations[0]}"
    return macro_sql(name, *relations)


def without_narrow_amounts(name: str, *relations: object) -> str:
    """The SQL of a macro, where lines of the narrow road come to nothing."""
    sql = macro_sql(name, *relations)
    return f"select * from ({sql}) where false" if name == "narrow_lines" else sql


def test_both_roads_end_at_the_same_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [case(seed) for seed in SEEDS]
    cases += [many_tiers(100, units) for units in ("3.5", "170", "994.999999", "5000")]
    cases += [many_tiers(101, "5000")]
    found = previewed(cases)
    monkeypatch.setattr(macro_chains, "macro_sql", without_narrow_road)
    by_the_wide_road = previewed(cases)
    monkeypatch.setattr(macro_chains, "macro_sql", without_narrow_amounts)
    by_no_narrow_road = previewed(cases)

    is_narrow = [found[place] != by_no_narrow_road[place] for place in range(len(cases))]
    roads = Counter[tuple[str, bool]]()
    for place, made in enumerate(cases):
        assert found[place] == by_the_wide_road[place], place
        expected = price_answer(made)
        if is_beyond(expected):
            assert found[place]["error"]["code"] == "overflow", place
        else:
            assert found[place].get("result") == expected, place
        roads[made["charge"]["charge_model"], is_narrow[place]] += 1
        assert not (is_narrow[place] and needs_the_wide_road(made)), place
    assert is_narrow[len(SEEDS) :] == [True, True, True, True, False]
    for model in ("standard", "graduated", "volume"):
        assert min(roads[model, True], roads[model, False]) > len(SEEDS) // 40, roads


def needs_the_wide_road(made: Case) -> bool:
    """True if no line of a case has numbers that narrow decimals hold."""
    own = made["charge"]
    if own["charge_model"] not in ("standard", "graduated", "volume"):
        return True
    rows = own.get("tiers", [{"unit_price": own.get("unit_price"), "flat_amount": "0"}])
    highest = max(Fraction(row["unit_price"]) for row in rows)
    return len(rows) > 100 or highest + sum(Fraction(row["flat_amount"]) for row in rows) >= 100_000
