"""A lake, calendar and catalog written by hand for dbt: rows whose bills a person can work out.

The lake is a plain DuckDB file attached under its name, so that the SQL is tried without
DuckLake, and with rows the pipeline would never write.
"""

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from pipelines.settings import DBT_PROJECT
from tests.worlds.lakes import make_lake_tables

AS_OF = "2026-02-03T12:00:00Z"

PROFILE = """
meterline:
  target: warehouse
  outputs:
    warehouse:
      type: duckdb
      path: "{folder}/warehouse.duckdb"
      schema: main
      threads: 1
      settings: {{TimeZone: UTC}}
      attach:
        - {{path: "{folder}/lake.duckdb", alias: lake}}
"""

PERIOD_COLUMNS = """
    subscription_id, customer_id, plan_code, currency, time_zone, late_usage_policy,
    period_start_at, period_end_at, cut_at, period_start_date, period_start_label,
    period_end_label
"""
"""Columns of a period that a world writes by hand; the others have a value of their own."""

CALENDAR = """
create schema calendar;
create table calendar.billing_periods(
    subscription_id varchar, customer_id varchar, plan_code varchar, currency varchar,
    time_zone varchar, late_usage_policy varchar,
    period_start_at timestamptz, period_end_at timestamptz, cut_at timestamptz,
    period_start_date date, period_start_label timestamp, period_end_label timestamp,
    full_start_at timestamptz, full_end_at timestamptz, service_days integer default 1,
    full_days integer default 1, phase_index integer default 0, is_trial boolean default false,
    next_invoice_id varchar
);
create table calendar.local_days(
    time_zone varchar, day_number integer, day_start_at timestamptz, day_end_at timestamptz
);
create table calendar.customer_names(
    name varchar, customer_id varchar, valid_from_at timestamptz, valid_to_at timestamptz
);
create table calendar.moved_names(
    name varchar, metric_code varchar, moved_from_at timestamptz, moved_to_at timestamptz,
    cut_at timestamptz, event_batch_id bigint, invoice_id varchar, closing_batch_id bigint,
    ended_batch_id bigint, is_moved boolean
);
create table calendar.charge_cells(
    plan_code varchar, charge_code varchar, subscription_id varchar, valid_from date,
    properties varchar[], texts varchar[], unit_price decimal(30, 15)
);
create table calendar.fees_billed_once(
    subscription_id varchar, plan_code varchar, charge_code varchar
);
create table calendar.reopened_periods(
    subscription_id varchar, period_start_label timestamp, period_end_label timestamp,
    revision integer, invoice_id varchar, next_invoice_id varchar, is_asked boolean
);
create table calendar.fees_in_advance(
    subscription_id varchar, service_start_label timestamp, currency varchar,
    charge_code varchar, line_id varchar, price_valid_from date, service_start_at timestamptz,
    service_end_at timestamptz, billed_amount decimal(38, 15), is_billed boolean,
    is_on_own_document boolean
);
create table calendar.periods_on_hold(subscription_id varchar, period_start_at timestamptz);
create table calendar.auto_customer_sources(source varchar);
create table calendar.clock(as_of timestamptz, batch_id bigint, catalog_digest varchar);
"""
"""What Python writes for dbt about periods, names and the instant, still without rows."""

LOCAL_DAYS = """
insert into calendar.local_days
select zones.time_zone, day - date '1970-01-01',
    (day - to_hours(zones.ahead))::timestamptz,
    (day - to_hours(zones.ahead))::timestamptz + interval 24 hours
from (values ('Etc/UTC', 0), ('Asia/Tokyo', 9)) as zones(time_zone, ahead),
    (select unnest(range(date '2025-11-29', date '2026-04-04', interval 1 day))::date as day)
"""
"""The clocks of both zones never change."""

LANDING = """
create schema landing;
create table landing.files_in_progress(
    source varchar, path varchar, size_bytes bigint, received_at timestamptz, reason varchar
);
insert into landing.files_in_progress
values ('edge', 'edge/5.ndjson', 7, '2026-02-03T12:00:00Z', null);
"""

