"""Quantities, asked through preview: examples of the contract and of other systems."""

from typing import Any

import pytest

from tests.worlds.previews import Case, answers_to, error_of, result_of

APRIL = {"start": "2026-04-01", "end": "2026-05-01"}
DAY = {"start": "2026-04-01", "end": "2026-04-02"}


def at(day: float, value: object = None, **properties: object) -> Case:
    """An event so many days after the first of April."""
    minutes = round(day * 1440)
    clock = f"2026-04-{1 + minutes // 1440:02}T{minutes // 60 % 24:02}:{minutes % 60:02}:00Z"
    known = {} if value is None else {"v": value}
    return {"occurred_at": clock, "properties": known | properties}


def before(day: int, value: object, **properties: object) -> Case:
    return at(0, value, **properties) | {"occurred_at": f"2026-03-{day:02}T00:00:00Z"}


def case(events: list[Case], period: Case = APRIL, **metric: object) -> Case:
    options = metric if metric["aggregation"] == "count" else {"value": "v"} | metric
    return {"kind": "aggregate", "metric": options, "events": events, "period": period}


def quantity(events: list[Case], period: Case = APRIL, **metric: object) -> Any:
    (group,) = result_of(case(events, period, **metric))["groups"]
    return group["quantity"]


def test_contract_example() -> None:
    asked = case([at(15, -4)], aggregation="weighted_sum", recurring=True)
    assert result_of(asked | {"level_at_start": "7"}) == {
        "groups": [
            {
                "group": {},
                "quantity": "5",
                "billed_quantity": "5",
                "event_count": 1,
                "first_occurred_at": "2026-04-16T00:00:00Z",
                "last_occurred_at": "2026-04-16T00:00:00Z",
            }
        ],
        "unmetered": [],
        "windows": [],
    }


@pytest.mark.parametrize(
    ("metric", "events", "expected"),
    [
        # billing.md, section 14.
        ({"aggregation": "weighted_sum"}, [at(0, 10), at(15, -4)], "8"),
        ({"aggregation": "weighted_sum", "recurring": True}, [before(31, 7)], "7"),
        ({"aggregation": "unique_count", "operation": "op"},
         [at(1, "a", op="add"), at(2, "b", op="add"), at(3, "a", op="remove"),
          at(4, "c", op="remove")], "1"),
        ({"aggregation": "percentile", "percentile": 95}, [at(1, n) for n in range(1, 21)], "19"),
        # Lago, aggregation examples.
        ({"aggregation": "count"}, [at(1, 10), at(2, 20)], "2"),
        ({"aggregation": "sum"}, [at(1, 10), at(2, 20)], "30"),
        ({"aggregation": "max"}, [at(1, 10), at(2, 20)], "20"),
        ({"aggregation": "unique_count", "value": "user"},
         [at(1, 10, user="1234"), at(2, 20, user="1234")], "1"),
        ({"aggregation": "latest"}, [at(1, 20), at(2, 10)], "10"),
        # Flexprice, latest: by the time of the event, not by arrival.
        ({"aggregation": "latest"}, [at(0.4, 1), at(0.5, 2), at(0.3, 3), at(0.6, 4)], "4"),
        # Flexprice, sum with multiplier; of one identity the last there, the first here.
        ({"aggregation": "sum", "value": "v * 0.001"}, [at(0.4, n) for n in (1000, 2500, 1500)],
         "5"),
        # Flexprice, maximum per hour, with and without the resource.
        ({"aggregation": "max", "bucket": "hour", "bucket_by": ["id"]},
         [at(0.4, 10, id="a"), at(0.41, 20, id="b"), at(0.47, 15, id="a")], "45"),
        ({"aggregation": "max", "bucket": "hour"},
         [at(0.4, 10, id="a"), at(0.41, 20, id="b"), at(0.47, 15, id="a")], "35"),
        # Amberflo, high watermark: a gauge stays where it is.
        ({"aggregation": "max", "recurring": True}, [before(1, 1000), before(15, 500)], "500"),
        ({"aggregation": "average"}, [at(1, 1), at(2, 0), at(3, 0)], "0.333333333333333333"),
        ({"aggregation": "average"}, [at(1, -2), at(2, 0), at(3, 0)], "-0.666666666666666667"),
        ({"aggregation": "max"}, [at(1, -5), at(2, -2)], "-2"),
        ({"aggregation": "sum", "by_days": True}, [at(0, 10), at(15, 2)], "11"),
        ({"aggregation": "sum"}, [at(0, "+5"), at(1, "007"), at(2, "1e2")], "112"),
        ({"aggregation": "sum", "round": "ceil", "round_digits": -1}, [at(0, "-12.5")], "-10"),
        ({"aggregation": "sum", "fraction_digits": 1, "round_values": True},
         [at(0, "0.05"), at(1, "-0.05"), at(2, "0.04")], "0"),
        ({"aggregation": "sum", "value": "v / 1e0"}, [], None),
    ],
)  # fmt: skip
def test_quantity(metric: Case, events: list[Case], expected: str | None) -> None:
    if expected is None:
        assert error_of(case(events, **metric))["path"] == "metric.value"
    else:
        assert quantity(events, **metric) == expected


