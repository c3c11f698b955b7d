"""Invoices of every charge model: closed, chained and not due again."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from pipelines.catalog.catalog import TABLES
from tests.worlds.book_runs import BookHome
from tests.worlds.edited_catalogs import Files, copied
from tests.worlds.naive_books import Usage

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
AFTER_MARCH = datetime(2026, 4, 1, 2, tzinfo=UTC)
AFTER_APRIL = datetime(2026, 5, 1, 2, tzinfo=UTC)
"""Later than the cuts of both months by the settle time and more."""

FIRST_DAY = "2026-01-01"


def charge(code: str, model: str, **columns: str) -> dict[str, str]:
    return {"plan_code": "all", "charge_code": code, "charge_model": model,
            "valid_from": FIRST_DAY} | columns  # fmt: skip


CHARGES = [
    charge("a-transfer", "percentage", metric_code="egress_bytes", rate_percent="2",
           fixed_amount="0.3", free_events="2"),
    charge("b-calls", "package", metric_code="requests", unit_price="4", package_size="3",
           free_units="1", minimum_amount="100"),
    charge("c-seats", "flat", flat_amount="50", quantity="3"),
    charge("d-setup", "flat", flat_amount="9.995", billed="once", prorated="no"),
]  # fmt: skip
"""What acme pays; its subscription begins on 8 March."""


def catalog(**more: str) -> Files:
    """acme has all charges by the month, beta a fee alone."""
    rows: Mapping[str, list[dict[str, str]]] = {
        "sources.csv": [
            {"source": "cdn", "dialect": "metronome", "dedupe_window_days": "unlimited",
             "received_at_from": "last_modified"},
        ],
        "plans.csv": [
            {"plan_code": "all", "name": "All"} | more, {"plan_code": "fee", "name": "Fee"},
        ],
        "charges.csv": [
            *CHARGES,
            {"plan_code": "fee", "charge_code": "fee", "charge_model": "flat",
             "flat_amount": "31", "valid_from": FIRST_DAY},
        ],
        "customers.csv": [
            {"customer_id": name, "name": name, "currency": "EUR", "time_zone": "Etc/UTC",
             "grace_period_days": "0", "late_usage_policy": "reject"}
            for name in ("acme", "beta")
        ],
        "subscriptions.csv": [
            {"subscription_id": "s1", "customer_id": "acme", "plan_code": "all",
             "interval": "month", "interval_count": "1", "anchor": "calendar",
             "start_date": "2026-03-08"},
            {"subscription_id": "s2", "customer_id": "beta", "plan_code": "fee",
             "interval": "month", "interval_count": "1", "anchor": "calendar",
             "start_date": "2026-03-01"},
        ],
        "subscription_pauses.csv": [
            {"subscription_id": "s2", "from": "2026-03-11", "to": "2026-03-21"},
        ],
    }  # fmt: skip
    return {
        name: [{column.name: row.get(column.name, "") for column in table.columns}
               for row in rows.get(name, [])]
        for name, table in TABLES.items()
    }  # fmt: skip


def sent(line: int, day: int, size: str) -> Usage:
    at = MARCH.replace(day=day, hour=12)
    return Usage((1, line), 0, "cdn", "acme", None, at, MARCH.replace(day=20), {"bytes": size})


USAGE = [sent(1, 12, "30"), sent(2, 10, "10"), sent(3, 11, "20"), sent(4, 13, "0")]
"""In order of time: 10, 20, 30 and 0 bytes."""


@pytest.fixture
def home() -> Iterator[BookHome]:
    made = BookHome()
    yield made
    made.close()


def lines(home: BookHome, invoice_id: str) -> list[tuple[Any, ...]]:
    assert home.dbt is not None
    return home.dbt.tuples(
        "SELECT kind, charge_code, quantity, billed_quantity, unit_price, amount, share_days, "
        f"share_of_days FROM lake.invoice_lines WHERE invoice_id = '{invoice_id}' "
        "ORDER BY line_number"
    )


def test_an_invoice_has_a_line_of_each_kind_and_fees_go_on(home: BookHome) -> None:
    files = catalog()
    first = home.run(files, AFTER_MARCH, USAGE).drafted

    assert first is not None
    assert first.failed == {}
    assert sorted(first.closed["invoice_id"]) == ["s1/2026-03-08", "s2/2026-03-01"]
    assert lines(home, "s1/2026-03-08") == [
        # The first two events are free; 30 pays 0.90, and 0 the fixed amount alone.
        ("usage", "a-transfer", 60, 60, None, Decimal("1.2"), None, None),
        ("usage", "b-calls", 4, 3, 4, 4, None, None),
        # 24 of the 31 days of March: 116.129…
        ("flat", "c-seats", 3, 3, 50, Decimal("116.13"), 24, 31),
        ("flat", "d-setup", 1, 1, Decimal("9.995"), Decimal("10"), None, None),
        # 100 × 24/31 = 77.419…, less the package.
        ("minimum", "b-calls", None, None, None, Decimal("73.42"), None, None),
    ]
    # Ten days of pause are no service.
    assert lines(home, "s2/2026-03-01") == [("flat", "fee", 1, 1, 31, 21, 21, 31)]

    # What people read says so too: a minimum is of no quantity.
    assert home.dbt is not None
    assert home.dbt.tuples(
        "SELECT kind, quantity, billed_quantity, unit, status "
        "FROM warehouse.marts.fct_invoice_lines "
        "WHERE invoice_id = 's1/2026-03-08' ORDER BY line_number"
    )[-2:] == [("flat", 1, 1, None, "finalized"), ("minimum", None, None, None, "finalized")]

    again = home.run(files, AFTER_MARCH, []).drafted
    assert again is not None
    assert again.is_idle

    second = home.run(files, AFTER_APRIL, []).drafted
    assert second is not None
    assert second.failed == {}
    assert lines(home, "s1/2026-04-01") == [
        ("usage", "a-transfer", 0, 0, None, 0, None, None),
        ("usage", "b-calls", 0, 0, 4, 0, None, None),
        ("flat", "c-seats", 3, 3, 50, 150, 30, 30),
        ("minimum", "b-calls", None, None, None, 100, None, None),
    ]


def test_a_fee_that_is_due_once_is_not_due_again_for_an_earlier_start(home: BookHome) -> None:
    files = catalog()
    home.run(files, AFTER_MARCH, USAGE)
    earlier = copied(files)
    earlier["subscriptions.csv"][0]["start_date"] = "2026-03-02"

    drafted = home.run(earlier, AFTER_APRIL, []).drafted

    assert drafted is not None
    assert drafted.failed == {}
    codes = set(drafted.lines.filter(invoice_id="s1/2026-03-02")["charge_code"])
    assert codes == {"a-transfer", "b-calls", "c-seats"}


def test_a_plan_may_round_a_half_to_even(home: BookHome) -> None:
    drafted = home.run(catalog(rounding="half_even"), AFTER_MARCH, USAGE).drafted

    assert drafted is not None
    assert drafted.failed == {}
    assert ("flat", "d-setup", 1, 1, Decimal("9.995"), 10, None, None) in lines(
        home, "s1/2026-03-08"
    )


def test_an_edit_of_a_price_changes_no_closed_line_and_the_next_ones(home: BookHome) -> None:
    files = catalog()
    home.run(files, AFTER_MARCH, USAGE)
    before = lines(home, "s1/2026-03-08")
    edited = copied(files)
    for row in edited["charges.csv"]:
        if row["charge_code"] == "c-seats":
            row.update(flat_amount="60", quantity="2.5", minimum_amount="200")

    drafted = home.run(edited, AFTER_APRIL, []).drafted

    assert drafted is not None
    assert drafted.failed == {}
    assert lines(home, "s1/2026-03-08") == before
    found = lines(home, "s1/2026-04-01")
    assert ("flat", "c-seats", Decimal("2.5"), Decimal("2.5"), 60, 150, 30, 30) in found
    assert ("minimum", "c-seats", None, None, None, 50, None, None) in found


def test_terms_and_document_say_how_it_came(home: BookHome) -> None:
    home.run(catalog(), AFTER_MARCH, USAGE)
    assert home.dbt is not None
    ((text, terms),) = home.dbt.tuples(
        "SELECT invoices.canonical_json, terms.canonical_json "
        "FROM lake.invoices JOIN lake.terms USING (terms_digest) "
        "WHERE invoice_id = 's1/2026-03-08'"
    )

    document = json.loads(text)
    seats = next(line for line in document["lines"] if line["charge_code"] == "c-seats")
    assert seats["amount_unrounded"] == "116.129032258064516129"
    assert (seats["share_days"], seats["share_of_days"]) == (24, 31)
    charges = {each["charge_code"]: each for each in json.loads(terms)["charges"]}
    assert charges["b-calls"]["minimum_amount"] == "100"
    assert json.loads(terms)["share"] == {"full_days": 31, "service_days": 24}


def test_a_group_without_a_cell_is_listed_and_never_billed(home: BookHome) -> None:
    files = catalog()
    files["charges.csv"] = [
        dict.fromkeys(files["charges.csv"][0], "")
        | charge("by-status", "matrix", metric_code="egress_bytes", group_by="status")
    ]
    cell = {"plan_code": "all", "charge_code": "by-status", "valid_from": FIRST_DAY}
    files["charge_cells.csv"] = [
        {"subscription_id": "", **cell, "match": "status=200", "unit_price": "0.5"}
    ]
    usage = [
        replace(sent(line, 10, size), properties={"bytes": size, "status": status})
        for line, size, status in ((1, "30", "200"), (2, "7", "404"), (3, "5", "200"))
    ]

    drafted = home.run(files, AFTER_MARCH, usage).drafted

    assert drafted is not None
    assert drafted.failed == {}
    assert lines(home, "s1/2026-03-08") == [
        ("usage", "by-status", 35, 35, Decimal("0.5"), Decimal("17.5"), None, None)
    ]
    assert home.dbt is not None
    assert home.dbt.tuples(
        "SELECT unbilled_reason, charge_code, event_count, quantity "
        "FROM warehouse.marts.rpt_unbilled_usage"
        " WHERE metric_code = 'egress_bytes'"
    ) == [("no_price", "by-status", 1, 7)]
