"""The job from a command line: the same Dagster job, in this process, seen by the UI."""

import atexit
import gc
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pydantic import TypeAdapter

from pipelines.home import Home
from pipelines.intake.kinds import Close, Kind, Reissue, Replay
from pipelines.intake.replay_selection import Selection
from pipelines.intake.replayed import Replayed
from pipelines.lake.acts import void_invoices
from pipelines.lake.closed_book import reopened_periods
from pipelines.lake.run_facts import choose_as_of
from pipelines.operations.acts import asked_acts, reissued_invoices
from pipelines.operations.closing import moment_of, moment_of_run
from pipelines.operations.idle import idle_listing
from pipelines.operations.listed import Listed
from pipelines.operations.reissues import Reissued, ReissueTrial, reissues_of, try_reissue
from pipelines.operations.trial import Trial, try_closing
from pipelines.settings import Settings
from pipelines.vocabulary.acts import Act, Asked
from pipelines.vocabulary.counted import counted
from pipelines.vocabulary.errors import MeterlineError, UnforeseenError
from pipelines.vocabulary.failures import sentence_of

if TYPE_CHECKING:
    import dagster as dg
    from dagster import ExecuteInProcessResult

_progress = logging.getLogger("meterline")

_INTERRUPTIONS = ("DagsterExecutionInterruptedError", "KeyboardInterrupt")

INGEST_STEPS = ("landed_files", "parsed_events", "decided_events")
"""Steps from listing the landing to committed verdicts."""


