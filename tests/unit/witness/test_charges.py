"""The witness of charge models against the contract's examples, and each rule at its bounds."""

from fractions import Fraction
from typing import Any

import pytest

from tests.worlds.price_cases import TIERS, graduated, price_case, standard, tiers
from witness.prices import price_answer


def answer(charge: dict[str, Any], **more: Any) -> dict[str, Any]:
    return price_answer(price_case(charge, **more))


def amount(charge: dict[str, Any], **more: Any) -> str:
    return str(answer(charge, **more)["amount"])


def only_line(charge: dict[str, Any], **more: Any) -> dict[str, Any]:
    (line,) = answer(charge, **more)["lines"]
    return dict(line)


@pytest.mark.parametrize(
    ("model", "quantity", "flat_at_zero", "unrounded", "expected"),
    [
        ("graduated", "100", False, "5", "5"),  # 100 × 0.02 + 3
        ("graduated", "100.5", False, "6.005", "6.01"),  # 5 + 0.5 × 0.01 + 1
        ("graduated", "100.000000000000000001", False, "6.00000000000000000001", "6"),
        ("graduated", "0", False, "0", "0"),
        ("graduated", "0", True, "3", "3"),
        ("graduated", "0.000000000000000001", True, "3.00000000000000000002", "3"),
        ("graduated", "-5", True, "3", "3"),
        ("volume", "100", False, "5", "5"),
        ("volume", "100.5", False, "2.005", "2.01"),  # 100.5 × 0.01 + 1
        ("volume", "0", False, "0", "0"),
        ("volume", "0", True, "3", "3"),
    ],
)
def test_graduated_and_volume(
    model: str, quantity: str, flat_at_zero: bool, unrounded: str, expected: str
) -> None:
    charge = graduated(TIERS, charge_model=model, flat_at_zero=flat_at_zero)
    line = only_line(charge, quantity=quantity)
    assert (line["amount_unrounded"], line["amount"]) == (unrounded, expected)


@pytest.mark.parametrize(
    ("quantity", "rounding", "billed", "count", "expected"),
    [
        ("20", "up", "0", [], "0"),
        ("21", "up", "1", ["1"], "4"),
        ("70", "up", "50", ["1"], "4"),
        ("121", "up", "101", ["3"], "12"),
        ("121", "down", "101", ["2"], "8"),
        ("69", "down", "49", ["0"], "0"),
    ],
)
def test_package(
    quantity: str, rounding: str, billed: str, count: list[str], expected: str
) -> None:
    charge = {
        "charge_model": "package", "unit_price": "4.00", "package_size": "50",
        "free_units": "20", "package_rounding": rounding,
    }  # fmt: skip
    line = only_line(charge, quantity=quantity)
    assert line["billed_quantity"] == billed
    assert [tier["packages"] for tier in line["tiers"]] == count
    assert (line["amount"], line["unit_price"]) == (expected, "4")


@pytest.mark.parametrize(
    ("quantity", "rounding", "billed", "expected"),
    [
        ("2050", "up", "2", "6"),  # 2.05 → 3, less 1 free
        ("2000", "up", "1", "3"),
        ("2050", "down", "1", "3"),
        ("2500", "nearest", "2", "6"),  # 2.5 → 3
        ("2499", "nearest", "1", "3"),
        ("2050", "none", "1.05", "3.15"),
        ("999", "down", "0", "0"),
        ("1000", "none", "0", "0"),
        ("-2050", "up", "0", "0"),
    ],
)
def test_unit_conversion_comes_before_free_units(
    quantity: str, rounding: str, billed: str, expected: str
) -> None:
    charge = standard("3", unit_divisor="1000", unit_rounding=rounding, free_units="1")
    line = only_line(charge, quantity=quantity)
    assert (line["quantity"], line["billed_quantity"]) == (quantity, billed)
    assert line["amount"] == expected


@pytest.mark.parametrize(
    ("quantity", "divisor", "billed"),
    [
        ("2", "3", "0.666666666666666667"),  # does not end: 18 digits, half away
        ("1", "3", "0.333333333333333333"),
        ("1", "1048576", "0.00000095367431640625"),  # 2⁻²⁰ ends, so all of its digits
        ("1", "0.001", "1000"),
    ],
)
def test_a_divided_quantity_is_exact_or_has_18_digits(
    quantity: str, divisor: str, billed: str
) -> None:
    line = only_line(standard("1", unit_divisor=divisor), quantity=quantity)
    assert line["billed_quantity"] == line["amount_unrounded"] == billed


