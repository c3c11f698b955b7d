"""The witness of percentages, discounts, commitments and bounds of a charge, by hand."""

from fractions import Fraction
from typing import Any

import pytest

from tests.worlds.price_cases import TIERS, graduated, price_case, standard, tiers
from witness.amounts import allocated, exact_text, rounded
from witness.prices import price_answer


def answer(charge: dict[str, Any], **more: Any) -> dict[str, Any]:
    return price_answer(price_case(charge, **more))


def summary(charge: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    """Kind and net amount of each line."""
    return [(line["kind"], line["net_amount"]) for line in answer(charge, **more)["lines"]]


def of_events(columns: dict[str, Any], values: list[str]) -> tuple[dict[str, Any], list[Any]]:
    """The line of a percentage charge, and place, free part, flag and amount of each event."""
    events = [{"value": value} for value in values]
    (line,) = answer({"charge_model": "percentage"} | columns, events=events)["lines"]
    paid = [
        (event["index"], event["free"], event["charged"], event["amount_unrounded"])
        for event in line["events"]
    ]
    return line, paid


def test_the_answer_of_the_contract() -> None:
    assert answer(graduated(TIERS), quantity="100.5") == {
        "lines": [
            {"kind": "usage", "group": {}, "quantity": "100.5", "billed_quantity": "100.5",
             "event_count": 0, "unit_price": None, "amount_unrounded": "6.005", "amount": "6.01",
             "discount_amount": "0", "net_amount": "6.01",
             "tiers": [
                 {"from_units": "0", "up_to_units": "100", "quantity": "100", "packages": None,
                  "unit_price": "0.02", "rate_percent": None, "flat_amount": "3",
                  "amount_unrounded": "5"},
                 {"from_units": "100", "up_to_units": None, "quantity": "0.5", "packages": None,
                  "unit_price": "0.01", "rate_percent": None, "flat_amount": "1",
                  "amount_unrounded": "1.005"},
             ],
             "events": []},
        ],
        "amount_unrounded": "6.005", "amount": "6.01", "already_billed": None, "difference": None,
    }  # fmt: skip


def test_percentage_with_free_events() -> None:
    columns = {"rate_percent": "2", "fixed_amount": "0.30", "free_events": 2}
    line, paid = of_events(columns, ["10", "20", "30", "0"])
    assert paid == [
        (0, "10", False, "0"), (1, "20", False, "0"),
        (2, "0", True, "0.9"),  # 30 × 2 % + 0.30
        (3, "0", True, "0.3"),  # nothing of value, and still an event
    ]  # fmt: skip
    assert (line["quantity"], line["billed_quantity"], line["event_count"]) == ("60", "60", 4)
    assert (line["amount"], line["tiers"], line["unit_price"]) == ("1.2", [], None)


def test_percentage_with_a_free_amount_and_a_minimum() -> None:
    columns = {"rate_percent": "2", "free_amount": "25", "minimum_per_event": "0.50"}
    line, paid = of_events(columns, ["10", "20", "900"])
    # 5 × 2 % = 0.10 is raised to 0.50, and 900 × 2 % = 18.
    assert paid == [(0, "10", False, "0"), (1, "15", True, "0.5"), (2, "0", True, "18")]
    assert line["amount"] == "18.5"


@pytest.mark.parametrize(
    ("free", "values", "expected"),
    [
        ({"free_events": 0}, ["5"], [(0, "0", True, "1.05")]),
        ({"free_amount": "0"}, ["5", "0"], [(0, "0", True, "1.05"), (1, "0", True, "1")]),
        # The second event uses the free amount up exactly, and nothing is left for a third of 0.
        ({"free_amount": "25"}, ["10", "15", "0"],
         [(0, "10", False, "0"), (1, "15", False, "0"), (2, "0", True, "1")]),
        # An event of no value is free while the free amount lasts.
        ({"free_amount": "25"}, ["0", "25"], [(0, "0", False, "0"), (1, "25", False, "0")]),
        ({"free_events": 1}, ["0", "0"], [(0, "0", False, "0"), (1, "0", True, "1")]),
        # Both terms: the third event is too late, although 15 are left.
        ({"free_events": 2, "free_amount": "25"}, ["4", "6", "7"],
         [(0, "4", False, "0"), (1, "6", False, "0"), (2, "0", True, "1.07")]),
        # Both terms: the second event is early enough, and 5 are left of the amount.
        ({"free_events": 2, "free_amount": "25"}, ["20", "8"],
         [(0, "20", False, "0"), (1, "5", True, "1.03")]),
        ({"free_events": 3, "free_amount": "25"}, ["25", "0"],
         [(0, "25", False, "0"), (1, "0", True, "1")]),
    ],
)  # fmt: skip
def test_free_parts_at_their_bounds(
    free: dict[str, Any], values: list[str], expected: list[Any]
) -> None:
    _, paid = of_events({"rate_percent": "1", "fixed_amount": "1"} | free, values)
    assert paid == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("9", "1"), ("10", "1"), ("11", "1.1"), ("20", "2"), ("21", "2"), ("0", "1"), ("-4", "1")],
)
def test_the_amount_of_an_event_has_bounds(value: str, expected: str) -> None:
    columns = {"rate_percent": "10", "minimum_per_event": "1", "maximum_per_event": "2"}
    _, paid = of_events(columns, [value])
    assert paid == [(0, "0", True, expected)]


