"""Lives of cases: a subscription as a case gives it, by the rules of the catalog."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl

from pipelines.catalog.cells import ANCHOR_DAY, DAYS_MAX, TEXT, YES_NO, one_of, whole_number
from pipelines.catalog.tables.subscriptions import INTERVAL_COUNT_MAX
from pipelines.periods.lives import PAUSES, PHASES, SUBSCRIPTIONS, Lives, when_cell
from pipelines.periods.order import (
    Contradiction,
    anchor_out_of_order,
    ends_out_of_order,
    pauses_out_of_order,
    phases_out_of_order,
)
from pipelines.periods.rhythm import ANCHORS, INTERVALS
from pipelines.preview.faults import Code, Fault
from pipelines.preview.fields import Fields
from pipelines.preview.kinds.kind import Key

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
        "anchor_day": life.text("anchor_day", ANCHOR_DAY),
        "anchor_at": life.when("anchor_at"),
        "start_date": life.when("start_date"),
        "end_date": life.when("end_date"),
        "trial_until": life.when("trial_until"),
    }
    _check_anchor(life, row)
    return row


def _check_anchor(life: Fields, row: Mapping[str, Any]) -> None:
    day, has_at = row["anchor_day"], life.has("anchor_at")
    if day is None and life.has("anchor_day"):
        # It is ill-formed, and noted already.
        return
    for wrong in anchor_out_of_order(row["interval"], row["anchor"], day, has_anchor_at=has_at):
        code = Code.MISSING_FIELD if wrong.is_missing else Code.CONTRADICTION
        life.note(code, wrong.column, wrong.reason)


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

    The rules are those of the catalog. Rows are counted from 0.
    """
    made, keys = lives_of(lives, {}), {name_of(key): key for key in lives}
    numbered = Lives(
        made.subscriptions.with_columns(row=pl.lit(0)),
        *(frame.with_columns(row=_place()) for frame in (made.phases, made.pauses)),
    )
    found: dict[Key, list[Fault]] = {}
    for member, rule in (
        ("", ends_out_of_order),
        ("phases", phases_out_of_order),
        ("pauses", pauses_out_of_order),
    ):
        for each in rule(numbered):
            found.setdefault(keys[each.subscription_id], []).append(_fault(member, each))
    return found


def _place() -> pl.Expr:
    """The place of a row among those of its life, from 0."""
    return pl.int_range(pl.len()).over("subscription_id")


def _fault(member: str, wrong: Contradiction) -> Fault:
    rows = f".{member}[{wrong.row}]" if member else ""
    table = f"subscription_{member}" if member else "subscriptions"
    path = f"subscription{rows}.{wrong.column}"
    return Fault(Code.CONTRADICTION, path, wrong.reason, table, wrong.row, wrong.column)
