"""Periods of 0 closed without an invoice: their usage is closed, and numbers have no gap."""

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
AFTER_TUESDAY = datetime(2026, 3, 4, 2, tzinfo=UTC)
"""Later than the cut of Tuesday by the settle time and more."""


def catalog() -> Files:
    """acme pays by the day: 2 requests are free, each other one is 0.50. beta pays 0.25 each."""
    rows: Mapping[str, list[dict[str, str]]] = {
        "sources.csv": [
            {"source": "cdn", "dialect": "metronome", "dedupe_window_days": "unlimited",
             "received_at_from": "last_modified"},
        ],
        "plans.csv": [{"plan_code": "free", "name": "Free"}, {"plan_code": "paid", "name": "Paid"}],
        "charges.csv": [
            {"plan_code": "free", "charge_code": "calls", "metric_code": "requests",
             "charge_model": "graduated", "valid_from": "2020-01-01", "name": "Calls"},
            {"plan_code": "paid", "charge_code": "calls", "metric_code": "requests",
             "charge_model": "standard", "unit_price": "0.25", "valid_from": "2020-01-01"},
        ],
        "charge_tiers.csv": [
            {"plan_code": "free", "charge_code": "calls", "valid_from": "2020-01-01",
             "from_units": "0", "up_to_units": "2", "unit_price": "0"},
            {"plan_code": "free", "charge_code": "calls", "valid_from": "2020-01-01",
             "from_units": "2", "unit_price": "0.5"},
        ],
        "customers.csv": [
            {"customer_id": name, "name": name, "currency": "EUR", "time_zone": "Etc/UTC",
             "grace_period_days": "0", "late_usage_policy": "adjust"}
            for name in ("acme", "beta")
        ],
        "customer_aliases.csv": [{"alias": "web", "customer_id": "acme"}],
        "subscriptions.csv": [
            {"subscription_id": "s1", "customer_id": "acme", "plan_code": "free",
             "interval": "day", "interval_count": "1", "anchor": "calendar",
             "start_date": "2026-03-01"},
            {"subscription_id": "s2", "customer_id": "beta", "plan_code": "paid",
             "interval": "month", "interval_count": "1", "anchor": "calendar",
             "start_date": "2026-03-01"},
        ],
    }  # fmt: skip
    return {
        name: [{column.name: row.get(column.name, "") for column in table.columns}
               for row in rows.get(name, [])]
        for name, table in TABLES.items()
    }  # fmt: skip


def requests(
    file_id: int, day: int, count: int, *, received: datetime | None = None
) -> list[Usage]:
    """Requests of the name `web` at noon of a day of March, received at one o'clock."""
    return [
        Usage(
            place=(file_id, line),
            batch_id=0,
            source="cdn",
            customer_ref="web",
            subscription_ref=None,
            occurred_at=SUNDAY.replace(day=day, hour=12),
            received_at=received or SUNDAY.replace(day=day, hour=13),
        )
        for line in range(1, count + 1)
    ]


@pytest.fixture
def home() -> Iterator[BookHome]:
    """acme used 2 requests on 1 March, 5 on 2 March and none on 3 March; those days are closed."""
    made = BookHome(numbers_zero=False)
    run = made.run(catalog(), AFTER_TUESDAY, [*requests(1, 1, 2), *requests(2, 2, 5)])
    assert run.drafted is not None
    assert run.drafted.failed == {}
    yield made
    made.close()


def rows(home: BookHome, sql: str) -> list[tuple[Any, ...]]:
    assert home.dbt is not None
    return home.dbt.rows(sql).rows()


INVOICES = """
    SELECT invoice_id, status, invoice_number, total_amount, line_count, event_count
    FROM warehouse.marts.fct_invoices WHERE customer_id = 'acme' ORDER BY invoice_id
"""
CLOSED = [
    ("s1/2026-03-01", "unnumbered", None, Decimal(0), 1, 2),
    ("s1/2026-03-02", "finalized", "INV-000001", Decimal("1.5"), 1, 5),
    ("s1/2026-03-03", "unnumbered", None, Decimal(0), 1, 0),
]
"""The rows of the days that are closed; 4 March is open."""

UNBILLED = """
    SELECT unbilled_reason, event_count FROM warehouse.marts.rpt_unbilled_usage
    WHERE metric_code = 'requests'
"""


def test_a_period_of_zero_is_closed_and_takes_no_number(home: BookHome) -> None:
    assert rows(home, INVOICES) == [
        *CLOSED,
        ("s1/2026-03-04", "draft", None, Decimal(0), 1, 0),
    ]
    book = (
        "SELECT period_start_label::DATE::VARCHAR, invoice_id FROM lake.closed_periods ORDER BY 1"
    )
    assert rows(home, book) == [
        ("2026-03-01", None),
        ("2026-03-02", "s1/2026-03-02"),
        ("2026-03-03", None),
    ]
    statuses = (
        "SELECT status FROM warehouse.marts.dim_billing_periods WHERE subscription_id = 's1' "
        "ORDER BY period_index"
    )
    assert [status for (status,) in rows(home, statuses)][:4] == [
        "unnumbered", "finalized", "unnumbered", "open",
    ]  # fmt: skip
    assert rows(home, UNBILLED) == []


def test_the_next_number_has_no_gap(home: BookHome) -> None:
    run = home.run(catalog(), SUNDAY.replace(day=6, hour=2), requests(3, 5, 3))

    assert run.drafted is not None
    assert run.drafted.failed == {}
    assert run.drafted.closed["invoice_number"].to_list() == ["INV-000002"]
    assert run.drafted.closed["invoice_id"].to_list() == ["s1/2026-03-05"]


def test_a_price_that_changes_later_bills_nothing_of_it(home: BookHome) -> None:
    dearer = copied(catalog())
    dearer["charge_tiers.csv"][0]["unit_price"] = "9"

    run = home.run(dearer, AFTER_TUESDAY.replace(hour=5), [])

    assert run.drafted is not None
    assert run.drafted.failed == {}
    assert rows(home, INVOICES)[:3] == CLOSED


def test_usage_that_comes_later_is_late(home: BookHome) -> None:
    late = requests(3, 1, 4, received=AFTER_TUESDAY.replace(hour=4))

    run = home.run(catalog(), AFTER_TUESDAY.replace(hour=5), late)

    assert run.drafted is not None
    assert run.drafted.failed == {}
    assert rows(home, INVOICES)[:3] == CLOSED
    assert rows(home, UNBILLED) == [("late", 4)]


def test_usage_whose_name_moves_is_billed_to_nobody_else(home: BookHome) -> None:
    moved = copied(catalog())
    moved["customer_aliases.csv"][0]["customer_id"] = "beta"

    run = home.run(moved, AFTER_TUESDAY.replace(hour=5), [])

    assert run.drafted is not None
    assert run.drafted.failed == {}
    assert rows(home, INVOICES)[:3] == CLOSED
    beta = "SELECT event_count FROM warehouse.marts.fct_invoices WHERE customer_id = 'beta'"
    assert rows(home, beta) == [(0,)]


def test_the_setting_can_change_and_closed_periods_stay(home: BookHome) -> None:
    home.numbers_zero = True

    run = home.run(catalog(), SUNDAY.replace(day=5, hour=2), [])

    assert run.drafted is not None
    assert run.drafted.failed == {}
    assert run.drafted.closed["invoice_number"].to_list() == ["INV-000002"]
    assert run.drafted.closed["invoice_id"].to_list() == ["s1/2026-03-04"]
    assert rows(home, INVOICES)[:3] == CLOSED
