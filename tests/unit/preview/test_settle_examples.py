"""Examples of settlements that the contract and vendors publish: what bills, and the witness."""

import pytest

from tests.worlds.pages import told
from tests.worlds.previews import Case, answers_to
from tests.worlds.published_prices import Published
from tests.worlds.published_settlements import PUBLISHED_SETTLEMENTS
from tests.worlds.settle_cases import block, line, off, percent, settle_case, tax
from witness.settling import settle_answer

TWO_LINES: Case = {
    "lines": [{"amount": "10", "charge_code": "a"}, {"amount": "5", "charge_code": "b"}],
    "discounts": [
        {"kind": "percent", "value": "10", "charge_codes": ["a"]},
        {"kind": "amount", "value": "2"},
    ],
    "taxes": [{"tax_code": "vat", "rate_percent": "20"}],
}


def test_the_answer_of_the_contract() -> None:
    case = {"id": "s", "kind": "settle", **TWO_LINES}
    case["credits"] = [{"credit_id": "c", "amount": "20"}]

    (answer,) = answers_to(case)

    assert answer == {
        "id": "s", "kind": "settle", "ok": True, "warnings": [],
        "result": {
            "lines": [
                {"id": "line0", "kind": "usage", "amount": "10", "discount_amount": "2.29",
                 "net_amount": "7.71", "tax_amount": "1.54", "credit_amount": "9.25"},
                {"id": "line1", "kind": "usage", "amount": "5", "discount_amount": "0.71",
                 "net_amount": "4.29", "tax_amount": "0.86", "credit_amount": "5.15"},
            ],
            "discounts": [{"discount_id": "d0", "amount": "1", "left": None},
                          {"discount_id": "d1", "amount": "2", "left": None}],
            "taxes": [{"tax_code": "vat", "base": "12", "amount": "2.4"}],
            "credits": [{"credit_id": "c", "drawn": "14.4", "balance": "5.6"}],
            "subtotal": "15", "discount": "3", "net": "12", "tax": "2.4", "total": "14.4",
            "credit": "14.4", "amount_due": "0", "credit_note": "0", "recipe_version": 1,
        },
    }  # fmt: skip
    assert answer["result"] == settle_answer(case)


EXAMPLES = {
    "10 % on a line, 2.00 off, tax 20 %": (
        settle_case(line("10", charge_code="a"), line("5", charge_code="b"),
                    discounts=[percent("10", "a"), off("2")], taxes=[tax("20")]),
        {"discounts": [{"amount": "1"}, {"amount": "2"}], "net": "12", "tax": "2.4",
         "total": "14.4", "lines": [{"discount_amount": "2.29"}, {"discount_amount": "0.71"}]},
    ),
    "the same with a credit of 20.00": (
        settle_case(line("10", charge_code="a"), line("5", charge_code="b"), credits=[block("20")],
                    discounts=[percent("10", "a"), off("2")], taxes=[tax("20")]),
        {"credits": [{"drawn": "14.4", "balance": "5.6"}], "amount_due": "0"},
    ),
    "a minimum of 100.00, usage of 30.00, 24 of 31 days": (
        settle_case("30", plan={"minimum_amount": "100", "share": {"days": 24, "of": 31}}),
        {"lines": [{"amount": "30"}, {"kind": "minimum", "amount": "47.42"}], "total": "77.42"},
    ),
    **{
        f"{each.vendor}: {each.example}": (each.case, each.expected)
        for each in PUBLISHED_SETTLEMENTS
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def results() -> dict[str, Case]:
    """The results of all examples, asked in one call."""
    answered = answers_to(*({**case, "id": name} for name, (case, _) in EXAMPLES.items()))
    assert [answer for answer in answered if not answer["ok"]] == []
    return {answer["id"]: answer["result"] for answer in answered}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_comes_to_its_amounts(name: str, results: dict[str, Case]) -> None:
    case, expected = EXAMPLES[name]

    assert told(expected, results[name]) == expected
    assert results[name] == settle_answer(case)


def test_each_example_has_an_id_of_its_own() -> None:
    examples = [each.example for each in PUBLISHED_SETTLEMENTS]

    assert len(set(examples)) == len(examples)


def by_id(example: str) -> Published:
    (found,) = (each for each in PUBLISHED_SETTLEMENTS if each.example == example)
    return found


def test_the_rounding_that_a_vendor_has_not_gives_another_tax() -> None:
    unibee = by_id("ex119")

    (answer,) = answers_to(unibee.case | {"rounding": "half_away"})

    assert answer["result"]["tax"] == "0.73"
    assert "0.73" in unibee.rule
