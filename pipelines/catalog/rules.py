"""Rules between rows and files of the catalog: what would contradict itself is found here.

Belongs here: one function per rule, each giving problems, or warnings for what may surprise.
Must not be put here: what a single cell may hold (see `catalog_cells`).

1. Keys and references are checked on the text of every row, so that one ill-formed cell does
   not make its whole row unknown to others.
2. The other rules need values: each runs when the files it reads are free of problems.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipelines.catalog.cells import UNLIMITED, shown
from pipelines.catalog.charges import (
    broken_tiers,
    changed_metrics,
    contradicting_prices,
    lives_before_prices,
    lives_without_days,
    metrics_charged_twice,
    subscriptions_without_charges,
)
from pipelines.catalog.periods import longest_period_days
from pipelines.catalog.rows import (
    AliasRow,
    Problem,
    Record,
    Row,
    SourceRow,
    Table,
    Tables,
)

DialectWindows = Mapping[str, timedelta | None]
"""Dialect → its vendor's dedupe window; None is unlimited."""

FUTURE_SKEW_HOURS_USUAL = 24
"""How far an event may lie ahead of its file, unless the source says otherwise."""

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class SourceLimits:
    """What a source's row means once defaults are filled in; None is unlimited."""

    dedupe_scope: str
    dedupe_window: timedelta | None
    max_lateness: timedelta | None
    future_skew: timedelta


def source_limits(row: SourceRow, dialect_windows: DialectWindows) -> SourceLimits:
    """The limits of a source: its own, or its dialect's window and the window less the skew."""
    hours = FUTURE_SKEW_HOURS_USUAL if row.future_skew_hours is None else row.future_skew_hours
    skew = timedelta(hours=hours)
    window: timedelta | None
    if row.dedupe_window_days is None:
        window = dialect_windows[row.dialect]
    elif row.dedupe_window_days == UNLIMITED:
        window = None
    else:
        window = timedelta(days=row.dedupe_window_days)
    lateness = None if window is None else window - skew
    if row.max_lateness_days is not None:
        lateness = timedelta(days=row.max_lateness_days)
    return SourceLimits(row.dedupe_scope or row.source, window, lateness, skew)


def catalog_problems(
    tables: Tables, metric_codes: frozenset[str], dialect_windows: DialectWindows
) -> list[Problem]:
    """Everything that contradicts itself between the rows of a catalog, ordered by place."""
    problems = [*_repeated_keys(tables), *_unknown_references(tables, metric_codes)]
    problems += _unknown_dialects(tables.sources, dialect_windows)
    rules: list[tuple[Callable[[Tables], Iterable[Problem]], tuple[Table[Row], ...]]] = [
        (contradicting_prices, (tables.charges, tables.charge_tiers)),
        (broken_tiers, (tables.charge_tiers,)),
        (changed_metrics, (tables.charges,)),
        (_ambiguous_names, (tables.customers, tables.customer_aliases)),
        (lives_without_days, (tables.subscriptions,)),
        (lives_before_prices, (tables.subscriptions, tables.charges)),
        (metrics_charged_twice, (tables.subscriptions, tables.charges)),
    ]
    for rule, read in rules:
        if all(table.is_whole for table in read):
            problems += rule(tables)
    if tables.sources.is_whole and all(
        row.dialect in dialect_windows for row in tables.sources.rows
    ):
        problems += _recounted_keys(tables.sources, dialect_windows)
    return sorted(problems)


def catalog_warnings(tables: Tables, dialect_windows: DialectWindows) -> tuple[str, ...]:
    """What is allowed but may surprise, one sentence each; of a catalog without problems."""
    return (
        *_periods_longer_than_lateness(tables, dialect_windows),
        *subscriptions_without_charges(tables),
    )


def _repeated_keys(tables: Tables) -> Iterator[Problem]:
    keys: tuple[tuple[Table[Row], tuple[str, ...]], ...] = (
        (tables.sources, ("source",)),
        (tables.customers, ("customer_id",)),
        (tables.plans, ("plan_code",)),
        (tables.charges, ("plan_code", "charge_code", "valid_from")),
        (tables.subscriptions, ("subscription_id",)),
        (tables.event_schemas, ("source", "event_name", "name")),
    )
    for table, columns in keys:
        first_lines = dict[tuple[str, ...], int]()
        for record in table.records:
            key = _cells(record, columns)
            if (first := first_lines.setdefault(key, record.line)) != record.line:
                yield Problem(
                    table.file_name,
                    record.line,
                    columns[-1],
                    f"{_key(key)} stands in row {first} already; keep one",
                )


def _unknown_references(tables: Tables, metric_codes: frozenset[str]) -> Iterator[Problem]:
    price = ("plan_code", "charge_code", "valid_from")
    references: tuple[tuple[Table[Row], tuple[str, ...], Table[Row]], ...] = (
        (tables.customer_aliases, ("customer_id",), tables.customers),
        (tables.charges, ("plan_code",), tables.plans),
        (tables.charge_tiers, price, tables.charges),
        (tables.subscriptions, ("customer_id",), tables.customers),
        (tables.subscriptions, ("plan_code",), tables.plans),
        (tables.source_fields, ("source",), tables.sources),
        (tables.event_schemas, ("source",), tables.sources),
    )
    for table, columns, target in references:
        known = {_cells(record, columns) for record in target.records}
        for record in table.records if target.is_readable else ():
            if (key := _cells(record, columns)) not in known:
                yield Problem(
                    table.file_name,
                    record.line,
                    columns[-1],
                    f"{_key(key)} is not in {target.file_name}; add it there or correct it here",
                )
    for charge in tables.charges.records:
        if charge.cells["metric_code"] not in metric_codes:
            yield Problem(
                tables.charges.file_name,
                charge.line,
                "metric_code",
                f"{shown(charge.cells['metric_code'])} is no billable metric; there are: "
                f"{', '.join(sorted(metric_codes)) or 'none'}",
            )


