"""Each step around prices at its boundaries, by hand: what bills, and the witness."""

from typing import Any

import pytest

from tests.worlds.pages import told
from tests.worlds.previews import Case, answers_to
from tests.worlds.settle_cases import block, inside, line, off, percent, settle_case, tax
from witness.settling import settle_answer

Steps = dict[str, tuple[Case, dict[str, Any]]]


def lines(name: str, *amounts: str) -> list[dict[str, str]]:
    """A column of lines, in order."""
    return [{name: amount} for amount in amounts]


LINES: Steps = {
    # 0.125 and 0.135 are half a cent above 0.12 and 0.13.
    "a half goes away from zero": (
        settle_case("0.125", "0.135", line("-0.125", "adjustment")),
        {"lines": lines("amount", "0.13", "0.14", "-0.13"), "subtotal": "0.14"},
    ),
    "or to the even neighbour": (
        settle_case("0.125", "0.135", line("-0.125", "adjustment"), rounding="half_even"),
        {"lines": lines("amount", "0.12", "0.14", "-0.12")},
    ),
    "a yen has no fraction": (settle_case("0.5", currency="JPY"), {"amount_due": "1"}),
    "a dinar has three digits": (settle_case("0.0005", currency="KWD"), {"amount_due": "0.001"}),
    "and some have four": (settle_case("0.00005", currency="CLF"), {"amount_due": "0.0001"}),
    "less than half is nothing": (settle_case("-0.0049"), {"amount_due": "0", "credit_note": "0"}),
    "no line is no amount": (
        settle_case(), {"lines": [], "subtotal": "0", "total": "0", "amount_due": "0"},
    ),
}  # fmt: skip

DISCOUNTS: Steps = {
    # 10 % of 2.05 is 0.205, so 0.21: 0.1024… and 0.1075… of it, 0.10 and 0.10, then one cent more.
    "a percentage is rounded once over its lines": (
        settle_case("1.00", "1.05", discounts=[percent("10")]),
        {"discount": "0.21", "lines": lines("discount_amount", "0.1", "0.11")},
    ),
    "of equal remainders the first line comes first": (
        settle_case("1", "1", "1", discounts=[off("1")]),
        {"lines": lines("discount_amount", "0.34", "0.33", "0.33")},
    ),
    "a line of nothing gets nothing": (
        settle_case("0", "0.01", "0.01", discounts=[off("0.01")]),
        {"lines": lines("discount_amount", "0", "0.01", "0")},
    ),
    # 10 + 10 off 100 is 10, then 10 % of 90.
    "each is of what the ones before it left": (
        settle_case("100", discounts=[percent("10"), percent("10")]),
        {"discounts": [{"amount": "10"}, {"amount": "9"}], "net": "81"},
    ),
    "percent comes before amount": (
        settle_case("100", discounts=[off("10"), percent("10")]),
        {"discounts": [{"amount": "10"}, {"amount": "10"}], "net": "80"},
    ),
    "a lower priority comes first": (
        settle_case("100", discounts=[percent("10"), off("10", priority=99)]),
        {"discounts": [{"amount": "9"}, {"amount": "10"}], "net": "81"},
    ),
    "then the id counts": (
        settle_case("100", discounts=[percent("10", discount_id="b"),
                                      percent("20", discount_id="a")]),
        {"discounts": [{"discount_id": "b", "amount": "8"}, {"discount_id": "a", "amount": "20"}]},
    ),
    # Of 100.00, the charge's half first; then 10 % of what is left, whatever the priorities say.
    "discounts of charges come before those of the invoice": (
        settle_case(line("100", charge_code="a"), discounts=[percent("10", priority=1),
                                                             percent("50", "a", priority=9)]),
        {"discounts": [{"amount": "5"}, {"amount": "50"}]},
    ),
    "a discount of charges falls on usage and flat lines of these": (
        settle_case(*(line("10", kind, "a") for kind in ("usage", "flat", "minimum", "overage",
                                                         "true_up", "adjustment")),
                    line("10", charge_code="b"), line("10"), discounts=[percent("50", "a", "c")]),
        {"lines": lines("discount_amount", "5", "5", "0", "0", "0", "0", "0", "0")},
    ),
    "a discount of the invoice leaves out lines that give back": (
        settle_case(*(line("10", kind) for kind in ("usage", "flat", "minimum", "overage",
                                                    "true_up")),
                    line("-10", "unused_advance"), line("10", "adjustment"),
                    discounts=[percent("50")]),
        {"lines": lines("discount_amount", "5", "5", "5", "5", "5", "0", "0"), "discount": "25"},
    ),
    # Of 8.00, 1.00 is allocated to 10 and -2: 1.25, and -0.25, which is cut down to -0.25.
    "a maximum takes a negative part": (
        settle_case("10", line("-2", "maximum"), discounts=[off("1")]),
        {"lines": [{"discount_amount": "1.25", "net_amount": "8.75"},
                   {"discount_amount": "-0.25", "net_amount": "-1.75"}]},
    ),
    # 0.01 over 0.05 and -0.02: 0.0166… and -0.0066…, cut down to 0.01 and -0.01. One cent is
    # missing, and the greater remainder is that of the first line.
    "negative shares are cut to the lower": (
        settle_case("0.05", line("-0.02", "maximum"), discounts=[off("0.01")]),
        {"lines": lines("discount_amount", "0.02", "-0.01")},
    ),
    "an amount is rounded": (
        settle_case("10", discounts=[off("1.005")]), {"discount": "1.01"},
    ),
    "and takes no more than is left": (
        settle_case("50", discounts=[off("30"), off("30")]),
        {"discounts": [{"amount": "30", "left": None}, {"amount": "20", "left": None}],
         "net": "0", "amount_due": "0"},
    ),
    "exactly what is left": (settle_case("30", discounts=[off("30")]), {"net": "0"}),
    "nothing is taken off what is not above 0": (
        settle_case("10", line("-10", "maximum"), discounts=[percent("50"), off("1")]),
        {"discount": "0", "lines": lines("discount_amount", "0", "0")},
    ),
    "once: what is not used stays": (
        settle_case("50", discounts=[off("80", spread="once")]),
        {"discounts": [{"amount": "50", "left": "30"}]},
    ),
    "once: what was used before is gone": (
        settle_case("50", discounts=[off("80", spread="once", used="60")]),
        {"discounts": [{"amount": "20", "left": "0"}], "net": "30"},
    ),
    "once: all of it was used": (
        settle_case("50", discounts=[off("80", spread="once", used="80")]),
        {"discounts": [{"amount": "0", "left": "0"}]},
    ),
    "once: more was used, before the row was changed": (
        settle_case("50", discounts=[off("80", spread="once", used="90")]),
        {"discounts": [{"amount": "0", "left": "0"}]},
    ),
}  # fmt: skip

