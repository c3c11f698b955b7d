"""The job from a command line: the same Dagster job, in this process, seen by the UI.

Belongs here: launching and saying what changed. Must not be put here: what the job does
(see `assets`).
"""

import logging
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pipelines.home import Home
from pipelines.lake.run_facts import choose_as_of
from pipelines.operations.idle import finds_nothing
from pipelines.settings import Settings
from pipelines.vocabulary.errors import MeterlineError

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult

    from pipelines.intake.replay_selection import Selection

_progress = logging.getLogger("meterline")

_INTERRUPTIONS = ("DagsterExecutionInterruptedError", "KeyboardInterrupt")

INGEST_STEPS = ("landed_files", "parsed_events", "decided_events")
"""Steps from listing the landing to committed verdicts."""


@dataclass(frozen=True)
class HomeCounts:
    """How much a home holds.

    Attributes:
        files: file versions decided.
        lines: their lines.
        invoices: finalized invoices.
        generation: id of the published generation, if any.
    """

    files: int
    lines: int
    invoices: int
    generation: str | None


@dataclass(frozen=True)
class RunOutcome:
    """What one or more runs of the job changed.

    Attributes:
        run_ids: Dagster's ids, in order; more than one when files waited for a next batch, none
            when there was nothing to do.
        files: file versions newly decided.
        lines: lines newly decided.
        invoices: invoices newly finalized.
        generation: id of the published generation.
        is_published: True when this generation is new.
        ingest_seconds: from listing the landing to committed verdicts.
    """

    run_ids: tuple[str, ...]
    files: int
    lines: int
    invoices: int
    generation: str | None
    is_published: bool
    ingest_seconds: float

    def as_json(self) -> dict[str, Any]:
        """The outcome as plain JSON values."""
        return asdict(self)

    def sentence(self) -> str:
        """What changed, for a person."""
        if not self.files and not self.invoices and not self.is_published:
            return f"Nothing new: generation {self.generation} stays as it is."
        return (
            f"Took in {self.files:,} files with {self.lines:,} lines, finalized "
            f"{self.invoices:,} invoices, published generation {self.generation}."
        )


@dataclass(frozen=True)
class ReplayOutcome:
    """What deciding refused lines again changed, or would change.

    Attributes:
        run_id: Dagster's id; None for a dry run.
        replayed: see `replay.Redecided.as_json`.
        generation: id of the published generation.
    """

    run_id: str | None
    replayed: dict[str, Any]
    generation: str | None

    def as_json(self) -> dict[str, Any]:
        """The outcome as plain JSON values."""
        return asdict(self)


def run_correction(settings: Settings, original: str, copy: str) -> RunOutcome:
    """Takes in a corrected copy of a file at the original's place in time; see `correction`.

    Raises:
        MeterlineError: the copy changes what was accepted, or the run failed.
    """
    return run_job(settings, None, options={"correct_file": original, "correct_from": copy})


def run_replay(settings: Settings, selection: "Selection") -> ReplayOutcome:
    """Decides the selected lines again, closes what waited for them, and publishes.

    Raises:
        MeterlineError: the selection names nothing, or the run failed.
    """
    _progress.info("starting Dagster and dbt")
    os.environ["METERLINE_HOME"] = str(settings.home)
    from pipelines.definitions import JOB, defs
    from pipelines.defs.dagster_home import dagster_instance

    options = {f"replay_{name}": list(chosen) for name, chosen in asdict(selection).items()}
    with dagster_instance(settings) as instance:
        result = defs.resolve_job_def(JOB).execute_in_process(
            instance=instance,
            run_config=_run_config({"replay": True, **options}),
            raise_on_error=False,
        )
    if not result.success:
        raise _failure(result)
    return ReplayOutcome(
        result.run_id,
        _metadata(result, "decided_events", "replayed"),
        count_home(settings).generation,
    )


def try_replay(settings: Settings, selection: "Selection") -> ReplayOutcome:
    """What `run_replay` would change; reads the lake at one state and writes nothing.

    Raises:
        MeterlineError: the selection names nothing, or the catalog contradicts itself.
    """
    from pipelines.catalog import calendar
    from pipelines.intake import replay, replay_selection

    home = Home(settings)
    catalog = home.catalog()
    with (
        home.lake() as lake,
        TemporaryDirectory(prefix="meterline-replay-") as folder,
    ):
        plan = replay_selection.plan(lake, catalog.sources, selection, Path(folder))
        parsed = replay.parse(
            plan,
            home.landing(),
            settings.threads,
            home.hold_rule,
        )
        cuts = calendar.cuts_until(catalog, plan.received_at)
        redecided = replay.decide_again(lake, None, plan, parsed, catalog.sources, cuts)
    return ReplayOutcome(None, redecided.as_json(), count_home(settings).generation)


