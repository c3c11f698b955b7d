"""The calendar, asked through preview: examples of the contract and of other systems."""

from typing import Any

import pytest

from tests.worlds.previews import Case, error_of, periods_case, result_of


def starts(life: Case, **asked: Any) -> list[str]:
    return [each["start_date"] for each in result_of(periods_case(life, **asked))["periods"]]


def shares(life: Case, zone: str = "Etc/UTC", **asked: Any) -> list[tuple[int, int]]:
    periods = result_of(periods_case(life, zone, **asked))["periods"]
    return [(each["service_days"], each["full_days"]) for each in periods]


@pytest.mark.parametrize(
    ("life", "expected"),
    [
        pytest.param(
            {"start_date": "2024-01-31"},
            ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"],
            id="the 31st clamps and returns",
        ),
        pytest.param(
            {"start_date": "2024-01-20", "interval": "quarter", "anchor": "day", "anchor_day": 15},
            ["2024-01-20", "2024-04-15", "2024-07-15"],
            id="day 15 by quarters",
        ),
        pytest.param(
            {"start_date": "2026-01-10", "interval": "quarter", "anchor": "day", "anchor_day": 15},
            ["2026-01-10", "2026-01-15", "2026-04-15"],
            id="a day after the start is a boundary too",
        ),
        pytest.param(
            {"start_date": "2026-02-10", "anchor": "day", "anchor_day": "31"},
            ["2026-02-10", "2026-02-28", "2026-03-31", "2026-04-30"],
            id="day 31 from February on",
        ),
        pytest.param(
            {"start_date": "2025-02-10", "interval": "year", "anchor": "day", "anchor_day": 30},
            ["2025-02-10", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29", "2029-02-28"],
            id="30 February",
        ),
        pytest.param(
            # 2026-01-01 is a Thursday.
            {"start_date": "2026-01-01", "interval": "week", "anchor": "day",
             "anchor_day": "tuesday"},
            ["2026-01-01", "2026-01-06", "2026-01-13"],
            id="a weekday of the start's week",
        ),
        pytest.param(
            {"start_date": "2026-01-01", "interval": "week", "anchor": "day",
             "anchor_day": "sunday"},
            ["2026-01-01", "2026-01-04", "2026-01-11"],
            id="weeks begin on Monday",
        ),
        pytest.param(
            {"start_date": "2026-02-10", "interval": "half_year", "anchor": "calendar"},
            ["2026-02-10", "2026-07-01", "2027-01-01"],
            id="half years of the calendar",
        ),
        pytest.param(
            {"start_date": "2026-02-10", "anchor": "at", "anchor_at": "2030-05-20"},
            ["2026-02-10", "2026-02-20", "2026-03-20"],
            id="an anchor after the start",
        ),
        pytest.param(
            {"start_date": "2026-02-10", "anchor": "at", "anchor_at": "2001-01-31"},
            ["2026-02-10", "2026-02-28", "2026-03-31"],
            id="an anchor before the start",
        ),
        pytest.param(
            {"start_date": "2026-01-15T10:00:00Z", "interval": "day", "anchor": "at",
             "anchor_at": "2026-01-01T12:00:00Z"},
            ["2026-01-15", "2026-01-16", "2026-01-17"],
            id="no period ends on the day of its start",
        ),
    ],
)  # fmt: skip
def test_periods_start_where_the_anchor_says(life: Case, expected: list[str]) -> None:
    assert starts(life, count=len(expected)) == expected


@pytest.mark.parametrize(
    ("life", "zone", "expected"),
    [
        pytest.param({"start_date": "2026-01-08", "anchor": "calendar"}, "Etc/UTC",
                     [(24, 31), (28, 28)], id="from the 8th"),
        pytest.param({"start_date": "2024-01-20", "interval": "quarter", "anchor": "day",
                      "anchor_day": 15}, "Etc/UTC", [(86, 91), (91, 91)], id="86 of 91"),
        pytest.param({"start_date": "2026-03-01", "end_date": "2026-03-11"}, "Europe/Berlin",
                     [(10, 31)], id="an end at a midnight"),
        pytest.param({"start_date": "2026-03-01", "end_date": "2026-03-10T23:30:00Z"},
                     "Europe/Berlin", [(11, 31)], id="an end at 00:30 has its day"),
        pytest.param({"start_date": "2026-03-01T10:00:00Z", "end_date": "2026-04-01T10:00:00Z"},
                     "Etc/UTC", [(31, 31)], id="an end on the boundary's day has no more"),
        pytest.param({"start_date": "2026-03-01T10:00:00Z", "end_date": "2026-04-01T12:00:00Z"},
                     "Etc/UTC", [(31, 31), (1, 30)], id="two hours beyond are a day"),
        pytest.param(
            {"start_date": "2026-04-01",
             "phases": [{"from": "2026-04-16T15:00:00Z", "plan_code": "b"}]},
            "Etc/UTC", [(15, 30), (15, 30)], id="the day of a change is the new plan's"),
        pytest.param(
            {"start_date": "2026-04-01", "phases": [
                {"from": "2026-04-16T15:00:00Z", "plan_code": "b"},
                {"from": "2026-04-16T15:09:00Z", "plan_code": "c"}]},
            "Etc/UTC", [(15, 30), (0, 30), (15, 30)], id="a phase of minutes has no day"),
        pytest.param(
            {"start_date": "2026-04-01",
             "phases": [{"from": "2026-04-16", "plan_code": "b", "realign": True}]},
            "Etc/UTC", [(15, 30), (30, 30)], id="a realigned phase has a rhythm of its own"),
        pytest.param({"start_date": "2026-04-01", "trial_until": "2026-04-03T10:00:00Z"},
                     "Etc/UTC", [(28, 30)], id="days before the trial's last one"),
        pytest.param({"start_date": "2026-04-01", "pauses": [
            {"from": "2026-04-02T09:00:00Z", "to": "2026-04-05"}]},
            "Etc/UTC", [(27, 30)], id="a pause of three days"),
        pytest.param({"start_date": "2026-04-01", "trial_until": "2026-04-03", "pauses": [
            {"from": "2026-04-02", "to": "2026-04-05"}]},
            "Etc/UTC", [(26, 30)], id="a pause within the trial counts once"),
        pytest.param({"start_date": "2026-04-01", "pauses": [
            {"from": "2026-04-02T09:00:00Z", "to": "2026-04-02T21:00:00Z"}]},
            "Etc/UTC", [(30, 30)], id="a pause within a day takes none"),
        pytest.param({"start_date": "2026-04-01", "pauses": [
            {"from": "2026-03-20", "to": "2026-05-05"}]},
            "Etc/UTC", [(0, 30), (27, 31)], id="a pause longer than a period"),
    ],
)  # fmt: skip
def test_days_are_those_in_force(life: Case, zone: str, expected: list[tuple[int, int]]) -> None:
    assert shares(life, zone, count=len(expected)) == expected


def test_published_period_boundary_is_half_open() -> None:
    """Orb, ingest events: December has 12-01 00:00:00 <= timestamp < 01-01 00:00:00."""
    (december,) = result_of(periods_case({"start_date": "2025-12-01"}, count=1))["periods"]

    assert december == {
        "index": 0,
        "phase_index": 0,
        "period_start_at": "2025-12-01T00:00:00Z",
        "period_end_at": "2026-01-01T00:00:00Z",
        "start_date": "2025-12-01",
        "end_date": "2026-01-01",
        "full_start_at": "2025-12-01T00:00:00Z",
        "full_end_at": "2026-01-01T00:00:00Z",
        "service_days": 31,
        "full_days": 31,
        "cut_at": "2026-01-01T00:00:00Z",
        "is_trial": False,
    }


def test_change_cuts_a_period_and_its_full_period_goes_on() -> None:
    life = {"start_date": "2026-04-01", "phases": [{"from": "2026-04-16", "plan_code": "b"}]}
    first, second = result_of(periods_case(life, grace=3, count=2))["periods"]

    assert (first["period_end_at"], first["full_end_at"]) == (
        "2026-04-16T00:00:00Z", "2026-05-01T00:00:00Z")  # fmt: skip
    assert (second["period_start_at"], second["full_start_at"]) == (
        "2026-04-16T00:00:00Z", "2026-04-01T00:00:00Z")  # fmt: skip
    assert (first["cut_at"], second["cut_at"]) == ("2026-04-19T00:00:00Z", "2026-05-04T00:00:00Z")
    assert (first["phase_index"], second["phase_index"]) == (0, 1)


@pytest.mark.parametrize(
    ("start", "end", "cut"),
    [
        pytest.param("2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z",
                     id="02:30 is skipped in spring"),
        pytest.param("2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z",
                     id="02:30 comes twice in autumn"),
    ],
)  # fmt: skip
def test_boundary_at_a_changed_hour_is_its_first_instant(start: str, end: str, cut: str) -> None:
    life = {"start_date": start, "interval": "day"}
    period = result_of(periods_case(life, "Europe/Berlin", 1, count=1))["periods"][0]
    assert (period["period_end_at"], period["cut_at"]) == (end, cut)


def test_trial_is_a_period_that_ends_by_the_end_of_the_trial() -> None:
    life = {"start_date": "2026-04-01", "trial_until": "2026-05-01"}
    periods = result_of(periods_case(life, count=2))["periods"]
    assert [each["is_trial"] for each in periods] == [True, False]
    assert [each["service_days"] for each in periods] == [0, 31]


YEAR = {"start_date": "2026-01-31", "end_date": "2026-06-15"}


@pytest.mark.parametrize(
    ("at", "indexes", "held_by", "ended"),
    [
        ("2026-01-30T23:59:59.999999Z", [0], None, 0),
        ("2026-01-31", [0, 1], 0, 0),
        ("2026-02-28", [0, 1, 2], 1, 1),
        ("2026-06-14T23:59:59.999999Z", [3, 4], 4, 4),
        ("2026-06-15", [4], None, 5),
        ("2027-01-01", [4], None, 5),
    ],
)
def test_at_gives_the_period_that_holds_it_and_its_neighbours(
    at: str, indexes: list[int], held_by: int | None, ended: int
) -> None:
    result = result_of(periods_case(YEAR, at=at))
    assert [each["index"] for each in result["periods"]] == indexes
    assert (result["held_by"], result["ended"]) == (held_by, ended)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-02-28", ("01-31", "02-28", "02-28", "03-31")),
        ("2026-03-01", ("02-28", "02-28", "03-31", "03-31")),
        # The rhythm has no start.
        ("2025-12-31", ("11-30", "12-31", "12-31", "01-31")),
    ],
)
def test_boundaries_are_those_of_the_endless_rhythm(at: str, expected: tuple[str, ...]) -> None:
    boundaries = result_of(periods_case(YEAR, at=at))["boundaries"]
    names = ("before", "on_or_before", "on_or_after", "after")
    assert tuple(boundaries[name][5:10] for name in names) == expected


