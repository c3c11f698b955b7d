"""Random and published prices through `preview`, which rates by the SQL that bills: the witness."""

import random

from tests.worlds.previews import previewed
from tests.worlds.random_prices import is_beyond, random_price_case
from witness.prices import price_answer

SEEDS = range(1_500)


def test_a_preview_is_what_the_witness_says_to_the_last_digit() -> None:
    cases = [random_price_case(random.Random(seed)) for seed in SEEDS]  # noqa: S311

    beyond = 0
    for seed, case, found in zip(SEEDS, cases, previewed(cases), strict=True):
        expected = price_answer(case)
        if is_beyond(expected):
            beyond += 1
            assert found["error"]["code"] == "overflow", seed
        else:
            assert found.get("result") == expected, seed
    assert 0 < beyond < len(cases) // 20


def test_cases_have_the_same_answer_in_any_company() -> None:
    cases = [random_price_case(random.Random(seed)) for seed in range(40)]  # noqa: S311

    together = previewed(cases)
    for place, case in enumerate(cases):
        (alone,) = previewed([case])
        assert {**alone, "id": str(place)} == together[place], place
