"""Random cases of prices: what holds of every answer of the witness, and what the cases cover."""

import json
import random
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest

from tests.worlds.price_cases import Case, price_case, standard
from tests.worlds.random_prices import MODELS, TIERED, is_beyond, random_price_case
from witness.amounts import minor_digits
from witness.charges import Charge
from witness.prices import price_answer

SEEDS = range(600)


@pytest.fixture(scope="module")
def answers() -> list[tuple[Case, Case]]:
    made = [random_price_case(random.Random(seed)) for seed in SEEDS]  # noqa: S311
    return [(case, price_answer(case)) for case in made]


def total(texts: Any) -> Fraction:
    return sum((Fraction(text) for text in texts), Fraction(0))


def is_whole(text: str, case: Case) -> bool:
    """True if an amount has no digit beyond the minor unit."""
    units = Fraction(10) ** minor_digits(case.get("currency", "USD"))
    return (Fraction(text) * units).denominator == 1


def test_a_seed_gives_one_case_which_is_json() -> None:
    for seed in (1, 2, 3):
        one, other = (random_price_case(random.Random(seed)) for _ in range(2))  # noqa: S311
        assert json.loads(json.dumps(one)) == one == other


def test_amounts_are_whole_and_add_up(answers: list[tuple[Case, Case]]) -> None:
    for case, result in answers:
        lines = result["lines"]
        for line in lines:
            assert is_whole(line["amount"], case), case
            assert is_whole(line["discount_amount"], case), case
            net = Fraction(line["amount"]) - Fraction(line["discount_amount"])
            assert net == Fraction(line["net_amount"]), case
            assert net >= 0 or line["kind"] == "maximum", case
        assert total(line["net_amount"] for line in lines) == Fraction(result["amount"]), case


def test_tiers_and_events_add_up_to_their_line(answers: list[tuple[Case, Case]]) -> None:
    # Each text of a quotient that does not end is off by up to half of its last digit.
    off = Fraction(20, 10**18)
    compared = Counter[str]()
    for case, result in answers:
        for line in result["lines"]:
            for parts in (line["tiers"], line["events"]):
                if parts:
                    found = total(part["amount_unrounded"] for part in parts)
                    assert abs(found - Fraction(line["amount_unrounded"])) <= off, case
                    compared[case["charge"]["charge_model"]] += 1
            if case["charge"]["charge_model"] in ("graduated", "volume") and line["tiers"]:
                units = total(tier["quantity"] for tier in line["tiers"])
                assert abs(units - Fraction(line["billed_quantity"])) <= off, case
    assert set(compared) == set(MODELS) - {"flat"}


def test_bounds_hold(answers: list[tuple[Case, Case]]) -> None:
    held = 0
    for case, result in answers:
        charge = case["charge"]
        if "share" in case or "maximum_amount" not in charge:
            continue
        # A bound is rounded like an amount, so it is off by up to half a minor unit.
        half = Fraction(1, 2 * 10 ** minor_digits(case.get("currency", "USD")))
        assert Fraction(result["amount"]) <= Fraction(charge["maximum_amount"]) + half, case
        held += 1
    assert held > 10


def test_order_of_groups_and_discounts_changes_nothing(answers: list[tuple[Case, Case]]) -> None:
    for case, result in answers:
        turned = dict(case)
        if "groups" in case:
            turned["groups"] = case["groups"][::-1]
        turned["discounts"] = [
            {"discount_id": f"d{place}"} | row
            for place, row in enumerate(case.get("discounts", ()))
        ][::-1]
        assert price_answer(turned) == result, case


def test_one_more_unit_never_costs_less_where_tiers_are_graduated(
    answers: list[tuple[Case, Case]],
) -> None:
    compared = 0
    for case, result in answers:
        charge = case["charge"]
        if charge["charge_model"] != "graduated" or "quantity" not in case:
            continue
        more = dict(case) | {"quantity": str(int(Fraction(case["quantity"])) + 1)}
        dearer = Fraction(price_answer(more)["amount_unrounded"])
        assert dearer >= Fraction(result["amount_unrounded"]), case
        compared += 1
    assert compared > 10


def test_the_cases_cover_what_they_are_for(answers: list[tuple[Case, Case]]) -> None:
    seen = Counter[str]()
    for case, result in answers:
        charge = case["charge"]
        seen.update([*case, *charge, charge["charge_model"]])
        seen["beyond"] += is_beyond(result)
        bounds = [row["up_to_units"] for row in charge.get("tiers", ())[:-1]]
        units = 10 ** minor_digits(case.get("currency", "USD"))
        for line in result["lines"]:
            seen[line["kind"]] += 1
            seen["exactly at a bound"] += line["billed_quantity"] in bounds
            seen["half a unit"] += (Fraction(line["amount_unrounded"]) * units).denominator == 2
            seen["discounted"] += line["discount_amount"] != "0"
            seen["several tiers"] += len(line["tiers"]) > 1
    columns = set(Charge.__dataclass_fields__) - {"tiers", "cells"}
    fields = {"quantity", "groups", "buckets", "events", "share", "already_billed", "is_final",
              "discounts", "currency", "rounding", "event_count"}  # fmt: skip
    kinds = {"usage", "flat", "maximum", "minimum", "overage", "true_up"}
    found = {"exactly at a bound", "half a unit", "discounted", "several tiers"}
    for name in sorted({*MODELS, *columns, *fields, *kinds, *found}):
        assert seen[name] >= 3, name
    # Most answers are amounts that a bill can hold.
    assert 0 < seen["beyond"] < len(answers) / 10


@pytest.mark.parametrize("model", TIERED)
def test_tiers_touch_and_the_last_is_open(model: str, answers: list[tuple[Case, Case]]) -> None:
    tiered = [case["charge"] for case, _ in answers if case["charge"]["charge_model"] == model]
    assert tiered
    for charge in tiered:
        ends = [row["up_to_units"] for row in charge["tiers"]]
        starts = ["0", *ends[:-1]]
        assert ends[-1] is None
        assert all(Fraction(end) > Fraction(start)
                   for start, end in zip(starts, ends[:-1], strict=False))  # fmt: skip
        for start, row in zip(starts, charge["tiers"], strict=True):
            assert row.get("from_units", start) == start


@pytest.mark.parametrize(
    ("price", "quantity", "expected"),
    [
        # 1000 × (10²⁰ − 1) is less than 10²³, and a little more than 1000 makes it more.
        ("1000", "99999999999999999999", False),
        ("1000.000000000000001", "99999999999999999999", True),
        ("0", "100000000000000000000", True),
        ("0", "-100000000000000000000", True),
    ],
)
def test_what_is_beyond_a_bill(price: str, quantity: str, expected: bool) -> None:
    assert is_beyond(price_answer(price_case(standard(price), quantity=quantity))) == expected
