"""Preview on random cases: the witness agrees, and neither order nor company changes an answer."""

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worlds.lives import is_sensible, lives, whens
from tests.worlds.previews import answers_to, case_of, written
from witness import periods as witness
from witness.periods import Life, When

START = date(2026, 3, 20)


@given(
    st.lists(lives().filter(is_sensible), min_size=1, max_size=4),
    st.integers(-40, 500),
    st.integers(0, 86_399),
)
@settings(max_examples=60, deadline=None)
def test_period_that_holds_an_instant_is_that_of_the_witness(
    many: list[Life], days: int, seconds: int
) -> None:
    asked = [
        witness.point(life, life.start).at.replace(microsecond=0)
        + timedelta(days=days, seconds=seconds)
        for life in many
    ]
    cases = [
        case_of(life, at=written(at)) | {"id": str(place)}
        for place, (life, at) in enumerate(zip(many, asked, strict=True))
    ]

    answered = answers_to(*cases)

    for life, at, answer in zip(many, asked, answered, strict=True):
        made = witness.open_periods(life, at)
        holding = [place for place, each in enumerate(made) if each.start_at <= at < each.end_at]
        assert answer["result"]["held_by"] == (holding[0] if holding else None)
        assert answer["result"]["ended"] == sum(each.end_at <= at for each in made)
        boundaries = answer["result"]["boundaries"]
        told = [boundaries[name] for name in ("before", "on_or_before", "on_or_after", "after")]
        assert told[0] < written(at) < told[3]
        assert told[0] <= told[1] <= told[2] <= told[3]
    assert answers_to(*reversed(cases)) == list(reversed(answered))
    assert [answers_to(case)[0] for case in cases] == answered


@given(
    whens(START, 0, 60),
    whens(START, 0, 60),
    st.sampled_from(["Europe/Berlin", "America/Havana", "Etc/UTC", "Australia/Lord_Howe"]),
    st.decimals(-1000, 1000, places=4),
    st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_prorated_days_are_those_of_a_walk(
    start: When, end: When, zone: str, amount: object, is_changed: bool
) -> None:
    life = Life(start, "month", zone)
    begin, stop = witness.point(life, start), witness.point(life, end)
    service = {"start": written(start), "end": written(end)}
    case = {
        "id": "x",
        "kind": "prorate",
        "time_zone": zone,
        "parts": [
            {
                "amount": str(amount),
                "service": service | ({"ends": "change"} if is_changed else {}),
                "full": {"start": "2026-04-01", "end": "2026-05-01"},
            }
        ],
    }

    (answer,) = answers_to(case)

    if stop.at < begin.at:
        assert answer["error"]["code"] == "contradiction"
        return
    days = 0
    for day in (date(2026, 4, 1) + timedelta(days=number) for number in range(30)):
        midnight, next_midnight = (
            witness.point(life, each).at for each in (day, day + timedelta(days=1))
        )
        overlaps = begin.at < next_midnight and stop.at > midnight and stop.at > begin.at
        is_taken_over = is_changed and midnight < stop.at < next_midnight
        days += overlaps and not is_taken_over
    (part,) = answer["result"]["parts"]
    assert (part["days"], part["of"]) == (days, 30)
    exact = Fraction(str(amount)) * days / 30
    assert abs(Fraction(part["amount"]) - exact) <= Fraction(1, 200)
    assert abs(Fraction(part["amount_unrounded"]) - exact) <= Fraction(1, 2 * 10**18)
