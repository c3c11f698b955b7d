"""Metering by hand: the quantities of `metering_world`, as a person writes them in SQL.

It reads the accepted events of a lake as Parquet files, and a list of what names mean. It knows no
reasons, no places, no amendments and no late usage, and counts all events again each time. One
engine is DuckDB, the other that of ClickHouse (`chdb`), which is no dependency of Meterline: run
this file with the Python of an environment that has it.

`python bench/metering_by_hand.py duckdb <events glob> <names.parquet> <usage.parquet>`
"""

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable

DUCKDB = """
create view attributed as
select
    names.subscription_id,
    names.period_start_at,
    events.event_name,
    events.properties
from read_parquet('{events}') as events
inner join read_parquet('{names}') as names
    on
        events.customer_ref = names.name
        and events.occurred_at >= names.period_start_at
        and events.occurred_at < names.period_end_at;

create temp table usage_by_period as
select
    subscription_id,
    period_start_at,
    count(*) as event_count,
    count(*) filter (where event_name = 'storage_snapshot') as snapshot_count,
    max(cast(properties['gigabyte_hours'] as decimal(18, 10))) as storage_peak,
    count(*) filter (where event_name = 'api_call') as call_count,
    count(distinct properties['endpoint']) as endpoints,
    quantile_disc(cast(properties['latency_ms'] as decimal(9, 3)), 0.95) as latency_p95
from attributed
group by subscription_id, period_start_at;

create temp table egress as
select
    subscription_id,
    period_start_at,
    properties['region'] as region,
    properties['status'] as status,
    count(*) as event_count,
    sum(cast(properties['bytes'] as bigint)) as bytes
from attributed
where event_name = 'http_request'
group by subscription_id, period_start_at, region, status;

copy (
    select
        'events' as metric_code,
        subscription_id,
        period_start_at,
        '{{}}' as group_key,
        event_count,
        cast(event_count as decimal(38, 18)) as quantity
    from usage_by_period
    union all
    select
        'egress_bytes',
        subscription_id,
        period_start_at,
        '{{"region":"' || region || '","status":"' || status || '"}}',
        event_count,
        cast(bytes as decimal(38, 18))
    from egress
    union all
    select
        'storage_peak',
        subscription_id,
        period_start_at,
        '{{}}',
        snapshot_count,
        cast(storage_peak as decimal(38, 18))
    from usage_by_period
    where snapshot_count > 0
    union all
    select
        'endpoints',
        subscription_id,
        period_start_at,
        '{{}}',
        call_count,
        cast(endpoints as decimal(38, 18))
    from usage_by_period
    where call_count > 0
    union all
    select
        'latency_p95',
        subscription_id,
        period_start_at,
        '{{}}',
        call_count,
        cast(latency_p95 as decimal(38, 18))
    from usage_by_period
    where call_count > 0
) to '{usage}' (format parquet);
"""
"""Two aggregations, each over the events joined anew: no table of all events is kept."""

