"""Changes of plan, pauses, anchors and instants of subscriptions: what is refused, what is not."""

from pathlib import Path

import pytest

from pipelines.catalog.tables.subscription_phases import Phase
from pipelines.catalog.tables.subscriptions import Subscription
from pipelines.periods.lives import when_cell
from pipelines.vocabulary.instants import instant_of, parse_rfc3339
from tests.worlds.catalogs import RIGHT, Edit, problems_of, read

HEADER = (
    "subscription_id,customer_id,plan_code,interval,interval_count,anchor,start_date,end_date,"
    "anchor_day,anchor_at,trial_until,trial_covers\n"
)
LIFE = "s,zürich,basic,month,1,calendar,2026-01-01,2026-07-01,,,,"
"""Of a customer in Zürich; clocks skip an hour there on 29 March 2026 at 01:00 UTC."""


def files(life: str = LIFE, *, phases: str = "", pauses: str = "") -> dict[str, str]:
    """A catalog with one more plan and this subscription; rows are separated by blanks."""
    found = {
        **Edit("plans.csv", "basic,Basic", "extra,Extra,CHF\nbasic,Basic").of(RIGHT),
        "charges.csv": RIGHT["charges.csv"] + "extra,calls,requests,standard,1,,2026-02-01,\n",
        "subscriptions.csv": f"{HEADER}{life}\n",
    }
    if phases:
        header = "subscription_id,from,plan_code,realign\n"
        found["subscription_phases.csv"] = header + "\n".join(phases.split()) + "\n"
    if pauses:
        found["subscription_pauses.csv"] = (
            "subscription_id,from,to\n" + "\n".join(pauses.split()) + "\n"
        )
    return found


PHASES = "subscription_phases.csv, row"
PAUSES = "subscription_pauses.csv, row"