def test_a_published_weighted_sum() -> None:
    # The published figure rests on wrong counts of seconds; this is the true one.
    days = {16: "20", 18: "10", 20: "10", 25: "5"}
    events = [
        {"occurred_at": f"2025-08-{day}T00:00:00Z", "properties": {"v": value}}
        for day, value in days.items()
    ]
    period = {"start": "2025-07-31T18:30:00Z", "end": "2025-08-31T18:30:00Z"}
    assert quantity(events, period, aggregation="weighted_sum") == "19.506048387096774194"


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [("count", "0"), ("sum", "0"), ("unique_count", "0"), ("weighted_sum", "0"),
     ("max", None), ("average", None), ("latest", None)],
)  # fmt: skip
def test_no_event_is_nothing_or_no_value(aggregation: str, expected: str | None) -> None:
    (group,) = result_of(case([], aggregation=aggregation))["groups"]
    assert (group["quantity"], group["billed_quantity"]) == (expected, "0")
    assert result_of(case([], aggregation=aggregation, group_by=["r"]))["groups"] == []


def test_a_negative_quantity_is_billed_as_nothing() -> None:
    (group,) = result_of(case([at(1, -3)], aggregation="sum"))["groups"]
    assert (group["quantity"], group["billed_quantity"]) == ("-3", "0")


def test_groups_are_ordered_null_first_and_by_code_point() -> None:
    texts = {"b": 1, "a": 2, None: 3, "": 4, "Z": 5, "\U0001f600": 6, "\uffff": 7}
    events = [at(1, n, **({} if text is None else {"r": text})) for text, n in texts.items()]
    groups = result_of(case(events, aggregation="sum", group_by=["r"]))["groups"]
    assert [each["group"]["r"] for each in groups] == [
        None, "", "Z", "a", "b", "\uffff", "\U0001f600"
    ]  # fmt: skip


def test_values_that_are_none_are_listed_and_not_counted() -> None:
    values = ["x", "1e-19", "1" + "0" * 20, 5, None, "", True]
    events = [at(1, value) for value in values]
    result = result_of(case([*events, at(29.99, "y"), before(1, "z")], aggregation="sum"))
    assert result["unmetered"] == [
        {"index": 0, "reason": "not_a_number"},
        {"index": 1, "reason": "too_precise"},
        {"index": 2, "reason": "too_large"},
        {"index": 4, "reason": "missing_property"},
        {"index": 5, "reason": "not_a_number"},
        {"index": 6, "reason": "not_a_number"},
        {"index": 7, "reason": "not_a_number"},
    ]
    assert result["groups"][0]["event_count"] == 1


def test_an_operation_that_is_neither_is_listed() -> None:
    events = [at(1, "a", op="Add"), at(2, "b")]
    result = result_of(case(events, aggregation="unique_count", operation="op"))
    assert result["unmetered"] == [{"index": 0, "reason": "unknown_operation"}]
    assert result["groups"][0]["quantity"] == "1"