SEEDS = {
    "sources": """
        source,dialect,dedupe_scope,dedupe_window_days,max_lateness_days,future_skew_hours,received_at_from
        edge,metronome,,,,24,path
    """,
    "customers": """
        customer_id,name,currency,time_zone,grace_period_days,late_usage_policy
        acme,"Acme, Inc.",USD,Etc/UTC,2,reject
        bolt,Bolt KK,JPY,Asia/Tokyo,0,adjust
        idle,Idle Ltd,USD,Etc/UTC,0,reject
    """,
    "customer_aliases": """
        alias,customer_id,valid_from,valid_to
        shared,acme,,2026-01-10T00:00:00Z
        shared,bolt,2026-01-10T00:00:00Z,
    """,
    "plans": """
        plan_code,name,currency
        basic,Basic,USD
        grouped,Grouped,
    """,
    "charges": """
        plan_code,charge_code,metric_code,charge_model,unit_price,group_by,valid_from
        basic,egress,egress_bytes,graduated,,,2025-12-01
        basic,requests,requests,standard,0.0125,,2025-12-01
        basic,requests,requests,standard,0.015,,2026-02-01
        grouped,requests,requests,standard,0.5,status;method,2025-12-01
    """,
    "charge_tiers": """
        plan_code,charge_code,valid_from,from_units,up_to_units,unit_price,flat_amount
        basic,egress,2025-12-01,0,100,0.000000000000001,0
        basic,egress,2025-12-01,100,200,0.01,0.25
        basic,egress,2025-12-01,200,,0.005,
    """,
    "subscriptions": """
        subscription_id,customer_id,plan_code,interval,interval_count,anchor,start_date,end_date
        sub-acme,acme,basic,month,1,calendar,2025-12-01,
        sub-bolt,bolt,grouped,month,1,calendar,2026-01-01,2026-03-01
    """,
}
"""The catalog; two plans, two price versions, one alias that changes hands."""

PERIOD_TERMS = {
    "sub-acme": ("acme", "basic", "USD", "Etc/UTC", "reject"),
    "sub-bolt": ("bolt", "grouped", "JPY", "Asia/Tokyo", "adjust"),
}

PERIODS = [
    # subscription, first local day, first instant, first after it, cut, finalized batch
    ("sub-acme", "2025-12-01", "2025-12-01T00Z", "2026-01-01T00Z", "2026-01-03T00Z", 1),
    ("sub-acme", "2026-01-01", "2026-01-01T00Z", "2026-02-01T00Z", "2026-02-03T00Z", None),
    ("sub-acme", "2026-02-01", "2026-02-01T00Z", "2026-03-01T00Z", "2026-03-03T00Z", None),
    ("sub-acme", "2026-03-01", "2026-03-01T00Z", "2026-04-01T00Z", "2026-04-03T00Z", None),
    ("sub-bolt", "2026-01-01", "2025-12-31T15Z", "2026-01-31T15Z", "2026-01-31T15Z", None),
    ("sub-bolt", "2026-02-01", "2026-01-31T15Z", "2026-02-28T15Z", "2026-02-28T15Z", None),
]
"""December of sub-acme is finalized (it saw batch 1), its January is due at `AS_OF`, and its March
has not begun."""

NAMES = [
    ("acme", "acme", None, None),
    ("bolt", "bolt", None, None),
    ("idle", "idle", None, None),
    ("shared", "acme", None, "2026-01-10T00:00:00Z"),
    ("shared", "bolt", "2026-01-10T00:00:00Z", None),
]

Row = dict[str, Any]


def usage(
    file_id: int,
    customer_ref: str | None,
    occurred_at: str,
    subscription_ref: str | None = None,
    **properties: str,
) -> Row:
    """An accepted `http_request` of a file; `events` adds line and file details."""
    return {
        "file_id": file_id,
        "customer_ref": customer_ref,
        "subscription_ref": subscription_ref,
        "occurred_at": occurred_at,
        "event_name": properties.pop("event_name", "http_request"),
        "properties": properties,
    }


def keyed(event: Row, key: str) -> Row:
    """The event under an idempotency key that amendments name."""
    return event | {"idempotency_key": key}


def amend(event: Row, key: str, target_key: str) -> Row:
    """The event in place of another."""
    return keyed(event, key) | {"amendment": "amend", "target_key": target_key}


def void(file_id: int, key: str, target_key: str) -> Row:
    """An event that takes another one away."""
    event = usage(file_id, None, FILES[file_id][1], event_name="")
    nothing = {"event_name": None, "idempotency_key": key}
    return event | nothing | {"amendment": "void", "target_key": target_key}