PLANS: Steps = {
    # 100.00 × 24/31 is 77.419…
    "a minimum for a part of the period": (
        settle_case("30", plan={"minimum_amount": "100", "share": {"days": 24, "of": 31}}),
        {"lines": [{"id": "line0"}, {"id": "minimum", "kind": "minimum", "amount": "47.42"}],
         "subtotal": "77.42"},
    ),
    "a minimum that is just reached": (
        settle_case("100", plan={"minimum_amount": "100"}), {"lines": lines("amount", "100")},
    ),
    "a minimum that lacks a cent": (
        settle_case("99.99", plan={"minimum_amount": "100"}),
        {"lines": lines("amount", "99.99", "0.01")},
    ),
    "a minimum of no line": (
        settle_case(plan={"minimum_amount": "5"}), {"lines": lines("id", "minimum")},
    ),
    "a maximum": (
        settle_case("60", "50", plan={"maximum_amount": "100"}),
        {"lines": lines("amount", "60", "50", "-10"), "subtotal": "100"},
    ),
    "a maximum that is just reached": (
        settle_case("100", plan={"maximum_amount": "100"}), {"lines": lines("amount", "100")},
    ),
    "a maximum of nothing": (
        settle_case("60", plan={"maximum_amount": "0", "share": {"days": 0, "of": 31}}),
        {"lines": lines("amount", "60", "-60"), "amount_due": "0", "credit_note": "0"},
    ),
    "one amount for both": (
        settle_case("60", plan={"maximum_amount": "50", "minimum_amount": "50"}),
        {"lines": lines("amount", "60", "-10")},
    ),
    # 60 less 20 % are 48, which is compared; then 10 % of 50 for the whole invoice.
    "bounds stand between the discounts of charges and of the invoice": (
        settle_case(line("60", charge_code="a"), plan={"minimum_amount": "50"},
                    discounts=[percent("20", "a"), percent("10")]),
        {"lines": [{"amount": "60", "discount_amount": "16.8"},
                   {"amount": "2", "discount_amount": "0.2"}], "net": "45"},
    ),
    "lines that give back count for a minimum": (
        settle_case("60", line("-15", "unused_advance"), plan={"minimum_amount": "50"}),
        {"lines": lines("amount", "60", "-15", "5")},
    ),
    "the line bears all taxes": (
        settle_case(line("60", tax_codes=["vat"]), plan={"minimum_amount": "100"},
                    taxes=[tax("10"), tax("5", "city")]),
        {"lines": lines("tax_amount", "6", "6"), "taxes": [{"base": "100"}, {"base": "40"}]},
    ),
    "a bound is rounded before it is compared": (
        settle_case("0.5", currency="JPY", rounding="half_even",
                    plan={"minimum_amount": "5", "share": {"days": 1, "of": 2}}),
        {"lines": lines("amount", "0", "2")},
    ),
}  # fmt: skip

