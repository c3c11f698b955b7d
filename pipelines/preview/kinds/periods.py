"""`periods`: the calendar of a subscription, by the function that bills."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from pipelines.catalog.cells import whole_number
from pipelines.periods.boundaries import boundaries_around
from pipelines.periods.lives import NOTHING_CLOSED, WHEN, Lives, resolved, when_cell
from pipelines.periods.open_periods import open_periods, phases_in_force
from pipelines.periods.rhythm import longest_period_days
from pipelines.preview.faults import CaseError, Code, Fault
from pipelines.preview.fields import Fields, When
from pipelines.preview.kinds.kind import Key, Kind, Result
from pipelines.preview.lives import (
    Life,
    contradictions,
    lives_of,
    name_of,
    read_life,
)
from pipelines.preview.texts import instant_text

PERIODS_MAX = 10_000
"""Most periods that are worked out for a case."""

_CALENDAR_ENDS = datetime(6000, 1, 1, tzinfo=UTC)
"""No period that starts later is worked out."""

_PERIODS_AT_A_TIME = 300_000
"""Periods of many cases that are worked out together; it bounds the memory."""

_TICK = timedelta(microseconds=1)
_SLACK = timedelta(days=3)
"""More than clocks are ahead of UTC, and than a zone ever skipped."""


@dataclass(frozen=True)
class _Case:
    """A case, and which of its periods are asked for: `at`, `until` or `count`."""

    life: Life
    asked: str
    value: When | int


def _read(fields: Fields) -> _Case:
    life = read_life(fields)
    asked = fields.one_of("at", "until", "count") or "count"
    at, until = fields.when("at"), fields.when("until")
    count = fields.text("count", whole_number(1, 999_999_999))
    if count is not None and count > PERIODS_MAX:
        fields.note(
            Code.TOO_LARGE, "count", f"expected at most {PERIODS_MAX}, found {count}; ask for less"
        )
    return _Case(life, asked, {"at": at, "until": until}.get(asked) or count)


def _answer(cases: Mapping[Key, _Case]) -> dict[Key, Result | CaseError]:
    wrong = contradictions({key: case.life for key, case in cases.items()})
    found: dict[Key, Result | CaseError] = {key: CaseError(each) for key, each in wrong.items()}
    asked = _asked({key: case for key, case in cases.items() if key not in found})
    for row in asked.iter_rows(named=True):
        if row["least_periods"] > PERIODS_MAX:
            found[row["key"]] = _too_large(cases[row["key"]])
    asked = asked.filter(pl.col("least_periods") <= PERIODS_MAX)
    for part in asked.partition_by("part", maintain_order=True):
        found |= _worked_out(part, cases)
    return found


def _too_large(case: _Case) -> CaseError:
    reason = f"more than {PERIODS_MAX} periods come before it; ask for a nearer instant"
    return CaseError([Fault(Code.TOO_LARGE, case.asked, reason)])


def _asked(cases: Mapping[Key, _Case]) -> pl.DataFrame:
    """One row per case: what bounds its periods, and in which part it is worked out.

    Columns: key, asked, asked_at (null with count), until_at, least_periods, part.
    """
    rows = [
        {
            "key": key,
            "time_zone": case.life.row["time_zone"],
            "subscription_id": name_of(key),
            "asked": case.asked,
            "start": when_cell(case.life.row["start_date"]),
            "asked_when": when_cell(case.value if isinstance(case.value, date) else None),
            "count": case.value if case.asked == "count" else None,
            "longest": longest_period_days(
                case.life.row["interval"], case.life.row["interval_count"]
            ),
        }
        for key, case in cases.items()
    ]
    schema = pl.Schema(
        {
            "key": pl.Int64(),
            "time_zone": pl.String(),
            "subscription_id": pl.String(),
            "asked": pl.String(),
            "start": WHEN,
            "asked_when": WHEN,
            "count": pl.Int64(),
            "longest": pl.Int64(),
        }
    )
    frame = resolved(pl.DataFrame(rows, schema), NOTHING_CLOSED, "start", "asked_when")
    start_at, asked_at = pl.col("start_at"), pl.col("asked_when_at")
    # Of `at`, the period after the one that holds it is asked for too.
    following = pl.duration(days="longest") + _SLACK
    days_left = (pl.lit(_CALENDAR_ENDS) - start_at).dt.total_days()
    days = pl.min_horizontal(pl.col("count") * pl.col("longest"), days_left)
    until_at = (
        pl.when(pl.col("asked") == "at")
        .then(pl.max_horizontal(asked_at, start_at) + following)
        .when(pl.col("asked") == "until")
        .then(asked_at - _TICK)
        .otherwise(start_at + pl.duration(days=days))
    )
    made = frame.with_columns(until_at=until_at, asked_at=asked_at)
    span = (pl.min_horizontal("until_at", "asked_at") - start_at).dt.total_days()
    least = pl.when(pl.col("asked") == "count").then("count").otherwise(span // pl.col("longest"))
    return made.with_columns(least_periods=least.clip(lower_bound=0)).with_columns(
        part=(pl.col("least_periods") + 1).cum_sum() // _PERIODS_AT_A_TIME
    )


def _worked_out(asked: pl.DataFrame, cases: Mapping[Key, _Case]) -> dict[Key, Result | CaseError]:
    until_at = dict(asked.select("key", "until_at").iter_rows())
    lives = lives_of({key: cases[key].life for key in until_at}, until_at)
    periods = open_periods(lives, NOTHING_CLOSED).with_columns(index=pl.col("period_index") - 1)
    counted = _counted(periods, asked)
    told, around = _told(periods, counted), _boundaries(lives, asked)
    found: dict[Key, Result | CaseError] = {}
    for row in counted.iter_rows(named=True):
        case = cases[row["key"]]
        is_endless = case.life.row["end_date"] is None
        if row["known"] < (row["count"] or 0) and is_endless:
            reason = f"only {row['known']} periods start before the year {_CALENDAR_ENDS.year}"
            found[row["key"]] = CaseError(
                [Fault(Code.OVERFLOW, "count", f"{reason}; ask for fewer")]
            )
        elif (row["started"] or 0) > PERIODS_MAX:
            found[row["key"]] = _too_large(case)
        else:
            found[row["key"]] = {
                "periods": told.get(row["subscription_id"], []),
                "held_by": row["held_by"],
                "ended": row["ended"],
                "boundaries": around.get(row["subscription_id"]),
            }
    return found


def _counted(periods: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """The rows of `asked` with the numbers of periods, and the first and last one to tell.

    Columns: known (all that were worked out), started and ended (by the instant that is asked;
    null with count), held_by, first_index, last_index.
    """
    by_case = (
        periods.join(asked.select("subscription_id", "asked_at"), on="subscription_id")
        .group_by("subscription_id")
        .agg(
            known=pl.len(),
            started=(pl.col("period_start_at") <= pl.col("asked_at")).sum(),
            ended=(pl.col("period_end_at") <= pl.col("asked_at")).sum(),
        )
    )
    is_at, is_count = pl.col("asked") == "at", pl.col("asked") == "count"
    started = pl.col("started").cast(pl.Int64)
    is_held = is_at & (started > pl.col("ended"))
    return (
        asked.join(by_case, on="subscription_id", how="left", maintain_order="left")
        .with_columns(pl.col("known", "started", "ended").fill_null(0))
        .with_columns(
            started=pl.when(~is_count).then(started),
            ended=pl.when(~is_count).then("ended"),
            held_by=pl.when(is_held).then(started - 1),
            # At an instant: the period that holds it between its neighbours, or else the nearest.
            first_index=pl.when(is_at)
            .then((started - 1 - is_held.cast(pl.Int64)).clip(lower_bound=0))
            .otherwise(0),
            last_index=pl.when(is_at)
            .then(pl.when(is_held).then(started).otherwise((started - 1).clip(lower_bound=0)))
            .when(is_count)
            .then(pl.col("count") - 1)
            .otherwise(PERIODS_MAX),
        )
    )


def _told(periods: pl.DataFrame, counted: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """The periods that each case asks for, as answers write them, by subscription_id."""
    asked = periods.join(
        counted.select("subscription_id", "first_index", "last_index"),
        on="subscription_id",
        maintain_order="left",
    ).filter(pl.col("index").is_between("first_index", "last_index"))
    rows = asked.select(
        "subscription_id",
        "index",
        "phase_index",
        instant_text("period_start_at"),
        instant_text("period_end_at"),
        pl.col("period_start_label").dt.date().cast(pl.String).alias("start_date"),
        pl.col("period_end_label").dt.date().cast(pl.String).alias("end_date"),
        instant_text("full_start_at"),
        instant_text("full_end_at"),
        "service_days",
        "full_days",
        instant_text("cut_at"),
        "is_trial",
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows.iter_rows(named=True):
        found.setdefault(row.pop("subscription_id"), []).append(row)
    return found


def _boundaries(lives: Lives, asked: pl.DataFrame) -> dict[str, dict[str, str | None]]:
    """The boundaries around `at` of each case that asks for it, as texts, by subscription_id."""
    at = asked.filter(pl.col("asked") == "at").select("subscription_id", around_at="asked_at")
    names = ("before", "on_or_before", "on_or_after", "after")
    texts = boundaries_around(phases_in_force(lives, at)).select(
        "subscription_id", *(instant_text(name) for name in names)
    )
    return {name: dict(zip(names, each, strict=True)) for name, *each in texts.iter_rows()}


KIND = Kind("periods", _read, _answer)
