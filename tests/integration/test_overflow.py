"""More digits than can be held: one customer waits, and the others are billed."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from pipelines.catalog.catalog import TABLES
from tests.worlds.book_runs import BookHome
from tests.worlds.edited_catalogs import Files, copied
from tests.worlds.naive_books import Usage

SUNDAY = datetime(2026, 3, 1, tzinfo=UTC)
MONDAY = datetime(2026, 3, 2, 2, tzinfo=UTC)
"""Later than the cut of Sunday by the settle time and more."""

LARGEST = "99999999999999999999"
"""A quantity has no more digits before its point."""


def catalog() -> Files:
    """acme and beta pay 0.50 for a byte, by the day."""
    rows: Mapping[str, list[dict[str, str]]] = {
        "sources.csv": [
            {"source": "cdn", "dialect": "metronome", "dedupe_window_days": "unlimited",
             "received_at_from": "last_modified"},
        ],
        "plans.csv": [{"plan_code": "edge", "name": "Edge"}],
        "charges.csv": [
            {"plan_code": "edge", "charge_code": "egress", "metric_code": "egress_bytes",
             "charge_model": "standard", "unit_price": "0.5", "valid_from": "2020-01-01"},
        ],
        "customers.csv": [
            {"customer_id": name, "name": name, "currency": "EUR", "time_zone": "Etc/UTC",
             "grace_period_days": "0", "late_usage_policy": "adjust"}
            for name in ("acme", "beta")
        ],
        "subscriptions.csv": [
            {"subscription_id": f"sub-{name}", "customer_id": name, "plan_code": "edge",
             "interval": "day", "interval_count": "1", "anchor": "calendar",
             "start_date": "2026-03-01"}
            for name in ("acme", "beta")
        ],
    }  # fmt: skip
    return {
        name: [{column.name: row.get(column.name, "") for column in table.columns}
               for row in rows.get(name, [])]
        for name, table in TABLES.items()
    }  # fmt: skip


def sent(
    file_id: int, line: int, customer: str | None, size: str, void_of: tuple[int, int] | None = None
) -> Usage:
    """An answer of so many bytes at noon of Sunday."""
    return Usage(
        place=(file_id, line),
        batch_id=0,
        source="cdn",
        customer_ref=customer,
        subscription_ref=None,
        occurred_at=SUNDAY.replace(hour=12),
        received_at=SUNDAY.replace(hour=13),
        properties={"bytes": size},
        void_of=void_of,
    )


TOO_LARGE = [
    sent(1, 1, "acme", LARGEST),
    sent(1, 2, "acme", LARGEST),
    sent(1, 3, "beta", "4"),
]
"""acme comes to 21 digits; beta to 4 bytes."""


@pytest.fixture
def home() -> Iterator[BookHome]:
    made = BookHome()
    yield made
    made.close()


def rows(home: BookHome, sql: str) -> list[tuple[Any, ...]]:
    assert home.dbt is not None
    return home.dbt.rows(sql).rows()


INVOICES = """
    SELECT invoice_id, status, total_amount, fault IS NOT NULL
    FROM warehouse.marts.fct_invoices WHERE period_start_date = '2026-03-01' ORDER BY 1
"""
UNBILLED = """
    SELECT unbilled_reason, metric_code, customer_id, event_count, quantity, example_line
    FROM warehouse.marts.rpt_unbilled_usage WHERE metric_code = 'egress_bytes'
"""
QUANTITIES = """
    SELECT expected, actual, difference FROM warehouse.marts.rpt_reconciliation
    WHERE identity = 'metric_quantity' AND subject = 'egress_bytes'
"""


def test_usage_of_21_digits_holds_back_its_customer_until_it_is_void(home: BookHome) -> None:
    run = home.run(catalog(), MONDAY, TOO_LARGE)

    assert run.drafted is not None
    assert run.drafted.failed == {}
    assert run.drafted.closed["invoice_id"].to_list() == ["sub-beta/2026-03-01"]
    assert rows(home, INVOICES) == [
        ("sub-acme/2026-03-01", "draft", None, True),
        ("sub-beta/2026-03-01", "finalized", Decimal(2), False),
    ]
    held = run.drafted.held_back.filter(invoice_id="sub-acme/2026-03-01").row(0, named=True)
    assert held["reason_code"] == "fault"
    assert held["reason"] == (
        "sub-acme/2026-03-01: metric egress_bytes of customer acme, charge egress, group {}: "
        "expected a quantity of at most 20 digits before the point, found more; void or amend "
        "the events that are too large, or correct the metric or its price, and run again"
    )
    assert rows(home, UNBILLED) == [
        ("quantity_overflow", "egress_bytes", "acme", 2, None, 1),
    ]
    assert rows(home, QUANTITIES) == []

    later = MONDAY.replace(hour=5)
    run = home.run(catalog(), later, [sent(2, 1, None, "0", void_of=(1, 2))])

    assert run.drafted is not None
    assert run.drafted.failed == {}
    assert run.drafted.closed["invoice_id"].to_list() == ["sub-acme/2026-03-01"]
    assert run.drafted.closed["total_amount"].to_list() == [Decimal("49999999999999999999.5")]
    # Of all events, the void one too, there are more bytes than a quantity holds.
    assert rows(home, QUANTITIES) == [(None, None, Decimal(0))]


def test_an_amount_of_24_digits_holds_back_its_customer_until_the_price_is_right(
    home: BookHome,
) -> None:
    dear = copied(catalog())
    dear["charges.csv"][0]["unit_price"] = "5000"
    usages = [sent(1, 1, "acme", LARGEST), sent(1, 2, "beta", "4")]

    run = home.run(dear, MONDAY, usages)

    assert run.drafted is not None
    assert run.drafted.failed == {}
    assert run.drafted.closed["invoice_id"].to_list() == ["sub-beta/2026-03-01"]
    assert rows(home, INVOICES)[0] == ("sub-acme/2026-03-01", "draft", None, True)
    held = run.drafted.held_back.filter(invoice_id="sub-acme/2026-03-01").row(0, named=True)
    assert held["reason_code"] == "fault"
    assert "metric egress_bytes of customer acme" in held["reason"]
    assert "expected an amount of at most 23 digits" in held["reason"]
    assert rows(home, UNBILLED) == []

    run = home.run(catalog(), MONDAY.replace(hour=5), [])

    assert run.drafted is not None
    assert run.drafted.failed == {}
    assert run.drafted.closed["invoice_id"].to_list() == ["sub-acme/2026-03-01"]


def test_sums_over_customers_may_have_more_digits_than_each(home: BookHome) -> None:
    run = home.run(catalog(), MONDAY, [sent(1, 1, "acme", LARGEST), sent(1, 2, "beta", LARGEST)])

    assert run.drafted is not None
    assert run.drafted.failed == {}
    assert run.drafted.closed.height == 2
    assert rows(home, QUANTITIES) == [(None, None, Decimal(0))]
