"""Periods and cuts, compared with oracles that go day by day, minute by minute, event by event.

The oracles share no code with the pipeline. They ask of each day whether a period begins on it,
step through a day to find its first instant, and look up every subscription of every event.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.catalog.periods import billing_periods
from pipelines.catalog.refusal_cuts import customer_names, refusal_cuts
from pipelines.periods.rhythm import longest_period_days
from pipelines.vocabulary.frames import CUSTOMER_NAMES
from pipelines.vocabulary.tables import UTC_MICROSECONDS
from tests.worlds.walked_periods import (
    ANCHORS,
    PLANS,
    ZONES,
    Customer,
    Subscription,
    begins_period,
    customers,
    days,
    first_instant,
    frame_of_customers,
    frame_of_subscriptions,
    subscriptions,
)


def made(subscription: Subscription, customer: Customer, until: datetime) -> pl.DataFrame:
    return billing_periods(
        frame_of_subscriptions([subscription]), frame_of_customers([customer]), PLANS, until
    )


def walked_periods(
    subscription: Subscription, customer: Customer, until: datetime
) -> Iterator[tuple[date, datetime, datetime, datetime]]:
    zone, grace = customer.time_zone, timedelta(days=customer.grace_period_days)
    day, starts = subscription.start_date, list[date]()
    # This is far enough to see the end of a period that has begun by `until`.
    reach = timedelta(
        days=2 + longest_period_days(subscription.interval, subscription.interval_count)
    )
    last = until.date() + reach
    if subscription.end_date is not None:
        last = min(last, subscription.end_date)
    while day <= last:
        if day == subscription.end_date or begins_period(subscription, day):
            starts.append(day)
        day += timedelta(days=1)
    for start, end in pairwise(starts):
        start_at, end_at = first_instant(zone, start), first_instant(zone, end)
        if start_at < end_at and start_at <= until:
            yield start, start_at, end_at, first_instant(zone, end + grace)


@given(subscriptions(), customers, st.integers(-2, 700), st.integers(0, 86_399))
@settings(max_examples=100, deadline=None)
def test_periods_are_those_of_a_walk_through_the_days(
    subscription: Subscription, customer: Customer, days_later: int, seconds: int
) -> None:
    until = datetime.combine(subscription.start_date, datetime.min.time(), UTC) + timedelta(
        days=days_later, seconds=seconds
    )

    periods = made(subscription, customer, until)

    assert periods.select(
        "period_start_date", "period_start_at", "period_end_at", "cut_at"
    ).rows() == list(walked_periods(subscription, customer, until))


@given(subscriptions(), customers, st.integers(0, 700), st.integers(0, 700))
@settings(max_examples=60, deadline=None)
def test_periods_tile_the_life_and_never_change_as_time_goes_on(
    subscription: Subscription, customer: Customer, days_later: int, days_more: int
) -> None:
    birth = first_instant(customer.time_zone, subscription.start_date)
    until = birth + timedelta(days=days_later)

    periods = made(subscription, customer, until)
    later = made(subscription, customer, until + timedelta(days=days_more))

    assert periods.equals(later.head(periods.height))
    assert periods["period_index"].to_list() == list(range(1, periods.height + 1))
    assert periods["period_end_at"].to_list()[:-1] == periods["period_start_at"].to_list()[1:]
    for period in periods.iter_rows(named=True):
        assert period["period_start_at"] < period["period_end_at"] <= period["cut_at"]
    if subscription.end_date != date(2011, 12, 31) or customer.time_zone != "Pacific/Apia":
        assert periods["period_start_at"].to_list()[:1] == [birth]
    if subscription.end_date is None and not periods.is_empty():
        assert periods["period_end_at"].to_list()[-1] > until


@given(st.lists(subscriptions(), max_size=6), customers, days)
@settings(max_examples=30, deadline=None)
def test_subscriptions_do_not_disturb_one_another(
    lives: list[Subscription], customer: Customer, day: date
) -> None:
    lives = [replace(life, subscription_id=f"s{number}") for number, life in enumerate(lives)]
    until = datetime.combine(day, datetime.min.time(), UTC)

    together = billing_periods(
        frame_of_subscriptions(lives), frame_of_customers([customer]), PLANS, until
    )

    alone = [made(life, customer, until) for life in lives]
    assert together.equals(pl.concat([together.clear(), *alone]))


@dataclass(frozen=True)
class Alias:
    alias: str
    customer_id: str
    valid_from_at: datetime | None
    valid_to_at: datetime | None


Row = dict[str, Any]

MICROSECOND = timedelta(microseconds=1)

YEAR = [datetime(2021, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(0, 366, 7)]


@st.composite
def catalogs(draw: st.DrawFn) -> tuple[list[Customer], list[Subscription], list[Alias]]:
    people = [
        Customer(
            identity,
            draw(st.sampled_from(ZONES[:5])),
            draw(st.integers(0, 40)),
            draw(st.sampled_from(["reject", "reject", "adjust"])),
        )
        for identity in ("c1", "c2")
    ]
    lives = []
    for number in range(draw(st.integers(0, 5))):
        start = draw(st.dates(date(2020, 12, 1), date(2021, 6, 30)))
        length = draw(st.none() | st.integers(1, 300))
        lives.append(
            Subscription(
                # One alias is the id of a customer, and may belong to another customer.
                f"s{number}" if number else "c1",
                draw(st.sampled_from(["c1", "c2"])),
                draw(st.sampled_from(["week", "month", "quarter"])),
                draw(st.integers(1, 2)),
                draw(st.sampled_from(ANCHORS)),
                start,
                None if length is None else start + timedelta(days=length),
            )
        )
    # The bounds follow each other, so that a name means at most one customer at each instant.
    bounds = sorted(draw(st.sets(st.sampled_from(YEAR), max_size=4)))
    edges = [None, *bounds, None]
    called = [
        Alias("web", draw(st.sampled_from(["c1", "c2"])), edges[i], edges[i + 1])
        for i in range(len(edges) - 1)
        if draw(st.booleans())
    ]
    return people, lives, called


def held_periods(
    kind: str, name: str, occurred_at: datetime, names: list[Row], periods: list[Row]
) -> list[Row]:
    held = [
        period
        for period in periods
        if period["period_start_at"] <= occurred_at < period["period_end_at"]
    ]
    if kind == "subscription":
        return [period for period in held if period["subscription_id"] == name]
    meant = [
        row["customer_id"]
        for row in names
        if row["name"] == name
        and (row["valid_from_at"] is None or row["valid_from_at"] <= occurred_at)
        and (row["valid_to_at"] is None or occurred_at < row["valid_to_at"])
    ]
    assert len(meant) <= 1
    return [period for period in held if period["customer_id"] in meant]


def refuses(received_at: datetime, held: list[Row]) -> bool:
    if not held or held[0]["late_usage_policy"] == "adjust":
        return False
    return all(received_at >= period["cut_at"] for period in held)


@given(catalogs(), st.data())
@settings(max_examples=100, deadline=None)
def test_refusal_is_that_of_looking_up_every_subscription(
    catalog: tuple[list[Customer], list[Subscription], list[Alias]], data: st.DataObject
) -> None:
    people, lives, called = catalog
    all_customers = frame_of_customers(people)
    periods = billing_periods(frame_of_subscriptions(lives), all_customers, PLANS, YEAR[-1])
    names = customer_names(
        all_customers.with_columns(ends_at=pl.lit(None, UTC_MICROSECONDS)),
        pl.DataFrame(
            [tuple(vars(alias).values()) for alias in called],
            schema=dict(zip(Alias.__annotations__, CUSTOMER_NAMES.values(), strict=True)),
            orient="row",
        ),
    )
    # There is usage at, just before and just after each bound, received around every cut.
    edges = sorted({*periods["period_start_at"], *periods["period_end_at"], *YEAR})
    nudges = st.sampled_from([-MICROSECOND, timedelta(0), MICROSECOND])
    usage = data.draw(
        st.lists(
            st.tuples(
                st.sampled_from(["customer", "subscription"]),
                st.sampled_from(["c1", "c2", "web", "s1", "s2", "nobody"]),
                st.sampled_from(edges),
                nudges,
            ),
            min_size=1,
            max_size=30,
        )
    )
    name_rows, period_rows = names.to_dicts(), periods.to_dicts()
    events, expected = list[tuple[str, str, datetime, datetime]](), list[bool]()
    for kind, name, edge, nudge in usage:
        held = held_periods(kind, name, edge + nudge, name_rows, period_rows)
        cuts_held = [period["cut_at"] for period in held] or [edge]
        for received_at in (
            cut + late for cut in cuts_held for late in (-MICROSECOND, 0 * MICROSECOND)
        ):
            events.append((kind, name, edge + nudge, received_at))
            expected.append(refuses(received_at, held))

    cuts = refusal_cuts(names, periods)

    assert backdated(events, cuts) == expected
    # The outcome is canonical: it is sorted, and each row changes the cut.
    assert cuts.equals(cuts.sort("kind", "name", "from_at"))
    assert cuts.equals(
        cuts.filter(
            pl.col("kind").ne_missing(pl.col("kind").shift())
            | pl.col("name").ne_missing(pl.col("name").shift())
            | pl.col("latest_cut_at").ne_missing(pl.col("latest_cut_at").shift())
        )
    )


def backdated(events: list[tuple[str, str, datetime, datetime]], cuts: pl.DataFrame) -> list[bool]:
    decided = (
        pl.DataFrame(
            [(number, *event) for number, event in enumerate(events)],
            schema={
                "number": pl.Int64(),
                "kind": pl.String(),
                "name": pl.String(),
                "occurred_at": UTC_MICROSECONDS,
                "received_at": UTC_MICROSECONDS,
            },
            orient="row",
        )
        .sort("occurred_at")
        .join_asof(
            cuts.sort("from_at"),
            left_on="occurred_at",
            right_on="from_at",
            by=["kind", "name"],
            strategy="backward",
            check_sortedness=False,  # both sides were sorted just above
        )
        .sort("number")
    )
    return (
        decided.select((pl.col("received_at") >= pl.col("latest_cut_at")).fill_null(False))
        .to_series()
        .to_list()
    )
