"""Recount: a sample of names is counted anew from the lake, and compared with what is kept of them.

What metrics keep from run to run (the schema `states`) is never counted anew as long as nothing
says that it must be. So each run takes other names, by the number of its last batch of events, and
counts all of their events by the SQL that dbt counted by, which is kept too. So what is kept stays
what the lake supports. A name is the references to customer and subscription, as an event has them.

1. `_sample` chooses names of a metric, few and with not too many events.
2. `_take_events` reads the events of these names alone: the lake's files are sorted by name.
3. `_differences` compares parts with parts, column by column.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipelines.lake.ducklake import quoted
from pipelines.vocabulary.counted import counted
from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.visible import visible

NAMES_PER_METRIC = 3
"""Names of each metric that a run counts anew."""

EVENTS_MAX = 100_000
"""A name with more events in a metric is left out, because the recount reads all of them."""

_CANDIDATES = 30
"""Names of which those with too many events are left out: no run adds up all names."""

_SHOWN = 5
"""Differences that a sentence lists."""

_Name = tuple[str | None, str | None]
"""`customer_ref` and `subscription_ref`, as sent."""

_Row = Mapping[str, Any]

_Rows = dict[tuple[str, ...], _Row]


@dataclass(frozen=True)
class Difference:
    """What is kept of a name is not what the lake supports.

    Attributes:
        metric_code: the metric.
        name: the name as sent, in words.
        kept: what is kept, the columns that differ.
        recounted: the same, counted anew.
    """

    metric_code: str
    name: str
    kept: str
    recounted: str

    @property
    def sentence(self) -> str:
        """The difference in words."""
        return f"{self.metric_code} of {self.name}: kept {self.kept}, counted {self.recounted}"


@dataclass(frozen=True)
class Recount:
    """What came of counting a sample anew.

    Attributes:
        names: how many names were counted, each in one metric.
        events: how many events these have.
        differences: where what is kept differs.
        repeated: in words, names of which an event is in a metric twice, or in none of its parts.
    """

    names: int = 0
    events: int = 0
    differences: tuple[Difference, ...] = ()
    repeated: tuple[str, ...] = ()

    def require_equal(self) -> None:
        """Passes if what is kept of the sample is what the lake supports.

        Raises:
            InvariantError: it is not. The message has metric, name, both values and what to do.
        """
        if self.repeated:
            raise InvariantError(
                "expected each event of a name once in a metric, found "
                f"{_listed(self.repeated)}; no invoice was closed and nothing was published; look "
                "for rows of a mapping or of customers that hold at one instant, and report this "
                "sentence if there are none"
            )
        if self.differences:
            raise InvariantError(
                "expected what is kept of metrics to be what the lake's events come to, found "
                f"{counted(len(self.differences), 'difference')} in {counted(self.names, 'name')}: "
                f"{_listed([each.sentence for each in self.differences])}; no invoice was closed "
                "and nothing was published; run `meterline dbt build --select int_usage_kept "
                "--full-refresh`, which counts all events anew, then `meterline run`, and report "
                "this sentence"
            )


def recount(warehouse: duckdb.DuckDBPyConnection) -> Recount:
    """What a sample of names comes to, for each metric, against what is kept of it.

    Args:
        warehouse: a connection whose database `warehouse` is the working warehouse as dbt left it,
            maybe read-only, and whose database `lake` is the lake. Its own tables are temporary.
    """
    metrics = warehouse.execute(
        "SELECT metric_code, events, parts FROM warehouse.states.recounts ORDER BY metric_code"
    ).fetchall()
    found = [_of_metric(warehouse, *metric) for metric in metrics]
    return Recount(
        names=sum(each.names for each in found),
        events=sum(each.events for each in found),
        differences=tuple(one for each in found for one in each.differences),
        repeated=tuple(one for each in found for one in each.repeated),
    )


def recounted(
    attach_lake: Sequence[str], warehouse_file: Path, *, threads: int, memory_limit: str
) -> Recount:
    """The recount in a home.

    Args:
        attach_lake: SQL that attaches the lake as database `lake`.
        warehouse_file: the working warehouse; nothing is written to it.
        threads: threads of DuckDB.
        memory_limit: DuckDB's memory limit, with its unit.
    """
    config: dict[str, Any] = {"threads": threads, "memory_limit": memory_limit}
    with duckdb.connect(config=config) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for statement in attach_lake:
            connection.execute(statement)
        connection.execute(f"ATTACH {quoted(warehouse_file)} AS warehouse (READ_ONLY)")
        return recount(connection)


def _of_metric(
    warehouse: duckdb.DuckDBPyConnection, code: str, events_sql: str, parts_sql: str
) -> Recount:
    names = _sample(warehouse, code)
    if not names:
        return Recount()
    events = _take_events(warehouse, events_sql, names)
    warehouse.execute(f"CREATE OR REPLACE TEMP TABLE recount_new AS {parts_sql}")
    warehouse.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE recount_kept AS
        SELECT slots.* EXCLUDE (slot_id, first_occurred_at, last_occurred_at),
            parts.* EXCLUDE (slot_id)
        FROM {_kept("slots", code)} AS slots
        JOIN {_kept("state", code)} AS parts ON slots.slot_id = parts.slot_id
        WHERE {" OR ".join(map(_is_name, names))}
        """
    )
    return Recount(
        len(names), events, tuple(_differences(warehouse, code)), tuple(_repeated(warehouse, code))
    )