@dataclass(frozen=True)
class RunOutcome:
    """What one or more runs of the job changed.

    Attributes:
        run_ids: Dagster's ids, in order; more than one when files waited for a next batch, none
            when there was nothing to do.
        files: file versions newly decided.
        lines: their lines.
        invoices: invoices newly finalized.
        generation: id of the published generation; None before the first.
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

    def sentence(self) -> str:
        """What changed, for a person."""
        if not self.files and not self.invoices and not self.is_published:
            return f"Nothing new: generation {self.generation} stays as it is."
        return (
            f"Took in {counted(self.files, 'file')} with {counted(self.lines, 'line')}, finalized "
            f"{counted(self.invoices, 'invoice')}, published generation {self.generation}."
        )


@dataclass(frozen=True)
class ReplayOutcome:
    """What deciding refused lines again changed, or would change.

    Attributes:
        run_id: Dagster's id; None for a dry run.
        replayed: the lines and files.
        generation: id of the published generation; None before the first.
    """

    run_id: str | None
    replayed: Replayed
    generation: str | None


def run_job(
    settings: Settings, kind: Kind, as_of: str | None = None
) -> tuple[RunOutcome, Listed | None]:
    """What the job changed, and the landing as its last run listed it.

    New files are taken in until none waits. When there are none and nothing else is due, nothing
    is launched; see `idle`.

    Args:
        settings: of the home.
        kind: what the job is asked to do.
        as_of: instant the runs speak for, RFC 3339; None is the present.

    Raises:
        MeterlineError: a run failed; what it says is what the failing step said.
    """
    # What can only be refused is refused before Dagster is loaded, which takes seconds.
    choose_as_of(as_of, datetime.now(UTC), None)
    outcome = RunOutcome((), 0, 0, 0, None, is_published=False, ingest_seconds=0.0)
    listed = idle_listing(settings, as_of) if kind.takes_in else None
    if listed is None:
        for result in _launch(settings, kind, as_of):
            outcome, listed = _and_then(outcome, result), _listed_by(result)
    return replace(outcome, generation=_generation(settings)), listed


def run_replay(settings: Settings, selection: Selection) -> ReplayOutcome:
    """Decides the selected lines again, closes what waited for them, and publishes.

    Raises:
        MeterlineError: the selection names nothing, or the run failed.
    """
    (result,) = _launch(settings, Replay(selection))
    replayed = TypeAdapter(Replayed).validate_python(
        _said(result)["lake/refused_events"]["replayed"]
    )
    return ReplayOutcome(result.run_id, replayed, _generation(settings))


def try_replay(settings: Settings, selection: Selection) -> ReplayOutcome:
    """What `run_replay` would change; reads the lake at one state and writes nothing.

    Raises:
        MeterlineError: the selection names nothing, or the catalog contradicts itself.
    """
    from pipelines.intake import replay, replay_selection

    home = Home(settings)
    catalog = home.catalog()
    with (
        home.lake() as lake,
        TemporaryDirectory(prefix="meterline-replay-") as folder,
    ):
        plan = replay_selection.plan(lake, catalog.sources, selection, Path(folder))
        parsed = replay.parse(plan, home.landing(), settings.threads, home.hold_rule)
        cuts = home.refusal_cuts(lake, catalog, plan.received_at)
        redecided = replay.decide_again(lake, None, plan, parsed, catalog.sources, cuts)
    return ReplayOutcome(None, redecided.summary(), _generation(settings))


def try_acts(settings: Settings, asked: Asked) -> list[Act]:
    """The acts that a person asks for, once each is allowed; writes nothing.

    Raises:
        MeterlineError: one of them is not allowed.
    """
    home = Home(settings)
    with home.lake() as lake:
        return asked_acts(lake, home.catalog(), asked, moment_of(home, lake))


def are_void(settings: Settings, acts: list[Act]) -> bool:
    """True if every invoice that these acts concern is void."""
    with Home(settings).lake() as lake:
        return {act.invoice_id for act in acts} <= set(void_invoices(lake))


def try_close(settings: Settings, asked: Asked, as_of: str | None) -> Trial:
    """What `meterline close` would finalize, and what holds back the rest.

    The drafts are made anew by the catalog and the files of now. Nothing is finalized, written to
    the lake or published.

    Raises:
        MeterlineError: what is asked for is not allowed, or the run failed.
    """
    (result,) = _launch(settings, Close(asked, is_trial=True), as_of)
    moment = moment_of_run(result.asset_value("landed_files").facts, settings)
    return try_closing(Home(settings), _listed_by(result), asked, moment)


def try_reissues(settings: Settings, asked: Asked, as_of: str | None) -> ReissueTrial:
    """What `meterline reissue` would change; nothing is written to the lake or published.

    Raises:
        MeterlineError: what is asked for is not allowed, or the run failed.
    """
    (result,) = _launch(settings, Reissue(asked, is_trial=True), as_of)
    moment = moment_of_run(result.asset_value("landed_files").facts, settings)
    return try_reissue(Home(settings), _listed_by(result), asked, moment)


def are_reissued(settings: Settings, acts: list[Act]) -> list[Reissued]:
    """What came of these acts; none if nothing was reissued."""
    asked = set(reissued_invoices(acts))
    with Home(settings).lake() as lake:
        newest = reopened_periods(lake, sorted(asked)).filter("is_asked")
        # Once an invoice is reissued, no period is closed by it any more.
        return [] if newest.height else reissues_of(lake, sorted(asked))


def _generation(settings: Settings) -> str | None:
    generation = Home(settings).generation()
    return generation.generation_id if generation else None


def _launch(
    settings: Settings, kind: Kind, as_of: str | None = None
) -> Iterator["ExecuteInProcessResult"]:
    """Runs of the job, one after another until no landed file waits; each has succeeded.

    Raises:
        AlreadyRunningError: another process writes to the home. Dagster has no run of this.
        MeterlineError: a run failed.
    """
    _progress.info("starting Dagster and dbt")
    # The process ends with millions of objects. Looking through them for garbage takes 1.5 s.
    atexit.register(gc.freeze)
    # Dagster's modules read it, and the definitions are those of this very home.
    os.environ["METERLINE_HOME"] = str(settings.home)
    import dagster as dg

    from pipelines.definitions import JOB, defs
    from pipelines.defs.dagster_home import dagster_instance
    from pipelines.defs.resources import end_dead_run, lock_held_for_runs
    from pipelines.defs.run_options import RunOptions

    run_config = dg.RunConfig(
        ops={"landed_files": RunOptions.of(kind, as_of)},
        # The instance is quiet on purpose: `meterline` prints its own progress.
        loggers={"console": {"config": {"log_level": "CRITICAL"}}},
    )
    run_id = str(uuid4())
    with (
        lock_held_for_runs(settings, run_id) as killed,
        dagster_instance(settings) as instance,
    ):
        if killed is not None:
            end_dead_run(instance, killed.run_id)
        is_waiting = True
        while is_waiting:
            result = defs.resolve_job_def(JOB).execute_in_process(
                instance=instance,
                run_config=run_config,
                raise_on_error=False,
                run_id=run_id,
                asset_selection=None if not kind.is_trial else _before_closing(defs),
            )
            run_id = str(uuid4())
            if not result.success:
                raise _failure(result)
            is_waiting = kind.takes_in and _said(result)["landed_files"]["waiting"] > 0
            yield result


def _before_closing(defs: "dg.Definitions") -> "list[dg.AssetKey]":
    """The assets that a closing needs: whole steps, because dbt builds a phase as one."""
    import dagster as dg

    graph = defs.resolve_asset_graph()
    needed = dg.AssetSelection.assets(["lake", "invoices"]).upstream(include_self=False)
    keys = needed.resolve(graph)
    return sorted(
        key
        for assets in defs.assets or ()
        if isinstance(assets, dg.AssetsDefinition) and keys & assets.keys
        for key in assets.keys
    )


def _said(result: "ExecuteInProcessResult") -> dict[str, dict[str, Any]]:
    """What each asset that was made says of itself, by its key; skipped ones are missing."""
    return {
        event.asset_key.to_user_string(): {
            name: said.value for name, said in event.materialization.metadata.items()
        }
        for event in result.get_asset_materialization_events()
        if event.asset_key
    }


def _and_then(before: RunOutcome, result: "ExecuteInProcessResult") -> RunOutcome:
    """The outcome of earlier runs and of one more."""
    said = _said(result)
    return RunOutcome(
        run_ids=(*before.run_ids, result.run_id),
        files=before.files + said["landed_files"]["new"],
        lines=before.lines + said["parsed_events"]["lines"],
        invoices=before.invoices + said.get("lake/invoices", {}).get("new_rows", 0),
        generation=before.generation,
        is_published=before.is_published or "published_marts" in said,
        ingest_seconds=round(before.ingest_seconds + _ingest_seconds(result), 3),
    )


def _listed_by(result: "ExecuteInProcessResult") -> Listed:
    """The landing as the run listed it, less the files that it has decided."""
    landed = result.asset_value("landed_files")
    discovery = replace(landed.plan.listing.discovery, files=landed.undecided())
    return Listed(result.asset_value("catalog"), discovery, landed.facts.listing_started_at)


def _ingest_seconds(result: "ExecuteInProcessResult") -> float:
    """Seconds from listing the landing to committed verdicts."""
    return sum(
        event.step_success_data.duration_ms / 1000
        for event in result.get_step_success_events()
        if event.step_key in INGEST_STEPS
    )


def _failure(result: "ExecuteInProcessResult") -> MeterlineError:
    """What the failing step raised, without Dagster's wrapping."""
    for event in result.all_events:
        error = getattr(event.event_specific_data, "error", None) if event.is_failure else None
        if error is None:
            continue
        trace = error.to_string()
        while error.cause is not None:
            error = error.cause
        if error.cls_name in _INTERRUPTIONS:
            raise KeyboardInterrupt
        run = f"(run {result.run_id}; the UI shows its steps)"
        kind, _, text = error.message.partition(": ")
        if kind.startswith(f"{MeterlineError.__module__}."):
            return MeterlineError(f"{text.strip()}\n{run}")
        sentence = sentence_of(error.cls_name or kind, text.strip())
        return UnforeseenError(f"{sentence}\n{run}", trace)
    return MeterlineError(f"run {result.run_id} failed; the UI shows why")