def test_first_of_a_key_counts_before_any_filter() -> None:
    events = [at(1, 1, r="no") | {"key": "a"}, at(2, 10) | {"key": "a"}, at(3, 100), at(4, 1000)]
    asked = case(events, aggregation="sum", filters={"r": {"not_in": ["no"]}})
    assert result_of(asked)["groups"][0]["quantity"] == "1110"
    assert result_of(asked | {"dedupe": "first"})["groups"][0]["quantity"] == "1100"


def test_the_level_at_start_stands_for_earlier_events() -> None:
    events = [before(1, 99), at(15, 4)]
    for aggregation, expected in {"sum": "11", "max": "7", "min": "4", "latest": "4"}.items():
        asked = case(events, aggregation=aggregation, recurring=True) | {"level_at_start": 7}
        assert result_of(asked)["groups"][0]["quantity"] == expected
    days = case(events, aggregation="sum", recurring=True, by_days=True) | {"level_at_start": 7}
    assert result_of(days)["groups"][0]["quantity"] == "9"


def test_full_period_is_what_weights_divide_by() -> None:
    half = {"start": "2026-04-01", "end": "2026-04-16", "full_end": "2026-05-01"}
    assert quantity([at(0, 10)], half, aggregation="weighted_sum") == "5"


def test_a_day_that_a_zone_skipped_is_no_bucket() -> None:
    # The clocks of Apia went from 29 to 31 December 2011: four days, of which one is used.
    event = at(0, 8) | {"occurred_at": "2011-12-29T12:00:00Z"}
    period = {"start": "2011-12-28", "end": "2012-01-02"}
    asked = case([event], period, aggregation="sum", bucket="day", combine="average",
                 empty_buckets="zero")  # fmt: skip
    asked["time_zone"] = "Pacific/Apia"
    assert result_of(asked)["groups"][0]["quantity"] == "2"


def windows(unit: str, events: list[Case], period: Case, zone: str, **metric: object) -> Any:
    asked = case(events, period, **metric) | {"windows": unit, "time_zone": zone}
    return result_of(asked)["windows"]


def test_windows_are_local_not_clipped_and_also_empty() -> None:
    period = {"start": "2026-03-28T10:00:00Z", "end": "2026-03-30T10:00:00Z"}
    events = [before(28, 1), before(29, 2), at(0, 4) | {"occurred_at": "2026-03-30T09:59:59.5Z"}]
    found = windows("day", events, period, "Europe/Berlin", aggregation="sum")
    assert found == [
        {"group": {}, "start": "2026-03-27T23:00:00Z", "end": "2026-03-28T23:00:00Z",
         "quantity": "0", "event_count": 0},
        {"group": {}, "start": "2026-03-28T23:00:00Z", "end": "2026-03-29T22:00:00Z",
         "quantity": "2", "event_count": 1},
        {"group": {}, "start": "2026-03-29T22:00:00Z", "end": "2026-03-30T22:00:00Z",
         "quantity": "4", "event_count": 1},
    ]  # fmt: skip


def test_an_hour_begins_where_the_clock_shows_minute_0() -> None:
    # The clock of Kathmandu is 5 hours and 45 minutes ahead.
    period = {"start": "2026-04-01T00:20:00Z", "end": "2026-04-01T01:15:00Z"}
    found = windows("hour", [], period, "Asia/Kathmandu", aggregation="count")
    assert [each["start"] for each in found] == ["2026-04-01T00:15:00Z"]
    # On 25 October 2026 the hour from 2 to 3 comes twice.
    period = {"start": "2026-10-25T00:00:00Z", "end": "2026-10-25T03:00:00Z"}
    found = windows("hour", [], period, "Europe/Berlin", aggregation="count")
    assert [each["start"][11:16] for each in found] == ["00:00", "01:00", "02:00"]


def test_windows_of_minutes_months_and_groups() -> None:
    period = {"start": "2026-04-01T00:00:30Z", "end": "2026-04-01T00:02:00Z"}
    found = windows("minute", [at(0.001, 5, r="a")], period, "Etc/UTC", aggregation="max",
                    group_by=["r"])  # fmt: skip
    assert [(each["start"][14:19], each["quantity"]) for each in found] == [
        ("00:00", None), ("01:00", "5")
    ]  # fmt: skip
    months = windows("month", [], {"start": "2026-01-31", "end": "2026-03-02"}, "Asia/Tokyo",
                     aggregation="count")  # fmt: skip
    assert [each["start"] for each in months] == [
        "2025-12-31T15:00:00Z", "2026-01-31T15:00:00Z", "2026-02-28T15:00:00Z"
    ]  # fmt: skip