def _sample(warehouse: duckdb.DuckDBPyConnection, code: str) -> list[_Name]:
    """Names of a metric, other ones after each batch of events."""
    return warehouse.execute(
        f"""
        WITH names AS (
            SELECT customer_ref, subscription_ref, md5(concat_ws(
                '/', batch_id, coalesce(customer_ref, ''), coalesce(subscription_ref, '')
            )) AS place
            FROM (SELECT DISTINCT customer_ref, subscription_ref FROM {_kept("slots", code)})
            CROSS JOIN warehouse.calendar.clock
            ORDER BY place LIMIT {_CANDIDATES}
        )
        SELECT names.customer_ref, names.subscription_ref
        FROM names
        JOIN {_kept("slots", code)} AS slots
            ON slots.customer_ref IS NOT DISTINCT FROM names.customer_ref
            AND slots.subscription_ref IS NOT DISTINCT FROM names.subscription_ref
        LEFT JOIN {_kept("state", code)} AS parts ON slots.slot_id = parts.slot_id
        GROUP BY names.customer_ref, names.subscription_ref, names.place
        HAVING coalesce(sum(parts.event_count), 0) <= {EVENTS_MAX}
        ORDER BY names.place LIMIT {NAMES_PER_METRIC}
        """
    ).fetchall()


def _take_events(
    warehouse: duckdb.DuckDBPyConnection, events_sql: str, names: Sequence[_Name]
) -> int:
    """The number of events of these names, once they are in `recount_events`.

    Names of one shape are one query, with a list of literals: only so is the least of the lake
    read. An `or` between columns would read all of it.
    """
    queries = (
        f"SELECT * FROM {events_sql} AS events_given WHERE {shape}" for shape in _shapes(names)
    )
    warehouse.execute(
        f"CREATE OR REPLACE TEMP TABLE recount_events AS {' UNION ALL '.join(queries)}"
    )
    (row,) = warehouse.execute("SELECT count(*) FROM recount_events").fetchall()
    return int(row[0])


def _repeated(warehouse: duckdb.DuckDBPyConnection, code: str) -> Iterator[str]:
    rows = warehouse.execute(
        """
        WITH given AS (
            SELECT customer_ref, subscription_ref, count(*) AS row_count,
                count(DISTINCT (file_id, line)) AS events
            FROM recount_events GROUP BY ALL
        ),
        parts AS (
            SELECT customer_ref, subscription_ref, sum(event_count)::BIGINT AS counted
            FROM recount_new GROUP BY ALL
        )
        SELECT given.*, coalesce(parts.counted, 0)
        FROM given LEFT JOIN parts
            ON given.customer_ref IS NOT DISTINCT FROM parts.customer_ref
            AND given.subscription_ref IS NOT DISTINCT FROM parts.subscription_ref
        ORDER BY ALL
        """
    ).fetchall()
    for customer_ref, subscription_ref, row_count, events, in_parts in rows:
        if not row_count == events == in_parts:
            yield (
                f"{code} of {_said(customer_ref, subscription_ref)}: {events:,} in the lake, "
                f"{row_count:,} in the metric, {in_parts:,} in its parts"
            )


