"""`meterline replay`: what it asks for, and what it prints."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import Result

from pipelines.cli.job import RunOutcome
from pipelines.intake.kinds import Correction
from pipelines.intake.replay_selection import Selection
from pipelines.intake.replayed import Replayed

Call = Callable[..., Result]


@pytest.mark.parametrize(
    ("arguments", "selection"),
    [
        pytest.param([], Selection(), id="everything"),
        pytest.param(["--source", "cdn"], Selection(sources=("cdn",)), id="source"),
        pytest.param(
            ["--file", "a", "--file", "b/*"], Selection(files=("a", "b/*")), id="two files"
        ),
        pytest.param(["--reason", "held"], Selection(reasons=("held",)), id="reason"),
        pytest.param(["--release", "cdn/*"], Selection(release=("cdn/*",)), id="release"),
    ],
)
@pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=["replay", "dry replay"])
def test_replay_hands_on_what_is_selected(
    call: Call,
    home: Path,
    ran: list[tuple[object, ...]],
    arguments: list[str],
    selection: Selection,
    dry: list[str],
) -> None:
    called = call("replay", *arguments, *dry)

    assert called.exit_code == 0, called.stderr
    assert ran == [(home, "dry replay" if dry else "replay", selection)]
    assert ("would change" in called.stdout) is bool(dry)


@pytest.mark.parametrize(
    ("options", "run_id"), [([], "r1"), (["--dry-run"], None)], ids=["replay", "dry replay"]
)
def test_replay_as_json_says_what_changed(
    call: Call,
    ran: list[tuple[object, ...]],
    replayed: Replayed,
    options: list[str],
    run_id: str | None,
) -> None:
    called = call("replay", "--json", *options)

    assert called.stderr == ""
    assert json.loads(called.stdout) == {
        "run_id": run_id,
        "replayed": asdict(replayed),
        "generation": "000001-abcdef01",
    }


def test_unknown_reason_is_refused(call: Call, ran: list[tuple[object, ...]]) -> None:
    called = call("replay", "--reason", "bad luck")

    assert called.exit_code == 1
    assert "--reason: expected one of" in called.stderr
    assert ran == []


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_corrected_copy_is_taken_in(
    call: Call,
    home: Path,
    ran: list[tuple[object, ...]],
    outcome: RunOutcome,
    options: list[str],
) -> None:
    called = call("replay", "--file", "cdn/a", "--from", "cdn/_a", *options)

    assert called.exit_code == 0, called.stderr
    assert ran == [(home, Correction("cdn/a", "cdn/_a"), None)]
    if options:
        assert json.loads(called.stdout)["run"] == json.loads(json.dumps(asdict(outcome)))
    else:
        assert called.stdout.endswith(f"{outcome.sentence()}\n")


@pytest.mark.parametrize(
    "others",
    [
        pytest.param([], id="no file"),
        pytest.param(["--file", "a", "--file", "b"], id="two files"),
        pytest.param(["--file", "a", "--source", "cdn"], id="source"),
        pytest.param(["--file", "a", "--reason", "held"], id="reason"),
        pytest.param(["--file", "a", "--release", "a"], id="release"),
        pytest.param(["--file", "a", "--dry-run"], id="dry run"),
    ],
)
def test_corrected_copy_goes_with_one_file_alone(
    call: Call, ran: list[tuple[object, ...]], others: list[str]
) -> None:
    called = call("replay", "--from", "_a", *others)

    assert called.exit_code == 1
    assert "--from goes with one --file, the path it corrects, alone" in called.stderr
    assert ran == []