WRONG = {
    "change at the start": (
        files(phases="s,2026-01-01,local,"),
        [f"{PHASES} 2, column from: expected later than the start, 2026-01-01 00:00:00 local "
         "(2025-12-31T23:00:00Z), by the local clock and by instant, found 2026-01-01"],
    ),
    "change at the instant of the start": (
        files(phases="s,2025-12-31T23:00:00Z,local,"),
        [f"{PHASES} 2, column from: expected later than the start"],
    ),
    "change at the end": (
        files(phases="s,2026-07-01,local,"),
        [f"{PHASES} 2, column from: expected before the end, 2026-07-01 00:00:00 local"],
    ),
    "two changes at one instant, said in two ways": (
        files(phases="s,2026-03-01,local, s,2026-02-28T23:00:00Z,extra,"),
        [f"{PHASES} 3, column from: expected later than the change of row 2, 2026-03-01 00:00"],
    ),
    "two changes by instant but not by the clock": (
        # 01:30 UTC is 02:30 by the clock on 25 October, and so was 00:30 UTC.
        files(
            LIFE.replace("2026-07-01", ""),
            phases="s,2026-10-25T00:30:00Z,local, s,2026-10-25T01:30:00Z,extra,",
        ),
        [f"{PHASES} 3, column from: expected later than the change of row 2"],
    ),
    "end by instant but not by the clock": (
        files("s,zürich,basic,day,1,calendar,2026-10-25T00:30:00Z,2026-10-25T01:30:00Z,,,,"),
        ["subscriptions.csv, row 2, column end_date: expected later than the start, 2026-10-25 "
         "02:30:00 local (2026-10-25T00:30:00Z), by the local clock and by instant, found "
         "2026-10-25 02:30:00 local (2026-10-25T01:30:00Z)"],
    ),
    "end before the start by instant": (
        files("s,zürich,basic,day,1,calendar,2026-01-02,2026-01-01T22:59:59Z,,,,"),
        ["subscriptions.csv, row 2, column end_date: expected later than the start"],
    ),
    "change said twice": (
        files(phases="s,2026-03-01,local, s,2026-03-01,extra,"),
        [
            f"{PHASES} 3, column from: 's', '2026-03-01' stands in row 2 already",
            f"{PHASES} 3, column from: expected later than the change of row 2",
        ],
    ),
    "realign without a change": (
        files(phases="s,2026-03-01,basic,yes"),
        [f"{PHASES} 2, column realign: yes, but the plan stays 'basic'"],
    ),
    "realign without a change of the plan before it": (
        files(phases="s,2026-03-01,local, s,2026-04-01,local,yes"),
        [f"{PHASES} 3, column realign: yes, but the plan stays 'local'"],
    ),
    "unknown plan": (
        files(phases="s,2026-03-01,gone,"),
        [f"{PHASES} 2, column plan_code: 'gone' is not in plans.csv"],
    ),
    "change of nobody": (
        files(phases="t,2026-03-01,local,"),
        [f"{PHASES} 2, column subscription_id: 't' is not in subscriptions.csv"],
    ),
    "no price when the plan is changed to": (
        files(phases="s,2026-01-31,extra,"),
        ["charges.csv, row 5, column valid_from: 2026-02-01 is the first price of 'calls', but "
         "subscription 's' (subscription_phases.csv, row 2) is on plan 'extra' from 2026-01-31 on"],
    ),
    "pause that ends when it begins": (
        files(pauses="s,2026-03-01,2026-03-01"),
        [f"{PAUSES} 2, column to: expected later than from, 2026-03-01 00:00:00 local"],
    ),
    "pauses that overlap": (
        files(pauses="s,2026-03-01,2026-03-10 s,2026-03-02,2026-03-03 s,2026-03-09,2026-03-12"),
        [
            f"{PAUSES} 3, column from: expected at or after the end of the pause of row 2",
            f"{PAUSES} 4, column from: expected at or after the end of the pause of row 2, "
            "2026-03-09T23:00:00Z, found 2026-03-09 00:00:00 local",
        ],
    ),
    "pause of nobody": (
        files(pauses="t,2026-03-01,2026-03-02"),
        [f"{PAUSES} 2, column subscription_id: 't' is not in subscriptions.csv"],
    ),
    "weekday with months": (
        files("s,zürich,basic,month,1,day,2026-01-01,,monday,,,"),
        ["subscriptions.csv, row 2, column anchor_day: monday goes with the interval week, not "
         "with month; correct one of them"],
    ),
    "day of the month with weeks": (
        files("s,zürich,basic,week,1,day,2026-01-01,,15,,,"),
        ["subscriptions.csv, row 2, column anchor_day: 15 goes with the interval month, quarter, "
         "half_year or year, not with week; correct one of them"],
    ),
    "anchor day with days": (
        files("s,zürich,basic,day,1,day,2026-01-01,,15,,,"),
        ["subscriptions.csv, row 2, column anchor_day: 15 goes with the interval month, quarter, "
         "half_year or year, not with day; write anchor calendar"],
    ),
    "anchor day missing": (
        files("s,zürich,basic,month,1,day,2026-01-01,,,,,"),
        ["subscriptions.csv, row 2, column anchor_day: is missing; anchor day needs it"],
    ),
    "anchor day without that anchor": (
        files("s,zürich,basic,month,1,calendar,2026-01-01,,15,,,"),
        ["subscriptions.csv, row 2, column anchor_day: goes with anchor day, not with calendar"],
    ),
    "anchor instant missing": (
        files("s,zürich,basic,month,1,at,2026-01-01,,,,,"),
        ["subscriptions.csv, row 2, column anchor_at: is missing; anchor at needs it"],
    ),
    "anchor instant without that anchor": (
        files("s,zürich,basic,month,1,anniversary,2026-01-01,,,2026-01-05,,"),
        ["subscriptions.csv, row 2, column anchor_at: goes with anchor at, not with anniversary"],
    ),
    "day 32": (
        files("s,zürich,basic,month,1,day,2026-01-01,,32,,,"),
        ["subscriptions.csv, row 2, column anchor_day: expected 1 to 31 or a weekday such as "
         "monday, found '32'"],
    ),
    "day 0": (
        files("s,zürich,basic,month,1,day,2026-01-01,,0,,,"),
        ["subscriptions.csv, row 2, column anchor_day: expected 1 to 31"],
    ),
    "30 February": (
        files(phases="s,2026-02-30,local,"),
        [f"{PHASES} 2, column from: '2026-02-30' is no date; there is no such day"],
    ),
    "30 February at an instant": (
        files("s,zürich,basic,month,1,calendar,2026-02-30T00:00:00Z,,,,,"),
        ["subscriptions.csv, row 2, column start_date: "],
    ),
    "instant without a zone": (
        files(phases="s,2026-03-01T10:00:00,local,"),
        [f"{PHASES} 2, column from: '2026-03-01T10:00:00' is not an RFC 3339 instant with zone"],
    ),
    "year of a typo": (
        files("s,zürich,basic,month,1,calendar,3026-01-01T00:00:00Z,,,,,"),
        ["subscriptions.csv, row 2, column start_date: 3026-01-01T00:00:00Z lies outside the "
         "years 1970 to 2999; correct it"],
    ),
    "trial that covers usage": (
        files("s,zürich,basic,month,1,calendar,2026-01-01,,,,2026-02-01,all"),
        ["subscriptions.csv, row 2, column trial_covers: not priced yet: 'all'; leave the cell "
         "empty"],
    ),
}  # fmt: skip
"""Catalogs, and what is said of them."""


