"""A change of plan in the middle of a period: two invoices, each by the prices of its plan."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pipelines.catalog.catalog import TABLES
from tests.worlds.book_runs import BookHome
from tests.worlds.edited_catalogs import Files, copied
from tests.worlds.naive_books import Usage

CHANGE = datetime(2026, 3, 16, 10, tzinfo=UTC)
"""11:00 in Berlin, where the customer is."""

APRIL = datetime(2026, 3, 31, 22, tzinfo=UTC)
TICK = timedelta(microseconds=1)
PHASES = "subscription_phases.csv"


def catalog() -> Files:
    """acme pays 0.25 EUR a request, and from the change on 1.00 USD each of the first two only."""
    rows: Mapping[str, list[dict[str, str]]] = {
        "sources.csv": [
            {"source": "cdn", "dialect": "metronome", "dedupe_window_days": "unlimited",
             "received_at_from": "last_modified"},
        ],
        "plans.csv": [
            {"plan_code": "paid", "name": "Paid"},
            {"plan_code": "tiers", "name": "Tiers", "currency": "USD"},
        ],
        "charges.csv": [
            {"plan_code": "paid", "charge_code": "calls", "metric_code": "requests",
             "charge_model": "standard", "unit_price": "0.25", "valid_from": "2020-01-01"},
            {"plan_code": "tiers", "charge_code": "calls", "metric_code": "requests",
             "charge_model": "graduated", "valid_from": "2026-03-16"},
        ],
        "charge_tiers.csv": [
            {"plan_code": "tiers", "charge_code": "calls", "valid_from": "2026-03-16",
             "from_units": "0", "up_to_units": "2", "unit_price": "1"},
            {"plan_code": "tiers", "charge_code": "calls", "valid_from": "2026-03-16",
             "from_units": "2", "unit_price": "0"},
        ],
        "customers.csv": [
            {"customer_id": "acme", "name": "Acme", "currency": "EUR",
             "time_zone": "Europe/Berlin", "grace_period_days": "2", "late_usage_policy": "adjust"},
        ],
        "subscriptions.csv": [
            {"subscription_id": "s1", "customer_id": "acme", "plan_code": "paid",
             "interval": "month", "interval_count": "1", "anchor": "calendar",
             "start_date": "2026-03-01"},
        ],
        PHASES: [
            {"subscription_id": "s1", "from": "2026-03-16T10:00:00Z", "plan_code": "tiers"},
        ],
        "subscription_pauses.csv": [
            {"subscription_id": "s1", "from": "2026-03-20", "to": "2026-03-23"},
        ],
    }  # fmt: skip
    return {
        name: [{column.name: row.get(column.name, "") for column in table.columns}
               for row in rows.get(name, [])]
        for name, table in TABLES.items()
    }  # fmt: skip


def requests(file_id: int, *occurred_at: datetime) -> list[Usage]:
    """Requests of acme, in a file received a quarter of an hour after the last of them."""
    return [
        Usage(
            place=(file_id, line),
            batch_id=0,
            source="cdn",
            customer_ref="acme",
            subscription_ref=None,
            occurred_at=at,
            received_at=max(occurred_at) + timedelta(minutes=15),
        )
        for line, at in enumerate(occurred_at, start=1)
    ]


SENT = [
    *requests(1, CHANGE - timedelta(days=9), CHANGE - TICK, CHANGE),
    *requests(2, CHANGE + timedelta(days=5), APRIL - TICK, APRIL),
]
"""Two requests before the change; three from it on, one in the pause; one in April."""


@pytest.fixture
def home() -> Iterator[BookHome]:
    """The cuts of both halves of March are over."""
    made = BookHome()
    run = made.run(catalog(), datetime(2026, 4, 3, 12, tzinfo=UTC), SENT)
    assert run.drafted is not None
    assert run.drafted.failed == {}
    yield made
    made.close()


def rows(home: BookHome, sql: str) -> list[tuple[Any, ...]]:
    assert home.dbt is not None
    return home.dbt.rows(sql).rows()


def test_each_half_is_billed_by_its_own_plan(home: BookHome) -> None:
    found = rows(
        home,
        """
        SELECT invoice_id, status, plan_code, currency, total_amount, event_count,
            period_start_at::VARCHAR, period_end_at::VARCHAR, cut_at::VARCHAR
        FROM warehouse.marts.fct_invoices ORDER BY period_start_at
        """,
    )

    halves = ("2026-02-28 23:00:00+00", "2026-03-16 10:00:00+00", "2026-03-31 22:00:00+00")
    assert found == [
        # Two at 0.25. The grace of two days ends at the clock time of the change.
        ("s1/2026-03-01", "finalized", "paid", "EUR", Decimal("0.50"), 2, halves[0], halves[1],
         "2026-03-18 10:00:00+00"),
        # The first two of three at 1.00. The request at the very instant of the change is one.
        ("s1/2026-03-16T11:00:00", "finalized", "tiers", "USD", Decimal("2.00"), 3, halves[1],
         halves[2], "2026-04-02 22:00:00+00"),
        ("s1/2026-04-01", "draft", "tiers", "USD", Decimal("1.00"), 1, halves[2],
         "2026-04-30 22:00:00+00", "2026-05-02 22:00:00+00"),
    ]  # fmt: skip


def test_published_periods_say_which_phase_they_are_of(home: BookHome) -> None:
    found = rows(
        home,
        """
        SELECT period_start_date::VARCHAR, plan_code, currency, service_days, full_days,
            phase_index
        FROM warehouse.marts.dim_billing_periods ORDER BY period_start_at LIMIT 3
        """,
    )

    # The day of the change is of the new plan, and 20 to 22 March are paused.
    assert found == [
        ("2026-03-01", "paid", "EUR", 15, 31, 0),
        ("2026-03-16", "tiers", "USD", 13, 31, 1),
        ("2026-04-01", "tiers", "USD", 30, 30, 1),
    ]


def test_a_change_of_what_is_closed_is_refused_and_one_after_it_is_not(home: BookHome) -> None:
    later = datetime(2026, 4, 4, 12, tzinfo=UTC)
    moved, more = copied(catalog()), copied(catalog())
    moved[PHASES][0]["from"] = "2026-03-17"
    more[PHASES].append({**more[PHASES][0], "from": "2026-04-01", "plan_code": "paid"})

    refused = home.run(moved, later, [])
    allowed = home.run(more, later, [])

    assert [sentence.split(":")[0] for sentence in refused.refused] == [
        "subscription_phases.csv, row 2, column from",
        "subscriptions.csv, row 2, column plan_code",
    ]
    assert allowed.refused == ()
    assert rows(
        home,
        "SELECT plan_code, total_amount FROM warehouse.marts.fct_invoices WHERE status = 'draft'",
    ) == [("paid", Decimal("0.25"))]
