"""`meterline what-if`: what it prints, and how it ends."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from pipelines.operations import what_if as module
from pipelines.operations.what_if import Unmetered, WhatIf

Call = Callable[..., Result]

ASKED = ("what-if", "--metric", "m.sql", "--customer", "www", "--period", "2015-05")


def found(groups: list[dict[str, Any]], unmetered: list[Unmetered]) -> WhatIf:
    return WhatIf(
        metric_code="egress",
        unit="GB",
        customer_id="www",
        time_zone="Asia/Kuwait",
        start=datetime(2015, 4, 30, 21, tzinfo=UTC),
        end=datetime(2015, 5, 31, 21, tzinfo=UTC),
        batch_id=3,
        result={"groups": groups, "unmetered": [], "windows": []},
        unmetered=unmetered,
    )


def group(region: str | None, quantity: str | None, events: int) -> dict[str, Any]:
    return {"group": {"region": region}, "quantity": quantity, "event_count": events}


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> Callable[[WhatIf], None]:
    """What the stand-in finds."""

    def play(result: WhatIf) -> None:
        def stand_in(_: object, file: Path, *asked: str) -> WhatIf:
            assert (file, *asked) == (Path("m.sql"), "www", "2015-05")
            return result

        monkeypatch.setattr(module, "what_if", stand_in)

    return play


def test_groups_and_reasons_are_shown(call: Call, find: Callable[[WhatIf], None]) -> None:
    groups = [
        group(None, "0.5", 1),
        group("[bold]eu\x1b[31m", "1234.25", 1200),
        group("x", None, 0),
    ]
    find(found(groups, [Unmetered("not_a_number", 1500, "cdn/[/a].ndjson:7")]))

    called = call(*ASKED)

    assert called.exit_code == 0
    lines = [line.split() for line in called.stdout.splitlines() if line.strip()]
    assert " ".join(lines[0]) == (
        "egress of www from 2015-04-30 21:00:00 to 2015-05-31 21:00:00 UTC (Asia/Kuwait); "
        "billed nowhere."
    )
    assert lines[1] == ["region", "quantity", "unit", "events"]
    assert lines[3] == ["(none)", "0.5", "GB", "1"]
    assert lines[4][1:] == ["1234.25", "GB", "1,200"]
    assert lines[4][0].startswith("[bold]eu")
    assert lines[5] == ["x", "(none)", "GB", "0"]
    assert " ".join(lines[6]) == "not counted: 1,500 with not_a_number, such as cdn/[/a].ndjson:7"
    assert "\x1b[31m" not in called.stdout


def test_no_event_is_told(call: Call, find: Callable[[WhatIf], None]) -> None:
    find(found([], []))

    assert call(*ASKED).stdout.splitlines()[1:] == ["No event counts."]


def test_json_is_the_answer(call: Call, find: Callable[[WhatIf], None]) -> None:
    expected = found([group("eu", "1", 1)], [])
    find(expected)

    assert json.loads(call(*ASKED, "--json").stdout) == expected.answer()


def test_what_is_wrong_is_one_sentence_and_ends_with_1(call: Call) -> None:
    asked = call(*ASKED[:-1], "2015-13", "--json")

    assert asked.exit_code == 1
    assert json.loads(asked.stdout)["message"].startswith("expected a month like 2026-03")


def test_a_missing_option_is_wrong_usage(call: Call) -> None:
    assert call(*ASKED[:3]).exit_code == 2
