"""Sensors: the landing sensor and the nightly run ask for runs, and do no work themselves.

The sensor has no cursor and no run key. Dagster remembers a run key for ever, so a failed run could
not be tried again. A run finds new files by comparing the listing with the registry.
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
"""The time that the sensor waits after a failed run. A later run that succeeds ends the wait."""

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
    """A sensor that asks for a run when the landing has files that were not taken in yet."""

    @dg.sensor(
        job=job,
        name="landing_sensor",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks for a run when new files have landed, one run at a time.",
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
    """A schedule with one run a day, because periods must be closed even if no file lands.

    It is off until a person turns it on. Its `as_of` is the present, so it would close every period
    of a home that holds a sample of years ago.
    """
    return dg.ScheduleDefinition(
        name="nightly_run",
        job=job,
        cron_schedule="15 0 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Closes the periods that ended, even if no file has landed.",
    )


def count_new_files(settings: Settings) -> int:
    """The number of file versions in the landing that no batch has taken; no file is opened."""
    home = Home(settings)
    with home.lake() if home.has_lake else nullcontext() as lake:
        return list_landing(home, lake).discovery.files.height


def reason_to_wait(instance: dg.DagsterInstance, now: datetime) -> str | None:
    """A sentence that says why no run may start now; None if one may."""
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
