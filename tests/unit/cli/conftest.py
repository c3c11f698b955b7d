"""`meterline` called in a home of its own; the job itself is played by a stand-in."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipelines.cli import job
from pipelines.cli.app import app
from pipelines.cli.job import ReplayOutcome, RunOutcome
from pipelines.intake.kinds import Kind
from pipelines.intake.replay_selection import Selection
from pipelines.intake.replayed import Change, NotReplayed, Replayed
from pipelines.settings import Settings


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def call(home: Path, tmp_path: Path) -> Callable[..., Result]:
    """Calls `meterline` in a home of its own with an empty landing; variables by keyword."""
    landing = tmp_path / "landing"
    landing.mkdir()
    unset = dict.fromkeys(f"METERLINE_{name.upper()}" for name in Settings.model_fields)
    own = {"METERLINE_HOME": str(home), "METERLINE_LANDING": str(landing)}

    def called(*arguments: str, stdin: str | None = None, **variables: str) -> Result:
        environment = unset | own | variables
        return CliRunner().invoke(app, arguments, input=stdin, env=environment)

    return called


@pytest.fixture
def outcome() -> RunOutcome:
    """What the stand-in says it changed."""
    return RunOutcome(
        run_ids=("r1", "r2"),
        files=2,
        lines=1_234,
        invoices=1,
        generation="000001-abcdef01",
        is_published=True,
        ingest_seconds=0.5,
    )


@pytest.fixture
def replayed() -> Replayed:
    """What the stand-in says it decided again."""
    return Replayed(
        files=1,
        changes=[Change("held", "accepted", 3, "cdn/a.ndjson line 1")],
        unchanged=1_000,
        not_replayed=[NotReplayed("cdn/b.ndjson", "it was deleted before it could be read")],
    )


@pytest.fixture
def ran(
    monkeypatch: pytest.MonkeyPatch, outcome: RunOutcome, replayed: Replayed
) -> list[tuple[object, ...]]:
    """The job replaced by a stand-in; what it was asked for is noted in the list returned."""
    asked: list[tuple[object, ...]] = []

    def run(settings: Settings, kind: Kind, as_of: str | None = None) -> tuple[RunOutcome, None]:
        asked.append((settings.home, kind, as_of))
        logging.getLogger("meterline").info("parsing [bold]2[/x] files")
        return outcome, None

    def replay(settings: Settings, selection: Selection) -> ReplayOutcome:
        asked.append((settings.home, "replay", selection))
        return ReplayOutcome("r1", replayed, outcome.generation)

    def dry_replay(settings: Settings, selection: Selection) -> ReplayOutcome:
        asked.append((settings.home, "dry replay", selection))
        return ReplayOutcome(None, replayed, outcome.generation)

    monkeypatch.setattr(job, "run_job", run)
    monkeypatch.setattr(job, "run_replay", replay)
    monkeypatch.setattr(job, "try_replay", dry_replay)
    return asked


@pytest.fixture
def fail_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """The job replaced by one that raises."""

    def failing(error: BaseException) -> None:
        def run(*_: object, **__: object) -> RunOutcome:
            raise error

        for name in ("run_job", "run_replay", "try_replay"):
            monkeypatch.setattr(job, name, run)

    return failing
