"""Price cases as bills: each a plan of a catalog, with usage where metering leaves it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from pipelines.catalog import calendar
from pipelines.catalog.catalog import TABLES, Catalog, catalog_of, validated_tables
from pipelines.catalog.tables.charge_cells import fixed_cells
from pipelines.vocabulary.frames import MOVED_NAMES, WAITING, ZONE_SPANS
from pipelines.vocabulary.reopened import NOTHING_REOPENED
from pipelines.warehouse.billed_fees import FEES_BILLED_ONCE, FEES_IN_ADVANCE
from pipelines.warehouse.dbt_tables import (
    CALENDAR_TABLES,
    CLOCK,
    IN_PROGRESS_COLUMNS,
    PERIODS_ON_HOLD,
    with_next_invoice_id,
)
from tests.worlds.book_runs import COLUMNS
from tests.worlds.compiled_dbt import CompiledDbt, seeds
from tests.worlds.edited_catalogs import Files, file_bytes
from tests.worlds.lakes import LakeInMemory
from tests.worlds.naive_books import METRICS
from tests.worlds.periods import NOTHING_CLOSED
from tests.worlds.price_cases import Case, Row
from tests.worlds.random_prices import BILLED_MAX

METRIC = "egress_bytes"
"""A metric of the world; what it counts is written here."""

AS_OF = datetime(2026, 3, 2, tzinfo=UTC)
"""In the first period of each subscription."""

_VALID_FROM = "2026-01-01"

_USAGE = {
    "metric_code": pl.String(),
    "customer_id": pl.String(),
    "subscription_id": pl.String(),
    "period_index": pl.Int32(),
    "charge_code": pl.String(),
    "group_key": pl.String(),
    "event_count": pl.Int64(),
    "quantity": pl.Decimal(38, 18),
    "unbilled_reason": pl.String(),
}

_BUCKETS = {name: _USAGE[name] for name in ("metric_code", "subscription_id", "period_index",
                                             "charge_code", "group_key", "quantity")} | {
    "bucket_number": pl.Int64(),
    "weight": pl.Int64(),
}  # fmt: skip

_EVENTS = {
    "invoice_id": pl.String(),
    "group_key": pl.String(),
    "position": pl.Int64(),
    "value": pl.Decimal(38, 18),
}

_OF_LINES = """
    INSERT INTO warehouse.rating.int_events_numbered BY NAME
    SELECT lines.line_key, given.position, given.value
    FROM warehouse.rating.given_events AS given
    JOIN warehouse.rating.int_invoice_lines_metered AS lines USING (invoice_id, group_key)
