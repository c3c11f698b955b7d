"""`meterline reissue`: what it asks for, and what it prints."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from pipelines.cli import job
from pipelines.intake.kinds import Reissue
from pipelines.operations.reissues import Reissued, ReissueTrial
from pipelines.settings import Settings
from pipelines.vocabulary.acts import Act, ActKind, Asked
from pipelines.vocabulary.errors import MeterlineError

Call = Callable[..., Result]

ASKED = Asked("Ada", "wrong price", reissue=("INV-000001", "INV-000002"))
REISSUED = [
    Reissued("INV-000001", "acme", "EUR", "2.50", "INV-000003, INV-000004", "3.00", "0.50"),
    Reissued("INV-000002", "[bold]beta", "JPY", "772", None, "0", "-772"),
]
TRIAL = ReissueTrial("2026-03-10T12:00:00Z", REISSUED, ["s2/2026-02-01/r2: cdn/a is held"])


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def acts(_: Settings, asked: Asked) -> list[Act]:
        return [Act(ActKind.REISSUE, invoice_id=f"id of {name}") for name in asked.reissue]

    monkeypatch.setattr(job, "try_acts", acts)
    monkeypatch.setattr(job, "are_reissued", lambda *_: REISSUED)


def reissue(call: Call, *options: str) -> Result:
    return call("reissue", *ASKED.reissue, "--reason", ASKED.reason, "--by", ASKED.by, *options)


@pytest.mark.usefixtures("allowed")
def test_reissue_hands_on_what_is_asked_and_shows_old_new_and_difference(
    call: Call, home: Path, ran: list[tuple[object, ...]]
) -> None:
    called = reissue(call, "--as-of", "2026-03-10T12:00:00Z")

    assert called.exit_code == 0, called.stderr
    assert ran == [(home, Reissue(ASKED), "2026-03-10T12:00:00Z")]
    text = " ".join(called.stdout.split())
    assert "acme INV-000001 2.50 EUR 3.00 EUR 0.50 EUR INV-000003, INV-000004" in text
    assert "[bold]beta INV-000002 772 JPY 0 JPY -772 JPY" in text
    assert "Difference in all: 0.50 EUR, -772 JPY. Published generation 000001-abcdef01." in text


@pytest.mark.usefixtures("allowed")
def test_reissue_is_one_json_object(call: Call, ran: list[tuple[object, ...]]) -> None:
    found = json.loads(reissue(call, "--json").stdout)

    assert len(ran) == 1
    assert found["generation"] == "000001-abcdef01"
    assert found["invoices"] == [vars(invoice) for invoice in REISSUED]


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize("is_json", [False, True])
def test_dry_run_says_what_would_be_billed_and_runs_nothing(
    call: Call, ran: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch, is_json: bool
) -> None:
    tried = list[tuple[Asked, str | None]]()

    def try_reissues(_: Settings, asked: Asked, as_of: str | None) -> ReissueTrial:
        tried.append((asked, as_of))
        return TRIAL

    monkeypatch.setattr(job, "try_reissues", try_reissues)

    called = reissue(call, "--dry-run", *(["--json"] if is_json else []))

    assert called.exit_code == 0, called.stderr
    assert (tried, ran) == ([(ASKED, None)], [])
    if is_json:
        assert json.loads(called.stdout)["held_back"] == TRIAL.held_back
        return
    text = " ".join(called.stdout.split())
    assert "Would be reissued as of 2026-03-10T12:00:00Z" in text
    assert "would be refused s2/2026-02-01/r2: cdn/a is held" in text
    assert text.endswith("Nothing was changed.")


def test_refused_reissue_begins_no_run(
    call: Call, ran: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Settings, asked: Asked) -> list[Act]:
        raise MeterlineError(f"{asked.reissue[0]} was reissued as INV-000009")

    monkeypatch.setattr(job, "try_acts", refuse)

    called = reissue(call)

    assert called.exit_code == 1
    assert "INV-000001 was reissued as INV-000009" in called.stderr
    assert ran == []


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize(
    ("reissued", "sentence"),
    [
        pytest.param(
            REISSUED,
            "INV-000001, INV-000002 reissued, but nothing was published: disk full",
            id="after",
        ),
        pytest.param([], "error disk full", id="before"),
    ],
)
def test_failed_run_says_whether_anything_was_reissued(
    call: Call,
    fail_with: Callable[[BaseException], None],
    monkeypatch: pytest.MonkeyPatch,
    reissued: list[Reissued],
    sentence: str,
) -> None:
    fail_with(MeterlineError("disk full"))
    monkeypatch.setattr(job, "are_reissued", lambda *_: reissued)

    called = reissue(call)

    assert called.exit_code == 1
    assert sentence in " ".join(called.stderr.split())