def _differences(warehouse: duckdb.DuckDBPyConnection, code: str) -> Iterator[Difference]:
    kept, new = _unequal_rows(warehouse)
    for place in sorted({*kept, *new}):
        was, now = kept.get(place), new.get(place)
        row: _Row = was or now or {}
        differing = [name for name in row if not was or not now or was[name] != now[name]]
        yield Difference(
            code,
            _said(row["customer_ref"], row["subscription_ref"]),
            _shown(was, differing),
            _shown(now, differing),
        )


def _unequal_rows(warehouse: duckdb.DuckDBPyConnection) -> tuple[_Rows, _Rows]:
    """Parts that are kept alone, and those that were counted anew alone.

    They are by slot, group, and their order among the parts of those, so that two parts of one key
    stand beside each other.
    """
    columns = [row[0] for row in warehouse.execute("DESCRIBE recount_kept").fetchall()]
    listed = ", ".join(columns)
    rows = warehouse.execute(
        f"""
        SELECT false AS is_new, * FROM (
            SELECT {listed} FROM recount_kept EXCEPT ALL SELECT {listed} FROM recount_new
        )
        UNION ALL
        SELECT true AS is_new, * FROM (
            SELECT {listed} FROM recount_new EXCEPT ALL SELECT {listed} FROM recount_kept
        )
        ORDER BY ALL
        """
    ).fetchall()
    found: tuple[_Rows, _Rows] = ({}, {})
    seen: Counter[tuple[object, ...]] = Counter()
    # The columns of a slot come first, then its group.
    key_end = columns.index("unmetered_reason") + 1
    for is_new, *values in rows:
        row = dict(zip(columns, values, strict=True))
        key = (*map(repr, values[:key_end]), repr(row["group_key"]))
        place = seen[is_new, key]
        seen[is_new, key] += 1
        found[is_new][*key, f"{place:09}"] = row
    return found


def _kept(kind: str, code: str) -> str:
    return f'warehouse.states."{kind}_{code}"'


def _shapes(names: Sequence[_Name]) -> Iterator[str]:
    """Conditions for names that have a customer alone, a subscription alone, and each with both."""
    of_customer = [
        quoted(customer) for customer, other in names if customer is not None and other is None
    ]
    of_other = [
        quoted(other) for customer, other in names if other is not None and customer is None
    ]
    if of_customer:
        yield f"customer_ref IN ({', '.join(of_customer)}) AND subscription_ref IS NULL"
    if of_other:
        yield f"customer_ref IS NULL AND subscription_ref IN ({', '.join(of_other)})"
    yield from (_is_name(name) for name in names if None not in name or name == (None, None))


def _is_name(name: _Name) -> str:
    columns = zip(("customer_ref", "subscription_ref"), name, strict=True)
    conditions = (
        f"{column} IS NULL" if ref is None else f"{column} = {quoted(ref)}"
        for column, ref in columns
    )
    return f"({' AND '.join(conditions)})"


def _said(customer_ref: str | None, subscription_ref: str | None) -> str:
    if subscription_ref is None:
        return f"customer {visible(repr(customer_ref))}"
    of_customer = "" if customer_ref is None else f" of customer {visible(repr(customer_ref))}"
    return f"subscription {visible(repr(subscription_ref))}{of_customer}"


def _shown(row: _Row | None, columns: Sequence[str]) -> str:
    if row is None:
        return "nothing"
    shown = (f"{name} {row[name]}" for name in columns if row[name] is not None)
    return visible(", ".join(shown)) or "nothing"


def _listed(sentences: Sequence[str]) -> str:
    more = len(sentences) - _SHOWN
    return "; ".join(sentences[:_SHOWN]) + (f" … and {more:,} more" if more > 0 else "")