TAXES: Steps = {
    # 3 × 0.125 is 0.375, so 0.38; each line alone would have 0.13, together 0.39.
    "rounded once for the invoice": (
        settle_case("1.25", "1.25", "1.25", taxes=[tax("10")]),
        {"tax": "0.38", "lines": lines("tax_amount", "0.13", "0.13", "0.12")},
    ),
    "rounded for each line": (
        settle_case("1.25", "1.25", "1.25", taxes=[tax("10", rounding="line")]),
        {"tax": "0.39", "lines": lines("tax_amount", "0.13", "0.13", "0.13")},
    ),
    "half to even": (
        settle_case("1.25", taxes=[tax("10")], rounding="half_even"), {"tax": "0.12"},
    ),
    "several codes are of the net, none on top of another": (
        settle_case("100", taxes=[tax("10"), tax("5", "city")]),
        {"taxes": [{"tax_code": "vat", "base": "100", "amount": "10"},
                   {"tax_code": "city", "base": "100", "amount": "5"}], "total": "115"},
    ),
    "a line bears the codes that it names, or else all": (
        settle_case(line("100", tax_codes=["city"]), line("10", tax_codes=[]),
                    line("1", tax_codes=None), taxes=[tax("10"), tax("5", "city")]),
        {"lines": lines("tax_amount", "5", "1.5", "0.15"),
         "taxes": [{"base": "11"}, {"base": "111"}]},
    ),
    "who is exempt pays none": (
        settle_case("120", taxes=[inside("20"), tax("5", "city")], tax_exempt=True),
        {"taxes": [{"base": "0", "amount": "0"}, {"base": "0", "amount": "0"}],
         "lines": [{"amount": "120", "net_amount": "120", "tax_amount": "0"}],
         "amount_due": "120"},
    ),
    # 120 ÷ 1.2
    "prices that include it": (
        settle_case("120", taxes=[inside("20")]),
        {"lines": [{"amount": "100", "net_amount": "100", "tax_amount": "20"}],
         "taxes": [{"base": "100", "amount": "20"}], "subtotal": "100", "total": "120"},
    ),
    # 2 ÷ 1.2 is 1.666…: 0.33 of tax, 0.165 on each line.
    "included tax is rounded once, and allocated by gross": (
        settle_case("1", "1", taxes=[inside("20")]),
        {"tax": "0.33", "lines": [{"net_amount": "0.83", "tax_amount": "0.17"},
                                  {"net_amount": "0.84", "tax_amount": "0.16"}]},
    ),
    "or for each line": (
        settle_case("1", "1", taxes=[inside("20", rounding="line")]),
        {"tax": "0.34", "lines": lines("net_amount", "0.83", "0.83")},
    ),
    # 130 ÷ 1.3: 30 of tax, of which a third is of the lower rate.
    "two included taxes share what is included": (
        settle_case("130", taxes=[inside("10", "a"), inside("20", "b")]),
        {"taxes": [{"amount": "10"}, {"amount": "20"}], "net": "100"},
    ),
    # 0.05 of tax, which two equal rates share: the code that comes first has the odd cent.
    "the odd cent of equal rates is the first code's": (
        settle_case("0.55", taxes=[inside("5", "b"), inside("5", "a")]),
        {"taxes": [{"tax_code": "b", "amount": "0.02"}, {"tax_code": "a", "amount": "0.03"}]},
    ),
    # Together, 2.20 hold 0.20. Lines of different codes are not taxed together.
    "lines of other codes are on their own": (
        settle_case("1.1", line("1.1", tax_codes=["a"]), line("1.1", tax_codes=["b"]),
                    line("1.1", tax_codes=["a"]), taxes=[inside("10", "a"), inside("20", "b")]),
        {"lines": lines("tax_amount", "0.25", "0.1", "0.18", "0.1")},
    ),
    # 120 less 12 are 108, of which 18 are tax; 12 ÷ 1.2 is 10.
    "a discount of prices with tax is restated": (
        settle_case("120", discounts=[off("12", spread="once")], taxes=[inside("20")]),
        {"lines": [{"amount": "100", "discount_amount": "10", "net_amount": "90",
                    "tax_amount": "18"}],
         "discounts": [{"amount": "10", "left": "0"}], "discount": "10", "total": "108"},
    ),
    "what is left of it counts the tax": (
        settle_case("12", discounts=[off("20", spread="once")], taxes=[inside("20")]),
        {"discounts": [{"amount": "10", "left": "8"}], "total": "0"},
    ),
    # 0.25 of discount is 0.2083… without tax: 0.21, of 0.15 and 0.10.
    "a restated discount is allocated to those that fell on the line": (
        settle_case("1", discounts=[off("0.15"), off("0.10")], taxes=[inside("20")]),
        {"discounts": [{"amount": "0.13"}, {"amount": "0.08"}]},
    ),
    # 121 hold 21 of tax; 5 % of the 100 that remain.
    "another tax is of what remains": (
        settle_case("121", taxes=[inside("21"), tax("5", "city")]),
        {"taxes": [{"base": "100", "amount": "21"}, {"base": "100", "amount": "5"}],
         "total": "126"},
    ),
    # The base is 100. The line that gives back has its own 0.125, rounded alone.
    "a line that gives back is in no base": (
        settle_case("100", line("-1.25", "unused_advance"), taxes=[tax("10")]),
        {"taxes": [{"base": "100", "amount": "9.87"}],
         "lines": lines("tax_amount", "10", "-0.13")},
    ),
    "nor if it adds": (
        settle_case("100", line("1.25", "adjustment"), taxes=[tax("10")]),
        {"taxes": [{"base": "100", "amount": "10.13"}]},
    ),
    "included tax comes out of its own amount": (
        settle_case(line("-12", "adjustment"), "120", taxes=[inside("20")]),
        {"lines": [{"amount": "-10", "net_amount": "-10", "tax_amount": "-2"},
                   {"amount": "100", "tax_amount": "20"}], "taxes": [{"base": "100"}]},
    ),
    # -0.05 for two equal rates: both are cut down to -0.03, and one is raised again.
    "what two codes give back is cut to the lower": (
        settle_case(line("-0.55", "adjustment"), taxes=[inside("5", "a"), inside("5", "b")]),
        {"taxes": [{"amount": "-0.02"}, {"amount": "-0.03"}], "tax": "0",
         "lines": lines("tax_amount", "-0.05")},
    ),
    "a base that is not above 0 has no tax": (
        settle_case(line("10", tax_codes=["city"]), line("-10", "maximum", tax_codes=["vat"]),
                    taxes=[tax("10"), tax("0", "city")]),
        {"taxes": [{"base": "-10", "amount": "0"}, {"base": "10", "amount": "0"}]},
    ),
    "but each line has its own": (
        settle_case(line("10", tax_codes=["city"]), line("-10", "maximum", tax_codes=["vat"]),
                    taxes=[tax("10", rounding="line"), tax("0", "city")]),
        {"taxes": [{"base": "-10", "amount": "-1"}, {"base": "10", "amount": "0"}],
         "tax": "0", "total": "0", "credit_note": "1"},
    ),
    "a rate of 0": (
        settle_case("10", taxes=[inside("0")]), {"taxes": [{"base": "10", "amount": "0"}]},
    ),
}  # fmt: skip

