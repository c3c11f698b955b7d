"""Lives written into the files of a catalog: their periods are those of preview and the witness."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.catalog.calendar import periods_until
from pipelines.catalog.catalog import TABLES, Catalog, catalog_of, validated_tables
from pipelines.catalog.closed_time import collisions
from pipelines.vocabulary.frames import CLOSED_SPANS
from tests.worlds.lives import is_sensible, lives, name_of, whens
from tests.worlds.periods import NOTHING_CLOSED
from tests.worlds.previews import answers_to, case_of, written
from witness import periods as witness
from witness.periods import Life, Phase

CURRENCIES = {"p": "", "p0": "USD", "p1": "JPY"}
"""Of plans that lives are on; others have that of the customer, EUR."""


def catalog_with(many: Sequence[Life]) -> Catalog:
    """A catalog of these lives, a customer each."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    rows["plans.csv"] = [
        {"plan_code": code, "name": code, "currency": currency}
        for code, currency in (
            {each.plan_code: "" for life in many for each in life.phases} | CURRENCIES
        ).items()
    ]
    rows["sources.csv"] = [
        {"source": "cdn", "dialect": "metronome", "dedupe_window_days": "unlimited",
         "future_skew_hours": "0", "received_at_from": "path"},
    ]  # fmt: skip
    for number, life in enumerate(many):
        rows["customers.csv"].append(
            {"customer_id": f"c{number}", "name": "C", "currency": "EUR",
             "time_zone": life.time_zone, "grace_period_days": life.grace_period_days,
             "late_usage_policy": "reject"}
        )  # fmt: skip
        whens = {
            "start_date": life.start,
            "end_date": life.end,
            "anchor_at": life.anchor_at,
            "trial_until": life.trial_until,
        }
        own = {"subscription_id": name_of(number)}
        rows["subscriptions.csv"].append(
            own | {"customer_id": f"c{number}", "plan_code": life.plan_code,
                   "interval": life.interval, "interval_count": life.interval_count,
                   "anchor": life.anchor, "anchor_day": life.anchor_day or "",
                   **{name: written(when) for name, when in whens.items() if when is not None}}
        )  # fmt: skip
        rows["subscription_phases.csv"] += [
            own | {"from": written(each.start), "plan_code": each.plan_code,
                   "realign": "yes" if each.realign else ""}
            for each in life.phases
        ]  # fmt: skip
        rows["subscription_pauses.csv"] += [
            own | {"from": written(start), "to": written(end)} for start, end in life.pauses
        ]
    files = {name: _csv(name, each) for name, each in rows.items()}
    return catalog_of(validated_tables(files, frozenset()), files)


