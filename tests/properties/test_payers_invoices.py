"""Invoices of a payer, settled together: what a discount or a block has left is for the next one.

The witness settles them one by one, and is told before each what the ones before it left.
"""

import random
from fractions import Fraction

import polars as pl
import pytest

from tests.worlds.payers import LINE_COLUMNS, Case, settled_one_by_one, settled_together
from tests.worlds.random_settlements import random_settle_case
from tests.worlds.settle_cases import block, off, percent, settle_case

SHARED = ("currency", "rounding", "time_zone", "discounts", "credits")
"""What is the payer's, or the same on all of its invoices."""


def random_payer(dice: random.Random) -> list[Case]:
    """One to five invoices of one currency; some discounts are of few periods."""
    first = random_settle_case(dice)
    for row in first.get("discounts", ()):
        row.pop("periods", None)
        if dice.random() < 0.4:
            row["periods"] = dice.choice([1, 2, 3])
    shared = {name: first[name] for name in SHARED if name in first}
    invoices = [first]
    for _ in range(dice.choice([0, 1, 2, 4])):
        case = {
            name: value for name, value in random_settle_case(dice).items() if name not in SHARED
        }
        invoices.append(case | shared)
    return invoices


def lines_of(invoice: int, lines: pl.DataFrame) -> list[tuple[str, ...]]:
    return lines.filter(invoice_key=invoice).select(LINE_COLUMNS).rows()


def test_a_payers_invoices_are_what_they_are_one_by_one() -> None:
    seeds = range(400)
    payers = [random_payer(random.Random(seed)) for seed in seeds]  # noqa: S311

    found = settled_together(payers)

    invoice = carried = 0
    for seed, invoices in zip(seeds, payers, strict=True):
        results = settled_one_by_one(invoices)
        for result in results:
            expected = [tuple(line[name] for name in LINE_COLUMNS) for line in result["lines"]]
            assert lines_of(invoice, found.lines) == expected, seed
            invoice += 1
        blocks = found.credits.filter(payer_key=seed).select("credit_id", "balance").rows()
        assert blocks == [(row["credit_id"], row["balance"]) for row in results[-1]["credits"]]
        carried += len(results) > 1 and any(
            Fraction(row["drawn"]) > 0 for row in results[-1]["credits"]
        )
    assert carried > 30


def test_once_and_blocks_move_forward_in_order_of_the_invoices() -> None:
    shared = {"discounts": [off("15", spread="once")], "credits": [block("12")]}
    invoices = [settle_case("10", **shared), settle_case("8", **shared), settle_case("9", **shared)]

    found = settled_together([invoices])

    # 10 and 5 of the 15 are taken off; of the 3 and 9 that are left, 12 are paid.
    assert found.lines["net_amount"].to_list() == ["0", "3", "9"]
    assert found.lines["credit_amount"].to_list() == ["0", "3", "9"]
    assert found.discounts["left"].to_list() == ["0"]
    assert found.credits.select("drawn", "balance").rows() == [("12", "0")]


@pytest.mark.parametrize(
    ("discount", "nets"),
    [
        (percent("50", periods=2), ["0", "5", "5", "10"]),
        (off("4", periods=1), ["0", "6", "10", "10"]),
        (off("4"), ["0", "6", "6", "6"]),
    ],
    ids=["two periods", "one period", "each"],
)
def test_an_invoice_without_effect_takes_no_period(discount: Case, nets: list[str]) -> None:
    invoices = [settle_case(amount, discounts=[discount]) for amount in ("0", "10", "10", "10")]

    assert settled_together([invoices]).lines["net_amount"].to_list() == nets


def test_payers_share_nothing() -> None:
    shared = {"discounts": [off("15", spread="once")], "credits": [block("2")]}
    payers = [[settle_case("10", **shared)], [settle_case("20", **shared)]]

    found = settled_together(payers)

    assert found.lines["credit_amount"].to_list() == ["0", "2"]
    assert found.discounts["left"].to_list() == ["5", "0"]
