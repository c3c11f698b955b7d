"""`meterline void`: what it asks for, and what it prints."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from pipelines.cli import job
from pipelines.intake.kinds import Void
from pipelines.settings import Settings
from pipelines.vocabulary.acts import Act, ActKind, Asked
from pipelines.vocabulary.errors import MeterlineError

Call = Callable[..., Result]


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def acts(_: Settings, asked: Asked) -> list[Act]:
        return [Act(ActKind.VOID, invoice_id=f"id of {name}") for name in asked.void]

    monkeypatch.setattr(job, "try_acts", acts)


@pytest.mark.usefixtures("allowed")
def test_void_hands_on_what_is_asked(call: Call, home: Path, ran: list[tuple[object, ...]]) -> None:
    called = call("void", "INV-000001", "INV-000002", "--reason", "twice", "--by", "Ada")

    assert called.exit_code == 0, called.stderr
    asked = Asked("Ada", "twice", void=("INV-000001", "INV-000002"))
    assert ran == [(home, Void(asked), None)]
    assert "INV-000001, INV-000002 are void. Published generation 000001-abcdef01." in called.stdout


@pytest.mark.usefixtures("allowed")
def test_void_of_nobody_in_particular_is_asked_by_the_login(
    call: Call, ran: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ada")

    call("void", "INV-000001", "--reason", "twice")

    assert [kind.asked.by for _, kind, _ in ran if isinstance(kind, Void)] == ["ada"]


def test_refused_void_begins_no_run(
    call: Call, ran: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Settings, asked: Asked) -> list[Act]:
        raise MeterlineError(f"{asked.void[0]} is void already")

    monkeypatch.setattr(job, "try_acts", refuse)

    called = call("void", "INV-000001", "--reason", "twice")

    assert called.exit_code == 1
    assert "INV-000001 is void already" in called.stderr
    assert ran == []


@pytest.mark.parametrize(
    ("is_void", "sentence"),
    [
        pytest.param(True, "INV-000001 is void, but nothing was published: disk full", id="after"),
        pytest.param(False, "error disk full", id="before"),
    ],
)
@pytest.mark.usefixtures("allowed")
def test_failed_run_says_whether_the_invoice_is_void(
    call: Call,
    fail_with: Callable[[BaseException], None],
    monkeypatch: pytest.MonkeyPatch,
    is_void: bool,
    sentence: str,
) -> None:
    fail_with(MeterlineError("disk full"))
    monkeypatch.setattr(job, "are_void", lambda *_: is_void)

    called = call("void", "INV-000001", "--reason", "twice")

    assert called.exit_code == 1
    assert sentence in called.stderr
