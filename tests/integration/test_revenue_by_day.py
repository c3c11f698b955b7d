"""Revenue by day stays as it was closed, and follows what the lake says is closed."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.catalog.catalog import TABLES
from tests.worlds.book_runs import BookHome
from tests.worlds.dbt_world import DbtWorld, built_world, not_passed
from tests.worlds.edited_catalogs import Files, copied
from tests.worlds.naive_books import Usage

MODELS = "int_invoice_lines_unallocated int_revenue_allocated fct_revenue_allocations"
EGRESS = "sub-acme/2025-12-01/egress/{}"


@pytest.fixture
def world(tmp_path: Path) -> DbtWorld:
    return built_world().copied_to(tmp_path)


def allocated(world: DbtWorld) -> dict[str, list[str]]:
    found = world.query("select line_id, units from marts.fct_revenue_allocations")
    return {line_id: units.split(",") for line_id, units in found}


def rebuilt(world: DbtWorld) -> dict[str, list[str]]:
    statuses = world.run("build", "--select", f"{MODELS} int_invoices_united fct_invoices")
    assert not_passed(statuses) == {}
    return allocated(world)


def test_a_closed_line_keeps_its_days(world: DbtWorld) -> None:
    """Its 0.75 fell on 5 December; another is written by hand, and nothing writes it back."""
    assert allocated(world)[EGRESS].index("75") == 4
    world.change("warehouse", "update marts.fct_revenue_allocations set units = '75' || units")

    assert rebuilt(world)[EGRESS][0] == "750"
    assert world.query("select count(*) from books.int_revenue_allocated") == [(0,)]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("delete from marts.fct_revenue_allocations", id="that is gone"),
        pytest.param(
            "update marts.fct_revenue_allocations set net_amount = 0.5, units = '50'",
            id="of another amount, as of a lake before it was restored",
        ),
    ],
)
def test_an_allocation_is_made_again(world: DbtWorld, change: str) -> None:
    before = allocated(world)
    world.change("warehouse", change)

    assert rebuilt(world) == before


def test_a_line_that_a_restored_lake_lacks_has_no_days(world: DbtWorld) -> None:
    world.change("lake", "delete from invoices; delete from invoice_lines")
    books = "int_invoices_united int_invoice_lines_united fct_invoices fct_invoice_lines"
    world.run("run", "--select", books)

    assert not_passed(world.run("build", "--select", MODELS)) == {}
    assert allocated(world) == {}


def test_days_of_a_void_invoice_say_so(world: DbtWorld) -> None:
    shown = "select distinct status, sum(revenue_amount) from marts.fct_revenue_by_day group by 1"
    assert world.query(shown) == [("finalized", Decimal("0.76"))]
    world.change(
        "lake",
        "insert into acts by name (select 99 as batch_id, 'void' as kind, invoice_id "
        "from invoices where invoice_id = 'sub-acme/2025-12-01')",
    )
    world.run("run", "--select", "stg_lake__acts int_invoices_united fct_invoices")

    world.run("run", "--select", "fct_invoice_lines")

    assert world.query(shown) == [("void", Decimal("0.76"))]


def catalog_in(time_zone: str) -> Files:
    """A customer who pays a fee and for requests, by the month since February."""
    price = {"plan_code": "p", "valid_from": "2026-01-01"}
    rows = {
        "sources.csv": [
            {"source": "cdn", "dialect": "metronome", "dedupe_window_days": "unlimited",
             "received_at_from": "last_modified"},
        ],
        "plans.csv": [{"plan_code": "p", "name": "P"}],
        "charges.csv": [
            price | {"charge_code": "fee", "charge_model": "flat", "flat_amount": "31"},
            price | {"charge_code": "use", "charge_model": "standard", "metric_code": "requests",
                     "unit_price": "2"},
        ],
        "customers.csv": [
            {"customer_id": "c", "name": "C", "currency": "EUR", "time_zone": time_zone,
             "grace_period_days": "0", "late_usage_policy": "reject"},
        ],
        "subscriptions.csv": [
            {"subscription_id": "s", "customer_id": "c", "plan_code": "p", "interval": "month",
             "interval_count": "1", "anchor": "calendar", "start_date": "2026-02-01"},
        ],
    }  # fmt: skip
    return {
        name: [
            {column.name: row.get(column.name, "") for column in table.columns}
            for row in rows.get(name, [])
        ]
        for name, table in TABLES.items()
    }


def test_what_lies_before_the_first_label_is_earned_on_that_day() -> None:
    """February is closed in UTC, March then ends in Los Angeles: it has 31 labelled days, and its
    first 8 hours, which show 28 February there, are of 1 March.
    """
    noon = datetime(2026, 3, 20, 12, tzinfo=UTC)
    sent = [
        Usage((1, line), 0, "cdn", "c", None, at, noon, {"method": "GET"})
        for line, at in enumerate(
            (datetime(2026, 3, 1, 2, tzinfo=UTC), datetime(2026, 3, 2, 7, 59, tzinfo=UTC),
             datetime(2026, 3, 2, 8, tzinfo=UTC)), 1
        )
    ]  # fmt: skip
    home = BookHome()
    try:
        home.run(catalog_in("Etc/UTC"), datetime(2026, 3, 2, tzinfo=UTC), [], is_checked=False)
        later = copied(catalog_in("America/Los_Angeles"))
        home.run(later, noon, sent, is_checked=False)
        drafted = home.run(later, datetime(2026, 4, 2, tzinfo=UTC), []).drafted
        assert drafted is not None
        assert drafted.failed == {}
        assert home.dbt is not None
        found = home.dbt.tuples(
            "SELECT charge_code, local_date, revenue_amount FROM "
            "warehouse.marts.fct_revenue_by_day WHERE invoice_id = 's/2026-03-01' ORDER BY ALL"
        )
    finally:
        home.close()

    days = [date(2026, 3, day) for day in range(1, 32)]
    assert [row[1:] for row in found if row[0] == "fee"] == [(day, 1) for day in days]
    assert [row[1:] for row in found if row[0] == "use"] == [
        (day, {1: 4, 2: 2}.get(day.day, 0)) for day in days
    ]