FILES = {
    # file: batch, received_at
    1: (1, "2025-12-31T23:00:00Z"),
    2: (2, "2026-01-15T00:00:00Z"),
    3: (2, "2026-02-03T00:00:00Z"),
    4: (3, "2026-02-03T11:00:00Z"),
}
"""File 3 is received at the very instant sub-acme's January is cut."""

GET_200 = {"method": "GET", "status": "200"}

EVENTS = [
    # December of sub-acme, finalized.
    keyed(usage(1, "acme", "2025-12-05T00:00:00Z", bytes="150", **GET_200), "of december"),
    # January of sub-acme: 201 bytes reach the third tier by one byte.
    usage(2, "acme", "2026-01-01T00:00:00Z", bytes="100", **GET_200),
    usage(2, "acme", "2026-01-02T00:00:00Z", bytes="1e2", **GET_200),
    usage(2, "shared", "2026-01-09T23:59:59.999999Z", bytes="1", **GET_200),
    # The alias is bolt's from this instant on; bolt's plan charges no egress.
    usage(2, "shared", "2026-01-10T00:00:00Z", bytes="7", **GET_200),
    usage(2, "bolt", "2026-01-11T00:00:00Z", status='4"04', method="PUT"),
    # No method, so the charge by status and method cannot place it.
    usage(2, "bolt", "2026-01-12T00:00:00Z", status="200", bytes="9"),
    # No quantity of egress, each for its own reason; all are requests of acme.
    usage(2, "acme", "2026-01-03T00:00:00Z", **GET_200),
    usage(2, "acme", "2026-01-03T00:00:01Z", bytes="1.5", **GET_200),
    usage(2, "acme", "2026-01-03T00:00:02Z", bytes="1e20", **GET_200),
    usage(2, "acme", "2026-01-03T00:00:03Z", bytes="12_0", **GET_200),
    # Nobody's, without subscription, and of no metric.
    usage(2, "nobody", "2026-01-04T00:00:00Z", bytes="5", **GET_200),
    usage(2, "idle", "2026-01-04T00:00:00Z", bytes="6", **GET_200),
    usage(2, "acme", "2026-01-04T00:00:00Z", event_name="login"),
    # A source that makes customers; no catalog has this one.
    usage(2, "newcomer", "2026-01-13T00:00:00Z", **GET_200) | {"source": "auto"},
    # By their subscription: one alone, one with its customer; then nobody's, for a customer does
    # not stand in for an unknown subscription, nor may acme use bolt's.
    usage(2, None, "2026-01-13T00:00:00Z", "sub-bolt", **GET_200),
    usage(2, "shared", "2026-01-13T00:00:01Z", "sub-bolt", **GET_200),
    usage(2, "idle", "2026-01-13T00:00:02Z", "sub-new", **GET_200),
    usage(2, "acme", "2026-01-13T00:00:03Z", "sub-bolt", **GET_200),
    # Amended in time: 1,000 bytes are voided, 30 stand for 1,000, and moved to bolt; nothing waits
    # for the target that comes after its void. Amendments of nobody and of an amendment wait.
    keyed(usage(2, "acme", "2026-01-05T00:00:00Z", bytes="1000", **GET_200), "voided"),
    void(2, "void-1", "voided"),
    void(2, "void-2", "still to come"),
    keyed(usage(2, "acme", "2026-01-05T00:00:01Z", bytes="1000", **GET_200), "amended"),
    amend(usage(2, "acme", "2026-01-05T00:00:01Z", bytes="2000", **GET_200), "amend-1", "amended"),
    amend(usage(2, "bolt", "2026-01-13T00:00:04Z", bytes="30", **GET_200), "amend-2", "amended"),
    amend(usage(2, "acme", "2026-01-05T00:00:02Z", bytes="3000", **GET_200), "amend-3", "nobody"),
    void(2, "void-3", "amend-2"),
    # Of December's finalized event, and at the cut of January: they come too late.
    void(2, "void-4", "of december"),
    keyed(usage(2, "acme", "2026-01-05T00:00:03Z", bytes="0", **GET_200), "stays"),
    void(3, "void-5", "stays"),
    amend(usage(3, "acme", "2026-01-05T00:00:03Z", bytes="70", **GET_200), "amend-4", "stays"),
    keyed(usage(3, "acme", "2026-02-01T00:00:00Z", bytes="4000", **GET_200), "still to come"),
    # At the cut: late for January. December was finalized before batch 2.
    usage(3, "acme", "2026-01-31T23:59:59Z", bytes="40", **GET_200),
    usage(3, "acme", "2025-12-31T23:59:59Z", bytes="50", **GET_200),
    # February, at the new price; bolt after its end; acme in a period that has not begun.
    usage(4, "acme", "2026-02-03T10:00:00Z", bytes="0", **GET_200),
    usage(4, "bolt", "2026-02-28T14:59:59Z", **GET_200),
    usage(4, "bolt", "2026-02-28T15:00:00Z", **GET_200),
    usage(4, None, "2026-02-28T15:00:00Z", "sub-bolt", **GET_200),
    usage(4, "acme", "2026-03-01T00:00:00Z", bytes="8", **GET_200),
]
"""Accepted events; the comments say what a bill must show."""