CREDITS: Steps = {
    "a block pays lines in order, each with its tax": (
        settle_case("10", "5", taxes=[tax("20")], credits=[block("13")]),
        {"lines": lines("credit_amount", "12", "1"), "credit": "13", "amount_due": "5",
         "credits": [{"drawn": "13", "balance": "0"}]},
    ),
    "and never more than the total": (
        settle_case("10", line("-4", "adjustment"), credits=[block("20")]),
        {"lines": lines("credit_amount", "6", "0"), "amount_due": "0", "credit_note": "0",
         "credits": [{"drawn": "6", "balance": "14"}]},
    ),
    "exactly the total": (
        settle_case("10", credits=[block("10")]), {"credits": [{"balance": "0"}]},
    ),
    "what falls below 0 is a credit note, and no block is drawn": (
        settle_case("10", line("-14", "adjustment"), taxes=[tax("10")], credits=[block("20")]),
        {"total": "0", "credit": "0", "amount_due": "0", "credit_note": "4.4",
         "credits": [{"drawn": "0", "balance": "20"}]},
    ),
    "the order is priority, expiry, cost basis, effective_at and id": (
        settle_case("35", credits=[
            block("5", "g"), block("5", "f"),
            block("5", "e", effective_at="2026-01-02"), block("5", "d", effective_at="2026-01-01"),
            block("5", "h", cost_basis="0.5"), block("5", "i", expires_at="2030-01-01"),
            block("5", "j", expires_at="2029-12-31"), block("5", "k", priority=1),
        ]),
        {"credits": [{"credit_id": each, "drawn": "5"} for each in "kjihfgd"]
         + [{"credit_id": "e", "drawn": "0", "balance": "5"}]},
    ),
    "a block of charges pays their lines alone": (
        settle_case(line("10", charge_code="a"), line("10", charge_code="b"), "10",
                    credits=[block("20", charge_codes=["b"])]),
        {"lines": lines("credit_amount", "0", "10", "0"), "credits": [{"balance": "10"}]},
    ),
    "a block of kinds pays these": (
        settle_case("10", line("10", "flat"), plan={"minimum_amount": "25"},
                    credits=[block("20", kinds=["flat", "minimum"])]),
        {"lines": lines("credit_amount", "0", "10", "5"), "credits": [{"balance": "5"}]},
    ),
    "a block of another currency does not pay": (
        settle_case("10", credits=[block("20", currency="EUR")]),
        {"credits": [{"drawn": "0", "balance": "20"}], "amount_due": "10"},
    ),
    "what the first block left the next one pays": (
        settle_case("10", "10", credits=[block("15", "a", charge_codes=[]), block("15", "b")]),
        {"lines": lines("credit_amount", "10", "10"),
         "credits": [{"drawn": "15"}, {"drawn": "5", "balance": "10"}]},
    ),
    "a block of nothing": (settle_case("10", credits=[block("0")]), {"amount_due": "10"}),
}  # fmt: skip