def test_neither_order_nor_company_changes_an_answer() -> None:
    cases = [
        {"id": str(place)} | each
        for place, each in enumerate(
            [
                case([at(1, 3)], aggregation="sum"),
                case([at(1, 3), at(2, 5)], aggregation="sum"),
                case([at(1, "x")], aggregation="sum", recurring=True),
                case([at(1, "9" * 20), at(2, "9" * 20)], aggregation="sum"),
                case([at(1, 3)], aggregation="median"),
            ]
        )
    ]
    together = {answer["id"]: answer for answer in answers_to(*cases)}
    backwards = {answer["id"]: answer for answer in answers_to(*cases[::-1])}
    alone = {each["id"]: answers_to(each)[0] for each in cases}
    assert together == backwards == alone
    assert [answer["ok"] for answer in together.values()] == [True, True, True, False, False]
    assert together["3"]["error"]["code"] == "overflow"


GOOD = case([at(1, 1)], aggregation="sum")


@pytest.mark.parametrize(
    ("wrong", "code", "path"),
    [
        ({"metric": None}, "missing_field", "metric"),
        ({"metric": 3}, "bad_value", "metric"),
        ({"metric": {}}, "missing_field", "metric.aggregation"),
        ({"metric": {"aggregation": "median", "value": "v"}}, "bad_value", "metric.aggregation"),
        ({"metric": {"aggregation": "sum"}}, "missing_field", "metric.value"),
        ({"metric": {"aggregation": "sum", "value": 3.5}}, None, ""),
        ({"metric": {"aggregation": "sum", "value": True}}, "bad_value", "metric.value"),
        ({"metric": {"aggregation": "sum", "value": "v", "unit": "x"}}, "unknown_field",
         "metric.unit"),
        ({"metric": {"aggregation": "sum", "value": "v", "traits": {}}}, "unknown_field",
         "metric.traits"),
        ({"metric": {"aggregation": "count", "recurring": True}}, "not_supported",
         "metric.recurring"),
        ({"metric": {"aggregation": "average", "value": "v", "recurring": True}},
         "not_supported", "metric.recurring"),
        ({"metric": {"aggregation": "sum", "value": "v", "recurring": "yes"}}, "bad_value",
         "metric.recurring"),
        ({"metric": {"aggregation": "max", "value": "v", "by_days": True}}, "not_supported",
         "metric.by_days"),
        ({"metric": {"aggregation": "percentile", "value": "v"}}, "missing_field",
         "metric.percentile"),
        ({"metric": {"aggregation": "percentile", "value": "v", "percentile": 0}}, "bad_value",
         "metric.percentile"),
        ({"metric": {"aggregation": "percentile", "value": "v", "percentile": "100.1"}},
         "bad_value", "metric.percentile"),
        ({"metric": {"aggregation": "sum", "value": "v", "percentile": 5}}, "contradiction",
         "metric.percentile"),
        ({"metric": {"aggregation": "percentile", "value": "v", "percentile": 5, "bucket": "hour",
                     "combine": "percentile"}}, "not_supported", "metric.combine"),
        ({"metric": {"aggregation": "sum", "value": "v", "combine": "max"}}, "contradiction",
         "metric.combine"),
        ({"metric": {"aggregation": "sum", "value": "v", "bucket": "7 minutes"}}, "bad_value",
         "metric.bucket"),
        ({"metric": {"aggregation": "sum", "value": "v", "bucket": "hour", "recurring": True}},
         "not_supported", "metric.recurring"),
        ({"metric": {"aggregation": "sum", "value": "v", "operation": "op"}}, "contradiction",
         "metric.operation"),
        ({"metric": {"aggregation": "sum", "value": "v", "values": "levels"}}, "contradiction",
         "metric.values"),
        ({"metric": {"aggregation": "sum", "value": "v", "round_digits": 2}}, "contradiction",
         "metric.round_digits"),
        ({"metric": {"aggregation": "sum", "value": "v", "fraction_digits": 19}}, "bad_value",
         "metric.fraction_digits"),
        ({"metric": {"aggregation": "sum", "value": "v", "group_by": "r"}}, "bad_value",
         "metric.group_by"),
        ({"metric": {"aggregation": "sum", "value": "v", "group_by": ["r", "r"]}}, "bad_value",
         "metric.group_by"),
        ({"metric": {"aggregation": "sum", "value": "v", "filters": {"r": []}}}, "bad_value",
         "metric.filters.r"),
        ({"metric": {"aggregation": "sum", "value": "v", "filters": {"r": {"gt": "x"}}}},
         "bad_value", "metric.filters.r.gt"),
        ({"metric": {"aggregation": "sum", "value": "v", "filters": {"r": {"like": "x"}}}},
         "unknown_field", "metric.filters.r.like"),
        ({"metric": {"aggregation": "sum", "value": "v", "filters": ["r"]}}, "bad_value",
         "metric.filters"),
        ({"metric": {"aggregation": "sum", "value": "v", "exclude": [{"r": [["a"]]}]}},
         "bad_value", "metric.exclude[0].r"),
        ({"metric": {"aggregation": "sum", "value": "v\0"}}, "bad_value", "metric.value"),
        ({"metric": {"aggregation": "sum", "value": "\ud800"}}, "bad_value", "metric.value"),
        ({"period": None}, "missing_field", "period"),
        ({"period": {"start": "2026-04-01"}}, "missing_field", "period.end"),
        ({"period": {"start": "2026-04-01", "end": "2026-04-01"}}, "contradiction", "period.end"),
        ({"period": APRIL | {"full_end": "2026-03-01"}}, "contradiction", "period.full_end"),
        ({"period": APRIL | {"length": 3}}, "unknown_field", "period.length"),
        ({"metric": {"aggregation": "sum", "value": "v", "by_days": True},
          "period": {"start": "2026-04-01T05:00:00Z", "end": "2026-04-01T06:00:00Z"}},
         "contradiction", "period"),
        ({"level_at_start": 1}, "contradiction", "level_at_start"),
        ({"metric": {"aggregation": "unique_count", "value": "v", "recurring": True},
          "level_at_start": 1}, "not_supported", "level_at_start"),
        ({"metric": {"aggregation": "sum", "value": "v", "recurring": True, "group_by": ["r"]},
          "level_at_start": 1}, "not_supported", "level_at_start"),
        ({"metric": {"aggregation": "weighted_sum", "value": "v"}, "windows": "day"},
         "not_supported", "windows"),
        ({"windows": "week"}, "bad_value", "windows"),
        ({"windows": "minute", "period": {"start": "2020-01-01", "end": "2026-01-01"}},
         "too_large", "windows"),
        ({"dedupe": "last"}, "bad_value", "dedupe"),
        ({"events": {}}, "bad_value", "events"),
        ({"events": [3]}, "bad_value", "events[0]"),
        ({"events": [{"properties": {}}]}, "missing_field", "events[0].occurred_at"),
        ({"events": [at(1) | {"occurred_at": "2026-04-01"}]}, "bad_value",
         "events[0].occurred_at"),
        ({"events": [{"occurred_at": "2026-04-01T00:00:00Z"}]}, "missing_field",
         "events[0].properties"),
        ({"events": [at(1, [1])]}, "bad_value", "events[0].properties.v"),
        ({"events": [at(1, 1), at(1, x=None)]}, "bad_value", "events[1].properties.x"),
        ({"events": [at(1, "\udc00")]}, "bad_value", "events[0].properties.v"),
        ({"events": [at(1) | {"colour": 1}]}, "unknown_field", "events[0].colour"),
        ({"events": [at(1)] * 100_001}, "too_large", "events"),
        ({"colour": 1}, "unknown_field", "colour"),
    ],
)  # fmt: skip
def test_a_wrong_case_says_where_and_why(wrong: Case, code: str | None, path: str) -> None:
    asked = GOOD | wrong
    if code is None:
        assert result_of(asked)["groups"][0]["quantity"] == "3.5"
        return
    error = error_of(asked)
    assert (error["code"], error["path"]) == (code, path)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("", "expected a value, such as a property or a number at character 1, found the end"),
        ("v +", "expected a value, such as a property or a number at character 4, found the end"),
        ("v w", "expected a sign such as + before it at character 3, found w"),
        ("(v", "expected ) for the bracket at character 1, found no end of it"),
        ("v)", "expected a bracket before it at character 2, found )"),
        ("v, w", "expected a bracket before it at character 2, found ,"),
        ("sqrt(v)", "expected one of the functions round, ceil, floor, coalesce and concat at "
         "character 1, found sqrt"),
        ("round(v, w)", "expected whole digits from -18 to 18 for round at character 1, found "
         "other digits"),
        ("ceil(v, 1)", "expected one value for ceil at character 1, found 2 values"),
        ("v ; drop", "expected a number, a property, a text, a sign or a function at character 3, "
         "found ;"),
        ("'v", "expected a number, a property, a text, a sign or a function at character 1, "
         "found '"),
        ("1" * 39, f"expected a number of at most 38 digits at character 1, found {'1' * 39}"),
        ("(" * 600 + "v" + ")" * 600, "expected at most 500 brackets and signs within each other "
         "at character 502, found more"),
        ("v" + " / 2" * 300, "expected at most 200 steps one after another"),
        (" + ".join(f"v * w{n}" for n in range(700)), "expected at most 600 products"),
    ],
)  # fmt: skip
def test_a_wrong_expression_says_where(expression: str, expected: str) -> None:
    error = error_of(case([], aggregation="sum", value=expression))
    assert (error["code"], error["path"]) == ("bad_value", "metric.value")
    assert expected in error["message"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param(" + ".join(["v"] * 1000), "2000", id="a thousand terms"),
        pytest.param(" * ".join(["v - 1"] * 300), "-597", id="products"),
        pytest.param(" + ".join(f"p{n}" for n in range(1000)), "missing_property", id="names"),
        pytest.param("(" * 200 + "v" + ")" * 200, "2", id="brackets"),
        pytest.param("v" + " - (v - 1" * 200 + ")" * 200, "2", id="sums in sums"),
        pytest.param(" + ".join(f"coalesce(p{n}, 1)" for n in range(300)), "300", id="properties"),
        pytest.param("v / 0 + 1", "not_a_number", id="division by 0"),
        pytest.param("v" + " / 1" * 40, "2", id="divisions"),
    ],
)
def test_long_expressions_are_worked_out(expression: str, expected: str) -> None:
    result = result_of(case([at(1, 2)], aggregation="sum", value=expression))
    if "_" in expected:
        assert result["unmetered"] == [{"index": 0, "reason": expected}]
    else:
        assert result["groups"][0]["quantity"] == expected