"""


def as_billed(case: Case) -> Case:
    """The case with what a bill of a whole period can have.

    Discounts and what was billed before are not billed yet. A negative quantity is no part of a
    line. Values of events whose total is priced are added up.
    """
    case = {name: value for name, value in case.items() if name not in _NOT_BILLED}
    case["charge"] = {
        name: value for name, value in case["charge"].items() if name != "missing_dimension"
    }
    for name in ("groups", "events"):
        if name in case:
            case[name] = [
                {key: _not_negative(value) for key, value in row.items()}
                for row in case[name]
                if None not in row.get("group", {}).values()
            ]
    for name in ("quantity", "buckets"):
        if name in case:
            case[name] = _not_negative(case[name])
    return case


_NOT_BILLED = ("discounts", "already_billed", "is_final")


def _not_negative(value: Any) -> Any:
    if isinstance(value, list):
        return [_not_negative(each) for each in value]
    return value.removeprefix("-") if isinstance(value, str) else value


def catalog_files(cases: Sequence[Case]) -> Files:
    """A catalog with a customer, a plan, a charge and a subscription for each case."""
    rows: dict[str, list[dict[str, str]]] = {name: [] for name in TABLES}
    for place, case in enumerate(cases):
        charge = dict(case["charge"])
        price = {"plan_code": f"p{place}", "charge_code": "c", "valid_from": _VALID_FROM}
        currency = case.get("currency") or "USD"
        rows["plans.csv"].append(
            {"plan_code": f"p{place}", "name": "Plan", "rounding": case.get("rounding") or ""}
        )
        rows["customers.csv"].append(
            {"customer_id": f"c{place}", "name": "Customer", "currency": currency,
             "time_zone": "Etc/UTC", "grace_period_days": "0", "late_usage_policy": "reject"}
        )  # fmt: skip
        rows["subscriptions.csv"].append(
            {"subscription_id": f"s{place}", "customer_id": f"c{place}", "plan_code": f"p{place}",
             "interval": "month", "interval_count": "1", "anchor": "calendar",
             "start_date": "2026-03-01"}
        )  # fmt: skip
        start = "0"
        for tier in charge.pop("tiers", ()):
            rows["charge_tiers.csv"].append(price | {"from_units": start} | _cells(tier))
            start = tier["up_to_units"] or ""
        for cell in charge.pop("cells", ()):
            match = ";".join(f"{name}={text}" for name, text in cell["match"].items())
            rows["charge_cells.csv"].append(
                price | {"match": match, "unit_price": cell["unit_price"]}
            )
        metric = "" if charge["charge_model"] == "flat" else METRIC
        groups = _groups(case)
        if groups and "group_by" not in charge:
            charge["group_by"] = sorted(groups[0][0])
        rows["charges.csv"].append(price | {"metric_code": metric} | _cells(charge))
    rows["sources.csv"].append({"source": "cdn", "dialect": "metronome",
                                "dedupe_window_days": "unlimited"})  # fmt: skip
    return {
        name: [{column.name: row.get(column.name, "") for column in table.columns}
               for row in rows[name]]
        for name, table in TABLES.items()
    }  # fmt: skip


def _cells(row: Row) -> dict[str, str]:
    return {name: _cell(value) for name, value in row.items()}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ";".join(value)
    return str(value)


def _groups(case: Case) -> list[tuple[dict[str, str], Fraction, int]]:
    """What was counted of each group: its quantity and its events."""
    found = dict[str, tuple[dict[str, str], Fraction, int]]()
    given = [(row, row["quantity"], row.get("event_count", 0)) for row in case.get("groups", ())]
    given += [(row, row["value"], 1) for row in case.get("events", ())]
    for row, quantity, count in given:
        group = row.get("group", {})
        key = json.dumps(group, sort_keys=True)
        _, before, events = found.get(key, (group, Fraction(0), 0))
        found[key] = group, before + Fraction(quantity), events + count
    return [*found.values()]


def usage_rows(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """What metering leaves of the cases."""
    rows = []
    for place, case in enumerate(cases):
        groups = _groups(case)
        if "buckets" in case:
            total = sum((Fraction(each) for each in case["buckets"]), Fraction(0))
            groups = [({}, total, 0)]
        if "quantity" in case:
            groups = [({}, Fraction(case["quantity"]), case.get("event_count", 0))]
        for group, quantity, event_count in groups:
            fits = quantity < BILLED_MAX
            rows.append(
                {
                    "metric_code": METRIC,
                    "customer_id": f"c{place}",
                    "subscription_id": f"s{place}",
                    "period_index": 1,
                    "charge_code": "c",
                    "group_key": group_key(group),
                    "event_count": event_count,
                    "quantity": _decimal(quantity) if fits else None,
                    "unbilled_reason": None if fits else "quantity_overflow",
                }
            )
    return rows


def event_rows(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """The values of the cases whose price looks at each event, in order."""
    return [
        {
            "invoice_id": f"s{place}/2026-03-01",
            "group_key": group_key(event.get("group", {})),
            "position": position,
            "value": _decimal(Fraction(event["value"])),
        }
        for place, case in enumerate(cases)
        if is_by_event(case["charge"])
        for position, event in enumerate(case["events"])
    ]


def bucket_rows(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """The quantities of the cases whose price is of each bucket, in order of time."""
    return [
        {
            "metric_code": METRIC,
            "subscription_id": f"s{place}",
            "period_index": 1,
            "charge_code": "c",
            "group_key": "{}",
            "bucket_number": number,
            "quantity": _decimal(Fraction(quantity)),
            "weight": 1,
        }
        for place, case in enumerate(cases)
        for number, quantity in enumerate(case.get("buckets", ()))
    ]


def is_by_event(charge: Row) -> bool:
    """True if a total of the events' values does not decide the price."""
    terms = ("free_events", "free_amount", "minimum_per_event", "maximum_per_event")
    return any(name in charge for name in terms)


def group_key(group: dict[str, str]) -> str:
    """A group as the key of a line."""
    return json.dumps(group, sort_keys=True, separators=(",", ":"))


