"""Small examples of prices, asked through preview and worked out by the SQL that bills."""

from typing import Any

import pytest

from tests.worlds.previews import Case, answers_to, result_of

TIERS = [
    {"up_to_units": "100", "unit_price": "0.02", "flat_amount": "3"},
    {"up_to_units": None, "unit_price": "0.01", "flat_amount": "1"},
]
PACKAGE: Case = {
    "charge_model": "package",
    "unit_price": "4.00",
    "package_size": "50",
    "free_units": "20",
}
DOWN = PACKAGE | {"package_rounding": "down"}
PERCENTAGE: Case = {"charge_model": "percentage", "rate_percent": "2"}
FEE: Case = {"charge_model": "flat", "flat_amount": "50.00"}
COMMITTED: Case = {
    "charge_model": "standard",
    "unit_price": "1",
    "commitment_amount": "1000",
    "commitment_overage_factor": "1.5",
}


def price(charge: Case, quantity: object = None, **more: Any) -> Case:
    return {"kind": "price", "charge": charge, "quantity": quantity} | more


def tiered(model: str, **more: Any) -> Case:
    return {"charge_model": model, "tiers": TIERS, "flat_at_zero": False} | more


def events(*values: object) -> list[Case]:
    return [{"value": value} for value in values]


EXAMPLES = {
    "graduated at a bound": (price(tiered("graduated"), "100"), "5", "5"),
    "graduated above it": (price(tiered("graduated"), "100.5"), "6.005", "6.01"),
    "graduated at 0": (price(tiered("graduated"), "0"), "0", "0"),
    "flat at 0": (price(tiered("graduated", flat_at_zero=True), "0"), "3", "3"),
    "volume at a bound": (price(tiered("volume"), "100"), "5", "5"),
    "volume above it": (price(tiered("volume"), "100.5"), "2.005", "2.01"),
    "half to even": (price(tiered("volume"), "100.5", rounding="half_even"), "2.005", "2"),
    "free units": (price(PACKAGE, "20"), "0", "0"),
    "a package": (price(PACKAGE, "21"), "4", "4"),
    "three packages": (price(PACKAGE, "121"), "12", "12"),
    "full packages": (price(DOWN, "121"), "8", "8"),
    "megabytes by the gigabyte": (
        price({"charge_model": "standard", "unit_price": "3.00", "unit_divisor": "1000",
               "unit_rounding": "up", "free_units": "1"}, "2050"),
        "6", "6",
    ),
    "free events": (
        price(PERCENTAGE | {"fixed_amount": "0.30", "free_events": 2},
              events=events(10, 20, 30, 0)),
        "1.2", "1.2",
    ),
    "free value": (
        price(PERCENTAGE | {"free_amount": "25", "minimum_per_event": "0.50"},
              events=events(10, 20, 900)),
        "18.5", "18.5",
    ),
    "a total of events": (
        price(PERCENTAGE | {"fixed_amount": "0.30"}, "60", event_count=4), "2.4", "2.4",
    ),
    "the events of that total": (
        price(PERCENTAGE | {"fixed_amount": "0.30"}, events=events(10, 20, 30, -5)), "2.4", "2.4",
    ),
    "a fee from the 8th": (
        price(FEE, share={"days": 24, "of": 31}, currency="EUR"), "38.70967741935483871", "38.71",
    ),
    "a minimum of a part": (
        price({"charge_model": "standard", "unit_price": "1", "minimum_amount": "100"}, "30",
              share={"days": 24, "of": 31}),
        "30", "77.42",
    ),
    "below a commitment": (price(COMMITTED | {"commitment_true_up": False}, "600"), "600", "600"),
    "above a commitment": (price(COMMITTED, "1300"), "1300", "1450"),
    "hours that commit": (
        price({"charge_model": "standard", "unit_price": "1", "priced_each": "bucket",
               "commitment_amount": "20", "commitment_overage_factor": "1.5"},
              buckets=["30", "12", "20"]),
        "62", "75",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def results() -> dict[str, Case]:
    """The results of all examples, asked in one call."""
    answered = answers_to(*({"id": name} | case for name, (case, _, _) in EXAMPLES.items()))
    return {answer["id"]: answer["result"] for answer in answered if answer["ok"]}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_comes_to_its_amount(name: str, results: dict[str, Case]) -> None:
    _, unrounded, amount = EXAMPLES[name]

    assert (results[name]["amount_unrounded"], results[name]["amount"]) == (unrounded, amount)


def test_late_units_are_billed_by_rating_the_whole_again() -> None:
    tiers = [{"up_to_units": "10", "unit_price": "2.00"}, {"unit_price": "1.00"}]
    volume = {"charge_model": "volume", "tiers": tiers}

    result = result_of(price(volume, "2", already_billed={"quantity": "10", "amount": "20.00"}))

    # 12 units at 1.00 come to 12.00, of which 20.00 were billed.
    assert result["lines"][0]["quantity"] == "12"
    assert (result["amount"], result["already_billed"], result["difference"]) == ("12", "20", "-8")


def test_graduated_line_shows_its_tiers() -> None:
    assert result_of(price(tiered("graduated"), "100.5")) == {
        "lines": [
            {
                "kind": "usage",
                "group": {},
                "quantity": "100.5",
                "billed_quantity": "100.5",
                "event_count": 0,
                "unit_price": None,
                "amount_unrounded": "6.005",
                "amount": "6.01",
                "discount_amount": "0",
                "net_amount": "6.01",
                "tiers": [
                    {
                        "from_units": "0",
                        "up_to_units": "100",
                        "quantity": "100",
                        "packages": None,
                        "unit_price": "0.02",
                        "rate_percent": None,
                        "flat_amount": "3",
                        "amount_unrounded": "5",
                    },
                    {
                        "from_units": "100",
                        "up_to_units": None,
                        "quantity": "0.5",
                        "packages": None,
                        "unit_price": "0.01",
                        "rate_percent": None,
                        "flat_amount": "1",
                        "amount_unrounded": "1.005",
                    },
                ],
                "events": [],
            }
        ],
        "amount_unrounded": "6.005",
        "amount": "6.01",
        "already_billed": None,
        "difference": None,
    }


def test_matrix_prices_each_group_by_its_cell_and_shares_discounts() -> None:
    cells = [
        {"match": {"region": "eu"}, "unit_price": "2"},
        {"match": {"region": "eu", "cloud": "aws"}, "unit_price": "3"},
    ]
    groups = [
        {"group": {"region": "eu", "cloud": "aws"}, "quantity": "10", "event_count": 7},
        {"group": {"region": "eu", "cloud": None}, "quantity": "5"},
        {"group": {"region": "us", "cloud": "gcp"}, "quantity": "4"},
    ]
    charge = {"charge_model": "matrix", "unit_price": "1", "cells": cells}
    discounts = [{"kind": "amount", "value": "4.40"}, {"kind": "units", "value": "2"}]

    lines = result_of(price(charge | {"missing_dimension": "none"}, groups=groups,
                            discounts=discounts))["lines"]  # fmt: skip

    # The units are taken off the first line: 8 × 3. Of 38.00, 4.40 are allocated by amount.
    assert [(line["group"], line["billed_quantity"], line["amount"], line["discount_amount"])
            for line in lines] == [
        ({"cloud": "aws", "region": "eu"}, "8", "24", "2.78"),
        ({"cloud": "gcp", "region": "us"}, "4", "4", "0.46"),
        ({"cloud": "none", "region": "eu"}, "5", "10", "1.16"),
    ]  # fmt: skip
