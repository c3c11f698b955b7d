"""The landing sensor and the nightly run: they ask for runs, and do no work themselves.

Belongs here: when a run is wanted. Must not be put here: what is new (a run finds out by the
registry). There is no cursor and no run key: a key is remembered for ever and would forbid
the retry of a run that failed.
"""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from pipelines.defs.resources import end_runs_of_dead_processes
from pipelines.home import Home
from pipelines.operations.listed import list_landing
from pipelines.settings import Settings
from pipelines.vocabulary.errors import OlderSchemaError

RETRY_AFTER = timedelta(minutes=15)
"""How long the sensor leaves a landing alone after a run failed, unless a person runs it."""

_GOING = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


def build_landing_sensor(
    settings: Settings, job: UnresolvedAssetJobDefinition
) -> dg.SensorDefinition:
    """A sensor that asks for a run when the landing holds files the registry does not."""

    @dg.sensor(
        job=job,
        name="landing_sensor",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks for a run when new files have landed; never two at a time.",
    )
    def landing_sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        end_runs_of_dead_processes(context.instance, settings.writer_lock)
        reason = reason_to_wait(context.instance, datetime.now(UTC))
        if reason:
            return dg.SkipReason(reason)
        try:
            new_files = count_new_files(settings)
        except OlderSchemaError:
            # Only a run may write, so a run migrates the lake.
            return dg.RunRequest(tags={"meterline/migrates_lake": "true"})
        if not new_files:
            return dg.SkipReason("No new file has landed.")
        return dg.RunRequest(tags={"meterline/new_files": str(new_files)})

    return landing_sensor


def build_nightly_run(job: UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    """A run a day, because a period also ends, and is to be closed, when no file lands.

    It is off until a person turns it on: it speaks for the present, and would carry a home
    that holds a sample of years ago to today.
    """
    return dg.ScheduleDefinition(
        name="nightly_run",
        job=job,
        cron_schedule="15 0 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Closes the periods that ended, also when no file lands.",
    )


def count_new_files(settings: Settings) -> int:
    """File versions in the landing that no batch has taken; no file is opened."""
    home = Home(settings)
    with home.lake() if home.has_lake else nullcontext() as lake:
        return list_landing(home, lake).discovery.files.height


def reason_to_wait(instance: dg.DagsterInstance, now: datetime) -> str | None:
    """Why no run is wanted now, in a sentence; None when one may start."""
    going = instance.get_runs(dg.RunsFilter(statuses=list(_GOING)), limit=1)
    if going:
        return f"Run {going[0].run_id} is {going[0].status.value.lower()}."
    latest = instance.get_run_records(limit=1)
    if not latest or latest[0].dagster_run.status is not dg.DagsterRunStatus.FAILURE:
        return None
    failed_at = datetime.fromtimestamp(latest[0].end_time or 0, UTC)
    if now - failed_at < RETRY_AFTER:
        return f"The last run failed; the next try is at {failed_at + RETRY_AFTER:%H:%M} UTC."
    return None