ODD_ANSWERS = """
{{ billable_metric(
    metric_code='odd_answers',
    description="Answers with a status that isn't one",
    event_name='http_request',
    aggregation='count',
    unit='answer',
    filters={'status': ['4"04', "it's"], 'method': ['PUT']},
) }}
"""
"""A metric as a person adds one: its file, and its code in the list. No plan charges it."""

REFUSALS = [
    {
        "file_id": 4,
        "verdict": "duplicate",
        "reason": "repeats an accepted event",
        "winner_file_id": 2,
        "winner_line": 1,
    },
    {"file_id": 4, "verdict": "rejected", "reason_code": "malformed", "reason": "not JSON"},
]
"""What else was in the files; each also has a blank line."""

INVOICE = {
    "batch_id": 1,
    "invoice_id": "sub-acme/2025-12-01",
    "series": "INV",
    "series_number": 1,
    "invoice_number": "INV-1",
    "kind": "arrears",
    "subscription_id": "sub-acme",
    "customer_id": "acme",
    "plan_code": "basic",
    "currency": "USD",
    "period_start_at": "2025-12-01T00:00:00Z",
    "period_end_at": "2026-01-01T00:00:00Z",
    "cut_at": "2026-01-03T00:00:00Z",
    "as_of": "2026-01-03T00:00:00Z",
    "event_batch_id": 1,
    "total_amount": "0.76",
    "line_count": 2,
    "catalog_digest": "c1",
    "document_sha256": "d1",
    "chain_sha256": "h1",
}

SAME_ON_ALL_LINES = {
    "batch_id": 1,
    "invoice_id": "sub-acme/2025-12-01",
    "group_key": "{}",
    "event_count": 1,
    "price_valid_from": "2025-12-01",
    "tiers": "[]",
}

INVOICE_LINES = [
    {
        "line_id": "sub-acme/2025-12-01/egress/{}",
        "line_number": 1,
        "charge_code": "egress",
        "metric_code": "egress_bytes",
        "charge_model": "graduated",
        "quantity": "150",
        "amount": "0.75",
    },
    {
        "line_id": "sub-acme/2025-12-01/requests/{}",
        "line_number": 2,
        "charge_code": "requests",
        "metric_code": "requests",
        "charge_model": "standard",
        "quantity": "1",
        "amount": "0.01",
    },
]
"""150 bytes: 100 at 10^-15, then 50 at 0.01 and 0.25 flat; one request at 0.0125."""


def make_world(folder: Path) -> Path:
    """A copy of the project beside its lake and warehouse; returns the project's folder."""
    project = folder / "dbt_project"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    (project / "profiles.yml").write_text(PROFILE.format(folder=folder))
    for name, text in SEEDS.items():
        lines = [line.strip() for line in text.strip().splitlines()]
        (project / "seeds" / f"{name}.csv").write_text("\n".join(lines) + "\n")
    _add_metric(project)
    _write_calendar(folder / "warehouse.duckdb")
    _write_lake(folder / "lake.duckdb")
    return project


def _add_metric(project: Path) -> None:
    (project / "models" / "metrics" / "metric_odd_answers.sql").write_text(ODD_ANSWERS)