def test_an_amount_is_rounded_from_its_exact_value() -> None:
    # 1 ÷ 3 × 0.015 is 0.005 exactly, and goes up. 0.333333333333333333 × 0.015 would go down.
    line = only_line(standard("0.015", unit_divisor="3"), quantity="1")
    assert (line["amount_unrounded"], line["amount"]) == ("0.005", "0.01")


@pytest.mark.parametrize(
    ("currency", "price", "half_away", "half_even"),
    [
        ("USD", "0.005", "0.01", "0"),
        ("USD", "0.015", "0.02", "0.02"),
        ("USD", "0.025", "0.03", "0.02"),
        ("USD", "0.0249", "0.02", "0.02"),
        ("USD", "0.0251", "0.03", "0.03"),
        ("JPY", "2.5", "3", "2"),
        ("KWD", "0.0025", "0.003", "0.002"),
        ("CLF", "0.00025", "0.0003", "0.0002"),
    ],
)
def test_rounding(currency: str, price: str, half_away: str, half_even: str) -> None:
    for rounding, expected in (("half_away", half_away), ("half_even", half_even)):
        found = amount(standard(price), quantity="1", currency=currency, rounding=rounding)
        assert found == expected


def test_the_widest_product_keeps_all_of_its_digits() -> None:
    line = only_line(
        standard("999999999999999.999999999999999"),
        quantity="99999999999999999999.999999999999999999",
    )
    # (10²⁰ − 10⁻¹⁸) × (10¹⁵ − 10⁻¹⁵) = 10³⁵ − 10⁵ − 10⁻³ + 10⁻³³
    exact = 10**35 - 10**5 - Fraction(1, 10**3) + Fraction(1, 10**33)
    assert Fraction(line["amount_unrounded"]) == exact
    assert line["amount"] == f"{10**35 - 10**5}"


@pytest.mark.parametrize(
    ("quantity", "expected", "reached"),
    [
        ("0", "0", []),
        ("10", "7", [("0", "10")]),
        ("10.5", "9", [("10", "10.5")]),
        ("1000000", "9", [("10", "1000000")]),
    ],
)
def test_stairstep(quantity: str, expected: str, reached: list[tuple[str, str]]) -> None:
    charge = {
        "charge_model": "stairstep", "flat_at_zero": False,
        "tiers": [{"up_to_units": "10", "flat_amount": "7"}, {"flat_amount": "9"}],
    }  # fmt: skip
    line = only_line(charge, quantity=quantity)
    assert [(tier["from_units"], tier["quantity"]) for tier in line["tiers"]] == reached
    assert (line["amount"], line["unit_price"]) == (expected, None)


def test_graduated_percentage() -> None:
    charge = {
        "charge_model": "graduated_percentage", "flat_at_zero": False,
        "tiers": [
            {"up_to_units": "1000", "rate_percent": "1", "flat_amount": "200"},
            {"rate_percent": "2.5"},
        ],
    }  # fmt: skip
    line = only_line(charge, quantity="1100")
    # 1000 × 1 % + 200 and 100 × 2.5 %
    assert [tier["amount_unrounded"] for tier in line["tiers"]] == ["210", "2.5"]
    assert [tier["rate_percent"] for tier in line["tiers"]] == ["1", "2.5"]
    assert [tier["unit_price"] for tier in line["tiers"]] == [None, None]
    assert (line["amount"], line["unit_price"]) == ("212.5", None)


@pytest.mark.parametrize(
    ("model", "quantity", "counts", "expected"),
    [
        ("graduated", "100", ["2"], "8"),
        ("graduated", "100.5", ["2", "1"], "9"),  # 2 × 4, and one block of 0.5 units at 1
        ("graduated", "130", ["2", "3"], "11"),
        ("volume", "100", ["2"], "8"),
        ("volume", "101", ["11"], "11"),  # all 101 units in blocks of 10
    ],
)
def test_tiers_in_blocks(model: str, quantity: str, counts: list[str], expected: str) -> None:
    charge = graduated(
        [
            {"up_to_units": "100", "unit_price": "4", "package_size": "50"},
            {"unit_price": "1", "package_size": "10"},
        ],
        charge_model=model,
    )
    line = only_line(charge, quantity=quantity)
    assert [tier["packages"] for tier in line["tiers"]] == counts
    assert line["amount"] == expected


