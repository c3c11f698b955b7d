"""sources.csv: who sends files, and which of their events are taken."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from pipelines.catalog.cells import (
    DAYS_MAX,
    FOLDER,
    NAMES,
    TEXT,
    UNLIMITED,
    WINDOW,
    YES_NO,
    Kind,
    one_of,
    read_names,
    read_text,
    shown,
    whole_number,
)
from pipelines.catalog.rows import Problem, Row, column
from pipelines.catalog.table import CatalogTable, Tables
from pipelines.catalog.tables.customers import Customer
from pipelines.catalog.tables.subscriptions import Subscription
from pipelines.periods.rhythm import longest_period_days
from pipelines.reading.dialects import DIALECTS
from pipelines.reading.dialects.event import parse_path
from pipelines.reading.dialects.not_usage import parse_not_usage
from pipelines.vocabulary.counted import counted

FUTURE_SKEW_HOURS_USUAL = 24
"""How far an event may lie ahead of its file, unless the source says otherwise."""


@dataclass(frozen=True)
class SourceLimits:
    """What a source's row means once defaults are filled in; None is unlimited."""

    dedupe_scope: str
    dedupe_window: timedelta | None
    max_lateness: timedelta | None
    future_skew: timedelta


def _read_dialect(cell: str) -> str:
    if cell not in DIALECTS:
        raise ValueError(
            f"{shown(cell)} is no known dialect; write one of: {', '.join(sorted(DIALECTS))}"
        )
    return cell


def _read_paths(cell: str) -> list[str]:
    paths = read_names(cell)
    for path in paths:
        parse_path(path)
    return paths


def _read_not_usage(cell: str) -> list[str]:
    kinds = cell.split(";")
    for kind in kinds:
        parse_not_usage(kind)
    return kinds


def _read_separator(cell: str) -> str:
    if cell not in SEPARATORS:
        words = ", ".join(SEPARATORS)
        raise ValueError(f"{shown(cell)} separates no cells; write one of: {words}")
    return SEPARATORS[cell]


SEPARATORS = {",": ",", ";": ";", "|": "|", "tab": "\t"}
"""What may stand between two cells of a CSV file, as the catalog writes it."""

DIALECT = Kind(_read_dialect, pl.String(), one_of(*sorted(DIALECTS)).written)
PATTERNS = Kind(read_names, NAMES.dtype, "patterns with `*` and `?`, separated by `;`")
SEPARATOR = Kind(_read_separator, pl.String(), one_of(*SEPARATORS).written)
NOT_USAGE = Kind(_read_not_usage, NAMES.dtype, "`field=a|b`, several separated by `;`")
LITERAL = Kind(read_text, pl.String(), "text", is_literal=True)
PATHS = Kind(_read_paths, NAMES.dtype, "paths, separated by `;`")


@dataclass(frozen=True, kw_only=True)
class Source(Row):
    """One row per sender.

    An edit holds for files of the next run. What was accepted stays, and refused lines are decided
    again by `meterline replay`.
    """

    file_name = "sources.csv"

    source: str = column(FOLDER, "First folder below the landing.")
    dialect: str = column(DIALECT, "How its events are written.")
    dedupe_scope: str | None = column(
        TEXT, "Where idempotency keys are unique; empty is the source alone.", empty=None
    )
    dedupe_window_days: str | None = column(
        WINDOW, "Days an accepted key blocks its copies; empty is the dialect's own.", empty=None
    )
    max_lateness_days: int | None = column(
        whole_number(1, DAYS_MAX),
        "Days after which an event is refused as too late; empty is the window less the skew.",
        empty=None,
    )
    future_skew_hours: int = column(
        whole_number(0, 24 * DAYS_MAX),
        f"Hours an event may lie after its receipt; empty is {FUTURE_SKEW_HOURS_USUAL}.",
        empty=FUTURE_SKEW_HOURS_USUAL,
    )
    received_at_from: str = column(
        one_of("last_modified", "path"),
        "What says when a file was received: the object (`last_modified`), or the date and hour "
        "in its path; empty is `last_modified`.",
        empty="last_modified",
    )
    idempotency_key_fields: list[str] = column(
        PATHS,
        "Where the key's fields stand; several are kept as a JSON array. Empty is the dialect's "
        "own key.",
        empty=(),
        is_optional=True,
    )
    late_lookup: bool = column(
        YES_NO,
        "`yes`: an event that comes `max_lateness_days` late or later is looked up among all "
        "accepted keys; empty is no: it is refused.",
        empty=False,
        is_optional=True,
    )
    conflicts_expected: bool = column(
        YES_NO,
        "`yes`: conflicts of this source are no reason for alarm; empty is no.",
        empty=False,
        is_optional=True,
    )
    auto_customers: bool = column(
        YES_NO,
        "`yes`: a customer it names and the catalog does not know is provisional; empty is no: "
        "it is nobody.",
        empty=False,
        is_optional=True,
    )
    not_usage: list[str] = column(
        NOT_USAGE,
        "Fields whose values show that a line is no usage, such as `type=page|identify`. Such "
        "lines are counted apart; empty is what the dialect itself knows.",
        empty=(),
        is_optional=True,
    )
    paths: list[str] = column(
        PATTERNS,
        "Patterns of the files that are read, below its folder; the others are counted. Empty is "
        "all.",
        empty=(),
        is_optional=True,
    )
    batch_member: str | None = column(
        TEXT,
        "The member that holds the array of events, in files that wrap them in an object; empty: "
        "`events`, or the only array of objects.",
        empty=None,
        is_optional=True,
    )
    format: str | None = column(
        one_of("csv", "json", "parquet"),
        "What its files are where neither their bytes nor the ending `.csv` tell; empty is `json`. "
        "A file of another format waits.",
        empty=None,
        is_optional=True,
    )
    null_text: str | None = column(
        LITERAL,
        "In CSV, a cell with this text is empty, such as `\\N`.",
        empty=None,
        is_optional=True,
    )
    separator: str | None = column(
        SEPARATOR,
        "In CSV, what stands between two cells; empty is a comma.",
        empty=None,
        is_optional=True,
    )
    decimal_separator: str | None = column(
        one_of(",", "."),
        "In CSV, what stands before the fraction of a number; empty is a point.",
        empty=None,
        is_optional=True,
    )

    @property
    def limits(self) -> SourceLimits:
        """Its own limits, or its dialect's window, and that less the skew for the lateness."""
        skew = timedelta(hours=self.future_skew_hours)
        window: timedelta | None
        if self.dedupe_window_days is None:
            window = DIALECTS[self.dialect].dedupe_window
        elif self.dedupe_window_days == UNLIMITED:
            window = None
        else:
            window = timedelta(days=int(self.dedupe_window_days))
        lateness = None if window is None else window - skew
        if self.max_lateness_days is not None:
            lateness = timedelta(days=self.max_lateness_days)
        return SourceLimits(self.dedupe_scope or self.source, window, lateness, skew)


