"""What the job is asked for from a command line, and what it says it changed."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import dagster as dg
import polars as pl
import pytest

from pipelines.catalog.catalog import Catalog
from pipelines.catalog.table import Tables
from pipelines.cli import job
from pipelines.cli.job import RunOutcome, run_job, run_replay
from pipelines.defs import dagster_home
from pipelines.defs.assets.landing import Landed
from pipelines.defs.run_options import RunOptions
from pipelines.intake.batch import BatchPlan
from pipelines.intake.kinds import Correction, FilesPlan, Kind, NewFiles, Replay, Republication
from pipelines.intake.replay_selection import Selection
from pipelines.intake.replayed import Change, NotReplayed, Replayed
from pipelines.lake.run_facts import RunFacts
from pipelines.lake.writer_lock import writer_lock
from pipelines.landing.discovery import Discovery
from pipelines.operations.listed import Listed
from pipelines.settings import Settings
from pipelines.vocabulary.errors import AlreadyRunningError, InvariantError, MeterlineError
from tests.worlds.marts import publish_marts

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
NOTHING_NEW = RunOutcome(
    run_ids=("r",),
    files=0,
    lines=0,
    invoices=0,
    generation="000001-abcdef01",
    is_published=False,
    ingest_seconds=0.25,
)
TOOK_IN = "Took in {}, finalized {}, published generation 000001-abcdef01."


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        pytest.param(
            NOTHING_NEW, "Nothing new: generation 000001-abcdef01 stays as it is.", id="nothing"
        ),
        pytest.param(
            replace(NOTHING_NEW, is_published=True),
            TOOK_IN.format("0 files with 0 lines", "0 invoices"),
            id="published only",
        ),
        pytest.param(
            replace(NOTHING_NEW, files=1, is_published=True),
            TOOK_IN.format("1 file with 0 lines", "0 invoices"),
            id="a file",
        ),
        pytest.param(
            replace(NOTHING_NEW, invoices=1, is_published=True),
            TOOK_IN.format("0 files with 0 lines", "1 invoice"),
            id="an invoice",
        ),
        pytest.param(
            replace(NOTHING_NEW, files=1_000, lines=2_345_678, invoices=9_999, is_published=True),
            TOOK_IN.format("1,000 files with 2,345,678 lines", "9,999 invoices"),
            id="many",
        ),
    ],
)
def test_run_says_what_it_changed(outcome: RunOutcome, sentence: str) -> None:
    assert outcome.sentence() == sentence


def test_outcome_is_json() -> None:
    assert json.loads(json.dumps(NOTHING_NEW, default=vars)) == {
        "run_ids": ["r"],
        "files": 0,
        "lines": 0,
        "invoices": 0,
        "generation": "000001-abcdef01",
        "is_published": False,
        "ingest_seconds": 0.25,
    }


@dataclass(frozen=True)
class Made:
    """What a run of the stand-in makes.

    Attributes:
        files: file versions that it takes.
        waiting: those that it leaves to the next run.
        lines: in its files.
        invoices: that it closes; None when it ends at the gate.
        replayed: what it decides again.
        error: what its last step raises.
    """

    files: int = 0
    waiting: int = 0
    lines: int = 0
    invoices: int | None = None
    replayed: dict[str, Any] = field(default_factory=dict)
    error: BaseException | None = None


StandIn = Callable[..., list[RunOptions]]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Puts a small job in the place of the real one; a call says what each of its runs makes.

    The options of the runs are noted in the list returned.
    """

    def put(*runs: Made) -> list[RunOptions]:
        asked: list[RunOptions] = []
        made = iter(runs)
        definitions = ModuleType("pipelines.definitions")
        definitions.JOB = "meterline"  # type: ignore[attr-defined]
        definitions.defs = SimpleNamespace(  # type: ignore[attr-defined]
            resolve_job_def=lambda _name: job_that_makes(next(made), asked)
        )
        monkeypatch.setitem(sys.modules, "pipelines.definitions", definitions)
        # Dagster's own files would take longer to make than the runs.
        ephemeral = dg.DagsterInstance.ephemeral
        monkeypatch.setattr(dagster_home, "dagster_instance", lambda _settings: ephemeral())
        return asked

    return put