@pytest.mark.parametrize(("catalog", "places"), WRONG.values(), ids=WRONG)
def test_life_that_contradicts_itself_is_refused(
    tmp_path: Path, catalog: dict[str, str], places: list[str]
) -> None:
    found = problems_of(tmp_path, catalog)

    assert len(found) == len(places), found
    for problem, place in zip(found, places, strict=True):
        assert problem.startswith(place), problem


RIGHT_LIVES = {
    "changes an instant after the start and before the end": files(
        phases="s,2025-12-31T23:00:00.000001Z,local, s,2026-06-30T21:59:59.999999Z,basic,"
    ),
    "change on the day of the first price": files(phases="s,2026-02-01,extra,"),
    "change back and forth, each time with another anchor": files(
        phases="s,2026-02-10,local,yes s,2026-02-11,basic,yes"
    ),
    "change that keeps plan and anchor": files(phases="s,2026-03-16,basic,no"),
    "pauses that touch, and one beyond the life": files(
        pauses="s,2026-03-01,2026-03-02 s,2026-03-02,2026-03-03 s,2026-06-30,2027-01-01"
    ),
    "start in the hour that clocks skip, by another zone's clock": files(
        LIFE.replace("2026-01-01", "2026-03-29T01:00:00Z")
    ),
    "start and end an instant apart in the hour that comes twice": files(
        "s,zürich,basic,day,1,anniversary,2026-10-25T01:30:00Z,2026-10-25T01:30:00.000001Z,,,,"
    ),
    "31 in months": files("s,zürich,basic,month,1,day,2026-02-10,,31,,,"),
    "sunday in weeks": files("s,zürich,basic,week,2,day,2026-02-10,,sunday,,,"),
    "boundary at an instant long before": files(
        "s,zürich,basic,day,1,at,2026-02-10,,,1999-01-01T12:00:00Z,,"
    ),
    "trial of fees": files("s,zürich,basic,half_year,1,calendar,2026-01-01,,,,2026-02-01,fees"),
}
"""Catalogs that stand exactly at a bound."""


@pytest.mark.parametrize("catalog", RIGHT_LIVES.values(), ids=RIGHT_LIVES)
def test_life_at_the_bound_is_read(tmp_path: Path, catalog: dict[str, str]) -> None:
    read(tmp_path, catalog)


def test_optional_columns_and_files_may_be_left_out(tmp_path: Path) -> None:
    catalog = read(tmp_path, RIGHT)

    assert catalog.frame(Phase).is_empty()
    unsaid = catalog.frame(Subscription).select("anchor_day", "anchor_at", "trial_until")
    assert unsaid.unique().rows() == [(None, None, None)]


def test_dates_and_instants_are_read_as_what_they_are(tmp_path: Path) -> None:
    instant = instant_of(parse_rfc3339("2026-03-01T09:00:00.5Z"))
    phases = read(tmp_path, files(phases="s,2026-03-01T10:00:00.5+01:00,local,")).frame(Phase)

    assert phases.rows() == [("s", when_cell(instant), "local", False)]


