"""`meterline publish`: what it asks for, and what it prints."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import Result

from pipelines.cli.job import RunOutcome
from pipelines.intake.kinds import Republication

Call = Callable[..., Result]


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_publish_only_republishes(
    call: Call, home: Path, ran: list[tuple[object, ...]], options: list[str]
) -> None:
    called = call("publish", *options)

    assert called.exit_code == 0, called.stderr
    assert ran == [(home, Republication(), None)]
    assert "000001-abcdef01" in called.stdout


def test_publish_as_json_is_the_run_and_the_report(
    call: Call, ran: list[tuple[object, ...]], outcome: RunOutcome
) -> None:
    report = json.loads(call("publish", "--json").stdout)

    assert report["run"] == json.loads(json.dumps(asdict(outcome)))
    assert report["invoice_counts"] == {"finalized": 0, "draft": 0}