@pytest.mark.parametrize(
    ("quantity", "amounts"),
    [("4", ["7"]), ("5", ["8"]), ("6", ["8"]), ("10", ["8"]), ("11", ["8", "1"])],
)
def test_a_cap_of_a_tier_includes_its_flat_amount(quantity: str, amounts: list[str]) -> None:
    charge = graduated(
        [
            {"up_to_units": "10", "unit_price": "1", "flat_amount": "3", "maximum_amount": "8"},
            {"unit_price": "1"},
        ]
    )
    line = only_line(charge, quantity=quantity)
    assert [tier["amount_unrounded"] for tier in line["tiers"]] == amounts


def test_a_cap_lowers_the_flat_amount_of_no_units() -> None:
    first = {"unit_price": "1", "flat_amount": "3", "maximum_amount": "2"}
    assert amount(graduated([first], flat_at_zero=True), quantity="0") == "2"


@pytest.mark.parametrize(
    ("quantity", "unit_price", "tier_count"),
    [("0", None, 0), ("100", "0.02", 1), ("101", None, 2)],
)
def test_a_line_has_a_price_where_one_tier_is_reached(
    quantity: str, unit_price: str | None, tier_count: int
) -> None:
    line = only_line(graduated(TIERS), quantity=quantity)
    assert (line["unit_price"], len(line["tiers"])) == (unit_price, tier_count)


@pytest.mark.parametrize(
    ("region", "cloud", "price"),
    [
        ("eu", "aws", "5"),  # both properties
        ("eu", "gcp", "3"),  # the region alone
        ("us", "aws", "2"),  # no cell: the charge's own
        ("*", "gcp", "2"),
    ],
)
def test_the_cell_that_fixes_most_prices_a_group(region: str, cloud: str, price: str) -> None:
    charge = {
        "charge_model": "matrix", "unit_price": "2",
        "cells": [
            {"match": {"region": "eu", "cloud": "*"}, "unit_price": "3"},
            {"match": {"region": "eu", "cloud": "aws"}, "unit_price": "5"},
        ],
    }  # fmt: skip
    groups = [{"group": {"region": region, "cloud": cloud}, "quantity": "1.5"}]
    line = only_line(charge, groups=groups)
    assert line["unit_price"] == price
    assert Fraction(line["amount"]) == Fraction(price) * Fraction("1.5")
    (tier,) = line["tiers"]
    assert (tier["from_units"], tier["up_to_units"], tier["unit_price"]) == ("0", None, price)


def test_groups_are_ordered_by_code_point_and_one_that_lacks_the_property_has_its_place() -> None:
    charge = standard("1", missing_dimension="b", free_units="1")
    rows = [("c", "3", 1), ("b", "2", 2), ("é", "5", 0), (None, "4", 3), ("B", "6", 1)]
    groups = [
        {"group": {"r": text}, "quantity": quantity, "event_count": count}
        for text, quantity, count in rows
    ]
    lines = answer(charge, groups=groups)["lines"]
    # Free units come off each group anew, and off the united one (2 + 4) once.
    assert [
        (line["group"]["r"], line["quantity"], line["billed_quantity"], line["event_count"])
        for line in lines
    ] == [("B", "6", "5", 1), ("b", "6", "5", 5), ("c", "3", "2", 1), ("é", "5", "4", 0)]


def test_a_grouped_charge_has_the_groups_that_occur() -> None:
    ungrouped = graduated(TIERS, flat_at_zero=True)
    assert amount(ungrouped, events=[]) == "3"
    assert answer(ungrouped | {"group_by": ["r"]}, events=[])["lines"] == []
    unused = [{"group": {"r": "eu"}, "quantity": "0"}]
    assert amount(ungrouped, groups=unused) == "3"


def test_events_are_added_up_by_group() -> None:
    events = [
        {"value": "5", "group": {"r": "us"}},
        {"value": "-2", "group": {"r": "eu"}},
        {"value": "0.5", "group": {"r": "us"}},
    ]
    lines = answer(standard("2"), events=events)["lines"]
    assert [
        (line["group"]["r"], line["quantity"], line["event_count"], line["amount"], line["events"])
        for line in lines
    ] == [("eu", "-2", 1, "0", []), ("us", "5.5", 2, "11", [])]