def _write_calendar(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(CALENDAR)
        connection.execute(LANDING)
        for subscription_id, first_day, *instants, finalized in PERIODS:
            if finalized is None:
                terms = PERIOD_TERMS[subscription_id]
                days = (first_day, first_day, _end_label(instants[1], terms[3]))
                row = [subscription_id, *terms, *_instants(instants), *days]
                _insert(connection, f"calendar.billing_periods ({PERIOD_COLUMNS})", row)
        for name in NAMES:
            _insert(connection, "calendar.customer_names", name)
        connection.execute(LOCAL_DAYS)
        _insert(connection, "calendar.auto_customer_sources", ["auto"])
        _insert(connection, "calendar.clock", (AS_OF, 3, "c1"))


def _instants(instants: Sequence[object]) -> list[str]:
    return [str(instant).replace("Z", ":00:00Z") for instant in instants]


def _end_label(end: object, time_zone: object) -> str:
    """The end of a period as local date and time."""
    (instant,) = _instants([end])
    at = datetime.fromisoformat(instant).astimezone(ZoneInfo(str(time_zone)))
    return str(at.replace(tzinfo=None))


def _close(connection: duckdb.DuckDBPyConnection, period: Sequence[object]) -> None:
    subscription_id, first_day, *instants, finalized = period
    customer_id, plan_code, currency, time_zone, policy = PERIOD_TERMS[str(subscription_id)]
    start, end, cut = _instants(instants)
    row = {
        "batch_id": 2,
        "subscription_id": subscription_id,
        "revision": 0,
        "state": "closed",
        "customer_id": customer_id,
        "plan_code": plan_code,
        "currency": currency,
        "time_zone": time_zone,
        "late_usage_policy": policy,
        "period_start_at": start,
        "period_end_at": end,
        "period_start_label": first_day,
        "period_end_label": _end_label(instants[1], time_zone),
        "service_days": 1,
        "full_days": 1,
        "cut_at": cut,
        "event_batch_id": finalized,
        "invoice_id": f"{subscription_id}/{first_day}",
    }
    names, marks = ", ".join(row), ", ".join("?" for _ in row)
    connection.execute(f"insert into closed_periods ({names}) values ({marks})", list(row.values()))


def _write_lake(lake: Path) -> None:
    with duckdb.connect(str(lake)) as connection:
        make_lake_tables(connection, "lake")
        connection.execute("set TimeZone = 'UTC'")
        for period in PERIODS:
            if period[-1] is not None:
                _close(connection, period)
        for batch_id in sorted({batch_id for batch_id, _ in FILES.values()}):
            _insert_named(connection, "batches", {"batch_id": batch_id, "kind": "decide"})
        for file_id in FILES:
            _write_file(connection, file_id)
        _insert_named(connection, "invoices", INVOICE)
        for line in INVOICE_LINES:
            _insert_named(connection, "invoice_lines", SAME_ON_ALL_LINES | line)


def _write_file(connection: duckdb.DuckDBPyConnection, file_id: int) -> None:
    batch_id, received_at = FILES[file_id]
    events = [event for event in EVENTS if event["file_id"] == file_id]
    refused = [refusal for refusal in REFUSALS if refusal["file_id"] == file_id]
    file = {"batch_id": batch_id, "file_id": file_id}
    landed = {"source": "edge", "dedupe_scope": "edge", "received_at": received_at}
    path = {"path": f"edge/{file_id}.ndjson"}
    registered = {name: landed[name] for name in ("source", "received_at")}
    _insert_named(connection, "landing_files", file | registered | path)
    for line, event in enumerate(events, start=1):
        place = {"line": line}
        _insert_named(connection, "accepted_events", file | landed | place | event)
    for line, refusal in enumerate(refused, start=len(events) + 1):
        place = {"line": line}
        _insert_named(connection, "refused_events", file | landed | place | refusal)
    counts = {
        verdict: sum(refusal["verdict"] == verdict for refusal in refused)
        for verdict in ("duplicate", "conflict", "rejected")
    }
    decision = {"revision": 0, "status": "decided", "accepted": len(events), "blank": 1}
    lines = {"lines": len(events) + len(refused) + 1}
    _insert_named(connection, "file_decisions", file | counts | decision | lines)


def _insert(connection: duckdb.DuckDBPyConnection, table: str, values: Sequence[object]) -> None:
    marks = ", ".join("?" for _ in values)
    connection.execute(f"insert into {table} values ({marks})", list(values))


def _insert_named(connection: duckdb.DuckDBPyConnection, table: str, row: Row) -> None:
    marks = ", ".join(f"${name}" for name in row)
    connection.execute(f"insert into {table} ({', '.join(row)}) values ({marks})", dict(row))
