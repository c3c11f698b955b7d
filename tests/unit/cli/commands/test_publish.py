"""`meterline publish`: what it asks for, and what it prints."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from typer.testing import Result

from pipelines.cli.job import RunOutcome
from pipelines.intake.kinds import Republication
from pipelines.operations import report
from pipelines.operations.report import InvoiceCounts
from tests.worlds.reports import NOTHING

Call = Callable[..., Result]


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_publish_only_republishes(
    call: Call, home: Path, ran: list[tuple[object, ...]], options: list[str]
) -> None:
    called = call("publish", *options)

    assert called.exit_code == 0, called.stderr
    assert ran == [(home, Republication(), None)]
    assert "000001-abcdef01" in called.stdout


def test_publish_counts_invoices_and_drafts(
    call: Call, ran: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = InvoiceCounts(finalized=1, draft=1_200)
    monkeypatch.setattr(report, "read_report", lambda *_: replace(NOTHING, invoice_counts=counts))

    assert call("publish").stdout == (
        "Published generation 000001-abcdef01: 1 finalized invoice and 1,200 drafts.\n"
    )


def test_publish_as_json_is_the_run_and_the_report(
    call: Call, ran: list[tuple[object, ...]], outcome: RunOutcome
) -> None:
    printed = json.loads(call("publish", "--json").stdout)

    assert printed["run"] == json.loads(json.dumps(asdict(outcome)))
    assert printed["invoice_counts"] == {"finalized": 0, "draft": 0, "unnumbered": 0}