def test_each_bucket_begins_anew() -> None:
    charge = graduated(
        tiers(("10", "1", "0.5"), (None, "2", "0")), priced_each="bucket", unit_divisor="2"
    )
    line = only_line(charge, buckets=["20", "30", "0", "-8"])
    # 10 × 1 + 0.5; 10 × 1 + 0.5 + 5 × 2; 0; 0
    assert (line["quantity"], line["billed_quantity"]) == ("42", "25")
    assert line["tiers"] == [
        {"from_units": "0", "up_to_units": "10", "quantity": "20", "packages": None,
         "unit_price": "1", "rate_percent": None, "flat_amount": "1", "amount_unrounded": "21"},
        {"from_units": "10", "up_to_units": None, "quantity": "5", "packages": None,
         "unit_price": "2", "rate_percent": None, "flat_amount": "0", "amount_unrounded": "10"},
    ]  # fmt: skip
    assert line["amount"] == "31"


def test_free_units_and_packages_begin_anew_in_each_bucket() -> None:
    charge = {
        "charge_model": "package", "unit_price": "3", "package_size": "10", "free_units": "1",
        "priced_each": "bucket",
    }  # fmt: skip
    line = only_line(charge, buckets=["11", "12", "1"])
    # 10 → 1 package, 11 → 2 packages, 0
    assert [tier["packages"] for tier in line["tiers"]] == ["3"]
    assert (line["billed_quantity"], line["amount"]) == ("21", "9")
    assert only_line(charge, buckets=[])["amount"] == "0"


def test_buckets_are_added_up_before_they_are_rounded() -> None:
    charge = standard("0.004", priced_each="bucket")
    assert amount(charge, buckets=["1", "1", "1"]) == "0.01"  # 0.012


@pytest.mark.parametrize(
    ("more", "unrounded", "expected"),
    [
        ({}, "38.709677419354838710", "38.71"),  # 50 × 24 ÷ 31
        ({"quantity": "3"}, "116.129032258064516129", "116.13"),
        ({"quantity": "0"}, "0", "0"),
        ({"prorated": False}, "50", "50"),
        ({"billed": "once"}, "50", "50"),
    ],
)
def test_flat(more: dict[str, Any], unrounded: str, expected: str) -> None:
    charge = {"charge_model": "flat", "flat_amount": "50.00"} | more
    line = only_line(charge, share={"days": 24, "of": 31}, currency="EUR")
    count = more.get("quantity", "1")
    assert line["kind"] == "flat"
    assert (line["quantity"], line["billed_quantity"]) == (count, count)
    assert (line["unit_price"], line["tiers"], line["event_count"]) == ("50", [], 0)
    assert Fraction(line["amount_unrounded"]) == Fraction(unrounded)
    assert line["amount"] == expected


def test_a_plan_change_in_the_middle_of_april() -> None:
    half = {"days": 15, "of": 30}
    # The old fee's unused half is given back, and the new fee's half is due.
    assert amount({"charge_model": "flat", "flat_amount": "30"}, share=half) == "15"
    assert amount({"charge_model": "flat", "flat_amount": "60"}, share=half) == "30"


def test_a_matrix_line_of_nothing_still_has_its_price() -> None:
    charge = {"charge_model": "matrix", "unit_price": "2"}
    line = only_line(charge, groups=[{"group": {"r": "eu"}, "quantity": "0"}])
    assert (line["unit_price"], line["tiers"], line["amount"]) == ("2", [], "0")


def test_a_period_without_service_day_costs_nothing() -> None:
    charge = {"charge_model": "flat", "flat_amount": "50", "minimum_amount": "20"}
    lines = answer(charge, share={"days": 0, "of": 30})["lines"]
    assert [(line["kind"], line["amount"]) for line in lines] == [("flat", "0")]


def test_usage_is_not_prorated() -> None:
    assert amount(graduated(TIERS), quantity="100", share={"days": 1, "of": 30}) == "5"


@pytest.mark.parametrize(
    ("quantity", "billed", "expected", "difference"),
    [
        ("2", {"quantity": "10", "amount": "20"}, "12", "-8"),
        ("0", {"quantity": "10", "amount": "20"}, "20", "0"),
        ("-10", {"quantity": "10", "amount": "20"}, "0", "-20"),
        ("2", {"amount": "0"}, "4", "4"),
    ],
)
def test_what_was_billed_before_is_rated_again(
    quantity: str, billed: dict[str, str], expected: str, difference: str
) -> None:
    charge = graduated(tiers(("10", "2", "0"), (None, "1", "0")), charge_model="volume")
    found = answer(charge, quantity=quantity, already_billed=billed)
    assert (found["amount"], found["difference"]) == (expected, difference)
    assert found["already_billed"] == billed["amount"]