def recounted_keys(tables: Tables) -> Iterator[Problem]:
    """A copy is refused as too late before its key is forgotten.

    In a shared scope a copy may come through any source: the greatest skew of all counts.
    """
    scopes = defaultdict[str, list[Source]](list)
    for row in tables.whole(Source):
        scopes[row.limits.dedupe_scope].append(row)
    for scope, rows in scopes.items():
        first = rows[0]
        for row in rows[1:]:
            if row.limits.dedupe_window != first.limits.dedupe_window:
                yield row.problem(
                    "dedupe_window_days",
                    f"dedupe_scope {shown(scope)} has a window of "
                    f"{_days(row.limits.dedupe_window)} here and of "
                    f"{_days(first.limits.dedupe_window)} in row {first.line}; "
                    "write the same for all its sources",
                )
        skew = max(row.limits.future_skew for row in rows)
        for row in rows:
            window, lateness = row.limits.dedupe_window, row.limits.max_lateness
            if window is None:
                continue
            if lateness is None or lateness <= timedelta(0) or lateness + skew > window:
                yield row.problem(
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
    return counted(hours // 24, "day") if hours % 24 == 0 else counted(hours, "hour")


def periods_longer_than_lateness(tables: Tables) -> Iterator[str]:
    """Usage of a long period's first days may come too late although the period is open."""
    lives = _longest_lives(tables)
    for source in tables[Source]:
        lateness = source.limits.max_lateness
        if lateness is None or source.late_lookup:
            continue
        waiting = lives.filter(pl.col("days") > lateness / timedelta(days=1))
        if waiting.is_empty():
            continue
        days, subscription_id, customer_id = waiting.row(-1)
        yield (
            f"source {shown(source.source)} refuses usage that comes {_days(lateness)} late or "
            f"later, but a period and its grace may last longer for "
            f"{counted(waiting['customer_id'].n_unique(), 'customer')}, up to "
            f"{counted(days, 'day')} for subscription "
            f"{shown(subscription_id)} of {shown(customer_id)}: usage of its first days that "
            "comes in its last is refused as too_late, before the period is cut"
        )


def keys_that_are_places(tables: Tables) -> Iterator[str]:
    """Usage without a key of its own counts again in a file that is not the same bytes."""
    for source in tables[Source]:
        if DIALECTS[source.dialect].form.key_may_be_place and not source.idempotency_key_fields:
            yield (
                f"source {shown(source.source)} may send events without an identifier: their key "
                "is the place in their file, so a file that is exported again with other bytes "
                "counts again; have the sender write identifiers, or name the fields that make "
                "the key under idempotency_key_fields"
            )


def _longest_lives(tables: Tables) -> pl.DataFrame:
    # Per subscription the days of its longest period and its grace, the longest last.
    subscriptions = tables[Subscription].frame
    rhythm = ["interval", "interval_count"]
    rhythms = subscriptions.select(rhythm).unique()
    longest = rhythms.with_columns(
        days=pl.Series([longest_period_days(*each) for each in rhythms.rows()], dtype=pl.Int64)
    )
    graces = tables[Customer].frame.select("customer_id", "grace_period_days")
    return (
        subscriptions.join(longest, on=rhythm)
        .join(graces, on="customer_id")
        .select(pl.col("days") + pl.col("grace_period_days"), "subscription_id", "customer_id")
        .sort("days", "subscription_id", "customer_id")
    )


TABLE = CatalogTable(
    Source,
    key=("source",),
    rules=(recounted_keys,),
    warnings=(periods_longer_than_lateness, keys_that_are_places),
)
