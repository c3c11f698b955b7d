"""The witness gives what vendors publish."""

import pytest

from tests.worlds.published_prices import PUBLISHED, Published, facts
from witness.prices import price_answer


@pytest.mark.parametrize(
    "published", [pytest.param(each, id=f"{each.vendor}: {each.example}") for each in PUBLISHED]
)
def test_published_price(published: Published) -> None:
    found = facts(price_answer(published.case))
    assert {name: found[name] for name in published.expected} == published.expected


def test_each_example_has_an_id_of_its_own() -> None:
    examples = [each.example for each in PUBLISHED]
    assert len(set(examples)) == len(examples)