def test_boundaries_are_those_of_the_phase_in_force() -> None:
    life = YEAR | {"phases": [{"from": "2026-03-10", "plan_code": "b", "realign": "yes"}]}
    before, after = (
        result_of(periods_case(life, at=at))["boundaries"]["after"]
        for at in ("2026-03-09", "2026-03-10")
    )
    assert (before, after) == ("2026-03-31T00:00:00Z", "2026-04-10T00:00:00Z")


def test_until_gives_what_starts_before_it() -> None:
    result = result_of(periods_case(YEAR, until="2026-03-31"))
    assert [each["index"] for each in result["periods"]] == [0, 1]
    assert (result["ended"], result["held_by"], result["boundaries"]) == (2, None, None)


def test_instants_have_microseconds_only_where_there_are_some() -> None:
    life = {"start_date": "2026-01-01T00:00:00.25Z"}
    (period,) = result_of(periods_case(life, count=1))["periods"]
    assert period["period_start_at"] == "2026-01-01T00:00:00.250000Z"


@pytest.mark.parametrize(
    ("life", "code", "path"),
    [
        ({}, "missing_field", "subscription.start_date"),
        ({"start_date": "2026-02-30"}, "bad_value", "subscription.start_date"),
        ({"start_date": "2026-02-03T10:00:00"}, "bad_value", "subscription.start_date"),
        ({"start_date": "1969-12-31"}, "bad_value", "subscription.start_date"),
        ({"start_date": 20260203}, "bad_value", "subscription.start_date"),
        ({"start_date": "2026-01-01", "interval": "fortnight"}, "bad_value",
         "subscription.interval"),
        ({"start_date": "2026-01-01", "interval_count": 0}, "bad_value",
         "subscription.interval_count"),
        ({"start_date": "2026-01-01", "anchor": "day"}, "missing_field",
         "subscription.anchor_day"),
        ({"start_date": "2026-01-01", "anchor": "at"}, "missing_field", "subscription.anchor_at"),
        ({"start_date": "", "end_date": ""}, "missing_field", "subscription.start_date"),
        ({"start_date": "2026-01-01", "anchor_at": "2026-01-01"}, "contradiction",
         "subscription.anchor_at"),
        ({"start_date": "2026-01-01", "anchor": "day", "anchor_day": 32}, "bad_value",
         "subscription.anchor_day"),
        ({"start_date": "2026-01-01", "anchor": "day", "anchor_day": "monday"}, "contradiction",
         "subscription.anchor_day"),
        ({"start_date": "2026-01-01", "anchor": "day", "anchor_day": 3, "interval": "week"},
         "contradiction", "subscription.anchor_day"),
        ({"start_date": "2026-01-01", "anchor": "day", "anchor_day": 3, "interval": "day"},
         "contradiction", "subscription.anchor_day"),
        ({"start_date": "2026-01-01", "end_date": "2026-01-01"}, "contradiction",
         "subscription.end_date"),
        ({"start_date": "2026-01-01", "phases": [{"from": "2026-01-01", "plan_code": "b"}]},
         "contradiction", "subscription.phases[0].from"),
        ({"start_date": "2026-01-01", "phases": [{"from": "2026-02-01"}]}, "missing_field",
         "subscription.phases[0].plan_code"),
        ({"start_date": "2026-01-01", "end_date": "2026-02-01",
          "phases": [{"from": "2026-02-01", "plan_code": "b"}]}, "contradiction",
         "subscription.phases[0].from"),
        ({"start_date": "2026-01-01", "phases": [{"from": "2026-02-01", "plan_code": "b"},
                                                 {"from": "2026-02-01", "plan_code": "c"}]},
         "contradiction", "subscription.phases[1].from"),
        ({"start_date": "2026-01-01", "pauses": [{"from": "2026-02-01", "to": "2026-02-01"}]},
         "contradiction", "subscription.pauses[0].to"),
        ({"start_date": "2026-01-01", "pauses": [{"from": "2026-02-01", "to": "2026-02-09"},
                                                 {"from": "2026-02-08", "to": "2026-02-10"}]},
         "contradiction", "subscription.pauses[1].from"),
        ({"start_date": "2026-01-01", "pauses": [{"from": "2026-02-01"}]}, "missing_field",
         "subscription.pauses[0].to"),
        ({"start_date": "2026-01-01", "colour": "red"}, "unknown_field", "subscription.colour"),
    ],
)  # fmt: skip
def test_contradicting_life_names_its_place(life: Case, code: str, path: str) -> None:
    error = error_of(periods_case(life, count=3))
    assert (error["code"], error["path"]) == (code, path)