def test_a_negative_event_is_counted_and_priced_as_0() -> None:
    line, paid = of_events({"rate_percent": "10", "free_events": 0}, ["-4", "6"])
    assert (line["quantity"], line["billed_quantity"]) == ("2", "6")
    assert [event[3] for event in paid] == ["0", "0.6"]


def test_values_of_events_are_divided() -> None:
    columns = {"rate_percent": "10", "free_amount": "1", "unit_divisor": "100"}
    line, paid = of_events(columns, ["150", "200"])
    assert paid == [(0, "1", True, "0.05"), (1, "0", True, "0.2")]
    assert (line["quantity"], line["billed_quantity"], line["amount"]) == ("350", "3.5", "0.25")


def test_each_group_has_its_free_events() -> None:
    charge = {"charge_model": "percentage", "rate_percent": "10", "free_events": 1}
    events = [
        {"value": value, "group": {"r": region}}
        for value, region in (("1", "us"), ("2", "eu"), ("3", "us"), ("4", "eu"))
    ]
    lines = answer(charge, events=events)["lines"]
    assert [[(each["index"], each["amount_unrounded"]) for each in line["events"]]
            for line in lines] == [[(1, "0"), (3, "0.4")], [(0, "0"), (2, "0.3")]]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"quantity": "60", "event_count": 4}, "2.4"),  # 60 × 2 % + 4 × 0.30
        ({"quantity": "60"}, "1.2"),
        ({"quantity": "-60", "event_count": 4}, "1.2"),
        ({"events": [{"value": "90"}, {"value": "-30"}]}, "2.4"),  # 1.80 + 0 + 2 × 0.30
        ({"events": []}, "0"),
    ],
)
def test_percentage_without_terms_of_events(given: dict[str, Any], expected: str) -> None:
    charge = {"charge_model": "percentage", "rate_percent": "2", "fixed_amount": "0.30"}
    found = answer(charge, **given)
    assert (found["amount"], found["lines"][0]["events"]) == (expected, [])


