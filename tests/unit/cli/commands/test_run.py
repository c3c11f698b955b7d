"""`meterline run`: what it asks for, and what it prints."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import Result

from pipelines.cli.job import RunOutcome
from pipelines.intake.kinds import NewFiles

Call = Callable[..., Result]


def test_run_hands_on_the_instant_and_says_what_it_changed(
    call: Call, home: Path, ran: list[tuple[object, ...]], outcome: RunOutcome
) -> None:
    called = call("run", "--as-of", "2026-03-10T12:00:00Z")

    assert called.exit_code == 0, called.stderr
    assert ran == [(home, NewFiles(), "2026-03-10T12:00:00Z")]
    assert outcome.sentence() in called.stdout
    assert "Where to look next" in called.stdout
    # In one line, however long.
    assert str(home / "published" / "current" / "marts.duckdb") in called.stdout


def test_run_as_json_prints_one_object_and_no_progress(
    call: Call, ran: list[tuple[object, ...]], outcome: RunOutcome
) -> None:
    called = call("run", "--json")
    report = json.loads(called.stdout)

    assert called.exit_code == 0
    assert called.stderr == ""
    assert report["run"].pop("seconds") >= 0
    assert report["run"] == json.loads(json.dumps(asdict(outcome)))
    assert report["invoices"] == []


def test_path_below_the_current_folder_is_shortened(
    call: Call, home: Path, ran: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home.parent)

    assert "the marts     home/published/current/marts.duckdb" in call("run").stdout