def _decimal(value: Fraction) -> Decimal:
    units = value * 10**18
    assert units.denominator == 1
    return Decimal(f"{units.numerator}e-18")


def billed(cases: Sequence[Case]) -> tuple[dict[int, list[dict[str, Any]]], dict[int, str]]:
    """The lines of each case's draft by their number, and the faults of drafts, by place.

    A fee in advance, which is on a draft of its own, comes first.
    """
    lake = LakeInMemory()
    try:
        dbt = CompiledDbt(lake._connection)
        _draft(dbt, lake, cases)
        lines: dict[int, list[dict[str, Any]]] = {place: [] for place in range(len(cases))}
        found = dbt.rows(
            "SELECT *, split_part(invoice_id, '/', 1)[2:]::BIGINT AS place "
            "FROM warehouse.invoicing.int_invoice_lines_drafted "
            "ORDER BY place, ends_with(invoice_id, '/advance') DESC, line_number"
        )
        for line in found.iter_rows(named=True):
            lines[line["place"]].append(line)
        faults = dbt.tuples(
            "SELECT split_part(invoice_id, '/', 1)[2:]::BIGINT, fault "
            "FROM warehouse.invoicing.int_invoices_drafted WHERE fault IS NOT NULL"
        )
        return lines, dict(faults)
    finally:
        lake.close()


def _draft(dbt: CompiledDbt, lake: LakeInMemory, cases: Sequence[Case]) -> None:
    files = catalog_files(cases)
    contents = file_bytes(files)
    catalog = catalog_of(validated_tables(contents, frozenset(METRICS)), contents)
    periods = _periods(catalog, cases)
    frames = (
        with_next_invoice_id(periods, NOTHING_REOPENED),
        calendar.local_days_of(periods, ZONE_SPANS.to_frame()),
        calendar.names(catalog),
        pl.DataFrame(schema=MOVED_NAMES),
        fixed_cells(catalog.tables),
        FEES_BILLED_ONCE.to_frame(),
        NOTHING_REOPENED,
        FEES_IN_ADVANCE.to_frame(),
        PERIODS_ON_HOLD.to_frame(),
        pl.DataFrame(schema={"source": pl.String()}),
        pl.DataFrame([(AS_OF, 0, catalog.digest)], CLOCK, orient="row"),
    )
    dbt.write("calendar", **dict(zip(CALENDAR_TABLES, frames, strict=True)))
    dbt.write(
        "landing",
        files_in_progress=pl.DataFrame(
            schema={name: WAITING[name] for name in IN_PROGRESS_COLUMNS}
        ),
    )
    dbt.write("catalog", **seeds(files, COLUMNS))
    usage = pl.DataFrame(usage_rows(cases), _USAGE, orient="row")
    events = pl.DataFrame(event_rows(cases), _EVENTS, orient="row")
    buckets = pl.DataFrame(bucket_rows(cases), _BUCKETS, orient="row")
    for name, statement in dbt.statements("billing"):
        dbt.execute(statement)
        if name == "int_usage_metered":
            dbt.write("metering", given_usage=usage)
            dbt.execute(
                "INSERT INTO warehouse.metering.int_usage_metered BY NAME "
                "FROM warehouse.metering.given_usage"
            )
        if name == "int_usage_bucketed":
            dbt.write("metering", given_buckets=buckets)
            dbt.execute(
                "INSERT INTO warehouse.metering.int_usage_bucketed BY NAME "
                "FROM warehouse.metering.given_buckets"
            )
        if name == "int_events_numbered":
            dbt.write("rating", given_events=events)
            dbt.execute(_OF_LINES)


def _periods(catalog: Catalog, cases: Sequence[Case]) -> pl.DataFrame:
    shares = [case.get("share") or {"days": 1, "of": 1} for case in cases]
    days = pl.DataFrame(
        {
            "subscription_id": [f"s{place}" for place in range(len(cases))],
            "days": pl.Series([share["days"] for share in shares], dtype=pl.Int32),
            "of": pl.Series([share["of"] for share in shares], dtype=pl.Int32),
        }
    )
    periods = calendar.periods_until(catalog, NOTHING_CLOSED, AS_OF)
    return (
        periods.join(days, on="subscription_id", maintain_order="left")
        .with_columns(service_days="days", full_days="of")
        .drop("days", "of")
    )
