"""Random histories: usage that is kept from run to run equals two other counts of it.

`RANDOM_KEPT=100 pytest tests/properties/test_kept_usage.py` tries as many histories.
"""

import os
import random
from typing import Any

import pytest

from tests.properties.random_books import History
from tests.worlds.compiled_dbt import kept_models
from tests.worlds.dbt_macros import metric_macros
from tests.worlds.kept_usage import KINDS, KeptHome, definition

HISTORIES = int(os.environ.get("RANDOM_KEPT") or "1")
METRICS = 4
"""How many kinds of metrics a history keeps."""


@pytest.mark.parametrize("seed", range(1, HISTORIES + 1))
def test_kept_usage_is_that_of_a_fresh_count_and_of_the_witness(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    home = KeptHome(draw.sample(sorted(KINDS), METRICS), draw)
    History(seed, home, checked=0).check()
    assert home.compared > 10


def test_metric_keeps_its_tables_whatever_others_there_are() -> None:
    def tables(*codes: str) -> object:
        keepers = list[Any]()
        names = {f"metric_{code}": code for code in codes}
        metrics = [definition(code) for code in codes]
        texts = {**names, "int_events_attributed": ""}
        metric_macros().keepers_of(metrics, {**kept_models(), **names}, texts, keepers)
        return next(each["tables"] for each in keepers if each["code"] == "count")

    alone = tables("count")
    # They look at properties whose columns come before that of its own.
    assert tables("average", "count") == tables("count", "latest", "sum") == alone


def test_every_kind_of_metric_is_kept() -> None:
    draw = random.Random(0)  # noqa: S311
    home = KeptHome(sorted(KINDS), draw)
    History(1000, home, checked=0).check(steps=1)
    assert home.compared > 10
