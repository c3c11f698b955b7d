"""Drafts of 0: with a number or without, and what is one."""

import pytest

from pipelines.invoicing.finalize import ClosedInvoices
from tests.worlds.books import Draft, DraftLine, finalized
from tests.worlds.deliveries import NOON

FREE = Draft("acme", NOON, [DraftLine("0", ["0"]), DraftLine("0.00", ["0.004"], "egress")])
EMPTY = Draft("beta", NOON, [])
PAID = Draft("delta", NOON, [DraftLine("0.01", ["0.01"])])
EVEN = Draft("gamma", NOON, [DraftLine("5", ["5"]), DraftLine("-5", ["-5"], "egress")])


def closed(*drafts: Draft, numbers_zero: bool) -> ClosedInvoices:
    return finalized(drafts, numbers_zero=numbers_zero)


@pytest.mark.parametrize(
    ("draft", "is_numbered"),
    [
        pytest.param(FREE, False, id="lines of 0"),
        pytest.param(EMPTY, False, id="no line"),
        pytest.param(PAID, True, id="a cent"),
        pytest.param(EVEN, True, id="lines that add up to 0"),
    ],
)
def test_a_draft_of_zero_is_closed_without_a_number(draft: Draft, is_numbered: bool) -> None:
    with_number = closed(draft, numbers_zero=True)
    without = closed(draft, numbers_zero=False)

    assert with_number.invoices["invoice_number"].to_list() == ["INV-000001"]
    assert with_number.unnumbered == 0
    assert without.invoices.height == is_numbered
    assert without.unnumbered == (not is_numbered)
    assert without.closings.height == without.closed_drafts.height == 1


def test_numbers_and_links_have_no_gap_and_each_period_is_closed() -> None:
    found = closed(FREE, PAID, EMPTY, EVEN, numbers_zero=False)

    assert found.invoices.select(
        "customer_id", "invoice_number", "series_number", "chain_position"
    ).rows() == [("delta", "INV-000001", 1, 1), ("gamma", "INV-000002", 2, 2)]
    assert found.closings.select("subscription_id", "invoice_id").rows() == [
        ("sub-acme", None),
        ("sub-beta", None),
        ("sub-delta", PAID.invoice_id),
        ("sub-gamma", EVEN.invoice_id),
    ]
    assert found.closed_drafts["invoice_id"].to_list() == [
        each.invoice_id for each in (FREE, EMPTY, PAID, EVEN)
    ]


def test_lines_of_a_period_without_invoice_are_kept() -> None:
    found = closed(FREE, PAID, numbers_zero=False)

    assert found.invoice_lines["invoice_id"].to_list() == [
        FREE.invoice_id,
        FREE.invoice_id,
        PAID.invoice_id,
    ]


def test_a_draft_of_zero_that_does_not_add_up_is_held_back() -> None:
    wrong = Draft("acme", NOON, [DraftLine("0", ["1"])])

    found = closed(wrong, numbers_zero=False)

    assert found.closings.height == found.invoice_lines.height == 0
    assert found.held_back["invoice_id"].to_list() == [wrong.invoice_id]


def test_what_stands_for_another_invoice_has_a_number_also_if_it_comes_to_zero() -> None:
    corrects = {FREE.invoice_id: "sub-acme/before"}

    found = finalized((FREE, EMPTY), numbers_zero=False, corrects=corrects)

    assert found.invoices.select("customer_id", "corrects_invoice_id").rows() == [
        ("acme", "sub-acme/before")
    ]
    assert '"corrects_invoice_id":"sub-acme/before"' in found.invoices["canonical_json"][0]
    assert found.closings["invoice_id"].to_list() == [FREE.invoice_id, None]