def run_job(
    settings: Settings,
    as_of: str | None,
    *,
    republish: bool = False,
    options: dict[str, Any] | None = None,
) -> RunOutcome:
    """Runs the job until no landed file waits; each run is seen by the UI of this home.

    When there is nothing to do, nothing is launched; see `idle`.

    Args:
        settings: of the home.
        as_of: instant the runs speak for, RFC 3339; None is the present.
        republish: True takes in nothing and closes nothing, but publishes the marts again.
        options: more of `run_options.RunOptions`; with them there is one run.

    Raises:
        MeterlineError: a run failed; what it says is what the failing step said.
    """
    # What can only be refused is refused before Dagster is loaded, which takes seconds.
    choose_as_of(as_of, datetime.now(UTC), None)
    if not republish and not options and finds_nothing(settings, as_of):
        generation = count_home(settings).generation
        return RunOutcome((), 0, 0, 0, generation, is_published=False, ingest_seconds=0.0)
    _progress.info("starting Dagster and dbt")
    # Dagster's modules read these, and the definitions are those of this very home.
    os.environ["METERLINE_HOME"] = str(settings.home)
    from pipelines.definitions import JOB, defs
    from pipelines.defs.dagster_home import dagster_instance
    from pipelines.defs.resources import end_runs_of_dead_processes

    run_ids: list[str] = []
    ingest_seconds = 0.0
    with dagster_instance(settings) as instance:
        # What is counted before the run must be readable, so the lake is migrated before it too.
        end_runs_of_dead_processes(instance, settings.writer_lock)
        Home(settings).migrate_lake()
        before = count_home(settings)
        is_waiting = True
        while is_waiting:
            result = defs.resolve_job_def(JOB).execute_in_process(
                instance=instance,
                run_config=_run_config({"as_of": as_of, "republish": republish} | (options or {})),
                raise_on_error=False,
            )
            run_ids.append(result.run_id)
            if not result.success:
                raise _failure(result)
            ingest_seconds += _step_seconds(result)
            is_waiting = _waiting_files(result) > 0 and not republish and not options
    after = count_home(settings)
    return RunOutcome(
        run_ids=tuple(run_ids),
        files=after.files - before.files,
        lines=after.lines - before.lines,
        invoices=after.invoices - before.invoices,
        generation=after.generation,
        is_published=after.generation != before.generation,
        ingest_seconds=round(ingest_seconds, 3),
    )


def count_home(settings: Settings) -> HomeCounts:
    """How much the home holds now; an untouched home holds nothing."""
    home = Home(settings)
    generation = home.generation()
    generation_id = generation.generation_id if generation else None
    if not home.has_lake:
        return HomeCounts(0, 0, 0, generation_id)
    with home.lake() as lake:
        files, lines = lake.query(
            "SELECT count(*), coalesce(sum(lines), 0)::BIGINT FROM lake.file_decisions "
            "WHERE revision = 0"
        ).row(0)
        (invoices,) = lake.query("SELECT count(*) FROM lake.invoices").row(0)
    return HomeCounts(files, lines, invoices, generation_id)


def _run_config(options: dict[str, Any]) -> dict[str, Any]:
    # The instance is quiet on purpose: `meterline` prints its own progress.
    return {
        "ops": {"landed_files": {"config": options}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }


def _failure(result: "ExecuteInProcessResult") -> MeterlineError:
    """What the failing step raised, without Dagster's wrapping."""
    for event in result.all_events:
        error = getattr(event.event_specific_data, "error", None) if event.is_failure else None
        if error is None:
            continue
        while error.cause is not None:
            error = error.cause
        if error.cls_name in _INTERRUPTIONS:
            raise KeyboardInterrupt
        kind, _, text = error.message.partition(": ")
        sentence = text if kind.startswith("pipelines.vocabulary.errors.") else error.message
        return MeterlineError(f"{sentence.strip()}\n(run {result.run_id}; the UI shows its steps)")
    return MeterlineError(f"run {result.run_id} failed; the UI shows why")


def _metadata(result: "ExecuteInProcessResult", asset: str, name: str) -> Any:
    for event in result.asset_materializations_for_node(asset):
        if name in event.metadata:
            return event.metadata[name].value
    return None


def _waiting_files(result: "ExecuteInProcessResult") -> int:
    return int(_metadata(result, "landed_files", "waiting") or 0)


def _step_seconds(result: "ExecuteInProcessResult") -> float:
    """Seconds from listing the landing to committed verdicts."""
    return sum(
        event.step_success_data.duration_ms / 1000
        for event in result.get_step_success_events()
        if event.step_key in INGEST_STEPS
    )