def job_that_makes(made: Made, asked: list[RunOptions]) -> dg.JobDefinition:
    @dg.asset
    def catalog() -> str:
        return "the catalog"

    @dg.asset(dagster_type=dg.Any)
    def landed_files(config: RunOptions) -> dg.Output[Any]:
        asked.append(config)
        metadata = {"new": made.files, "waiting": made.waiting}
        return dg.Output(landed(made.files, made.waiting), metadata=metadata)

    @dg.asset(deps=["landed_files"])
    def parsed_events() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata={"lines": made.lines})

    @dg.asset(deps=["parsed_events"], key=["lake", "refused_events"])
    def decided_events() -> dg.MaterializeResult[None]:
        if made.error:
            raise made.error
        return dg.MaterializeResult(metadata={"replayed": made.replayed})

    @dg.asset(deps=["catalog", dg.AssetKey(["lake", "refused_events"])], key=["lake", "invoices"])
    def closed_invoices() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata={"new_rows": made.invoices or 0})

    @dg.asset(deps=[dg.AssetKey(["lake", "invoices"])])
    def published_marts() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata={})

    assets = [catalog, landed_files, parsed_events, decided_events]
    if made.invoices is not None:
        assets += [closed_invoices, published_marts]
    definitions = dg.Definitions(assets=assets, jobs=[dg.define_asset_job("meterline")])
    return definitions.resolve_job_def("meterline")


def landed(files: int, waiting: int) -> Landed:
    numbered = pl.DataFrame({"file_id": range(1, files + waiting + 1)}, {"file_id": pl.Int64})
    ignored = pl.DataFrame({"path": ["cdn/_1"], "reason": ["unfinished upload"]})
    discovery = Discovery(numbered, ignored, numbered.height)
    listing = BatchPlan(1, discovery, numbered.head(files), waiting, Path(), {})
    facts = RunFacts(NOON, NOON, "c" * 64, {}, "d" * 64)
    catalog = Catalog(Tables({}), pl.DataFrame(), (), facts.catalog_digest, {})
    return Landed(NewFiles(), FilesPlan(listing), facts, catalog)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "landing").mkdir()
    return Settings(home=tmp_path / "home", landing=str(tmp_path / "landing"))


def test_batches_run_until_no_file_waits_and_are_counted_together(
    settings: Settings, stand_in: StandIn
) -> None:
    generation = publish_marts(settings.home, "CREATE TABLE t AS SELECT 1 AS a")
    asked = stand_in(
        Made(files=2, waiting=3, lines=2**33, invoices=4),
        Made(files=2, waiting=1, lines=10),
        Made(files=1, lines=5, invoices=1),
    )
    outcome, listed = run_job(settings, NewFiles(), "2026-03-10T12:00:00Z")

    assert [options.as_of for options in asked] == ["2026-03-10T12:00:00Z"] * 3
    assert len(set(outcome.run_ids)) == 3
    assert (outcome.files, outcome.lines, outcome.invoices) == (5, 2**33 + 15, 5)
    assert (outcome.generation, outcome.is_published) == (generation.generation_id, True)
    assert outcome.ingest_seconds > 0
    assert listed is not None
    assert str(listed.catalog) == "the catalog"
    assert listed.listed_at == NOON
    assert listed.discovery.files.height == 0
    assert listed.discovery.ignored["path"].to_list() == ["cdn/_1"]


def test_run_that_ends_at_the_gate_published_nothing(settings: Settings, stand_in: StandIn) -> None:
    stand_in(Made(files=0, lines=0))
    outcome, _ = run_job(settings, NewFiles())

    assert (outcome.files, outcome.invoices, outcome.is_published) == (0, 0, False)
    assert outcome.generation is None