CLICKHOUSE = """
create view attributed as
select
    names.subscription_id as subscription_id,
    names.period_start_at as period_start_at,
    events.event_name as event_name,
    events.properties as properties
from file('{events}', Parquet) as events
inner join file('{names}', Parquet) as names on events.customer_ref = names.name
where
    events.occurred_at >= names.period_start_at
    and events.occurred_at < names.period_end_at;

create table usage_by_period engine = Memory as
select
    subscription_id,
    period_start_at,
    count() as event_count,
    countIf(event_name = 'storage_snapshot') as snapshot_count,
    max(toDecimal64OrNull(properties['gigabyte_hours'], 10)) as storage_peak,
    countIf(event_name = 'api_call') as call_count,
    uniqExact(properties['endpoint']) as endpoints,
    arraySort(groupArray(toDecimal64OrNull(properties['latency_ms'], 3)))[
        intDiv(95 * call_count + 99, 100)
    ] as latency_p95
from attributed
group by subscription_id, period_start_at;

create table egress engine = Memory as
select
    subscription_id,
    period_start_at,
    properties['region'] as region,
    properties['status'] as status,
    count() as event_count,
    sum(toInt64(properties['bytes'])) as bytes
from attributed
where event_name = 'http_request'
group by subscription_id, period_start_at, region, status;

insert into function file('{usage}', Parquet)
select
    'events' as metric_code,
    subscription_id,
    period_start_at,
    '{{}}' as group_key,
    event_count,
    toDecimal128(event_count, 18) as quantity
from usage_by_period
union all
select
    'egress_bytes',
    subscription_id,
    period_start_at,
    concat('{{"region":"', region, '","status":"', status, '"}}'),
    event_count,
    toDecimal128(bytes, 18)
from egress
union all
select
    'storage_peak',
    subscription_id,
    period_start_at,
    '{{}}',
    snapshot_count,
    toDecimal128(storage_peak, 18)
from usage_by_period
where snapshot_count > 0
union all
select
    'endpoints',
    subscription_id,
    period_start_at,
    '{{}}',
    call_count,
    toDecimal128(endpoints, 18)
from usage_by_period
where call_count > 0
union all
select
    'latency_p95',
    subscription_id,
    period_start_at,
    '{{}}',
    call_count,
    toDecimal128(latency_p95, 18)
from usage_by_period
where call_count > 0;
"""
"""The same in ClickHouse's words.

Its `quantileExact` takes the value after the nearest rank where 95 % of the count is whole. A table
of the attributed events in memory would spare a fifth of the time, and need 10 GiB.
"""


def run_duckdb(statements: list[str], threads: int, memory_limit: str) -> None:
    """Runs the statements in a new DuckDB in memory."""
    import duckdb

    config: dict[str, str | bool | int | float | list[str]]
    config = {"threads": threads, "memory_limit": memory_limit}
    with duckdb.connect(config=config) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for statement in statements:
            connection.execute(statement)


def run_clickhouse(statements: list[str], threads: int, memory_limit: str) -> None:
    """Runs the statements in a new session of ClickHouse's engine."""
    session = importlib.import_module("chdb.session")
    limit = int(memory_limit.removesuffix("GiB")) * 2**30
    opened = session.Session()
    for setting in (f"max_threads = {threads}", f"max_memory_usage = {limit}"):
        opened.query(f"set {setting}")
    for statement in statements:
        opened.query(statement)
    opened.close()


ENGINES: dict[str, tuple[str, Callable[[list[str], int, str], None]]] = {
    "duckdb": (DUCKDB, run_duckdb),
    "clickhouse": (CLICKHOUSE, run_clickhouse),
}
"""The SQL for each engine, and what runs it."""


def statements_of(sql: str, events: str, names: str, usage: str) -> list[str]:
    """The statements of a script, with the files that they read and write."""
    script = sql.format(events=events, names=names, usage=usage)
    return [each for each in map(str.strip, script.split(";\n")) if each]


def main() -> None:
    """Computes the usage once, and prints the seconds as JSON."""
    parser = argparse.ArgumentParser(description="Metering by hand.")
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("events", help="Parquet files of accepted events, as a pattern")
    parser.add_argument("names", help="Parquet file of `name_spans`")
    parser.add_argument("usage", help="Parquet file to write")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-limit", default="4GiB", help="whole GiB")
    arguments = parser.parse_args()
    sql, run = ENGINES[arguments.engine]
    statements = statements_of(sql, arguments.events, arguments.names, arguments.usage)
    began, cpu_began = time.perf_counter(), time.process_time()
    run(statements, arguments.threads, arguments.memory_limit)
    spent = {
        "seconds": round(time.perf_counter() - began, 3),
        "cpu_seconds": round(time.process_time() - cpu_began, 3),
    }
    json.dump(spent, sys.stdout)


if __name__ == "__main__":
    main()
