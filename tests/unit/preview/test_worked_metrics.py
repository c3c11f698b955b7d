"""The examples of `docs/metrics.md`, as they stand on the page, give what it says."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.warehouse.metric_files import read_metric_file
from pipelines.warehouse.metric_macros import metric_definition
from tests.worlds.pages import blocks, examples, page, section
from tests.worlds.previews import Case, result_of

PAGE = page("metrics")
EXAMPLES = examples(section(PAGE, "Examples"))


def example(topic: str) -> Case:
    """The case of the example whose name has the topic."""
    (text,) = [text for name, text in EXAMPLES.items() if topic in name]
    case: Case = json.loads(blocks(text, "json")[0])
    return case


def groups(case: Case) -> list[dict[str, Any]]:
    return [
        {name: group[name] for name in ("group", "quantity")} for group in result_of(case)["groups"]
    ]


def test_the_page_has_the_examples_that_people_ask_for() -> None:
    names = " ".join(EXAMPLES)
    for topic in ("CDN", "heartbeats", "LLM", "Storage", "Seats", "95th percentile"):
        assert topic in names


@pytest.mark.parametrize("text", EXAMPLES.values(), ids=EXAMPLES)
def test_an_example_gives_what_the_page_says(text: str) -> None:
    case, answer = map(json.loads, blocks(text, "json"))

    assert groups(case) == answer
    # An option that changes nothing would explain nothing.
    assert len(case["events"]) > 1


def test_five_minutes_lead_from_a_file_to_its_quantity(tmp_path: Path) -> None:
    start = section(PAGE, "A metric in five minutes")
    (file,), (case,) = blocks(start, "sql"), blocks(start, "json")
    (tmp_path / "metric_egress_gb.sql").write_text(file)
    metric = read_metric_file(tmp_path / "metric_egress_gb.sql")
    asked = json.loads(case)

    assert metric.code == "egress_gb"
    assert metric.definition == metric_definition(asked["metric"])
    assert groups(asked) == [{"group": {"region": "eu"}, "quantity": "2.5"}]


def test_heartbeats_that_repeat_count_once() -> None:
    case = example("heartbeats")
    keys = [event["key"] for event in case["events"]]
    assert len(set(keys)) == len(keys) - 1
    assert groups(case | {"dedupe": "none"}) == [{"group": {}, "quantity": "8"}]


def test_empty_buckets_count_only_if_they_are_asked_for() -> None:
    case = example("percentile")
    skipping = case["metric"] | {"empty_buckets": "skip"}
    assert groups(case | {"metric": skipping}) == [{"group": {}, "quantity": "3"}]


def test_seats_by_days_of_the_page_are_counted_by_hand() -> None:
    case = example("Seats")
    without_past = case | {"events": case["events"][1:]}
    # Bob's three days of thirty: who was never added is not there.
    assert groups(without_past) == [{"group": {}, "quantity": "0.1"}]


def test_tokens_by_kind_are_one_metric() -> None:
    events = [
        {"occurred_at": "2026-04-01T00:00:00Z",
         "properties": {"model": "large", "kind": kind, "tokens": tokens}}
        for kind, tokens in (("input", 1200), ("output", 340), ("input", 5))
    ]  # fmt: skip
    metric = {"aggregation": "sum", "value": "tokens", "group_by": ["model", "kind"]}
    asked = {"kind": "aggregate", "metric": metric, "events": events,
             "period": {"start": "2026-04-01", "end": "2026-05-01"}}  # fmt: skip
    assert [(each["group"]["kind"], each["quantity"]) for each in groups(asked)] == [
        ("input", "1205"),
        ("output", "340"),
    ]


def test_gigabyte_hours_are_the_level_by_the_hours_of_the_month() -> None:
    case = example("Storage")
    hours = case["metric"] | {"value": "gb * 720"}
    # 300 GB for 240 hours, and 600 GB for 240 hours.
    assert groups(case | {"metric": hours}) == [{"group": {}, "quantity": "216000"}]