def _cells(record: Record, columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(record.cells[column] for column in columns)


def _key(key: Iterable[str]) -> str:
    return ", ".join(shown(part) for part in key)


def _unknown_dialects(
    sources: Table[SourceRow], dialect_windows: DialectWindows
) -> Iterator[Problem]:
    for row in sources.rows:
        if row.dialect not in dialect_windows:
            yield Problem(
                sources.file_name,
                row.line,
                "dialect",
                f"{shown(row.dialect)} is no known dialect; write one of: "
                f"{', '.join(sorted(dialect_windows))}",
            )


def _recounted_keys(
    sources: Table[SourceRow], dialect_windows: DialectWindows
) -> Iterator[Problem]:
    # In a shared scope a copy may come through any source: the greatest of both count.
    scopes = defaultdict[str, list[tuple[SourceRow, SourceLimits]]](list)
    for row in sources.rows:
        limits = source_limits(row, dialect_windows)
        scopes[limits.dedupe_scope].append((row, limits))
    for scope, members in scopes.items():
        first, shared = members[0]
        for row, limits in members[1:]:
            if limits.dedupe_window != shared.dedupe_window:
                yield Problem(
                    sources.file_name,
                    row.line,
                    "dedupe_window_days",
                    f"dedupe_scope {shown(scope)} has a window of {_days(limits.dedupe_window)} "
                    f"here and of {_days(shared.dedupe_window)} in row {first.line}; "
                    "write the same for all its sources",
                )
        skew = max(limits.future_skew for _, limits in members)
        for row, limits in members:
            window, lateness = limits.dedupe_window, limits.max_lateness
            if window is None:
                continue
            if lateness is None or lateness <= timedelta(0) or lateness + skew > window:
                yield Problem(
                    sources.file_name,
                    row.line,
                    "max_lateness_days",
                    "max_lateness + future_skew <= window must hold, with a lateness above 0: "
                    f"it is {_days(lateness)} + {_days(skew)} (the greatest skew of dedupe_scope "
                    f"{shown(scope)}) and {_days(window)}; lower one of the first two, or a copy "
                    "that comes after the window would be counted again",
                )


def _days(length: timedelta | None) -> str:
    if length is None:
        return UNLIMITED
    hours = length // timedelta(hours=1)
    return f"{hours // 24} days" if hours % 24 == 0 else f"{hours} hours"


def _ambiguous_names(tables: Tables) -> Iterator[Problem]:
    file_name = tables.customer_aliases.file_name
    ids = {customer.customer_id: customer.line for customer in tables.customers.rows}
    spellings = defaultdict[str, list[AliasRow]](list)
    for row in tables.customer_aliases.rows:
        if row.alias in ids:
            owner = "its own" if row.alias == row.customer_id else "another"
            advice = "remove the row" if row.alias == row.customer_id else "use another alias"
            yield Problem(
                file_name,
                row.line,
                "alias",
                f"{shown(row.alias)} is {owner} customer's id (customers.csv, row "
                f"{ids[row.alias]}), which names that customer always; {advice}",
            )
        elif (row.valid_from or _ALWAYS) >= (row.valid_to or _FOREVER):
            yield Problem(
                file_name,
                row.line,
                "valid_to",
                f"{_instant(row.valid_to)} is not after valid_from {_instant(row.valid_from)}; "
                "correct one",
            )
        else:
            spellings[row.alias].append(row)
    for rows in spellings.values():
        rows.sort(key=lambda row: (row.valid_from or _ALWAYS, row.line))
        latest = rows[0]
        for row in rows[1:]:
            if (row.valid_from or _ALWAYS) < (latest.valid_to or _FOREVER):
                yield Problem(
                    file_name,
                    row.line,
                    "valid_from",
                    f"alias {shown(row.alias)} names {shown(row.customer_id)} from "
                    f"{_instant(row.valid_from)}, while row {latest.line} lets it name "
                    f"{shown(latest.customer_id)} until {_instant(latest.valid_to)}; an alias "
                    "names one customer at each instant, once",
                )
            latest = max(latest, row, key=lambda row: row.valid_to or _FOREVER)


def _instant(instant: datetime | None) -> str:
    return "open" if instant is None else instant.isoformat().replace("+00:00", "Z")


def _periods_longer_than_lateness(tables: Tables, dialect_windows: DialectWindows) -> Iterator[str]:
    grace_days = {row.customer_id: row.grace_period_days for row in tables.customers.rows}
    longest = sorted(
        (
            longest_period_days(row.interval, row.interval_count) + grace_days[row.customer_id],
            row.subscription_id,
            row.customer_id,
        )
        for row in tables.subscriptions.rows
    )
    for source in tables.sources.rows:
        lateness = source_limits(source, dialect_windows).max_lateness
        if lateness is None or source.late_lookup:
            continue
        waiting = [life for life in longest if timedelta(days=life[0]) > lateness]
        if waiting:
            days, subscription_id, customer_id = waiting[-1]
            customers = len({customer_id for _, _, customer_id in waiting})
            yield (
                f"source {shown(source.source)} refuses usage that comes {_days(lateness)} late or "
                f"later, but a period and its grace may last longer for {customers} customer(s), "
                f"up to {days} days for subscription {shown(subscription_id)} of "
                f"{shown(customer_id)}: usage of its first days that comes in its last is refused "
                "as too_late, before the period is cut"
            )
