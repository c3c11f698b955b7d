"""Open time at the edges of closed time: what an edit of the catalog makes of what is left."""

import pytest

from tests.worlds.periods import Closed, Terms, periods_of


def bounds(terms: Terms, until: str, *closed: Closed) -> list[tuple[str, str]]:
    periods = periods_of(terms, until, *closed)
    instants = (
        periods[column].dt.to_string("%m-%d %H:%M")
        for column in ("period_start_at", "period_end_at")
    )
    return list(zip(*instants, strict=True))


@pytest.mark.parametrize(
    ("terms", "closed", "until", "expected"),
    [
        pytest.param(
            Terms(zone="America/Los_Angeles"),
            Closed("2026-01-01", "2026-03-01"),
            "2026-04-01T08:00:00",
            [("03-01 00:00", "04-01 07:00"), ("04-01 07:00", "05-01 07:00")],
            id="a changed zone begins at the last closed end",
        ),
        pytest.param(
            # The day after the closed end begins at 10:00 UTC there, before the closed end.
            Terms("day", zone="Pacific/Kiritimati"),
            Closed("2026-01-01", "2026-01-10", zone="Etc/GMT+12"),
            "2026-01-10T12:00:00",
            [("01-10 12:00", "01-11 10:00")],
            id="a boundary before the closed end is passed over",
        ),
        pytest.param(
            Terms("month", "2026-01-31", anchor="anniversary"),
            Closed("2026-01-31", "2026-03-15"),
            "2026-03-31",
            [("03-15 00:00", "03-31 00:00"), ("03-31 00:00", "04-30 00:00")],
            id="a rhythm of clamped days goes on in the middle of a month",
        ),
        pytest.param(
            Terms("month", "2025-12-10", anchor="anniversary"),
            Closed("2026-01-15", "2026-02-15"),
            "2026-02-15",
            [
                ("12-10 00:00", "01-10 00:00"),
                ("01-10 00:00", "01-15 00:00"),
                ("02-15 00:00", "03-10 00:00"),
            ],
            id="an earlier start is open until closed time begins",
        ),
        pytest.param(
            Terms("month", "2026-01-01", end="2026-03-01"),
            Closed("2026-01-01", "2026-03-01"),
            "2026-06-01",
            [],
            id="nothing is open of a subscription that ended with closed time",
        ),
    ],
)
def test_open_time_begins_and_ends_with_closed_time(
    terms: Terms, closed: Closed, until: str, expected: list[tuple[str, str]]
) -> None:
    assert bounds(terms, until, closed) == expected


def test_open_time_between_closed_spans_ends_where_the_next_begins() -> None:
    closed = (Closed("2026-01-01", "2026-02-01"), Closed("2026-03-01", "2026-04-01"))
    assert bounds(Terms(zone="Asia/Tokyo"), "2026-04-01", *closed) == [
        ("02-01 00:00", "03-01 00:00"),
        ("04-01 00:00", "04-30 15:00"),
    ]


def test_cut_is_never_before_one_that_is_closed_and_lateness_goes_by_grace() -> None:
    closed = Closed("2026-01-01", "2026-02-01", last_cut="2026-03-20")
    periods = periods_of(Terms(grace=2), "2026-03-01", closed)
    assert [f"{cut:%m-%d}" for cut in periods["cut_at"]] == ["03-20", "04-03"]
    assert [f"{end:%m-%d}" for end in periods["grace_end_at"]] == ["03-03", "04-03"]


def test_period_has_labels_and_the_days_of_its_full_rhythm() -> None:
    (first, second) = periods_of(Terms(start="2026-01-10"), "2026-02-01").to_dicts()
    assert (first["service_days"], first["full_days"]) == (22, 31)
    assert f"{first['full_start_label']} {first['period_start_label']}" == (
        "2026-01-01 00:00:00 2026-01-10 00:00:00"
    )
    assert (second["service_days"], second["full_days"]) == (28, 28)
    assert second["anchor_label"] == first["full_start_label"]
    assert first["phase_start_label"] == first["period_start_label"]


TOKYO = {
    "start": "12-31 15:00", "first": "02-28 15:00", "second": "03-01 15:00", "end": "03-31 15:00"
}  # fmt: skip
LOS_ANGELES = {
    "start": "01-01 08:00", "first": "03-01 08:00", "second": "03-02 08:00", "end": "04-01 07:00"
}  # fmt: skip
"""First instants of 1 January, of 1 and 2 March, and of 1 April."""


@pytest.mark.parametrize(
    ("zone", "instants"),
    [
        pytest.param("Asia/Tokyo", TOKYO, id="now in Tokyo"),
        pytest.param("America/Los_Angeles", LOS_ANGELES, id="now in Los Angeles"),
    ],
)
@pytest.mark.parametrize(
    ("days", "other", "expected"),
    [
        pytest.param(
            ("2026-03-01", None),
            Closed("2026-02-01", "2026-03-01", subscription="s0"),
            [("03-01 00:00", "{end}")],
            id="it starts on the day on which another one's closed time ends",
        ),
        pytest.param(
            ("2026-01-01", "2026-02-01"),
            Closed("2026-02-01", "2026-03-01", subscription="s0"),
            [("{start}", "02-01 00:00")],
            id="it ends on the day on which another one's closed time begins",
        ),
        pytest.param(
            ("2026-03-02", None),
            Closed("2026-02-01", "2026-03-01", subscription="s0"),
            [("{second}", "{end}")],
            id="it starts a day later",
        ),
        pytest.param(
            ("2026-03-01", None),
            Closed("2026-02-01", "2026-03-01", subscription="s0", customer="another"),
            [("{first}", "{end}")],
            id="the closed time is another customer's",
        ),
    ],
)
def test_instant_belongs_to_one_subscription_of_a_customer_whose_zone_changed(
    zone: str,
    instants: dict[str, str],
    days: tuple[str, str | None],
    other: Closed,
    expected: list[tuple[str, str]],
) -> None:
    start, end = days
    found = bounds(Terms(zone=zone, start=start, end=end), "2026-03-05", other)
    assert found == [tuple(bound.format(**instants) for bound in each) for each in expected]
