"""Each sum of an invoice: what holds back a customer when it is wrong by one."""

from dataclasses import replace

import pytest

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
            "requests/{}, amount_unrounded: expected 10, the sum of its tiers, found 10.0",
            id="another text of the unrounded amount",
        ),
        pytest.param(
            (replace(LINE, amount_unrounded="10.001"), DISCOUNT, TAX, CREDIT),
            "amount_unrounded: expected 10, the sum of its tiers, found 10.001",
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
            (replace(LINE, kind="flat"), DISCOUNT, TAX, CREDIT),
            "requests/{}: expected a line of kind usage, found flat",
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


def test_what_falls_below_zero_is_no_total() -> None:
    assert reason(Draft("acme", NOON, (DraftLine("-5", ["-5"]),))) == ""


def test_a_line_whose_price_is_not_in_the_terms_holds_back_its_customer() -> None:
    other = Draft("globex", NOON)
    terms = draft_terms([RIGHT, other])
    key = RIGHT.subscription_id, draft_rows([RIGHT])["period_start_at"][0]
    terms[key] = replace(terms[key], price_digests={})

    found = finalized([RIGHT, other], terms=terms)

    assert found.invoices["customer_id"].to_list() == ["globex"]
    assert "expected the terms to have charge requests" in found.held_back["reason"][0]
