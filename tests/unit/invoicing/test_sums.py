"""Each sum of an invoice: what holds back a customer when it is wrong by one."""

from dataclasses import replace
from decimal import Decimal

import pytest

from pipelines.invoicing.document_values import Row
from pipelines.invoicing.sums import require_sums
from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.money import ROUNDINGS
from tests.worlds.books import Draft, DraftLine, draft_rows, draft_terms, finalized
from tests.worlds.deliveries import NOON

LINE = DraftLine("10", ["10"], discount_amount="1", tax_amount="1.8", credit_amount="0.8")
DISCOUNT = DraftLine("-1", [], "spring", kind="discount")
TAX = DraftLine("1.8", [], "vat", kind="tax")
CREDIT = DraftLine("-0.8", [], "gift", kind="credit")
RIGHT = Draft("acme", NOON, (LINE, DISCOUNT, TAX, CREDIT))


def reason(draft: Draft, **totals: str) -> str:
    """Why the draft is held back; empty if it is not."""
    rows = draft_rows([draft])
    changed = rows.with_columns(
        **{name: rows[name] + 1 for name in totals}  # any other amount
    ).cast(rows.schema)
    found = finalized([draft], rows=changed)
    return "".join(found.held_back["reason"])


def test_what_adds_up_is_finalized() -> None:
    assert reason(RIGHT) == ""


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        pytest.param(
            (replace(LINE, amount_unrounded="10.0"), DISCOUNT, TAX, CREDIT),
            "amount_unrounded: expected a decimal as it is written shortest, found 10.0",
            id="another text of the unrounded amount",
        ),
        pytest.param(
            (replace(LINE, amount_unrounded="10.001"), DISCOUNT, TAX, CREDIT),
            "amount_unrounded: expected 10, the sum of its parts, found 10.001",
            id="an unrounded amount that is rounded to the same",
        ),
        pytest.param(
            (replace(LINE, net_amount="10"), DISCOUNT, TAX, CREDIT),
            "requests/{}, net_amount: expected 9, the sum of its parts, found 10",
            id="a net amount without the discount",
        ),
        pytest.param(
            (replace(LINE, currency="USD"), DISCOUNT, TAX, CREDIT),
            "requests/{}: expected the invoice's currency EUR, found USD",
            id="a line in another currency",
        ),
        pytest.param(
            (replace(LINE, kind="gift"), DISCOUNT, TAX, CREDIT),
            "requests/{}: expected a line of kind usage, flat, maximum, ",
            id="a kind without a rule",
        ),
        pytest.param(
            (LINE, replace(DISCOUNT, amount="-2"), TAX, CREDIT),
            "rows of discount: expected -1, the sum of its parts, found -2",
            id="a discount row beyond the lines",
        ),
        pytest.param(
            (LINE, DISCOUNT, CREDIT), "rows of tax: expected 1.8, .* found 0", id="no tax row"
        ),
        pytest.param(
            (LINE, DISCOUNT, TAX, replace(CREDIT, amount="0.8")),
            "rows of credit: expected -0.8, the sum of its parts, found 0.8",
            id="a credit of the wrong sign",
        ),
    ],
)
def test_a_line_that_does_not_follow_from_its_parts_is_named(
    lines: tuple[DraftLine, ...], sentence: str
) -> None:
    found = reason(replace(RIGHT, lines=lines))

    for part in sentence.split(" .* "):
        assert part in found


@pytest.mark.parametrize(
    "name",
    [
        "subtotal_amount",
        "discount_amount",
        "net_amount",
        "tax_amount",
        "total_amount",
        "credit_amount",
        "amount_due",
    ],
)
def test_each_total_is_added_again(name: str) -> None:
    assert f", {name}: expected " in reason(RIGHT, **{name: "1"})


def a_line(kind: str, amount: str, unrounded: str, **more: object) -> Row:
    """A line of an invoice in USD."""
    usual: Row = {
        "line_id": "i/c",
        "line_number": 1,
        "kind": kind,
        "charge_model": "standard",
        "group_key": "{}",
        "currency": "USD",
        "amount": Decimal(amount),
        "amount_unrounded": unrounded,
        "discount_amount": Decimal(0),
        "net_amount": Decimal(amount),
        "tax_amount": Decimal(0),
        "credit_amount": Decimal(0),
        "unit_price": None,
        "billed_quantity": None,
        "share_days": None,
        "share_of_days": None,
        "tiers": "[]",
    }
    return {**usual, **more}


