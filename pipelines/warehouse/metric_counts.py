"""Metric counts: the quantities of many metrics over given events, by the SQL that bills."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from itertools import chain
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from pipelines.warehouse.metric_macros import (
    Definition,
    properties_sql,
    usage_sql,
    valued_events_sql,
)

OWN = 1
"""The slot of the period that is asked for."""

EARLIER = 0
"""The slot of everything before it."""

_MEMORY_LIMIT = "1GiB"
_WORKERS = 2
"""Queries at a time: of small cases, a query is mostly planned, which takes one thread."""

_VALUED_COLUMNS = ("case_key", "slot", "occurred_at", "file_id", "line", "time_zone")
_OF_EVENT = ("value", "value_text", "operation", "unmetered_reason")

_AGGREGATES = (
    "aggregation", "recurring", "values", "percentile", "bucket", "combine", "empty_buckets",
    "by_days", "round", "round_digits",
)  # fmt: skip
"""The options on which the SQL of quantities depends, beside whether there is an operation or a
bucket_by."""


@dataclass(frozen=True)
class Counted:
    """The quantity of a group in a span.

    Attributes:
        slot: which of the case's spans.
        group: the texts of group_by, in its order.
        quantity: None for no value.
        event_count: valued events of the span.
        first_at: when the first of them occurred; None without any.
        last_at: when the last of them occurred.
    """

    slot: int
    group: tuple[str | None, ...]
    quantity: Decimal | None
    event_count: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True)
class GivenEvent:
    """An event of a case.

    Attributes:
        occurred_at: in UTC.
        line: its place in the case, which breaks ties.
        properties: as texts.
        name: its event_name; None matches only metrics of every name.
        slot: `EARLIER` or `OWN`.
    """

    occurred_at: datetime
    line: int
    properties: Mapping[str, str]
    name: str | None
    slot: int


@dataclass(frozen=True)
class GivenSpan:
    """A period, and the full period of which it is all or a part, in UTC."""

    slot: int
    start_at: datetime
    end_at: datetime
    full_start_at: datetime
    full_end_at: datetime


@dataclass(frozen=True)
class MetricCase:
    """Events of one subscription, to be counted by a metric.

    Attributes:
        definition: without faults.
        events: in any order.
        spans: what is counted; events of one slot belong to the span of that slot.
        time_zone: whose local days are counted.
        level: what the state before the first span is, in place of events.
    """

    definition: Definition
    events: Sequence[GivenEvent]
    spans: Sequence[GivenSpan]
    time_zone: str
    level: Decimal | None = None


@dataclass
class CaseCounts:
    """What came of a case.

    Attributes:
        counted: one per span and group that has events, or had some before.
        unmetered: reason by the line of an event of the span that has no value.
        is_overflow: True if a quantity is beyond what a bill can hold; then nothing is counted.
    """

    counted: list[Counted] = field(default_factory=list)
    unmetered: dict[int, str] = field(default_factory=dict)
    is_overflow: bool = False


def metric_counts(cases: Mapping[int, MetricCase], days: pl.DataFrame) -> dict[int, CaseCounts]:
    """What each case counts. A case's counts depend on that case alone.

    Cases of equal definition share the text of their SQL and one query.

    Args:
        cases: by key.
        days: schema `LOCAL_DAYS`; those of all cases that count local days.
    """
    counts = {key: CaseCounts() for key in cases}
    with duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")
        connection.execute("SET threads = 2; SET TimeZone = 'UTC'; SET temp_directory = ''")
        connection.execute("SET enable_external_access = false")
        _register(connection, cases, days)
        _value(connection, cases)
        connection.execute("SELECT case_key, line, unmetered_reason FROM valued "
                           f"WHERE unmetered_reason IS NOT NULL AND slot >= {OWN}")  # fmt: skip
        for key, line, reason in connection.fetchall():
            counts[key].unmetered[line] = reason
        with ThreadPoolExecutor(_WORKERS) as pool:
            asked = _by_usage_sql(cases).items()
            for found in pool.map(lambda each: [*_counted(connection, *each)], asked):
                for keys, rows in found:
                    _note(counts, keys, rows)
    return counts


def _note(
    counts: Mapping[int, CaseCounts], keys: list[int], rows: list[tuple[Any, ...]] | None
) -> None:
    if rows is None:
        counts[keys[0]].is_overflow = True
    for key, slot, group, quantity, *rest in rows or ():
        if quantity is None:
            counts[key].is_overflow = True
        else:
            counts[key].counted.append(Counted(slot, tuple(group), quantity, *rest))


def _value(connection: duckdb.DuckDBPyConnection, cases: Mapping[int, MetricCase]) -> None:
    """Writes the table `valued`: one row per event that the metric of its case matches."""
    numbers: dict[str, int] = {}
    rows = []
    for key, case in cases.items():
        text = _valued_sql(case.definition)
        rows.append((key, numbers.setdefault(text, len(numbers))))
    _table(connection, "numbers", {"case_key": pa.int64(), "number": pa.int64()}, rows)
    connection.execute(
        "CREATE TABLE given AS SELECT events.*, number FROM events JOIN numbers USING (case_key) "
        "ORDER BY number"
    )
    connection.execute(
        "CREATE TABLE valued (case_key BIGINT, slot BIGINT, occurred_at TIMESTAMPTZ, "
        "file_id BIGINT, line BIGINT, time_zone VARCHAR, group_key VARCHAR[], "
        "bucket_parts VARCHAR[], value DECIMAL(38, 18), value_text VARCHAR, operation VARCHAR, "
        "unmetered_reason VARCHAR)"
    )
    statements = [
        f"INSERT INTO valued {text.replace(_EVENTS, _of_number(number))}"
        for text, number in numbers.items()
    ]
    with ThreadPoolExecutor(_WORKERS) as pool:
        for _ in pool.map(lambda statement: _execute(connection, statement), statements):
            pass
    levels = [(key, case.level) for key, case in cases.items() if case.level is not None]
    _table(connection, "levels", {"case_key": pa.int64(), "level": pa.decimal128(38, 18)}, levels)
    connection.execute(
        "INSERT INTO valued SELECT case_key, 0, TIMESTAMPTZ '0001-01-01 00:00:00Z', -1, -1, "
        "'Etc/UTC', [], [], level, NULL, NULL, NULL FROM levels"
    )


def _execute(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


_EVENTS = "given_events"
"""Stands in the SQL of values for the events of one definition."""


def _of_number(number: int) -> str:
    return f"(SELECT * FROM given WHERE number = {number})"


def _valued_sql(definition: Definition) -> str:
    keys = ("event_name", "filters", "exclude", "value", "value_kind", "operation",
            "fraction_digits", "round_values", "group_by", "bucket_by")  # fmt: skip
    return _cached_sql("values", json.dumps({key: definition[key] for key in keys}))


@cache
def _cached_sql(_: str, text: str) -> str:
    definition = json.loads(text)
    columns = ", ".join([*_VALUED_COLUMNS, "group_key", "bucket_parts", *_OF_EVENT])
    given = [
        *_VALUED_COLUMNS,
        f"{properties_sql(definition['group_by'])} AS group_key",
        f"{properties_sql(definition['bucket_by'])} AS bucket_parts",
    ]
    return f"SELECT {columns} FROM ({valued_events_sql(definition, _EVENTS, given)})"


def _by_usage_sql(cases: Mapping[int, MetricCase]) -> dict[str, list[int]]:
    """The keys of the cases that share a SQL of quantities."""
    texts: dict[str, str] = {}
    found: dict[str, list[int]] = {}
    for key, case in cases.items():
        definition = case.definition
        digest = json.dumps(
            [*(definition[name] for name in _AGGREGATES), definition["operation"] is None,
             bool(definition["bucket_by"])]
        )  # fmt: skip
        if digest not in texts:
            texts[digest] = usage_sql(definition, "asked_events", "asked_spans", ["case_key"],
                                      "local_days")  # fmt: skip
        found.setdefault(texts[digest], []).append(key)
    return found


def _counted(
    connection: duckdb.DuckDBPyConnection, sql: str, keys: list[int]
) -> Iterator[tuple[list[int], list[tuple[Any, ...]] | None]]:
    """The rows of the cases; None for a single case that overflows."""
    try:
        with connection.cursor() as cursor:
            cursor.register("asked", pa.table({"case_key": pa.array(keys, pa.int64())}))
            rows = cursor.execute(
                "WITH asked_events AS (SELECT * FROM valued SEMI JOIN asked USING (case_key) "
                "WHERE unmetered_reason IS NULL), "
                "asked_spans AS (SELECT * FROM spans SEMI JOIN asked USING (case_key)) "
                "SELECT case_key, slot, group_key, quantity, event_count, first_occurred_at, "
                f"last_occurred_at FROM ({sql})"
            ).fetchall()
    except (duckdb.OutOfRangeException, duckdb.InvalidInputException, duckdb.ConversionException):
        if len(keys) == 1:
            yield keys, None
            return
        middle = len(keys) // 2
        yield from _counted(connection, sql, keys[:middle])
        yield from _counted(connection, sql, keys[middle:])
        return
    yield keys, rows


def _register(
    connection: duckdb.DuckDBPyConnection, cases: Mapping[int, MetricCase], days: pl.DataFrame
) -> None:
    at = pa.timestamp("us", "UTC")
    events = [
        (key, each.slot, each.occurred_at, 0, each.line, case.time_zone, each.name,
         list(each.properties.items()))
        for key, case in cases.items()
        for each in case.events
    ]  # fmt: skip
    _table(
        connection,
        "events",
        {"case_key": pa.int64(), "slot": pa.int64(), "occurred_at": at, "file_id": pa.int64(),
         "line": pa.int64(), "time_zone": pa.string(), "event_name": pa.string(),
         "properties": pa.map_(pa.string(), pa.string())},
        events,
    )  # fmt: skip
    spans = [
        (key, each.slot, each.start_at, each.end_at, each.full_start_at, each.full_end_at,
         case.time_zone)
        for key, case in cases.items()
        for each in case.spans
    ]  # fmt: skip
    names = ("span_start_at", "span_end_at", "full_start_at", "full_end_at")
    _table(
        connection,
        "spans",
        {"case_key": pa.int64(), "slot": pa.int64(), **dict.fromkeys(names, at),
         "time_zone": pa.string()},
        spans,
    )  # fmt: skip
    _write(connection, "local_days", days.to_arrow())


def _table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: Mapping[str, pa.DataType],
    rows: Sequence[Sequence[object]],
) -> None:
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrays = [pa.array(list(chain(each)), kind) for each, kind in
              zip(values, columns.values(), strict=True)]  # fmt: skip
    _write(connection, name, pa.table(arrays, names=list(columns)))


def _write(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    connection.register("frame", rows)
    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM frame")
    connection.unregister("frame")
