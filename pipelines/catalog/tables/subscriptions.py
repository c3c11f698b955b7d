"""subscriptions.csv: who is billed for which plan, and for which days."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.catalog.cells import CODE, DATE, TEXT, one_of, shown, whole_number
from pipelines.catalog.charge_models.charge import Charge
from pipelines.catalog.rows import Problem, Row, column
from pipelines.catalog.table import CatalogTable, Reference, Rows, Tables
from pipelines.catalog.tables.customers import Customer
from pipelines.periods.rhythm import INTERVALS

INTERVAL_COUNT_MAX = 999
"""Most units of an interval in one period."""


@dataclass(frozen=True, kw_only=True)
class Subscription(Row):
    """One row per subscription; its days are the customer's local ones.

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
        one_of("calendar", "anniversary"),
        "Where periods are counted from: the calendar unit, or the start date.",
    )
    start_date: date = column(DATE, "First day.")
    end_date: date | None = column(DATE, "First day without it; empty is open.", empty=None)


def plans_by_subscription(tables: Tables) -> dict[str, set[str]]:
    """The plans that each subscription is ever on."""
    lives = tables.whole(Subscription).frame.select("subscription_id", "plan_code")
    return {subscription_id: {plan_code} for subscription_id, plan_code in lives.iter_rows()}


def lives_without_days(tables: Tables) -> Iterator[Problem]:
    """A subscription ends after it starts."""
    for row in tables.whole(Subscription).where(pl.col("end_date") <= pl.col("start_date")):
        yield row.problem(
            "end_date",
            f"{row.end_date} is not after start_date {row.start_date}; the end is the first "
            "day without the subscription",
        )


def lives_of_ended_customers(tables: Tables) -> Iterator[Problem]:
    """The subscriptions of a customer end before it does."""
    ends = dict(
        tables.whole(Customer).frame.select("customer_id", "ends_on").drop_nulls().iter_rows()
    )
    for row in tables.whole(Subscription).where(pl.col("customer_id").is_in(list(ends))):
        ends_on = ends[row.customer_id]
        if row.end_date is None or row.end_date > ends_on:
            yield row.problem(
                "end_date",
                f"{row.end_date or 'an open end'} is after {ends_on}, from which on customer "
                f"{shown(row.customer_id)} is gone (ends_on in customers.csv); end it by then, or "
                "move ends_on",
            )


def lives_before_prices(tables: Tables) -> Iterator[Problem]:
    """Every charge of a plan has a price when the first subscription to it starts."""
    lives = tables.whole(Subscription).frame.sort("start_date", "line")
    earliest = Rows(Subscription, lives.unique("plan_code", keep="first", maintain_order=True))
    first_lives = {life.plan_code: life for life in earliest}
    first_prices = dict[tuple[str, str], Charge]()
    for charge in tables.whole(Charge).where(pl.col("subscription_id").is_null()):
        key = (charge.plan_code, charge.charge_code)
        if charge.valid_from <= first_prices.setdefault(key, charge).valid_from:
            first_prices[key] = charge
    for (plan_code, charge_code), charge in first_prices.items():
        life = first_lives.get(plan_code)
        if life is not None and charge.valid_from > life.start_date:
            yield charge.problem(
                "valid_from",
                f"{charge.valid_from} is the first price of {shown(charge_code)}, but subscription "
                f"{shown(life.subscription_id)} (subscriptions.csv, row {life.line}) is on plan "
                f"{shown(plan_code)} from {life.start_date} on; date the first price on or "
                "before that day (finalized invoices do not change)",
            )


def metrics_charged_twice(tables: Tables) -> Iterator[Problem]:
    """Subscriptions of one customer that overlap charge different metrics.

    An event need not name its subscription, so each metric must find exactly one.
    """
    metrics = defaultdict[str, set[str]](set)
    for charge in tables.whole(Charge):
        if charge.metric_code is not None:
            metrics[charge.plan_code].add(charge.metric_code)
    lives = defaultdict[tuple[str, str], list[Subscription]](list)
    for row in tables.whole(Subscription).where(pl.col("customer_id").is_duplicated()):
        for metric in metrics[row.plan_code]:
            lives[row.customer_id, metric].append(row)
    clashes = defaultdict[tuple[int, int], list[tuple[str, Subscription, Subscription]]](list)
    for (_, metric), rows in lives.items():
        rows.sort(key=lambda row: (row.start_date, row.line))
        latest = rows[0]
        for row in rows[1:]:
            if row.start_date < (latest.end_date or date.max):
                clashes[row.line, latest.line].append((metric, row, latest))
            latest = max(latest, row, key=lambda row: row.end_date or date.max)
    for clash in clashes.values():
        _, row, latest = clash[0]
        charged = ", ".join(sorted(shown(metric) for metric, _, _ in clash))
        yield row.problem(
            "plan_code",
            f"{shown(row.plan_code)} charges {charged} from {row.start_date}, for which "
            f"subscription {shown(latest.subscription_id)} (row {latest.line}) bills the same "
            f"customer until {latest.end_date or 'further notice'}; no event is billed twice for "
            "one metric, so end one before the other starts, or use a plan without that metric",
        )


def plans_without_charges(tables: Tables) -> Iterator[str]:
    """A plan that is subscribed to but has no charges gives empty invoices."""
    charged = tables[Charge].frame["plan_code"]
    subscribed = tables[Subscription].frame["plan_code"]
    for plan_code in sorted(set(subscribed.unique()) - set(charged.unique())):
        yield f"plan {shown(plan_code)} has subscriptions but no charges: its invoices are empty"


TABLE = CatalogTable(
    Subscription,
    key=("subscription_id",),
    references=(
        Reference(("customer_id",), "customers.csv"),
        Reference(("plan_code",), "plans.csv"),
    ),
    rules=(
        lives_without_days,
        lives_of_ended_customers,
        lives_before_prices,
        metrics_charged_twice,
    ),
    warnings=(plans_without_charges,),
)