@pytest.mark.parametrize(
    "kind", [Republication(), Correction("cdn/a", "cdn/_a")], ids=["republish", "correction"]
)
def test_kinds_that_take_nothing_in_run_once_whatever_waits(
    settings: Settings, stand_in: StandIn, kind: Kind
) -> None:
    asked = stand_in(Made(files=1, waiting=7, lines=3, invoices=0))
    outcome, listed = run_job(settings, kind)

    assert [options.kind for options in asked] == [kind]
    assert (outcome.files, outcome.lines) == (1, 3)
    assert listed is not None
    assert listed.discovery.files["file_id"].to_list() == list(range(2, 9))


def test_replay_says_what_it_decided_again(settings: Settings, stand_in: StandIn) -> None:
    replayed = Replayed(
        1, [Change("held", "accepted", 2, "cdn/a line 1")], 4, [NotReplayed("cdn/b", "deleted")]
    )
    selection = Selection(sources=("cdn",), release=("cdn/*",))
    asked = stand_in(Made(waiting=7, replayed=asdict(replayed)))
    outcome = run_replay(settings, selection)

    assert [options.kind for options in asked] == [Replay(selection)]
    assert outcome.replayed == replayed
    assert json.loads(json.dumps(outcome, default=vars))["replayed"] == asdict(replayed)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        pytest.param(InvariantError("expected 1: found 2"), "expected 1: found 2", id="ours"),
        pytest.param(
            ValueError("no: number"),
            "an error that nobody foresaw: ValueError: no: number. What was committed is kept, "
            "nothing is half done, and the next run goes on from there. Please report it with its "
            "log.",
            id="another's",
        ),
        pytest.param(
            OSError(24, "Too many open files"),
            "this process may open too few files ([Errno 24] Too many open files). What was "
            "committed is kept, nothing is half done, and the next run goes on from there. Raise "
            "the limit, for example with `ulimit -n 4096`, then run again.",
            id="the machine's",
        ),
    ],
)
def test_failing_step_is_told_without_what_dagster_wraps_around_it(
    settings: Settings, stand_in: StandIn, error: Exception, sentence: str
) -> None:
    stand_in(Made(error=error))
    with pytest.raises(MeterlineError) as failure:
        run_job(settings, NewFiles())

    said, _, run = str(failure.value).partition("\n")
    assert said == sentence
    assert run.startswith("(run ")
    assert run.endswith("; the UI shows its steps)")
    trace = getattr(failure.value, "trace", "")
    assert (type(error).__name__ in trace) is not isinstance(error, MeterlineError)


def test_interrupted_step_interrupts_the_command(settings: Settings, stand_in: StandIn) -> None:
    stand_in(Made(error=KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        run_job(settings, NewFiles())


def test_command_is_refused_before_dagster_knows_of_a_run(
    settings: Settings, stand_in: StandIn
) -> None:
    asked = stand_in(Made())
    with (
        writer_lock(settings.writer_lock, "first", 0),
        pytest.raises(AlreadyRunningError, match="already running: run first"),
    ):
        run_job(settings, NewFiles())

    assert asked == []
    run_job(settings, NewFiles())
    assert len(asked) == 1


def test_nothing_to_do_launches_nothing(
    settings: Settings, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = stand_in()
    idle = Listed("the catalog", landed(0, 0).plan.listing.discovery, NOON)  # type: ignore[arg-type]
    monkeypatch.setattr(job, "idle_listing", lambda _settings, _as_of: idle)
    outcome, listed = run_job(settings, NewFiles())

    assert listed is idle
    assert outcome == RunOutcome((), 0, 0, 0, None, is_published=False, ingest_seconds=0.0)
    assert asked == []


def test_impossible_instant_is_refused_before_anything_is_loaded(
    settings: Settings, stand_in: StandIn
) -> None:
    asked = stand_in()
    with pytest.raises(MeterlineError, match="lies in the future"):
        run_job(settings, NewFiles(), "2999-01-01T00:00:00Z")

    assert asked == []
    assert not settings.home.exists()
