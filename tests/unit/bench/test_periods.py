"""The bench of the calendar measures what bills, and cases that have answers."""

import pytest

from bench.periods import cases, make_periods, quantity_cases
from tests.worlds.previews import answers_to


@pytest.mark.parametrize("is_mixed", [False, True])
def test_three_years_are_at_least_36_months(is_mixed: bool) -> None:
    assert make_periods(4, is_mixed=is_mixed) >= 4 * 36


def test_every_case_has_a_result() -> None:
    made = cases(60)
    assert {case["kind"] for case in made} == {"periods", "prorate"}
    assert all(answer["ok"] for answer in answers_to(*made))


def test_every_case_of_quantities_has_a_result_and_there_are_as_many_metrics() -> None:
    made = quantity_cases(32, 16)

    assert len({str(case["metric"]) for case in made}) == 16
    for answer in answers_to(*made):
        assert answer["ok"], answer
        assert answer["result"]["unmetered"] == []
