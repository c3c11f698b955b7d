from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.golden.recompute_sample import Invoice, expected_invoices, read_usage
from tests.golden.sample_tables import read_expected, tables


@pytest.fixture(scope="module")
def invoices() -> list[Invoice]:
    return expected_invoices()


@pytest.mark.parametrize("name", ["invoices.csv", "lines.csv", "tiers.csv"])
def test_golden_files_are_what_the_log_and_the_catalog_give(
    invoices: list[Invoice], name: str
) -> None:
    assert read_expected(name) == tables(invoices)[name]


def test_both_states_are_shown(invoices: list[Invoice]) -> None:
    assert Counter(invoice["status"] for invoice in invoices) == {"finalized": 11, "draft": 10}


def test_every_request_is_on_an_invoice_or_has_a_reason_not_to_be(invoices: list[Invoice]) -> None:
    on_invoices = sum(
        line["event_count"]
        for invoice in invoices
        for line in invoice["lines"]
        if line["metric_code"] == "requests"
    )
    usage = read_usage()
    nobodys = {"administrator", "demo", "doc", "geekery", "image", "logging", "node", "svnweb"}
    nobodys |= {"user", "wordpress", "wp", "wp-admin", "~psionic"}
    unattributed = sum(use.section in nobodys for use in usage)
    before_its_alias = sum(
        use.section == "scripts" and use.occurred_at < datetime(2015, 5, 18, 12, tzinfo=UTC)
        for use in usage
    )
    without_subscription = sum(use.section == "about" for use in usage)
    late = 1
    # 10000 = 9913 + 42 + 28 + 16 + 1
    assert (unattributed, before_its_alias, without_subscription) == (42, 28, 16)
    assert on_invoices + unattributed + before_its_alias + without_subscription + late == 10_000


def test_a_later_instant_finalizes_everything(invoices: list[Invoice]) -> None:
    later = expected_invoices(datetime(2015, 7, 1, tzinfo=UTC))
    assert {invoice["status"] for invoice in later} == {"finalized"}
    totals = {invoice["invoice_id"]: invoice["total_amount"] for invoice in later}
    assert all(totals[each["invoice_id"]] == each["total_amount"] for each in invoices)
    new = totals.keys() - {invoice["invoice_id"] for invoice in invoices}
    assert {totals[invoice_id] for invoice_id in new} == {Decimal(0)}