def _csv(name: str, rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, [each.name for each in TABLES[name].columns], restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def with_one_pause(life: Life) -> Life:
    """The life as a catalog may have it: two pauses would overlap."""
    return replace(life, pauses=life.pauses[:1])


@given(
    st.lists(lives().map(with_one_pause).filter(is_sensible), min_size=1, max_size=4),
    st.integers(0, 300),
)
@settings(max_examples=30, deadline=None)
def test_periods_of_a_catalog_are_those_of_preview_and_of_the_witness(
    many: list[Life], days_later: int
) -> None:
    until = max(witness.point(life, life.start).at for life in many) + timedelta(days=days_later)

    periods = periods_until(catalog_with(many), NOTHING_CLOSED, until)

    for number, life in enumerate(many):
        own = periods.filter(pl.col("subscription_id") == name_of(number))
        found = own.select(
            "phase_index", "plan_code", "currency", "period_start_at", "period_end_at",
            "period_start_label", "service_days", "full_days", "cut_at", "is_trial",
        ).rows()  # fmt: skip
        assert found == [
            (each.phase_index, each.plan_code, CURRENCIES[each.plan_code] or "EUR", each.start_at,
             each.end_at, each.start_label, each.service_days, each.full_days, each.cut_at,
             each.is_trial)
            for each in witness.open_periods(life, until)
        ]  # fmt: skip
        asked = case_of(life, count=max(len(found), 1)) | {"id": "x"}
        asked["subscription"]["pauses"] = [
            {"from": written(start), "to": written(end)} for start, end in life.pauses
        ]
        (answer,) = answers_to(asked)
        told = [
            (each["phase_index"], each["period_start_at"], each["period_end_at"],
             each["full_start_at"], each["full_end_at"], each["service_days"], each["full_days"],
             each["cut_at"], each["is_trial"])
            for each in answer["result"]["periods"]
        ]  # fmt: skip
        assert told[: len(found)] == [
            (each["phase_index"], *(written(each[name]) for name in BOUNDS), each["service_days"],
             each["full_days"], written(each["cut_at"]), each["is_trial"])
            for each in own.iter_rows(named=True)
        ]  # fmt: skip


BOUNDS = ("period_start_at", "period_end_at", "full_start_at", "full_end_at")


def closed_rows_of(periods: pl.DataFrame) -> pl.DataFrame:
    """These periods as closed time, a span each; schema `CLOSED_SPANS`."""
    return periods.select(
        "subscription_id", "customer_id", "plan_code", "currency", "time_zone",
        "phase_start_label",
        metric_codes=pl.lit(""),
        void_invoice_id=pl.lit(None, pl.String),
        span_start_at="period_start_at", span_end_at="period_end_at",
        span_start_label="period_start_label", span_end_label="period_end_label",
        last_cut_at="cut_at",
        last_period=pl.lit("s/1"),
        overlaps_itself=pl.lit(value=False),
    ).select(pl.col(name).cast(dtype) for name, dtype in CLOSED_SPANS.items())  # fmt: skip


def ended_by_clock_alone(life: Life, closed: pl.DataFrame) -> bool:
    """True if clocks of the new zone show an end that is still to come as an earlier one."""
    last = closed.row(-1, named=True)
    return isinstance(life.end, datetime) and life.end > last["span_end_at"]


@given(lives().map(with_one_pause).filter(is_sensible), st.data())
@settings(max_examples=30, deadline=None)
def test_edit_that_changes_no_closed_day_is_never_refused(life: Life, data: st.DataObject) -> None:
    closed = NOTHING_CLOSED
    begun_at = witness.point(life, life.start).at
    for _ in range(3):
        catalog = catalog_with([life])
        problems = collisions(catalog, closed, frozenset())
        assert {problem.column for problem in problems} <= {"end_date"}, problems
        if problems:
            assert ended_by_clock_alone(life, closed)
            return
        until = max([begun_at, *closed["span_end_at"]]) + timedelta(days=150)
        periods = periods_until(catalog, closed, until)
        tiles = pl.concat([closed, closed_rows_of(periods)])
        assert tiles["span_end_at"].to_list()[:-1] == tiles["span_start_at"].to_list()[1:]
        assert (tiles["span_start_at"] < tiles["span_end_at"]).all()
        closable = data.draw(st.integers(1, 4))
        closed = tiles.head(closed.height + closable)
        life = data.draw(edits_of(life, closed).filter(is_sensible))


@st.composite
def edits_of(draw: st.DrawFn, life: Life, closed: pl.DataFrame) -> Life:
    """The life with another zone, grace, rhythm and pause, perhaps with one more change later."""
    another = draw(lives())
    phases = list(life.phases)
    if draw(st.booleans()):
        after = closed["span_end_label"][-1].date() + timedelta(days=2)
        phases.append(
            Phase(draw(whens(after, 0, 20)), f"after{closed.height}", draw(st.booleans()))
        )
    return replace(
        life,
        time_zone=draw(st.sampled_from([life.time_zone, another.time_zone])),
        interval=another.interval,
        interval_count=another.interval_count,
        anchor=another.anchor,
        anchor_day=another.anchor_day,
        anchor_at=another.anchor_at,
        trial_until=another.trial_until,
        grace_period_days=another.grace_period_days,
        pauses=another.pauses[:1],
        phases=phases,
    )
