"""Random metrics over random events: preview counts what the witness counts."""

import random
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest

from tests.worlds.previews import answers_to
from tests.worlds.random_metrics import (
    Case,
    events_of,
    expected,
    instant,
    is_beyond,
    random_case,
    span_of,
)
from witness.events import Metric
from witness.expressions import decimal_text
from witness.metrics import Span, usage

CASES = 150


@pytest.mark.parametrize("seed", [1, 2])
def test_preview_counts_what_the_witness_counts(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    made = [random_case(dice) for _ in range(CASES)]
    answers = answers_to(*({"id": str(place)} | case for place, (case, _) in enumerate(made)))
    overflows = 0
    for (case, metric), answer in zip(made, answers, strict=True):
        result = expected(case, metric)
        if answer["ok"]:
            assert answer["result"] == result, case
        else:
            assert answer["error"]["code"] == "overflow", case
            assert is_beyond(result), case
            overflows += 1
    assert overflows < CASES / 10


def _windowed(case: Case, metric: Metric, group: Case, start: datetime, end: datetime) -> Case:
    whole = span_of(case)
    clipped = Span(max(start, whole.start), min(end, whole.end), start, end, case["time_zone"])
    for each in usage(metric, events_of(case), clipped)[0]:
        if each.group == group:
            number = None if each.quantity is None else decimal_text(each.quantity)
            return {"quantity": number, "event_count": each.event_count}
    empty = usage(Metric(metric.aggregation, percentile=metric.percentile), [], clipped)[0][0]
    number = None if empty.quantity is None else decimal_text(Fraction(empty.quantity))
    return {"quantity": number, "event_count": 0}


def test_windows_count_what_the_witness_counts_in_them() -> None:
    dice = random.Random(3)  # noqa: S311
    made: list[tuple[Case, Metric]] = []
    while len(made) < 40:
        case, metric = random_case(dice)
        if metric.recurring or metric.by_days or metric.bucket:
            continue
        if metric.aggregation != "weighted_sum":
            unit = dice.choice(["hour", "day", "month"])
            made.append((case | {"id": str(len(made)), "windows": unit}, metric))
    compared = 0
    for (case, metric), answer in zip(made, answers_to(*(case for case, _ in made)), strict=True):
        if not answer["ok"]:
            assert answer["error"]["code"] == "overflow"
            continue
        groups = answer["result"]["groups"]
        for window in answer["result"]["windows"]:
            start, end = instant(window["start"]), instant(window["end"])
            own = {name: window[name] for name in ("quantity", "event_count")}
            assert own == _windowed(case, metric, window["group"], start, end), case
            compared += 1
        first = [each for each in answer["result"]["windows"] if each["group"] == groups[0]["group"]
                 ] if groups else []  # fmt: skip
        bounds = [(instant(each["start"]), instant(each["end"])) for each in first]
        for (_, end), (start, _) in pairwise(bounds):
            assert end == start
        if bounds:
            span = span_of(case)
            assert bounds[0][0] <= span.start < bounds[0][1]
            assert bounds[-1][0] < span.end <= bounds[-1][1]
            longest = timedelta(days=31) if case["windows"] == "month" else timedelta(hours=25)
            assert all(end - start <= longest + timedelta(hours=1) for start, end in bounds)
    assert compared > CASES
