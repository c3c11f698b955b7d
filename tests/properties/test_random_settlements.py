"""Random settlements through `preview`, which settles by the SQL that bills: the witness."""

import random
from collections.abc import Iterable
from fractions import Fraction

from tests.worlds.previews import Case, previewed
from tests.worlds.random_settlements import random_settle_case
from witness.amounts import minor_digits
from witness.settling import settle_answer

SEEDS = range(4_000)


def cases_of(seeds: Iterable[int]) -> list[Case]:
    return [random_settle_case(random.Random(seed)) for seed in seeds]  # noqa: S311


def test_a_settlement_is_what_the_witness_says_to_the_last_digit() -> None:
    cases = cases_of(SEEDS)

    for seed, case, found in zip(SEEDS, cases, previewed(cases), strict=True):
        assert found.get("result") == settle_answer(case), seed


def test_rows_and_columns_add_up_to_the_same_amount_due() -> None:
    cases = cases_of(range(1_000))

    for seed, (case, answer) in enumerate(zip(cases, previewed(cases), strict=True)):
        result = answer["result"]
        lines = {
            name: sum(Fraction(line[name]) for line in result["lines"])
            for name in ("amount", "discount_amount", "net_amount", "tax_amount", "credit_amount")
        }
        rows = {
            "discount_amount": sum(Fraction(row["amount"]) for row in result["discounts"]),
            "tax_amount": sum(Fraction(row["amount"]) for row in result["taxes"]),
            "credit_amount": sum(Fraction(row["drawn"]) for row in result["credits"]),
        }
        due = lines["net_amount"] + lines["tax_amount"] - lines["credit_amount"]
        assert rows == {name: lines[name] for name in rows}, seed
        assert lines["amount"] - lines["discount_amount"] == lines["net_amount"], seed
        assert Fraction(result["amount_due"]) - Fraction(result["credit_note"]) == due, seed
        texts = [
            text
            for table in ([result], result["lines"], *(result[name] for name in TABLES))
            for row in table
            for text in row.values()
            if isinstance(text, str) and text.replace(".", "").lstrip("-").isdigit()
        ]
        digits = minor_digits(case.get("currency") or "USD")
        assert all(len(text.partition(".")[2]) <= digits for text in texts), seed
        assert "-0" not in texts, seed


TABLES = ("discounts", "taxes")


def test_cases_have_the_same_answer_in_any_company() -> None:
    cases = cases_of(range(12))

    together = previewed(cases)
    backward = previewed(cases[::-1])[::-1]
    for place, case in enumerate(cases):
        (alone,) = previewed([case])
        assert {**alone, "id": str(place)} == together[place], place
        assert {**backward[place], "id": str(place)} == together[place], place


def test_the_order_of_rows_changes_no_amount() -> None:
    seeds = range(400)
    cases = cases_of(seeds)
    shuffled = [
        case
        | {
            name: random.Random(seed).sample(named(case, name), len(case[name]))  # noqa: S311
            for name in ("discounts", "taxes", "credits")
            if name in case
        }
        for seed, case in zip(seeds, cases, strict=True)
    ]

    for seed, one, other in zip(seeds, previewed(cases), previewed(shuffled), strict=True):
        assert sorted_rows(one["result"]) == sorted_rows(other["result"]), seed


def named(case: Case, table: str) -> list[Case]:
    """The rows of a case, with the ids that they have by their place."""
    ids = {"discounts": ("discount_id", "d"), "credits": ("credit_id", "c")}
    if table not in ids:
        return list(case[table])
    name, letter = ids[table]
    return [{name: f"{letter}{place}"} | row for place, row in enumerate(case[table])]


def sorted_rows(result: Case) -> Case:
    return {
        name: sorted(map(str, value)) if isinstance(value, list) and name != "lines" else value
        for name, value in result.items()
    }
