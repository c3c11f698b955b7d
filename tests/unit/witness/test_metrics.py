"""The witness of quantities against the contract's own examples and those that vendors publish."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from witness.events import Event, Metric
from witness.expressions import number_of
from witness.metrics import Span, usage

APRIL = datetime(2026, 4, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
MONTH = Span(APRIL, MAY, APRIL, MAY)


def at(day: float, value: object = None, **properties: str) -> Event:
    """An event so many days after the first of April."""
    known = {} if value is None else {"v": str(value)}
    return Event(APRIL + timedelta(days=day), 0, known | properties)


def placed(events: Sequence[Event]) -> list[Event]:
    return [
        Event(event.occurred_at, place, event.properties, event.name)
        for place, event in enumerate(events)
    ]


def counted(events: Sequence[Event], span: Span = MONTH, **options: Any) -> Any:
    metric = Metric(**({"value": None if options["aggregation"] == "count" else "v"} | options))
    return usage(metric, placed(events), span)


def quantity(events: Sequence[Event], span: Span = MONTH, **options: Any) -> Any:
    (only,), _ = counted(events, span, **options)
    return only.quantity


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [("count", 2), ("sum", 30), ("max", 20), ("min", 10), ("average", 15), ("latest", 10)],
)
def test_two_events(aggregation: str, expected: int) -> None:
    assert quantity([at(2, 10), at(1, 20)], aggregation=aggregation) == expected


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [("count", 0), ("sum", 0), ("unique_count", 0), ("weighted_sum", 0),
     ("max", None), ("average", None), ("latest", None), ("percentile", None)],
)  # fmt: skip
def test_no_event(aggregation: str, expected: int | None) -> None:
    assert quantity([], aggregation=aggregation, percentile="50") == expected


def test_max_of_negatives_is_the_nearest_to_zero() -> None:
    assert quantity([at(1, -5), at(2, -2)], aggregation="max") == -2


def test_average_is_rounded_once_half_away() -> None:
    third = quantity([at(1, 1), at(2, 0), at(3, 0)], aggregation="average")
    assert third == Fraction(333333333333333333, 10**18)


def test_percentile_is_a_value_that_occurred() -> None:
    events = [at(1, value) for value in range(1, 21)]
    assert quantity(events, aggregation="percentile", percentile="95") == 19
    assert quantity(events, aggregation="percentile", percentile="100") == 20


def test_unique_texts_keep_their_case_and_their_digits() -> None:
    texts = ["a", "A", "1", "1.0", "a"]
    assert quantity([at(1, text) for text in texts], aggregation="unique_count") == 4


def test_unique_count_with_operations() -> None:
    steps = [("a", "add"), ("b", "add"), ("a", "remove"), ("c", "remove")]
    events = [at(day, text, op=op) for day, (text, op) in enumerate(steps)]
    assert quantity(events, aggregation="unique_count", operation="op") == 1


def test_recurring_texts_stay_until_they_are_removed() -> None:
    events = [at(-40, "a", op="add"), at(-40, "b", op="add"), at(3, "b", op="remove")]
    found = quantity(events, aggregation="unique_count", operation="op", recurring=True)
    assert found == 1


def test_weighted_sum_of_changes() -> None:
    assert quantity([at(0, 10), at(15, -4)], aggregation="weighted_sum") == 8


def test_weighted_sum_goes_on_with_its_level() -> None:
    options: dict[str, Any] = {"aggregation": "weighted_sum", "recurring": True}
    assert quantity([at(-1, 7)], **options) == 7
    assert quantity([at(-1, 7), at(15, -4)], **options) == 5


def test_weighted_sum_of_levels() -> None:
    options: dict[str, Any] = {"aggregation": "weighted_sum", "values": "levels"}
    assert quantity([at(10, 3), at(20, 6)], **options) == 3
    assert quantity([at(-9, 9), at(10, 3), at(20, 6)], recurring=True, **options) == 6


def test_half_of_a_full_period_is_half_of_its_level() -> None:
    half = Span(APRIL, APRIL + timedelta(days=15), APRIL, MAY)
    assert quantity([at(0, 10)], half, aggregation="weighted_sum") == 5


def test_a_published_weighted_sum() -> None:
    start = datetime(2025, 7, 31, 18, 30, tzinfo=UTC)
    end = datetime(2025, 8, 31, 18, 30, tzinfo=UTC)
    days = {16: 20, 18: 10, 20: 10, 25: 5}
    events = [
        Event(datetime(2025, 8, day, tzinfo=UTC), 0, {"v": str(value)})
        for day, value in days.items()
    ]
    found = quantity(events, Span(start, end, start, end), aggregation="weighted_sum")
    # The published figure rests on wrong counts of seconds; this is the true one.
    assert found == Fraction(19506048387096774194, 10**18)


def test_a_published_maximum_per_hour_and_resource() -> None:
    events = [
        Event(APRIL + timedelta(hours=hour), 0, {"v": str(value), "id": name})
        for hour, name, value in ((10, "a", 10), (10.5, "b", 20), (11.25, "a", 15))
    ]
    options: dict[str, Any] = {"aggregation": "max", "bucket": "hour"}
    assert quantity(events, bucket_by=["id"], **options) == 45
    assert quantity(events, **options) == 35


def test_a_published_gauge_that_persists() -> None:
    history = [at(-90, 1000), at(-17, 500)]
    march = Span(APRIL - timedelta(days=31), APRIL, APRIL - timedelta(days=31), APRIL)
    assert quantity(history, march, aggregation="max", recurring=True) == 1000
    assert quantity(history, aggregation="max", recurring=True) == 500


def test_empty_buckets_count_where_they_are_asked_for() -> None:
    day = Span(APRIL, APRIL + timedelta(days=1), APRIL, APRIL + timedelta(days=1))
    options: dict[str, Any] = {"aggregation": "sum", "bucket": "hour", "combine": "average"}
    assert quantity([at(0.5, 12)], day, **options) == 12
    assert quantity([at(0.5, 12)], day, empty_buckets="zero", **options) == Fraction(1, 2)


def test_buckets_of_days_are_local_and_clipped() -> None:
    start = datetime(2026, 3, 28, 23, tzinfo=UTC)
    berlin = Span(start, start + timedelta(hours=47), start, start + timedelta(hours=47),
                  "Europe/Berlin")  # fmt: skip
    # The first of the two days has 23 hours.
    events = [Event(start + timedelta(hours=hour), 0, {"v": "1"}) for hour in (0, 22, 23, 46)]
    found = quantity(events, berlin, aggregation="count", bucket="day", combine="max")
    assert found == 2


def test_seats_by_days() -> None:
    options: dict[str, Any] = {"aggregation": "sum", "by_days": True}
    assert quantity([at(0, 10), at(15, 2)], **options) == 11
    assert quantity([at(-3, 4)], recurring=True, **options) == 4


def test_texts_by_days_count_a_day_once() -> None:
    toggles = [at(0.1, "a", op="add"), at(0.2, "a", op="remove"), at(0.3, "a", op="add"),
               at(3, "a", op="remove")]  # fmt: skip
    found = quantity(toggles, aggregation="unique_count", operation="op", by_days=True)
    assert found == Fraction(1, 10)


@pytest.mark.parametrize(
    ("expression", "properties", "expected"),
    [
        ("v", {"v": "-1.5e1"}, -15),
        ("cpu * 2 + 1", {"cpu": "3"}, 7),
        ("1 - 2 - 3", {}, -4),
        ("(a + b) / 3", {"a": "1", "b": "1"}, Fraction(666666666666666667, 10**18)),
        ("-a * -2", {"a": "4"}, 8),
        ('"cpu time"', {"cpu time": "5"}, 5),
        ("coalesce(a, b, 9)", {"b": "4"}, 4),
        ("coalesce(a, 9)", {}, 9),
        ("round(a, 1)", {"a": "-0.25"}, Fraction(-3, 10)),
        ("ceil(a)", {"a": "-1.2"}, -1),
        ("floor(a)", {"a": "-1.2"}, -2),
        ("a / b", {"a": "1", "b": "0"}, "not_a_number"),
        ("a + b", {"a": "x"}, "missing_property"),
        ("a", {"a": ""}, "not_a_number"),
        ("a", {"a": "100000000000000000000"}, "too_large"),
        ("a", {"a": "99999999999999999999"}, 99999999999999999999),
        ("a", {"a": "1e-19"}, "too_precise"),
        ("a", {"a": "1.0000000000000000000"}, 1),
    ],
)
def test_values(
    expression: str, properties: Mapping[str, str], expected: Fraction | int | str
) -> None:
    (only,), unmetered = counted([Event(APRIL, 0, properties)], aggregation="sum", value=expression)
    if isinstance(expected, str):
        assert (unmetered, only.quantity, only.event_count) == ({0: expected}, 0, 0)
    else:
        assert (unmetered, only.quantity, only.event_count) == ({}, expected, 1)


def test_concat_makes_the_text_that_is_counted() -> None:
    events = [at(1, a="x", b="y"), at(2, a="xy", b=""), at(3, a="x")]
    found, unmetered = counted(events, aggregation="unique_count", value="concat(a, '/', b)")
    assert (found[0].quantity, unmetered) == (2, {2: "missing_property"})


@pytest.mark.parametrize(
    ("filters", "exclude", "expected"),
    [
        ({"region": ["eu", "us"]}, [], 2),
        ({"region": {"not_in": ["eu"]}}, [], 2),
        ({"region": {"exists": False}}, [], 1),
        ({"ms": {"gt": "5", "lte": "10"}}, [], 1),
        ({"ms": {"gte": "1e1"}}, [], 1),
        ({}, [{"region": ["eu"], "ms": {"lt": "6"}}], 2),
        ({}, [{"region": ["eu"], "ms": {"lt": "5"}}], 3),
        ({}, [{}], 3),
    ],
)
def test_filters_and_exclusions(
    filters: Mapping[str, object], exclude: Sequence[Mapping[str, object]], expected: int
) -> None:
    events = [at(1, region="eu", ms="5"), at(2, region="us", ms="10"), at(3, ms="slow")]
    found = quantity(events, aggregation="count", filters=filters, exclude=exclude)
    assert found == expected


def test_groups_are_ordered_null_first_and_by_code_point() -> None:
    events = [at(1, 1, r="b"), at(1, 2, r="a"), at(1, 3), at(1, 4, r=""), at(1, 5, r="Z")]
    found, _ = counted(events, aggregation="sum", group_by=["r"])
    order = [each.group["r"] for each in found]
    assert order == [None, "", "Z", "a", "b"]
    assert [each.quantity for each in found] == [3, 4, 5, 2, 1]


def test_a_group_of_earlier_events_occurs_where_state_is_carried() -> None:
    found, _ = counted([at(-9, 4, r="a")], aggregation="sum", group_by=["r"], recurring=True)
    assert [(each.quantity, each.event_count) for each in found] == [(4, 0)]
    assert counted([at(-9, 4, r="a")], aggregation="sum", group_by=["r"]) == ([], {})


def test_a_negative_quantity_is_billed_as_nothing() -> None:
    (only,), _ = counted([at(1, -3)], aggregation="sum")
    assert (only.quantity, only.billed_quantity) == (-3, 0)


@pytest.mark.parametrize(
    ("how", "digits", "expected"),
    [("round", 0, -3), ("ceil", 0, -2), ("floor", 0, -3), ("round", -1, 0), ("floor", -1, -10)],
)
def test_the_result_is_rounded(how: str, digits: int, expected: int) -> None:
    found = quantity([at(1, "-2.5")], aggregation="sum", round=how, round_digits=digits)
    assert found == expected


def test_bounds_are_half_open() -> None:
    events = [at(0, 1), at(30, 2), at(-1, 4)]
    (only,), unmetered = counted(events, aggregation="sum")
    assert (only.quantity, only.first_occurred_at, unmetered) == (1, APRIL, {})


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+007.50", Fraction(15, 2)),
        ("-1.5e3", Fraction(-1500)),
        ("25E-2", Fraction(1, 4)),
        ("0e99999999999", Fraction(0)),
    ],
)
def test_a_number_is_exact(text: str, number: Fraction) -> None:
    assert number_of(text) == number


def test_a_number_without_end_is_not_written_out() -> None:
    huge, tiny = number_of("-1e99999999999"), number_of("1e-99999999999")

    assert isinstance(huge, Fraction)
    assert isinstance(tiny, Fraction)
    assert huge < -(10**1000)
    assert 0 < tiny < Fraction(1, 10**1000)
