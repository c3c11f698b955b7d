"""`meterline what-if`: what it prints, and how it ends."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from pipelines.cli.commands.what_if import PERIODS_SHOWN
from pipelines.operations import what_if as module
from pipelines.operations import what_if_plan as plan_module
from pipelines.operations.what_if import Unmetered, WhatIf
from pipelines.operations.what_if_plan import LeftOut, PlanTotal, PlanWhatIf, PricedPeriod

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


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "write one of --metric and --plan"),
        ((*ASKED[1:], "--plan", "p"), "write one of --metric and --plan"),
        (ASKED[1:3], "--metric goes with --customer and --period"),
        (ASKED[1:5], "--metric goes with --customer and --period"),
        ((*ASKED[1:], "--from", "2015-05-01"), "--metric goes with --customer and --period"),
        (("--plan", "p", *ASKED[5:]), "--plan goes with --customer and --from"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(
    call: Call, options: tuple[str, ...], sentence: str
) -> None:
    called = call("what-if", *options)

    assert called.exit_code == 2
    assert sentence in " ".join(re.sub(r"[│\n]", " ", called.stderr).split())


def priced(invoice_id: str, **others: Any) -> PricedPeriod:
    return PricedPeriod(**{
        "customer_id": "www", "invoice_id": invoice_id, "status": "draft",
        "period_start_date": "2015-05-01", "currency": "KWD", "billed": "12.5", "would_be": "3",
        "would_be_currency": "KWD", "difference": "-9.5", "note": None, **others,
    })  # fmt: skip


def plan_found(*invoices: PricedPeriod) -> PlanWhatIf:
    return PlanWhatIf(
        plan_code="new[/x]",
        generation="000001-abcdef01",
        as_of="2015-05-20T22:00:00Z",
        invoices=list(invoices),
        totals=[PlanTotal("KWD", 1, "1012.5", "3", "-1009.5")] if invoices else [],
        left_out=[LeftOut("not_charged", "egress_bytes", 1159)],
        warnings=["2 periods are drafts, and may still change"],
    )


@pytest.fixture
def price(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[object]]:
    """What the stand-in finds; the list has what it was asked for."""

    def play(result: PlanWhatIf) -> list[object]:
        asked: list[object] = []

        def stand_in(_: object, *given: object) -> PlanWhatIf:
            asked.extend(given)
            return result

        monkeypatch.setattr(plan_module, "what_if_plan", stand_in)
        return asked

    return play


def test_periods_totals_and_reasons_are_shown(
    call: Call, price: Callable[[PlanWhatIf], list[object]]
) -> None:
    cannot = {"would_be": None, "difference": None, "note": "no price of new is in force"}
    asked = price(plan_found(priced("[/a]"), priced("b", **cannot), priced("c", **cannot)))

    called = call("what-if", "--plan", "new", "--customer", "www", "--from", "2015-05-01")

    assert called.exit_code == 0
    assert asked == ["new", "www", "2015-05-01"]
    lines = [" ".join(line.split()) for line in called.stdout.splitlines() if line.strip()]
    assert lines[0] == (
        "new[/x] for 3 metered periods as of 2015-05-20T22:00:00Z, before discounts, taxes and "
        "credits; billed nowhere."
    )
    assert lines[1] == "customer invoice status billed would be difference"
    assert lines[3:] == [
        "www [/a] draft 12.500 KWD 3.000 KWD -9.500 KWD",
        "www b draft 12.500 KWD",
        "www c draft 12.500 KWD",
        "all 1 period 1012.500 KWD 3.000 KWD -1009.500 KWD",
        "not compared: b and 1 more: no price of new is in force",
        "on no line: 1,159 events of egress_bytes, not_charged",
        "2 periods are drafts, and may still change",
    ]


@pytest.mark.parametrize("more", [0, 1])
def test_few_periods_are_shown_and_all_are_counted(
    call: Call, price: Callable[[PlanWhatIf], list[object]], more: int
) -> None:
    price(plan_found(*[priced(f"i{number}") for number in range(PERIODS_SHOWN + more)]))

    shown = call("what-if", "--plan", "new").stdout

    assert f"i{PERIODS_SHOWN - 1} " in shown
    assert f"i{PERIODS_SHOWN} " not in shown
    assert ("… and 1 more: --json lists all of them" in shown) == bool(more)


def test_no_period_is_told(call: Call, price: Callable[[PlanWhatIf], list[object]]) -> None:
    asked = price(plan_found())

    assert "No period is metered." in call("what-if", "--plan", "new").stdout
    assert asked == ["new", None, None]


def test_json_has_every_period(call: Call, price: Callable[[PlanWhatIf], list[object]]) -> None:
    price(plan_found(priced("i")))

    answer = json.loads(call("what-if", "--plan", "new", "--json").stdout)

    assert answer["invoices"] == [vars(priced("i"))]
    assert answer["totals"][0]["difference"] == "-1009.5"
    assert list(answer) == ["plan_code", "generation", "as_of", "invoices", "totals", "left_out",
                            "warnings"]  # fmt: skip


def test_a_wrong_plan_is_one_sentence_and_ends_with_1(call: Call) -> None:
    asked = call("what-if", "--plan", "other", "--json")

    assert asked.exit_code == 1
    assert json.loads(asked.stdout)["message"].startswith("there is no plan other in plans.csv")