def test_time_zone_that_does_not_exist_is_refused_where_it_stands(tmp_path: Path) -> None:
    catalog = files(phases="s,2025-01-01,local,")
    catalog["customers.csv"] = catalog["customers.csv"].replace("Europe/Zurich", "Europe/Zuerich")

    # Nothing is said of bounds in a zone that nobody knows.
    assert [problem.split(":")[0] for problem in problems_of(tmp_path, catalog)] == [
        "customers.csv, row 3, column time_zone"
    ]


TWO = LIFE + "\nother,zürich,local,month,1,calendar,2026-02-01,2026-05-01,,,,"
"""The plan `local` charges bytes, and `basic` requests."""


@pytest.mark.parametrize(
    ("phases", "places"),
    [
        pytest.param("", [], id="two metrics"),
        pytest.param(
            "other,2026-03-16,basic,",
            [f"{PHASES} 2, column plan_code: 'basic' charges 'requests' from 2026-03-16, for which "
             "subscription 's' (subscriptions.csv, row 2) bills the same customer until "
             "2026-07-01; no event is billed twice for one metric"],
            id="a change to a plan that charges the metric of the other",
        ),
        pytest.param(
            "s,2026-03-16,local, other,2026-03-16,basic,", [], id="they change places at once"
        ),
        pytest.param(
            "s,2026-03-16,local, other,2026-03-16T10:00:00Z,basic,",
            [f"{PHASES} 2, column plan_code: 'local' charges 'bytes' from 2026-03-16, for which "
             "subscription 'other' (subscriptions.csv, row 3) bills the same customer until "
             "2026-03-16 11:00:00;"],
            id="they change places some hours apart",
        ),
        pytest.param(
            "s,2026-02-01,extra, s,2026-05-01,local,", [], id="the metric is taken over at the end"
        ),
        pytest.param(
            "s,2026-04-30T21:59:59Z,local,",
            [f"{PHASES} 2, column plan_code: 'local' charges 'bytes' from 2026-04-30 23:59:59"],
            id="the metric is taken over a second before the end",
        ),
    ],
)  # fmt: skip
def test_metric_is_charged_once_at_each_instant(
    tmp_path: Path, phases: str, places: list[str]
) -> None:
    catalog = files(TWO, phases=phases)

    if not places:
        read(tmp_path, catalog)
        return
    found = problems_of(tmp_path, catalog)

    assert len(found) == len(places), found
    for problem, place in zip(found, places, strict=True):
        assert problem.startswith(place), problem


@pytest.mark.parametrize(
    ("life", "pauses", "told"),
    [
        (LIFE.replace(",,,,", ",,,2026-01-01,"), "", "the trial of subscription 's' (subscriptio"),
        (LIFE.replace(",,,,", ",,,2026-01-02,"), "", None),
        (LIFE, "s,2025-12-01,2026-01-01", "the pause of subscription 's' (subscription_pauses.csv"),
        (LIFE, "s,2026-07-01,2026-08-01", "the pause of subscription 's' (subscription_pauses.csv"),
        (LIFE, "s,2025-12-01,2026-01-02", None),
        (LIFE, "s,2026-06-30,2026-08-01", None),
    ],
)
def test_what_lies_outside_a_life_is_a_warning(
    tmp_path: Path, life: str, pauses: str, told: str | None
) -> None:
    warnings = read(tmp_path, files(life, pauses=pauses)).warnings

    found = [each for each in warnings if each.endswith("it has no effect")]
    assert len(found) == (told is not None)
    assert told is None or found[0].startswith(told)


def test_plan_of_a_change_without_charges_is_a_warning(tmp_path: Path) -> None:
    catalog = files(phases="s,2026-03-01,bare,")
    catalog["plans.csv"] += "bare,Bare,CHF\n"

    assert (
        "plan 'bare' has subscriptions but no charges: its invoices are empty"
        in read(tmp_path, catalog).warnings
    )