@pytest.mark.parametrize(
    ("quantity", "more", "expected"),
    [
        # 24 ÷ 31 × 100 is 77.419…
        ("30", {"share": {"days": 24, "of": 31}}, [("usage", "30"), ("minimum", "47.42")]),
        ("77.41", {"share": {"days": 24, "of": 31}}, [("usage", "77.41"), ("minimum", "0.01")]),
        ("77.42", {"share": {"days": 24, "of": 31}}, [("usage", "77.42")]),
        ("99.99", {}, [("usage", "99.99"), ("minimum", "0.01")]),
        ("100", {}, [("usage", "100")]),
        ("150", {}, [("usage", "150")]),
        ("150.01", {}, [("usage", "150.01"), ("maximum", "-0.01")]),
        ("0", {}, [("usage", "0"), ("minimum", "100")]),
        ("30", {"is_final": False}, [("usage", "30")]),
        ("200", {"is_final": False}, [("usage", "200"), ("maximum", "-50")]),
        ("200", {"share": {"days": 1, "of": 2}}, [("usage", "200"), ("maximum", "-125")]),
    ],
)
def test_minimum_and_maximum(
    quantity: str, more: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    charge = standard("1", minimum_amount="100", maximum_amount="150")
    assert summary(charge, quantity=quantity, **more) == expected


def test_bounds_are_whole_where_nothing_is_prorated() -> None:
    charge = standard("1", minimum_amount="100", prorated=False)
    half = {"days": 1, "of": 2}
    assert summary(charge, quantity="30", share=half) == [("usage", "30"), ("minimum", "70")]


def test_bounds_compare_rounded_groups_after_discounts() -> None:
    charge = standard("0.005", maximum_amount="0.015", minimum_amount="0.014")
    groups = [{"group": {"r": name}, "quantity": "1"} for name in "abc"]
    # 0.01 three times; the maximum is rounded to 0.02.
    assert summary(charge, groups=groups)[3:] == [("maximum", "-0.01")]
    off = [{"kind": "amount", "value": "0.03"}]
    assert summary(charge, groups=groups, discounts=off)[3:] == [("minimum", "0.01")]


def test_a_bound_line_has_no_quantity() -> None:
    line = answer(standard("1", minimum_amount="5"), quantity="1")["lines"][1]
    assert line == {
        "kind": "minimum", "group": {}, "quantity": None, "billed_quantity": None,
        "event_count": 0, "unit_price": None, "amount_unrounded": "4", "amount": "4",
        "discount_amount": "0", "net_amount": "4", "tiers": [], "events": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("quantity", "more", "columns", "expected"),
    [
        # 400 above 1000, half as much again
        ("700", {}, {}, [("usage", "1400"), ("overage", "200")]),
        ("500", {}, {}, [("usage", "1000")]),
        ("500.01", {}, {}, [("usage", "1000.02"), ("overage", "0.01")]),
        ("499.99", {}, {}, [("usage", "999.98"), ("true_up", "0.02")]),
        ("300", {}, {"commitment_true_up": False}, [("usage", "600")]),
        ("300", {"is_final": False}, {}, [("usage", "600")]),
        ("700", {"is_final": False}, {}, [("usage", "1400"), ("overage", "200")]),
        ("700", {}, {"commitment_overage_factor": "1"}, [("usage", "1400")]),
        ("100", {"share": {"days": 1, "of": 4}}, {}, [("usage", "200"), ("true_up", "50")]),
        ("100", {"share": {"days": 1, "of": 3}}, {}, [("usage", "200"), ("true_up", "133.33")]),
        ("100", {"share": {"days": 1, "of": 4}}, {"prorated": False},
         [("usage", "200"), ("true_up", "800")]),
        ("700", {}, {"maximum_amount": "1500"},
         [("usage", "1400"), ("maximum", "-100"), ("overage", "200")]),
        ("300", {}, {"minimum_amount": "1100"},
         [("usage", "600"), ("minimum", "100"), ("true_up", "400")]),
        ("700", {"discounts": [{"kind": "percent", "value": "50"}]}, {},
         [("usage", "700"), ("overage", "200")]),
    ],
)  # fmt: skip
def test_commitment(
    quantity: str, more: dict[str, Any], columns: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    terms = {"commitment_amount": "1000", "commitment_overage_factor": "1.5"} | columns
    assert summary(standard("2", **terms), quantity=quantity, **more) == expected


def test_a_commitment_of_buckets_compares_each_and_is_not_prorated() -> None:
    charge = standard(
        "2", priced_each="bucket", commitment_amount="20", commitment_overage_factor="1.5"
    )
    # 30, 12 and 20 against 20: overage 10 × 0.5, true-up 8
    found = answer(charge, buckets=["15", "6", "10"], share={"days": 1, "of": 2})
    assert [(line["kind"], line["amount"]) for line in found["lines"]] == [
        ("usage", "62"), ("overage", "5"), ("true_up", "8"),
    ]  # fmt: skip
    assert (found["amount"], found["amount_unrounded"]) == ("75", "62")
    assert summary(charge, buckets=[]) == [("usage", "0")]


def test_a_commitment_compares_all_groups_together_and_exactly() -> None:
    charge = standard("0.004", commitment_amount="0.01", commitment_overage_factor="3")
    groups = [{"group": {"r": name}, "quantity": "1"} for name in "abc"]
    lines = answer(charge, groups=groups)["lines"]
    # Lines of 0.00 each are 0.012 together: (0.012 − 0.01) × 2 is 0.004, which is no line.
    assert [line["amount"] for line in lines] == ["0", "0", "0"]
    (overage,) = answer(
        charge | {"commitment_overage_factor": "4"}, groups=groups
    )["lines"][3:]  # fmt: skip
    assert (overage["amount_unrounded"], overage["amount"]) == ("0.006", "0.01")


@pytest.mark.parametrize(
    ("discounts", "expected"),
    [
        ([("percent", "10", {})], "90"),
        ([("percent", "10", {}), ("percent", "10", {})], "81"),
        ([("percent", "100", {}), ("amount", "5", {})], "0"),
        ([("amount", "10", {}), ("percent", "10", {})], "80"),  # 100 − 10 − 10: percent first
        ([("amount", "10", {"priority": 1}), ("percent", "10", {})], "81"),
        ([("percent", "10", {"priority": 101}), ("amount", "10", {})], "81"),
        ([("amount", "99.995", {})], "0"),  # rounded to 100.00
        ([("amount", "99.994", {})], "0.01"),
        ([("amount", "60", {"spread": "once"}), ("amount", "60", {})], "0"),
        ([("percent", "0.005", {})], "99.99"),  # half a cent, away from zero
    ],
)
def test_discounts_of_a_charge(
    discounts: list[tuple[str, str, dict[str, Any]]], expected: str
) -> None:
    rows = [{"kind": kind, "value": value} | more for kind, value, more in discounts]
    found = answer(standard("1"), quantity="100", discounts=rows)
    (line,) = found["lines"]
    assert (line["amount"], line["net_amount"], found["amount"]) == ("100", expected, expected)
    assert Fraction(line["discount_amount"]) == 100 - Fraction(expected)


def test_equal_discounts_go_by_their_ids() -> None:
    rows = [
        {"kind": "percent", "value": "50", "discount_id": "later"},
        {"kind": "percent", "value": "10", "discount_id": "early"},
    ]
    # 0.11 − 0.01 (0.011) = 0.10, and half of it is 0.05. By the other order: 0.11 − 0.06 (0.055)
    # = 0.05, less 0.01 (0.005) is 0.04.
    assert answer(standard("1"), quantity="0.11", discounts=rows)["amount"] == "0.05"


def test_a_percentage_is_rounded_once_over_all_lines() -> None:
    groups = [{"group": {"r": name}, "quantity": "0.05"} for name in "abc"]
    lines = answer(standard("1"), groups=groups, discounts=[{"kind": "percent", "value": "10"}])
    # 10 % of 0.15 is 0.015, so 0.02. Each share is 0.0067: the first two lines have a cent each.
    assert [line["discount_amount"] for line in lines["lines"]] == ["0.01", "0.01", "0"]
    even = answer(
        standard("1"), groups=groups, rounding="half_even",
        discounts=[{"kind": "percent", "value": "30"}],
    )  # fmt: skip
    # 0.045 to the even neighbour is 0.04.
    assert [line["discount_amount"] for line in even["lines"]] == ["0.02", "0.01", "0.01"]


@pytest.mark.parametrize(
    ("quantities", "columns", "pots", "billed"),
    [
        (["300", "250", "100"], {}, ["500"], ["0", "50", "100"]),
        (["300", "250", "100"], {}, ["300"], ["0", "250", "100"]),
        (["300", "250", "100"], {}, ["200", "299.5"], ["0", "50.5", "100"]),
        (["300", "250"], {}, ["1000"], ["0", "0"]),
        # Free units come first, so the pot is not spent on them.
        (["300", "250", "100"], {"free_units": "100"}, ["200"], ["0", "150", "0"]),
        # Units are taken off after conversion and rounding.
        (["1500", "1500"], {"unit_divisor": "1000", "unit_rounding": "up"}, ["3"], ["0", "1"]),
    ],
)
def test_a_discount_of_units_is_one_pot(
    quantities: list[str], columns: dict[str, Any], pots: list[str], billed: list[str]
) -> None:
    groups = [
        {"group": {"r": name}, "quantity": quantity}
        for name, quantity in zip("abc", quantities, strict=False)
    ]
    discounts = [{"kind": "units", "value": value} for value in pots]
    lines = answer(standard("1", **columns), groups=groups[::-1], discounts=discounts)["lines"]
    assert [line["billed_quantity"] for line in lines] == billed
    assert [line["amount"] for line in lines] == billed
    assert [line["discount_amount"] for line in lines] == ["0"] * len(lines)


def test_the_pot_is_used_up_in_order_of_buckets() -> None:
    charge = graduated(tiers(("10", "1", "0"), (None, "3", "0")), priced_each="bucket")
    found = answer(charge, buckets=["8", "15"], discounts=[{"kind": "units", "value": "9"}])
    # 0 is left of the first, and 14 of the second: 10 × 1 + 4 × 3
    assert found["amount"] == "22"
    assert found["lines"][0]["billed_quantity"] == "14"


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        ("2", ["9", "5"], ["1.29", "0.71"]),
        ("0.01", ["1", "1", "1"], ["0.01", "0", "0"]),
        ("0.02", ["0", "1", "1", "1"], ["0", "0.01", "0.01", "0"]),
        ("0", ["1", "2"], ["0", "0"]),
        ("3", ["1", "2"], ["1", "2"]),
        ("1", ["0", "0"], ["0", "0"]),
        ("1", [], []),
    ],
)
def test_largest_remainder(total: str, weights: list[str], parts: list[str]) -> None:
    found = allocated(Fraction(total), [Fraction(weight) for weight in weights], 2)
    assert [exact_text(part) for part in found] == parts


