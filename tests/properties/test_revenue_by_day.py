"""Revenue by day of random months against a naive oracle, which reads lines and events.

`RANDOM_REVENUE=200 pytest tests/properties/test_revenue_by_day.py` tries as many.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from pipelines.catalog.catalog import TABLES
from tests.worlds.book_runs import BookHome
from tests.worlds.edited_catalogs import Files
from tests.worlds.naive_books import Usage
from tests.worlds.naive_revenue import Line, revenue_by_day

WORLDS = int(os.environ.get("RANDOM_REVENUE") or "3")
ZONES = ("Etc/UTC", "America/Los_Angeles", "Europe/Berlin", "Asia/Tokyo", "Pacific/Apia")
CURRENCIES = {"EUR": 2, "JPY": 0, "KWD": 3}
STARTS = ("2026-02-01", "2026-03-01", "2026-03-15", "2026-02-10T17:30:00Z")
AS_OF = datetime(2026, 5, 20, tzinfo=UTC)
FIRST_DAY = "2026-01-01"


def catalog(chance: Random) -> Files:
    """A few customers, each with a plan of all kinds of lines, in a zone and a currency."""
    files = dict[str, list[dict[str, str]]]()
    files["sources.csv"] = [
        {"source": "cdn", "dialect": "metronome", "dedupe_window_days": "unlimited",
         "received_at_from": "last_modified"},
    ]  # fmt: skip
    files["plans.csv"] = [{"plan_code": "all", "name": "All"}]
    price = f"0.{chance.randint(1, 99_999):05}"
    groups = chance.choice(({}, {"group_by": "section", "missing_dimension": "nowhere"}))
    charges = [
        {"charge_code": "a", "metric_code": "egress_bytes", "charge_model": "standard",
         "unit_price": price, **groups},
        {"charge_code": "b", "metric_code": "requests", "charge_model": "package",
         "unit_price": "7.77", "package_size": str(chance.randint(1, 3)), "filters": "status=200"},
        {"charge_code": "c", "metric_code": "requests", "charge_model": "standard",
         "unit_price": "0.1", "unit_divisor": "3", "filters": "status!=200",
         "minimum_amount": chance.choice(("", "10"))},
        {"charge_code": "d", "charge_model": "flat", "flat_amount": "100.01"},
        {"charge_code": "e", "charge_model": "flat", "flat_amount": "0.05"},
    ]  # fmt: skip
    files["charges.csv"] = [
        {"plan_code": "all", "valid_from": FIRST_DAY, **charge} for charge in charges
    ]
    names = [f"c{number}" for number in range(4)]
    files["customers.csv"] = [
        {"customer_id": name, "name": name, "currency": chance.choice(sorted(CURRENCIES)),
         "time_zone": chance.choice(ZONES), "grace_period_days": "2",
         "late_usage_policy": "adjust"}
        for name in names
    ]  # fmt: skip
    files["subscriptions.csv"] = [
        {"subscription_id": f"s-{name}", "customer_id": name, "plan_code": "all",
         "interval": "month", "interval_count": "1", "anchor": "calendar",
         "start_date": chance.choice(STARTS)}
        for name in names
    ]  # fmt: skip
    return {
        name: [
            {column.name: row.get(column.name, "") for column in table.columns}
            for row in files.get(name, [])
        ]
        for name, table in TABLES.items()
    }


def events(chance: Random, file_id: int, names: list[str]) -> list[Usage]:
    """Events of February to April, near midnights above all; some come late."""
    received_at = datetime(2026, 2 + file_id, chance.randint(1, 4), tzinfo=UTC)
    found = []
    for line in range(1, 60):
        hours = chance.choice((0, 7, 8, 15, 16, chance.randint(0, 23)))
        at = datetime(2026, 2, 1, tzinfo=UTC) + timedelta(
            days=chance.randint(0, 88), hours=hours, microseconds=chance.choice((0, 1, -1))
        )
        properties = {"bytes": str(chance.choice((0, 1, 3, 1000, -2))), "method": "GET"}
        for name, values in (("section", ("x", "y", "")), ("status", ("200", "404", ""))):
            if value := chance.choice(values):
                properties[name] = value
        if at < received_at:
            sender = chance.choice(names)
            found.append(
                Usage((file_id, line), 0, "cdn", sender, None, at, received_at, properties)
            )
    return found


def billed(line: dict[str, Any], usage: list[Usage], cut_at: datetime) -> Iterator[Usage]:
    """The events that a line bills, by what its charge says."""
    section = line["group_key"].partition(":")[2].strip('"}')
    for each in usage:
        is_hers = each.customer_ref == line["customer_id"] and each.received_at < cut_at
        is_in = line["service_start_at"] <= each.occurred_at < line["service_end_at"]
        status = each.properties.get("status")
        takes = {
            "a": not section or each.properties.get("section", "nowhere") == section,
            "b": status == "200",
            "c": status != "200",
        }
        if is_hers and is_in and takes[line["charge_code"]]:
            yield each


@pytest.mark.parametrize("seed", range(WORLDS))
def test_each_day_has_what_a_person_would_give_it(seed: int) -> None:
    chance = Random(seed)  # noqa: S311 — repeatable on purpose
    files = catalog(chance)
    names = [row["customer_id"] for row in files["customers.csv"]]
    home, usage = BookHome(), list[Usage]()
    try:
        for file_id in range(1, 4):
            usage += events(chance, file_id, names)
        # A run for each month: what comes later is late for the months before.
        received = sorted({each.received_at for each in usage})
        for at in [*received, AS_OF]:
            sent = [each for each in usage if each.received_at == at]
            drafted = home.run(files, at, sent, is_checked=at >= received[-1]).drafted
        assert drafted is not None
        assert drafted.failed == {}
        assert home.dbt is not None
        marts = "warehouse.marts"
        lines = home.dbt.rows(
            f"SELECT lines.*, cut_at FROM {marts}.fct_invoice_lines AS lines "
            f"JOIN {marts}.fct_invoices AS invoices USING (invoice_id) "
            "WHERE lines.status = 'finalized' ORDER BY line_id"
        )
        found = home.dbt.tuples(
            f"SELECT line_id, local_date, revenue_amount, allocation "
            f"FROM {marts}.fct_revenue_by_day ORDER BY line_id, local_date"
        )
    finally:
        home.close()

    expected = []
    for line in lines.iter_rows(named=True):
        is_usage = line["kind"] == "usage"
        naive = Line(
            net_amount=Fraction(line["net_amount"]),
            minor_unit=Fraction(1, 10 ** CURRENCIES[line["currency"]]),
            quantity=None if line["quantity"] is None else Fraction(line["quantity"]),
            adds=is_usage,
            time_zone=line["time_zone"],
            start_date=line["period_start_date"],
            start_at=line["service_start_at"],
            end_at=line["service_end_at"],
        )
        metric = line["metric_code"]
        used = [
            (each.occurred_at, Fraction(each.quantity(metric) or 0))
            for each in (billed(line, usage, line["cut_at"]) if is_usage else ())
        ]
        if is_usage:
            # Else the oracle's own events would not be those of the line.
            assert max(sum(each for _, each in used), 0) == naive.quantity, line["line_id"]
        expected += [
            (line["line_id"], day, amount)
            for day, amount in sorted(revenue_by_day(naive, used).items())
        ]
    assert [row[:3] for row in found] == expected
    assert {row[3] for row in found} == {"usage", "service_days"}
    assert len(expected) > 500