def test_pauses_that_touch_do_not_overlap() -> None:
    pauses = [
        {"from": "2026-02-08", "to": "2026-02-10"},
        {"from": "2026-02-01", "to": "2026-02-08"},
    ]
    assert shares({"start_date": "2026-02-01", "pauses": pauses}, count=1) == [(19, 28)]


def test_hour_that_comes_twice_cannot_turn_the_clock_back_between_changes() -> None:
    """02:45 in the first pass, 02:15 in the second: later by instant, earlier by the clock."""
    life = {
        "start_date": "2026-10-01",
        "phases": [
            {"from": "2026-10-25T00:45:00Z", "plan_code": "b"},
            {"from": "2026-10-25T01:15:00Z", "plan_code": "c"},
        ],
    }
    error = error_of(periods_case(life, "Europe/Berlin", count=3))
    assert (error["code"], error["path"]) == ("contradiction", "subscription.phases[1].from")


def test_several_places_are_told_with_their_rows() -> None:
    life = {
        "start_date": "2026-01-01",
        "end_date": "2025-12-01",
        "phases": [{"from": "2025-11-01", "plan_code": "b"}],
    }
    problems = error_of(periods_case(life, count=3))["problems"]
    assert [(each["table"], each["row"], each["column"]) for each in problems] == [
        ("subscriptions", 0, "end_date"),
        ("subscription_phases", 0, "from"),
    ]