def test_largest_remainder_cuts_negative_shares_down() -> None:
    # Of 1.00 over 3.00 and −1.00, shares are 1.50 and −0.50; in whole units of 1: 1 and −1.
    # Their remainders are equal, so the first line has the unit that is missing.
    assert allocated(Fraction(1), [Fraction(3), Fraction(-1)], 0) == [2, -1]


@pytest.mark.parametrize(
    ("amount", "half_away", "half_even"),
    [("0.125", "0.13", "0.12"), ("-0.125", "-0.13", "-0.12"), ("-0.004", "0", "0"),
     ("0.135", "0.14", "0.14"), ("0.1250001", "0.13", "0.13")],
)  # fmt: skip
def test_rounding_of_a_sign(amount: str, half_away: str, half_even: str) -> None:
    assert exact_text(rounded(Fraction(amount), 2, "half_away")) == half_away
    assert exact_text(rounded(Fraction(amount), 2, "half_even")) == half_even


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(-2, 3, "-0.666666666666666667"), (1, 8, "0.125"), (1200, 1, "1200"), (-1, 4, "-0.25"),
     (1, 10**20, "0.00000000000000000001"), (1, 3 * 10**18, "0"), (0, 1, "0")],
)  # fmt: skip
def test_texts_of_numbers(numerator: int, denominator: int, expected: str) -> None:
    assert exact_text(Fraction(numerator, denominator)) == expected
