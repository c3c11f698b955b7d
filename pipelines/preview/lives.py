"""Lives of cases: a subscription as a case gives it, by the rules of the catalog."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl

from pipelines.catalog.cells import DAYS_MAX, TEXT, YES_NO, one_of, whole_number
from pipelines.catalog.tables.subscriptions import INTERVAL_COUNT_MAX
from pipelines.periods.lives import PAUSES, PHASES, SUBSCRIPTIONS, Lives, resolved
from pipelines.periods.rhythm import ANCHORS, INTERVALS, WEEKDAYS
from pipelines.preview.faults import Code, Fault
from pipelines.preview.fields import Fields
from pipelines.preview.kinds.kind import Key
from pipelines.preview.texts import when_cell
from pipelines.vocabulary.frames import CLOSED_SPANS

NOTHING_CLOSED = CLOSED_SPANS.to_frame()
"""A case has no closed time."""

_NO_BOUND = datetime(3000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Life:
    """The subscription of a case, with its values as in the catalog."""

    row: dict[str, Any]
    phases: list[dict[str, Any]]
    pauses: list[dict[str, Any]]


def read_life(fields: Fields) -> Life:
    """The member `subscription` of a case, with its `time_zone` and `grace_period_days`."""
    zone = fields.time_zone()
    grace = fields.text("grace_period_days", whole_number(0, DAYS_MAX), 0)
    fields.require("subscription")
    life = fields.inner("subscription", "subscriptions")
    row = _read_subscription(life) | {"time_zone": zone, "grace_period_days": grace}
    phases = []
    for phase in life.rows("phases", "subscription_phases"):
        phase.require("from", "plan_code")
        plan_code, realign = phase.text("plan_code", TEXT), phase.text("realign", YES_NO, False)
        phases.append({"from": phase.when("from"), "plan_code": plan_code, "realign": realign})
        phase.close()
    pauses = []
    for pause in life.rows("pauses", "subscription_pauses"):
        pause.require("from", "to")
        pauses.append({"from": pause.when("from"), "to": pause.when("to")})
        pause.close()
    life.close()
    return Life(row, phases, pauses)


def _read_subscription(life: Fields) -> dict[str, Any]:
    life.require("start_date")
    row = {
        "interval": life.needed("interval", one_of(*INTERVALS)),
        "interval_count": life.text("interval_count", whole_number(1, INTERVAL_COUNT_MAX), 1),
        "anchor": life.text("anchor", one_of(*ANCHORS), "anniversary"),
        "anchor_day": life.text("anchor_day", TEXT),
        "anchor_at": life.when("anchor_at"),
        "start_date": life.when("start_date"),
        "end_date": life.when("end_date"),
        "trial_until": life.when("trial_until"),
    }
    _check_anchor(life, row)
    return row


def _check_anchor(life: Fields, row: Mapping[str, Any]) -> None:
    anchor, day = row["anchor"], row["anchor_day"]
    for name, anchors in (("anchor_day", "day"), ("anchor_at", "at")):
        is_there = life.has(name)
        if anchor == anchors and not is_there:
            life.note(Code.MISSING_FIELD, name, f"is missing; anchor {anchor} needs it")
        elif anchor is not None and anchor != anchors and is_there:
            reason = f"goes with anchor {anchors}, not with {anchor}; remove it"
            life.note(Code.CONTRADICTION, name, reason)
    if day is None:
        return
    is_weekday = day in WEEKDAYS
    is_number = day.isdecimal() and day.isascii() and day[0] != "0" and 1 <= int(day) <= 31
    if not is_weekday and not is_number:
        reason = f"expected 1 to 31 or a weekday such as monday, found {day!r}"
        life.note(Code.BAD_VALUE, "anchor_day", reason)
    elif anchor == "day" and row["interval"] is not None:
        fits = "week" if is_weekday else "month, quarter, half_year or year"
        if (row["interval"] == "week") != is_weekday or row["interval"] == "day":
            reason = f"{day} goes with the interval {fits}, not with {row['interval']}"
            life.note(Code.CONTRADICTION, "anchor_day", reason)


def lives_of(lives: Mapping[Key, Life], until_at: Mapping[Key, datetime]) -> Lives:
    """The subscriptions of cases as the calendar takes them; each is named by its key."""
    about = {"customer_id": "", "plan_code": "", "currency": "", "late_usage_policy": ""}
    whens = ("anchor_at", "start_date", "end_date", "trial_until")
    rows = [
        about
        | life.row
        | {name: when_cell(life.row[name]) for name in whens}
        | {"subscription_id": name_of(key), "customer_id": name_of(key)}
        | {"until_at": until_at.get(key, _NO_BOUND)}
        for key, life in lives.items()
    ]
    phases = [
        phase | {"from": when_cell(phase["from"]), "subscription_id": name_of(key), "currency": ""}
        for key, life in lives.items()
        for phase in life.phases
    ]
    pauses = [
        {name: when_cell(bound) for name, bound in pause.items()}
        | {"subscription_id": name_of(key)}
        for key, life in lives.items()
        for pause in life.pauses
    ]
    return Lives(
        pl.DataFrame(rows, SUBSCRIPTIONS),
        pl.DataFrame(phases, PHASES),
        pl.DataFrame(pauses, PAUSES),
    )


def name_of(key: Key) -> str:
    """The subscription_id of a case, in the order of keys."""
    return f"{key:09}"


def contradictions(lives: Mapping[Key, Life]) -> dict[Key, list[Fault]]:
    """What contradicts itself in the lives of cases; a life that is right has no entry.

    Starts, changes and ends must come in order, by the local clock and by instant.
    """
    made = lives_of(lives, {})
    zones = made.subscriptions.select("subscription_id", "time_zone")
    own = resolved(made.subscriptions, NOTHING_CLOSED, "start_date", "end_date")
    phases = resolved(_with_zone(made.phases, zones), NOTHING_CLOSED, "from")
    pauses = resolved(_with_zone(made.pauses, zones), NOTHING_CLOSED, "from", "to")
    lists: dict[str, tuple[list[_Row], list[_Row]]] = {
        row["subscription_id"]: ([], []) for row in own.iter_rows(named=True)
    }
    for place, frame in enumerate((phases, pauses)):
        for row in frame.iter_rows(named=True):
            lists[row["subscription_id"]][place].append(row)
    found = {}
    for key, row in zip(lives, own.iter_rows(named=True), strict=True):
        faults = list(_faults(row, *lists[row["subscription_id"]]))
        if faults:
            found[key] = faults
    return found


_Row = dict[str, Any]
_PATH = "subscription"


def _with_zone(rows: pl.DataFrame, zones: pl.DataFrame) -> pl.DataFrame:
    return rows.join(zones, on="subscription_id", maintain_order="left")


def _faults(own: _Row, phases: list[_Row], pauses: list[_Row]) -> Iterator[Fault]:
    start, end = _point(own, "start_date"), _point(own, "end_date")
    if end is not None and not _is_before(start, end):
        yield _fault("", "end_date", 0, f"expected later than the start, found {_text(end)}")
    before, before_row = start, -1
    for place in sorted(range(len(phases)), key=lambda place: phases[place]["from_at"]):
        change = _point(phases[place], "from")
        what = "the start" if before_row < 0 else f"the change of row {before_row}"
        if not _is_before(before, change):
            yield _fault("phases", "from", place, f"expected later than {what} by the local clock "
                         f"and by instant, found {_text(change)}")  # fmt: skip
        elif end is not None and not _is_before(change, end):
            yield _fault("phases", "from", place, f"expected before the end, found {_text(change)}")
        before, before_row = change, place
    until, until_row = None, -1
    for place in sorted(range(len(pauses)), key=lambda place: pauses[place]["from_at"]):
        pause, resumed = _point(pauses[place], "from"), _point(pauses[place], "to")
        if not _is_before(pause, resumed):
            yield _fault("pauses", "to", place, f"expected later than from, found {_text(resumed)}")
        if until is not None and pause[1] < until[1]:
            yield _fault("pauses", "from", place, f"expected at or after the end of the pause of "
                         f"row {until_row}, found {_text(pause)}")  # fmt: skip
        if until is None or resumed[1] > until[1]:
            until, until_row = resumed, place


_Point = tuple[datetime, datetime]
"""A label and its instant."""


def _point(row: _Row, name: str) -> Any:
    if row[f"{name}_at"] is None:
        return None
    return row[f"{name}_label"], row[f"{name}_at"]


def _is_before(one: _Point, other: _Point) -> bool:
    return one[0] < other[0] and one[1] < other[1]


def _text(point: _Point) -> str:
    return (
        f"{point[0].isoformat(sep=' ')} local, {point[1]:%Y-%m-%dT%H:%M:%SZ}; correct one of them"
    )


def _fault(rows: str, name: str, place: int, reason: str) -> Fault:
    path = f"{_PATH}.{rows}[{place}].{name}" if rows else f"{_PATH}.{name}"
    table = f"subscription_{rows}" if rows else "subscriptions"
    return Fault(Code.CONTRADICTION, path, reason, table, place, name)
