"""`meterline close`: what it asks for, and what it prints."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import Result

from pipelines.cli import job
from pipelines.intake.kinds import Close
from pipelines.operations.attention import DueDraft
from pipelines.operations.summary import CurrencyTotal
from pipelines.operations.trial import Trial, TrialInvoice
from pipelines.settings import Settings
from pipelines.vocabulary.acts import Asked

Call = Callable[..., Result]

TRIAL = Trial(
    as_of="2026-03-10T12:00:00Z",
    invoices=[TrialInvoice("s1/2026-02-01", "acme", "s1", "EUR", "1.25")],
    totals=[CurrencyTotal("EUR", 1, "1.25")],
    held_back=[DueDraft("s2/2026-02-01", "[bold]globex", "s2", "file_held", "cdn/a is held")],
)


def test_close_hands_on_what_is_asked(
    call: Call, home: Path, ran: list[tuple[object, ...]]
) -> None:
    options = ("--accept", "s1", "--accept", "s2", "--waive", "cdn/a", "--reason", "r")
    called = call("close", "--as-of", "2026-03-10T12:00:00Z", "--by", "Ada", *options)

    assert called.exit_code == 0, called.stderr
    asked = Asked("Ada", "r", accept=("s1", "s2"), waive=("cdn/a",))
    assert ran == [(home, Close(asked), "2026-03-10T12:00:00Z")]
    assert "finalized 1 invoice" in called.stdout


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    asked_for: list[Asked] = []

    def try_close(_: Settings, asked: Asked, as_of: str | None) -> Trial:
        assert as_of is None
        asked_for.append(asked)
        return TRIAL

    monkeypatch.setattr(job, "try_close", try_close)
    return asked_for


def test_dry_run_lists_what_would_be_finalized_and_what_waits(
    call: Call, tried: list[Asked], ran: list[tuple[object, ...]]
) -> None:
    called = call("close", "--dry-run", "--accept", "s1", "--by", "Ada")

    assert called.exit_code == 0, called.stderr
    assert (tried, ran) == ([Asked("Ada", accept=("s1",))], [])
    text = " ".join(called.stdout.split())
    assert "Would be finalized as of 2026-03-10T12:00:00Z" in text
    assert "acme s1/2026-02-01 1.25 EUR" in text
    assert "stays a draft s2/2026-02-01: cdn/a is held" in text
    assert (
        "1 invoice would be finalized (1.25 EUR), 1 due draft stays; nothing was changed." in text
    )


def test_dry_run_says_how_many_periods_of_zero_would_be_closed(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = TrialInvoice("s3/2026-02-01", "delta", "s3", "EUR", "0.00")
    monkeypatch.setattr(job, "try_close", lambda *_: replace(TRIAL, unnumbered=[free]))

    text = " ".join(call("close", "--dry-run", "--by", "Ada").stdout.split())

    assert (
        "1 due draft stays, 1 period of 0 would be closed without an invoice; nothing was changed."
    ) in text


@pytest.mark.usefixtures("tried")
def test_dry_run_as_json_has_totals_and_reasons(call: Call) -> None:
    called = call("close", "--dry-run", "--json", "--by", "Ada")

    found = json.loads(called.stdout)
    assert found["totals"] == [{"currency": "EUR", "invoices": 1, "total_amount": "1.25"}]
    assert found["held_back"][0]["reason_code"] == "file_held"
