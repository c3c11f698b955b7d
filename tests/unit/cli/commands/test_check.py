"""`meterline check`: what it prints, and how it ends."""

import json
from collections.abc import Callable

import pytest
from typer.testing import Result

from pipelines.operations import check
from pipelines.operations.check import Checked

Call = Callable[..., Result]

RIGHT = Checked(
    catalog="/srv/catalog",
    customers=1,
    subscriptions=2,
    metrics=["requests"],
    closed_periods=0,
    problems=[],
    warnings=[],
    columns=[],
    left_out={},
)


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> Callable[[Checked], None]:
    """What the stand-in of the check finds."""
    return lambda checked: monkeypatch.setattr(check, "check_home", lambda _: checked)


def changed(**values: object) -> Checked:
    return Checked(**(vars(RIGHT) | values))


@pytest.mark.parametrize(
    ("checked", "sentence"),
    [
        (
            RIGHT,
            "Settings, catalog (1 customer, 2 subscriptions), dbt project and 1 metric are right.",
        ),
        (
            changed(closed_periods=1, metrics=["a", "b"]),
            "Settings, catalog (1 customer, 2 subscriptions), dbt project and 2 metrics are right, "
            "and agree with 1 closed period.",
        ),
    ],
)
def test_what_is_right_is_one_sentence(
    call: Call, find: Callable[[Checked], None], checked: Checked, sentence: str
) -> None:
    find(checked)
    called = call("check")

    assert called.exit_code == 0
    assert called.stdout == f"{sentence}\n"


def test_problems_are_told_as_they_are_and_end_with_exit_code_1(
    call: Call, find: Callable[[Checked], None]
) -> None:
    long = "plans.csv, row 2: [bold]" + "word " * 50 + "end"
    find(changed(problems=[long, "two\nlines"], warnings=["a\x1b[2J"], customers=None))
    called = call("check")

    assert called.exit_code == 1
    assert called.stdout.splitlines() == [
        f"problem {long}",
        "problem two",
        "lines",
        "warning a\\x1b[2J",
        "2 problems; nothing was changed.",
    ]


def test_what_columns_there_are_is_told_and_is_no_problem(
    call: Call, find: Callable[[Checked], None]
) -> None:
    left_out = {"charges.csv": ["name", "prorated"], "customers.csv": ["ends_on"]}
    find(changed(columns=["plans.csv is new since the last run"], left_out=left_out))
    called = call("check")

    assert called.exit_code == 0
    first, second, *_ = called.stdout.splitlines()
    assert first == "columns plans.csv is new since the last run"
    assert second == (
        "columns 3 columns left out, and empty, in charges.csv, customers.csv (`--json` names them)"
    )


def test_one_problem_is_counted_in_the_singular(
    call: Call, find: Callable[[Checked], None]
) -> None:
    find(changed(problems=["x"]))

    assert call("check").stdout.endswith("1 problem; nothing was changed.\n")


@pytest.mark.parametrize(("problems", "exit_code"), [([], 0), (["x"], 1)])
def test_json_has_what_was_checked(
    call: Call, find: Callable[[Checked], None], problems: list[str], exit_code: int
) -> None:
    find(changed(problems=problems))
    called = call("check", "--json")

    assert called.exit_code == exit_code
    assert json.loads(called.stdout) == vars(RIGHT) | {"problems": problems}


def test_a_misspelt_variable_is_said(call: Call) -> None:
    called = call("check", METERLINE_CATALOGUE="/srv/catalog")

    assert called.exit_code == 1
    assert "METERLINE_CATALOGUE is not a setting; did you mean METERLINE_CATALOG?" in called.stderr
