"""Open time after closings and edits, compared with a walk through the days.

The oracle shares no code with the pipeline: it asks of each day whether a period begins on it. What
is closed is a row of facts, made of the periods that a catalog had before it was edited.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.catalog.periods import billing_periods
from pipelines.periods.rhythm import longest_period_days
from pipelines.vocabulary.frames import CLOSED_SPANS
from tests.worlds.walked_periods import (
    ANCHORS,
    INTERVALS,
    PLANS,
    ZONES,
    Customer,
    Subscription,
    begins_period,
    customers,
    first_instant,
    frame_of_customers,
    frame_of_subscriptions,
    subscriptions,
)


@dataclass(frozen=True)
class Span:
    """Closed time without a gap, as it is stored."""

    start: date
    end: date
    start_at: datetime
    end_at: datetime
    last_cut_at: datetime


def frame_of_spans(spans: list[Span]) -> pl.DataFrame:
    midnight = datetime.min.time()
    rows = [
        {
            "subscription_id": "s",
            "span_start_at": span.start_at,
            "span_end_at": span.end_at,
            "span_start_label": datetime.combine(span.start, midnight),
            "span_end_label": datetime.combine(span.end, midnight),
            "last_cut_at": span.last_cut_at,
        }
        for span in spans
    ]
    return pl.DataFrame(rows, schema=CLOSED_SPANS)


def span_of(periods: pl.DataFrame) -> Span:
    rows = periods.sort("period_start_at").to_dicts()
    return Span(
        rows[0]["period_start_label"].date(),
        rows[-1]["period_end_label"].date(),
        rows[0]["period_start_at"],
        rows[-1]["period_end_at"],
        max(row["cut_at"] for row in rows),
    )


def walked_open_time(
    life: Subscription, customer: Customer, spans: list[Span], until: datetime
) -> Iterator[tuple[date, date, datetime, datetime, datetime]]:
    """First and next day, first and next instant, and the cut of each period."""
    zone, grace = customer.time_zone, timedelta(days=customer.grace_period_days)
    reach = 3 + longest_period_days(life.interval, life.interval_count)
    last_day = until.date() + timedelta(days=reach)
    edges: list[tuple[date, datetime | None]] = [(life.start_date, None)]
    for span in spans:
        edges += [(span.start, span.start_at), (span.end, span.end_at)]
    edges.append((life.end_date or last_day, None))
    floor = max((span.last_cut_at for span in spans), default=datetime.min.replace(tzinfo=UTC))
    for (day, start_at), (stop, stop_at) in zip(edges[::2], edges[1::2], strict=True):
        first, begun_at, walked = day, start_at or first_instant(zone, day), day
        follows_closed_time = start_at is not None
        while walked < stop and begun_at <= until:
            walked += timedelta(days=1)
            if walked < stop and not begins_period(life, walked):
                continue
            end_at = first_instant(zone, walked)
            if stop_at is not None and (walked == stop or end_at >= stop_at):
                walked, end_at = stop, stop_at
            if end_at > begun_at:
                if walked == last_day:
                    return
                yield (
                    first,
                    walked,
                    begun_at,
                    end_at,
                    max(floor, first_instant(zone, walked + grace)),
                )
                first, begun_at, follows_closed_time = walked, end_at, False
            elif not follows_closed_time:
                # The zone skipped that day.
                first = walked


edits = st.fixed_dictionaries(
    {
        "time_zone": st.sampled_from(ZONES),
        "grace_period_days": st.integers(0, 10),
        "interval": st.sampled_from(INTERVALS),
        "interval_count": st.integers(1, 3),
        "anchor": st.sampled_from(ANCHORS),
        "earlier_days": st.integers(0, 40) | st.just(0),
        "is_ended": st.booleans(),
        "end_days": st.integers(0, 90),
    }
)


@given(subscriptions(), customers, st.lists(st.booleans(), min_size=1, max_size=6), edits)
@settings(max_examples=150, deadline=None)
def test_open_time_is_that_of_a_walk_through_the_days(
    life: Subscription, customer: Customer, are_closed: list[bool], edit: dict[str, object]
) -> None:
    birth = first_instant(customer.time_zone, life.start_date)
    before = billing_periods(
        frame_of_subscriptions([life]),
        frame_of_customers([customer]),
        PLANS,
        birth + timedelta(days=2_000),
    ).head(len(are_closed))
    spans = list[Span]()
    for number, is_closed in enumerate(are_closed[: before.height]):
        if is_closed and number and are_closed[number - 1]:
            joined = before.slice(number, 1)
            last = span_of(joined)
            spans[-1] = replace(
                spans[-1],
                end=last.end,
                end_at=last.end_at,
                last_cut_at=max(last.last_cut_at, spans[-1].last_cut_at),
            )
        elif is_closed:
            spans.append(span_of(before.slice(number, 1)))
    new_customer = replace(
        customer,
        time_zone=str(edit["time_zone"]),
        grace_period_days=int(str(edit["grace_period_days"])),
    )
    closed_until = max((span.end for span in spans), default=life.start_date)
    new_life = replace(
        life,
        interval=str(edit["interval"]),
        interval_count=int(str(edit["interval_count"])),
        anchor=str(edit["anchor"]),
        start_date=life.start_date - timedelta(days=int(str(edit["earlier_days"]))),
        end_date=closed_until + timedelta(days=int(str(edit["end_days"])))
        if edit["is_ended"]
        else None,
    )
    until = birth + timedelta(days=200)

    periods = billing_periods(
        frame_of_subscriptions([new_life]),
        frame_of_customers([new_customer]),
        PLANS,
        until,
        frame_of_spans(spans),
    )

    found = periods.select(
        pl.col("period_start_label").dt.date(),
        pl.col("period_end_label").dt.date(),
        "period_start_at",
        "period_end_at",
        "cut_at",
    ).rows()
    assert found == list(walked_open_time(new_life, new_customer, spans, until))
    # Open and closed time neither overlap nor leave a gap, by instants.
    bounds = sorted(
        [(row[2], row[3]) for row in found] + [(span.start_at, span.end_at) for span in spans]
    )
    assert all(left[1] <= right[0] for left, right in pairwise(bounds))
