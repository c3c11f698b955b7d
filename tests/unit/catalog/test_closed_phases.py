"""Edits of phases, pauses and instants after closings: what takes closed time away is refused."""

from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.catalog.closed_time import collisions
from pipelines.vocabulary.frames import CLOSED_SPANS
from tests.worlds.catalogs import METRICS, RIGHT, read

HEADER = "subscription_id,customer_id,plan_code,interval,interval_count,anchor,start_date,end_date"
LIFE = "s1,acme,basic,month,1,calendar,2026-01-01,"
PHASE = "s1,2026-02-16,local,"

SUBSCRIPTIONS, PHASES = "subscriptions.csv", "subscription_phases.csv"


def closed(start: str, end: str, plan: str, metric: str, phase_start: str) -> dict[str, Any]:
    """Closed time of s1 in New York, where midnight is 05:00 UTC."""
    return {
        "subscription_id": "s1",
        "customer_id": "acme",
        "plan_code": plan,
        "currency": "USD",
        "time_zone": "America/New_York",
        "metric_codes": metric,
        "phase_start_label": datetime.fromisoformat(phase_start),
        "span_start_at": datetime.fromisoformat(f"{start}T05:00:00Z"),
        "span_end_at": datetime.fromisoformat(f"{end}T05:00:00Z"),
        "span_start_label": datetime.fromisoformat(start),
        "span_end_label": datetime.fromisoformat(end),
        "last_cut_at": datetime.fromisoformat(f"{end}T05:00:00Z"),
        "last_period": f"s1/{start}",
    }


CLOSED = (
    closed("2026-01-01", "2026-02-16", "basic", "requests", "2026-01-01"),
    closed("2026-02-16", "2026-03-01", "local", "bytes", "2026-02-16"),
)
"""January and half of February on one plan, the other half on another."""


def places(
    folder: Path,
    *spans: dict[str, Any],
    lives: str = LIFE,
    phases: str = PHASE,
    pauses: str = "",
    zone: str = "America/New_York",
) -> list[tuple[str, int, str]]:
    files = {
        **RIGHT,
        "customers.csv": RIGHT["customers.csv"].replace("America/New_York", zone),
        "plans.csv": RIGHT["plans.csv"] + "extra,Extra,USD\n",
        "charges.csv": RIGHT["charges.csv"] + "extra,space,storage,standard,1,,2025-01-01,\n",
        "subscriptions.csv": f"{HEADER}\n{lives}\n",
        "subscription_phases.csv": f"subscription_id,from,plan_code,realign\n{phases}\n".replace(
            "\n\n", "\n"
        ),
        "subscription_pauses.csv": f"subscription_id,from,to\n{pauses}\n".replace("\n\n", "\n"),
    }
    catalog = read(folder, files)
    found = collisions(catalog, pl.DataFrame(spans or CLOSED, schema=CLOSED_SPANS), METRICS)
    for problem in found:
        assert "is closed for subscription" in problem.reason
    return [(problem.file_name, problem.row, problem.column) for problem in found]


def test_change_that_was_closed_with_is_never_refused(tmp_path: Path) -> None:
    assert places(tmp_path) == []


@pytest.mark.parametrize(
    ("phases", "expected"),
    [
        pytest.param("", [(SUBSCRIPTIONS, 2, "plan_code")], id="the change is gone"),
        pytest.param("s1,2026-02-16,extra,", [(PHASES, 2, "plan_code")], id="to another plan"),
        pytest.param(
            "s1,2026-02-17,local,",
            [(PHASES, 2, "from"), (SUBSCRIPTIONS, 2, "plan_code")],
            id="a day later",
        ),
        pytest.param(
            "s1,2026-02-15,local,", [(PHASES, 2, "from"), (PHASES, 2, "from")], id="a day earlier"
        ),
        pytest.param(
            "s1,2026-02-16T05:00:00.000001Z,local,",
            [(PHASES, 2, "from"), (SUBSCRIPTIONS, 2, "plan_code")],
            id="a microsecond later",
        ),
        pytest.param(
            f"{PHASE}\ns1,2026-02-28,extra,", [(PHASES, 3, "from")], id="one more in closed time"
        ),
        pytest.param(
            f"{PHASE}\ns1,2026-02-28,local,",
            [(PHASES, 3, "from")],
            id="one more that keeps the plan",
        ),
        pytest.param(
            f"s1,2026-01-20,extra,\ns1,2026-01-21,basic,\n{PHASE}",
            [(PHASES, 2, "from"), (PHASES, 3, "from")],
            id="there and back again",
        ),
    ],
)
def test_change_that_takes_closed_time_away_is_refused(
    tmp_path: Path, phases: str, expected: list[tuple[str, int, str]]
) -> None:
    assert places(tmp_path, phases=phases) == expected


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param({"phases": f"{PHASE}\ns1,2026-03-01,basic,"}, id="a change at the closed end"),
        pytest.param({"phases": "s1,2026-02-16T05:00:00Z,local,"}, id="the same as an instant"),
        pytest.param({"phases": "s1,2026-02-16,local,yes"}, id="another anchor from the change on"),
        pytest.param({"lives": LIFE.replace("2026-01", "2025-12")}, id="the first began earlier"),
        pytest.param({"lives": LIFE.replace("2026-01-01", "2026-01-01T05:00:00Z")},
                     id="a start at the instant of the day"),
        pytest.param({"lives": f"{LIFE}2026-03-01T05:00:00Z"}, id="an end at the closed instant"),
        pytest.param({"pauses": "s1,2026-01-10,2026-02-20"}, id="a pause in closed time"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "Pacific/Honolulu"])
def test_every_other_edit_is_allowed_in_every_zone(
    tmp_path: Path, edit: dict[str, str], zone: str
) -> None:
    assert places(tmp_path, zone=zone, **edit) == []


@pytest.mark.parametrize(
    ("life", "place"),
    [
        pytest.param("s1,acme,basic,month,1,calendar,2026-01-01T05:00:00.000001Z,", "start_date",
                     id="a microsecond less at the start"),
        pytest.param("s1,acme,basic,month,1,calendar,2026-01-01,2026-03-01T04:59:59.999999Z",
                     "end_date", id="a microsecond less at the end"),
    ],
)  # fmt: skip
def test_closed_time_is_held_against_instants(tmp_path: Path, life: str, place: str) -> None:
    assert places(tmp_path, lives=life) == [(SUBSCRIPTIONS, 2, place)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param("2026-02-15", [(PHASES, 2, "from")], id="before it ends"),
        pytest.param("2026-02-16", [], id="where it ends"),
    ],
)
def test_change_of_another_subscription_does_not_charge_closed_time_again(
    tmp_path: Path, change: str, expected: list[tuple[str, int, str]]
) -> None:
    # Today s1 charges no requests any more, which is refused at its own row.
    lives = f"{LIFE.replace('basic', 'extra')}\ns9,acme,local,month,1,calendar,2025-01-01,"

    found = places(tmp_path, CLOSED[0], lives=lives, phases=f"s9,{change},basic,")

    assert found == [*expected, (SUBSCRIPTIONS, 2, "plan_code")]