def fault(line: Row, *roundings: str) -> str:
    """Why an invoice of this line alone does not add up; empty if it does."""
    amounts = ("subtotal_amount", "net_amount", "total_amount", "amount_due")
    invoice: dict[str, object] = dict.fromkeys(amounts, line["amount"])
    if line["amount"] < 0:
        invoice |= {"total_amount": Decimal(0), "amount_due": Decimal(0)}
    invoice |= dict.fromkeys(("discount_amount", "tax_amount", "credit_amount"), Decimal(0))
    invoice |= {"invoice_id": "i", "line_count": 1, "currency": "USD"}
    try:
        require_sums(invoice, [line], roundings or ROUNDINGS)
    except InvariantError as error:
        return str(error)
    return ""


THIRD = "0.333333333333333333"


@pytest.mark.parametrize(
    ("line", "roundings", "part"),
    [
        (a_line("usage", "0.13", "0.125", tiers='[{"amount":"0.125"}]'), ["half_away"], ""),
        (a_line("usage", "0.12", "0.125", tiers='[{"amount":"0.125"}]'), ["half_even"], ""),
        (a_line("usage", "0.12", "0.125", tiers='[{"amount":"0.125"}]'), [], ""),
        (
            a_line("usage", "0.12", "0.125", tiers='[{"amount":"0.125"}]'),
            ["half_away"],
            "expected 0.13, the sum of its parts, found 0.12",
        ),
        # Two thirds: each tier is cut, and so is their sum.
        (
            a_line("usage", "0.67", "0.666666666666666667", tiers=f'[{{"amount":"{THIRD}"}},'
                   f'{{"amount":"{THIRD}"}}]'),
            [],
            "",
        ),
        (
            a_line("usage", "0.67", "0.666666666666666668", tiers=f'[{{"amount":"{THIRD}"}},'
                   f'{{"amount":"{THIRD}"}}]'),
            [],
            "expected 0.666666666666666666, the sum of its parts",
        ),
        # What ends has no part that was cut.
        (
            a_line("usage", "0.25", "0.25000000000000001", tiers='[{"amount":"0.25"}]'),
            [],
            "expected 0.25, the sum of its parts",
        ),
        (a_line("usage", "0.5", "0.5"), [], "expected 0, the sum of its parts"),
        (a_line("usage", "0.5", "0.5", charge_model="percentage"), [], ""),
    ],
)  # fmt: skip
def test_a_line_is_rounded_once_from_what_its_tiers_come_to(
    line: Row, roundings: list[str], part: str
) -> None:
    found = fault(line, *roundings)

    assert part in found
    assert bool(part) == bool(found)


FEE = {"unit_price": Decimal("50"), "billed_quantity": Decimal(3)}
SHARED = FEE | {"share_days": 24, "share_of_days": 31}


@pytest.mark.parametrize(
    ("line", "part"),
    [
        (a_line("flat", "150", "150", **FEE), ""),
        (a_line("flat", "116.13", "116.129032258064516129", **SHARED), ""),
        (a_line("flat", "116.13", "116.12903225806451613", **SHARED), "expected 116.1290322580645"),
        (a_line("flat", "150", "150", **SHARED), "expected 116.129032258064516129, the sum of"),
        (a_line("minimum", "47.42", "47.42"), ""),
        (a_line("minimum", "-1", "-1"), "expected more than 0, found -1"),
        (a_line("maximum", "-1", "-1"), ""),
        (a_line("maximum", "0", "0"), "expected less than 0, found 0"),
        (a_line("unused_advance", "-15", "-15"), ""),
        (a_line("unused_advance", "-15", "-14.99"), "expected -14.99, the sum of its parts"),
        (a_line("unused_advance", "0", "0"), "expected less than 0, found 0"),
        (a_line("unused_advance", "1", "1"), "expected less than 0, found 1"),
        (a_line("adjustment", "0.01", "0.01"), ""),
        (a_line("adjustment", "-0.01", "-0.01"), ""),
        (a_line("adjustment", "0", "0"), "expected another amount than 0, found 0"),
        (a_line("overage", "5", "5.001"), ""),
        (a_line("true_up", "8", "7.99"), "expected 7.99, the sum of its parts, found 8"),
        (a_line("true_up", "8", "eight"), "expected a decimal as it is written shortest"),
    ],
)
def test_each_kind_of_line_has_its_rule(line: Row, part: str) -> None:
    found = fault(line)

    assert part in found
    assert bool(part) == bool(found)


def test_what_falls_below_zero_is_no_total() -> None:
    assert reason(Draft("acme", NOON, (DraftLine("-5", ["-5"]),))) == ""


def test_a_line_whose_price_is_not_in_the_terms_holds_back_its_customer() -> None:
    other = Draft("globex", NOON)
    terms = draft_terms([RIGHT, other])
    terms[RIGHT.invoice_id] = replace(terms[RIGHT.invoice_id], price_digests={})

    found = finalized([RIGHT, other], terms=terms)

    assert found.invoices["customer_id"].to_list() == ["globex"]
    assert "expected the terms to have charge requests" in found.held_back["reason"][0]