EXAMPLES = {
    f"{step}: {name}": example
    for step, examples in {
        "lines": LINES, "discounts": DISCOUNTS, "plans": PLANS, "taxes": TAXES, "credits": CREDITS,
    }.items()
    for name, example in examples.items()
}  # fmt: skip


@pytest.fixture(scope="module")
def results() -> dict[str, Case]:
    """The results of all examples, asked in one call."""
    answered = answers_to(*({**case, "id": name} for name, (case, _) in EXAMPLES.items()))
    assert [answer for answer in answered if not answer["ok"]] == []
    return {answer["id"]: answer["result"] for answer in answered}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_step_comes_to_what_it_is_by_hand(name: str, results: dict[str, Case]) -> None:
    case, expected = EXAMPLES[name]

    assert told(expected, results[name]) == expected
    assert results[name] == settle_answer(case)


IN_TIME = {
    "effective at the end": ({"effective_at": "2026-04-01"}, True),
    "effective after it": ({"effective_at": "2026-04-01T00:00:00.000001Z"}, False),
    "expired at the end": ({"expires_at": "2026-04-01"}, True),
    "expired before it": ({"expires_at": "2026-03-31T23:59:59.999999Z"}, False),
    "voided after the end": ({"voided_at": "2026-04-01T00:00:00.000001Z"}, True),
    "voided at the end": ({"voided_at": "2026-04-01"}, False),
    "of any time": ({}, True),
}


@pytest.mark.parametrize("name", IN_TIME)
def test_a_block_pays_what_ends_while_it_is_in_force(name: str) -> None:
    columns, is_in_time = IN_TIME[name]
    dated = settle_case("10", credits=[block("10", **columns)], period_end="2026-04-01")
    undated = settle_case("10", credits=[block("10", **columns)])

    answered = answers_to(dated, {**undated, "id": "undated"})

    assert [answer["result"]["credit"] for answer in answered] == ["10" if is_in_time else "0",
                                                                   "10"]  # fmt: skip
    assert answered[0]["result"] == settle_answer(dated)
    assert [bool(answer["warnings"]) for answer in answered] == [not is_in_time, False]


def test_dates_begin_by_the_clock_of_the_case() -> None:
    # Midnight in Berlin is 22:00 UTC of the day before.
    ends = "2026-03-31T22:00:00Z"
    case = settle_case("10", credits=[block("10", effective_at="2026-04-01")], period_end=ends)

    berlin, utc = answers_to(case | {"time_zone": "Europe/Berlin"}, {**case, "id": "utc"})

    assert (berlin["result"]["credit"], utc["result"]["credit"]) == ("10", "0")
