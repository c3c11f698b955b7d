"""subscriptions.csv: who is billed for which plan, and for which days."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time

import polars as pl

from pipelines.catalog.cells import ANCHOR_DAY, CODE, TEXT, WHEN, one_of, shown, whole_number
from pipelines.catalog.periods import lives_of
from pipelines.catalog.rows import Problem, Row, column, later
from pipelines.catalog.table import CatalogTable, Reference, Tables
from pipelines.catalog.tables.customers import Customer
from pipelines.catalog.tables.plans import Plan
from pipelines.periods.lives import NOTHING_CLOSED, Lives, WhenCell, resolved
from pipelines.periods.order import anchor_out_of_order, ends_out_of_order
from pipelines.periods.rhythm import ANCHORS, INTERVALS
from pipelines.vocabulary.tables import LABEL

INTERVAL_COUNT_MAX = 999
"""Most units of an interval in one period."""


@dataclass(frozen=True, kw_only=True)
class Subscription(Row):
    """One row per subscription; its days are the customer's local ones.

    A date stands for its first instant in the customer's zone. Its plan holds until the first row
    of subscription_phases.csv.

    An edit holds from the next run on, from the end of the last closed period. A past that it adds
    waits for `meterline close --accept`, and one that takes away what was billed is refused.
    """

    file_name = "subscriptions.csv"

    subscription_id: str = column(TEXT, "Id of the subscription.")
    customer_id: str = column(TEXT, "Who is billed.")
    plan_code: str = column(CODE, "What is billed.")
    interval: str = column(one_of(*INTERVALS), "Unit of the billing period.")
    interval_count: int = column(whole_number(1, INTERVAL_COUNT_MAX), "Units per billing period.")
    anchor: str = column(
        one_of(*ANCHORS),
        "Where periods are counted from: the calendar unit that holds the start, the start itself, "
        "`anchor_day`, or `anchor_at`.",
    )
    start_date: WhenCell = column(WHEN, "First day, or first instant.")
    end_date: WhenCell | None = column(
        WHEN, "First day, or first instant, without it; empty is open.", empty=None
    )
    anchor_day: str | None = column(
        ANCHOR_DAY,
        "With anchor `day`: a day of the month for intervals of months, a weekday for weeks. A "
        "month that is too short has its last day.",
        empty=None,
        is_optional=True,
    )
    anchor_at: WhenCell | None = column(
        WHEN,
        "With anchor `at`: one of the boundaries, before or after the start.",
        empty=None,
        is_optional=True,
    )
    trial_until: WhenCell | None = column(
        WHEN,
        "End of the trial; the days before its local day are no service days.",
        empty=None,
        is_optional=True,
    )
    trial_covers: str = later(
        one_of("fees", "all"),
        "What the trial leaves out: fees, or all usage too. Empty is `fees`.",
        empty="fees",
    )


def whole_lives(
    tables: Tables, phases: pl.DataFrame | None = None, pauses: pl.DataFrame | None = None
) -> Lives:
    """The subscriptions as the calendar takes them, for a rule that compares their bounds.

    Args:
        tables: rows of customers, plans and subscriptions.
        phases: rows of subscription_phases.csv; None where the rule asks for none.
        pauses: rows of subscription_pauses.csv; the same.

    Raises:
        TableNotWholeError: some of the rows in `tables` are ill-formed.
    """
    # A row that stands twice is a problem of its own.
    return lives_of(
        _once(tables.whole(Subscription).frame, "subscription_id"),
        _once(tables.whole(Customer).frame, "customer_id"),
        _once(tables.whole(Plan).frame, "plan_code"),
        phases=phases,
        pauses=pauses,
    )


def _once(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    return rows.unique(key, keep="first", maintain_order=True)


def lives_without_time(tables: Tables) -> Iterator[Problem]:
    """A subscription ends after it starts, by the local clock and by instant."""
    for wrong in ends_out_of_order(whole_lives(tables)):
        yield Problem(Subscription.file_name, wrong.row, wrong.column, wrong.reason)


def anchors_without_rhythm(tables: Tables) -> Iterator[Problem]:
    """An anchor has what it is counted from, in a unit that its interval has."""
    anchored = ["interval", "anchor", "anchor_day"]
    rows = tables[Subscription].frame.select(
        "line", *anchored, has_anchor_at=pl.col("anchor_at").is_not_null()
    )
    for key, same in rows.group_by(*anchored, "has_anchor_at", maintain_order=True):
        interval, anchor, anchor_day, has_anchor_at = key
        for wrong in anchor_out_of_order(
            str(interval),
            str(anchor),
            None if anchor_day is None else str(anchor_day),
            has_anchor_at=bool(has_anchor_at),
        ):
            for line in same["line"]:
                yield Problem(Subscription.file_name, line, wrong.column, wrong.reason)


def time_text(label: datetime | None) -> str:
    """A local date, or date and time where it is no midnight."""
    if label is None:
        return "further notice"
    is_midnight = label.time() == time()
    return label.date().isoformat() if is_midnight else label.isoformat(sep=" ")


def lives_of_ended_customers(tables: Tables) -> Iterator[Problem]:
    """The subscriptions of a customer end on the day it ends, or before."""
    ends = tables.whole(Customer).frame.select("customer_id", "ends_on").drop_nulls()
    if ends.is_empty():
        return
    lives = whole_lives(tables).subscriptions.join(ends, on="customer_id", maintain_order="left")
    end, ends_on = pl.col("end_date_label"), pl.col("ends_on").cast(LABEL)
    too_long = resolved(lives, NOTHING_CLOSED, "end_date").filter(end.is_null() | (end > ends_on))
    for row in too_long.iter_rows(named=True):
        yield Problem(
            Subscription.file_name,
            row["row"],
            "end_date",
            f"the life goes on until {time_text(row['end_date_label'])}, but customer "
            f"{shown(row['customer_id'])} is gone from {row['ends_on']} on (ends_on in "
            "customers.csv); end it by then, or move ends_on",
        )


def trials_before_lives(tables: Tables) -> Iterator[str]:
    """A trial that is over before the subscription starts has no effect."""
    lives = whole_lives(tables).subscriptions.filter(pl.col("trial_until").is_not_null())
    bounds = resolved(lives, NOTHING_CLOSED, "start_date", "trial_until")
    over = bounds.filter(pl.col("trial_until_label") <= pl.col("start_date_label"))
    for row in over.iter_rows(named=True):
        yield (
            f"the trial of subscription {shown(row['subscription_id'])} ({Subscription.file_name}, "
            f"row {row['row']}) ends at {time_text(row['trial_until_label'])}, and the "
            f"subscription starts at {time_text(row['start_date_label'])}: it has no effect"
        )


TABLE = CatalogTable(
    Subscription,
    key=("subscription_id",),
    references=(
        Reference(("customer_id",), "customers.csv"),
        Reference(("plan_code",), "plans.csv"),
    ),
    rules=(lives_without_time, anchors_without_rhythm, lives_of_ended_customers),
    warnings=(trials_before_lives,),
)
