"""Cases of settlements: what is refused and where, what is left out, and what they say."""

from fractions import Fraction
from typing import Any

import pytest

from tests.worlds.previews import Case, answers_to, error_of, result_of
from tests.worlds.settle_cases import block, each, inside, line, off, percent, settle_case, tax
from witness.amounts import exact_text, rounded

REFUSED: dict[str, tuple[Case, str, str]] = {
    "no lines": ({"kind": "settle"}, "missing_field", "lines"),
    "lines that are a text": ({"kind": "settle", "lines": "x"}, "bad_value", "lines"),
    "a line that is a text": ({"kind": "settle", "lines": ["x"]}, "bad_value", "lines[0]"),
    "no amount": (settle_case({}), "missing_field", "lines[0].amount"),
    "an amount in words": (settle_case("1e3"), "bad_value", "lines[0].amount"),
    "an amount of 21 digits": (settle_case("1" + "0" * 20), "bad_value", "lines[0].amount"),
    "an unknown kind": (settle_case(line("1", "tax")), "bad_value", "lines[0].kind"),
    "an unknown member of a line": (
        settle_case({"amount": 1, "quantity": 1}), "unknown_field", "lines[0].quantity",
    ),
    "one id twice": (
        settle_case("1", {"amount": 1, "id": "line0"}), "contradiction", "lines[1].id",
    ),
    "the id of the plan's line": (
        settle_case({"amount": 1, "id": "minimum"}, plan={"minimum_amount": 1}),
        "contradiction", "lines[0].id",
    ),
    "a tax that there is none of": (
        settle_case(line("1", tax_codes=["vat", "city"]), taxes=[tax("1")]),
        "contradiction", "lines[0].tax_codes",
    ),
    "a tax twice": (
        settle_case(line("1", tax_codes=["vat", "vat"]), taxes=[tax("1")]),
        "bad_value", "lines[0].tax_codes",
    ),
    "a minimum above the maximum": (
        settle_case(plan={"minimum_amount": "2.01", "maximum_amount": "2"}),
        "contradiction", "plan.minimum_amount",
    ),
    "a minimum below 0": (
        settle_case(plan={"minimum_amount": "-1"}), "bad_value", "plan.minimum_amount",
    ),
    "a share above 1": (
        settle_case(plan={"share": {"days": 32, "of": 31}}), "contradiction", "plan.share.days",
    ),
    "a share without days": (
        settle_case(plan={"share": {"of": 31}}), "missing_field", "plan.share.days",
    ),
    "a name of a plan": (settle_case(plan={"name": "x"}), "unknown_field", "plan.name"),
    "a discount without kind": (
        settle_case(discounts=[{"value": 1}]), "missing_field", "discounts[0].kind",
    ),
    "units": (
        settle_case(discounts=[{"kind": "units", "value": 1, "charge_codes": ["a"]}]),
        "not_supported", "discounts[0].kind",
    ),
    "units of no charge": (
        settle_case(discounts=[{"kind": "units", "value": 1}]),
        "not_supported", "discounts[0].kind",
    ),
    "over 100 percent": (
        settle_case(discounts=[percent("100.1")]), "contradiction", "discounts[0].value",
    ),
    "a discount of another currency": (
        settle_case(discounts=[off("1", currency="EUR")]),
        "contradiction", "discounts[0].currency",
    ),
    "a currency of percent": (
        settle_case(discounts=[percent("1", currency="USD")]),
        "contradiction", "discounts[0].currency",
    ),
    "once of percent": (
        settle_case(discounts=[percent("1", spread="once")]),
        "contradiction", "discounts[0].spread",
    ),
    "used of each": (
        settle_case(discounts=[off("1", used="0")]), "contradiction", "discounts[0].used",
    ),
    "used of half a cent": (
        settle_case(discounts=[off("1", spread="once", used="0.005")]),
        "contradiction", "discounts[0].used",
    ),
    "used below 0": (
        settle_case(discounts=[off("1", spread="once", used="-1")]),
        "bad_value", "discounts[0].used",
    ),
    "a discount twice": (
        settle_case(discounts=[off("1"), off("1", discount_id="d0")]),
        "contradiction", "discounts[1].discount_id",
    ),
    "no rate": (
        settle_case(taxes=[{"tax_code": "vat"}]), "missing_field", "taxes[0].rate_percent",
    ),
    "no code": (settle_case(taxes=[{"rate_percent": 1}]), "missing_field", "taxes[0].tax_code"),
    "a rate above 1000": (
        settle_case(taxes=[tax("1000.1")]), "bad_value", "taxes[0].rate_percent",
    ),
    "a date of a tax": (
        settle_case(taxes=[tax("1", valid_from="2026-01-01")]),
        "unknown_field", "taxes[0].valid_from",
    ),
    "one tax twice": (
        settle_case(taxes=[tax("1"), inside("2")]), "contradiction", "taxes[1].tax_code",
    ),
    "no balance": (settle_case(credits=[{}]), "missing_field", "credits[0].amount"),
    "half a cent of credit": (
        settle_case(credits=[block("0.005")]), "contradiction", "credits[0].amount",
    ),
    "a tenth of a yen": (
        settle_case(credits=[block("0.1", currency="JPY")]),
        "contradiction", "credits[0].amount",
    ),
    "a priority of 0": (
        settle_case(credits=[block("1", priority=0)]), "bad_value", "credits[0].priority",
    ),
    "credit for what gives back": (
        settle_case(credits=[block("1", kinds=["unused_advance"])]),
        "contradiction", "credits[0].kinds",
    ),
    "credit that ends as it begins": (
        settle_case(credits=[block("1", effective_at="2026-01-01",
                                   expires_at="2026-01-01T00:00:00Z")]),
        "contradiction", "credits[0].expires_at",
    ),
    "a block twice": (
        settle_case(credits=[block("1"), block("1")]), "contradiction", "credits[1].credit_id",
    ),
    "a tax of credits": (
        settle_case(credits=[block("1", tax_codes=[])]), "unknown_field", "credits[0].tax_codes",
    ),
    "an end in words": (settle_case(period_end="soon"), "bad_value", "period_end"),
    "an unknown zone": (settle_case(time_zone="Mars"), "bad_value", "time_zone"),
    "an unknown currency": (settle_case(currency="XAU"), "bad_value", "currency"),
    "an unknown rounding": (settle_case(rounding="up"), "bad_value", "rounding"),
    "an unknown flag": (settle_case(tax_exempt="maybe"), "bad_value", "tax_exempt"),
    "an unknown member": (settle_case(coupons=[]), "unknown_field", "coupons"),
    "too many lines": (settle_case(*["1"] * 1001), "too_large", "lines"),
    "too many discounts": (
        settle_case(discounts=[off("1")] * 1001), "too_large", "discounts",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_case_that_is_refused_says_where(name: str) -> None:
    case, code, path = REFUSED[name]

    error = error_of(case)

    assert (error["code"], error["path"]) == (code, path), error["message"]


def test_problems_have_table_row_and_column() -> None:
    error = error_of(
        settle_case(discounts=[off("1"), percent("101")], credits=[block("1"), block("0.001", "d")])
    )

    assert [(fault["table"], fault["row"], fault["column"]) for fault in error["problems"]] == [
        ("discounts", 1, "value"),
        ("credits", 1, "amount"),
    ]


def test_an_ill_formed_tax_is_told_and_not_that_lines_name_it() -> None:
    error = error_of(settle_case(line("1", tax_codes=["vat"]), taxes=[tax("x")]))

    assert (error["path"], error["problems"]) == ("taxes[0].rate_percent", [])


def test_ids_kinds_and_numbers_have_defaults() -> None:
    result = result_of(
        {"kind": "settle", "lines": [{"amount": 5}, {"amount": "1.50", "id": "x"}],
         "discounts": [{"kind": "amount", "value": 1}, {"kind": "percent", "value": "0"}],
         "credits": [{"amount": "1"}, {"amount": "2", "_note": "for people"}]}
    )  # fmt: skip

    assert (each(result, "id"), each(result, "kind")) == (["line0", "x"], ["usage", "usage"])
    assert [row["discount_id"] for row in result["discounts"]] == ["d0", "d1"]
    assert [row["credit_id"] for row in result["credits"]] == ["c0", "c1"]
    assert (result["recipe_version"], result["amount_due"]) == (1, "2.5")


def test_owners_and_dates_of_discounts_and_owners_of_credits_are_ignored() -> None:
    owned = {"customer_id": "x", "plan_code": "y", "starts_on": "2030-01-01", "ends_on": "2020-1-1"}
    case = settle_case("10", discounts=[off("1", **owned)],
                       credits=[block("1", customer_id="x", name="Gift")])  # fmt: skip

    assert result_of(case) == result_of(
        settle_case("10", discounts=[off("1")], credits=[block("1")])
    )


WARNED: dict[str, tuple[dict[str, Any], str]] = {
    "a discount of no line": ({"discounts": [off("1", "b")]}, "discounts[0].charge_codes: "),
    "a tax that no line bears": ({"taxes": [tax("1"), tax("1", "city")]}, "taxes[1].tax_code: "),
    "credit of another currency": (
        {"credits": [block("1", currency="EUR")]}, "credits[0].currency: ",
    ),
    "credit that begins later": (
        {"credits": [block("1", effective_at="2026-05-01")]}, "credits[0].effective_at: ",
    ),
    "credit that ended": ({"credits": [block("1", expires_at="2026-01-01")]},
                          "credits[0].expires_at: "),
    "credit that is void": ({"credits": [block("1", voided_at="2026-04-01")]},
                            "credits[0].voided_at: "),
}  # fmt: skip


@pytest.mark.parametrize("name", WARNED)
def test_what_has_no_effect_is_told(name: str) -> None:
    more, begins = WARNED[name]
    case = settle_case(line("10", charge_code="a", tax_codes=["vat"]), period_end="2026-04-01")

    (answer,) = answers_to(case | {"taxes": [tax("1")]} | more)

    (warning,) = answer["warnings"]
    assert warning.startswith(begins)


def test_what_has_an_effect_is_not() -> None:
    case = settle_case(
        line("10", charge_code="a"), period_end="2026-04-01", discounts=[off("1", "a"), off("1")],
        taxes=[tax("1"), tax("1", "city")], credits=[block("1", effective_at="2026-01-01")],
    )  # fmt: skip

    (answer,) = answers_to(case)
    assert answer["warnings"] == []

    (answer,) = answers_to(
        settle_case(line("1", tax_codes=["vat"]), plan={"minimum_amount": "1"},
                    taxes=[tax("1"), tax("1", "city")])
    )  # fmt: skip
    assert answer["warnings"] == []


MOST = "99999999999999999999.99"


@pytest.mark.parametrize(
    ("case", "path"),
    [
        # 1,000 lines of nearly 10^20 have 23 digits before the point, and no more.
        (settle_case(*[MOST] * 1000, taxes=[tax("1")]), ""),
        (settle_case(*[MOST] * 1000, taxes=[tax("1000")]), "taxes"),
    ],
    ids=["the total", "a tax"],
)
def test_what_has_too_many_digits_is_overflow(case: Case, path: str) -> None:
    bad, good = answers_to(case, settle_case("1") | {"id": "good"})

    assert (bad["error"]["code"], bad["error"]["path"]) == ("overflow", path)
    assert good["result"]["amount_due"] == "1"


def test_the_greatest_amounts_are_exact() -> None:
    thirds = "33.333333333333333333"
    result = result_of(
        settle_case(*[MOST] * 1000, discounts=[percent(thirds)],
                    taxes=[inside("0.000000000000001"), tax("1", "city")])
    )  # fmt: skip

    gross = 1000 * Fraction(MOST)
    left = gross - rounded(gross * Fraction(thirds) / 100, 2, "half_away")
    net = rounded(left / (1 + Fraction("0.00000000000000001")), 2, "half_away")
    city = rounded(net / 100, 2, "half_away")
    assert result["net"] == exact_text(net)
    assert result["amount_due"] == result["total"] == exact_text(left + city)
    assert sum(map(Fraction, each(result, "net_amount"))) == net
    assert sum(map(Fraction, each(result, "tax_amount"))) == left - net + city


def test_no_case_of_a_call_may_have_a_result() -> None:
    bad = settle_case(credits=[block("1", effective_at="2026-01-02", expires_at="2026-01-01")])

    assert [answer["ok"] for answer in answers_to(bad, bad | {"id": "b"})] == [False, False]