@pytest.mark.parametrize(
    ("asked", "code", "path"),
    [
        ({}, "missing_field", ""),
        ({"at": "2026-01-01", "count": 1}, "contradiction", ""),
        ({"at": "", "until": None}, "missing_field", ""),
        ({"at": []}, "bad_value", "at"),
        ({"count": 0}, "bad_value", "count"),
        ({"count": 10_001}, "too_large", "count"),
        ({"until": "2090-01-01"}, "too_large", "until"),
        ({"at": "2090-01-01"}, "too_large", "at"),
        ({"time_zone": "Mars/Olympus", "count": 1}, "bad_value", "time_zone"),
        ({"grace_period_days": -1, "count": 1}, "bad_value", "grace_period_days"),
    ],
)
def test_what_is_asked_is_checked(asked: Case, code: str, path: str) -> None:
    case = periods_case({"start_date": "2026-01-01", "interval": "day"}) | asked
    error = error_of(case)
    assert (error["code"], error["path"]) == (code, path)


def test_ten_thousand_periods_are_worked_out_and_no_more() -> None:
    life = {"start_date": "2000-01-01", "interval": "day"}
    assert len(result_of(periods_case(life, count=10_000))["periods"]) == 10_000
    # The 10,000th day begins on 18 May 2027.
    assert len(result_of(periods_case(life, until="2027-05-19"))["periods"]) == 10_000
    assert error_of(periods_case(life, until="2027-05-20"))["code"] == "too_large"


def test_calendar_ends_and_says_so() -> None:
    life = {"start_date": "2026-01-01", "interval": "year", "interval_count": 999}
    assert len(result_of(periods_case(life, count=4))["periods"]) == 4
    assert error_of(periods_case(life, count=5))["code"] == "overflow"
    ended = life | {"end_date": "2027-01-01"}
    assert len(result_of(periods_case(ended, count=5))["periods"]) == 1