ODD_NAMES = ("it's", 'a "b"', "{{ 1 / 0 }}", "{% raw %}", "}}", "$1", "a--b", "---", "a;b", "\\",
             "two\nlines", "{# a", "größe", "\U0001f4a1", "\u202e", " ")  # fmt: skip


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_may_have_any_signs(name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    event = at(1, 7, **{name: "3"})
    asked = case([event], aggregation="sum", value=f"{quoted} * v", group_by=[name],
                 filters={name: ["3", name]}, exclude=[{name: {"not_in": ["3"]}}],
                 event_name=[name])  # fmt: skip
    asked["events"][0]["event_name"] = name
    (group,) = result_of(asked)["groups"]
    assert (group["group"], group["quantity"]) == ({name: "3"}, "21")
    texts = case([event], aggregation="unique_count",
                 value="concat('" + name.replace("'", "''") + f"', {quoted})")  # fmt: skip
    assert result_of(texts)["groups"][0]["quantity"] == "1"


def test_two_hundred_properties_make_a_group() -> None:
    names = [f"p{number}" for number in range(200)]
    events = [at(1, 1, **dict.fromkeys(names, "x")), at(2, 2, p7="x"), at(3, 4, p7="x")]
    groups = result_of(case(events, aggregation="sum", group_by=names))["groups"]
    assert [(each["quantity"], each["event_count"]) for each in groups] == [("6", 2), ("1", 1)]
