from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipelines.defs import sensors
from pipelines.defs.sensors import RETRY_AFTER, build_landing_sensor, reason_to_wait
from pipelines.settings import Settings
from tests.worlds.lakes import copy_old_lake

JOB = dg.define_asset_job("meterline")
RUN = "00000000-0000-0000-0000-000000000001"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def add_run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> dg.DagsterRun:
    return instance.add_run(dg.DagsterRun(job_name="meterline", run_id=RUN, status=status))


@pytest.mark.parametrize(
    "status",
    [
        dg.DagsterRunStatus.NOT_STARTED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.CANCELING,
    ],
)
def test_no_run_is_wanted_while_one_is_going(
    instance: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    add_run(instance, status)
    assert reason_to_wait(instance, datetime.now(UTC)) == f"Run {RUN} is {status.value.lower()}."


def test_run_may_start_in_a_new_home_and_after_a_good_run(instance: dg.DagsterInstance) -> None:
    assert reason_to_wait(instance, datetime.now(UTC)) is None
    add_run(instance, dg.DagsterRunStatus.SUCCESS)
    assert reason_to_wait(instance, datetime.now(UTC)) is None


def test_failed_run_is_tried_again_only_after_a_while(instance: dg.DagsterInstance) -> None:
    instance.report_run_failed(add_run(instance, dg.DagsterRunStatus.STARTED))
    failed_at = instance.get_run_records(limit=1)[0].end_time
    assert failed_at is not None
    due = datetime.fromtimestamp(failed_at, UTC) + RETRY_AFTER
    reason = reason_to_wait(instance, due - timedelta(seconds=1))
    assert reason == f"The last run failed; the next try is at {due:%H:%M} UTC."
    assert reason_to_wait(instance, due) is None


@pytest.mark.parametrize(("new_files", "asked"), [(0, False), (1, True), (7, True)])
def test_sensor_asks_for_a_run_when_files_landed(
    tmp_path: Path,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    new_files: int,
    asked: bool,
) -> None:
    monkeypatch.setattr(sensors, "count_new_files", lambda _settings: new_files)
    landing_sensor = build_landing_sensor(Settings(home=tmp_path), JOB)
    request = landing_sensor(dg.build_sensor_context(instance=instance))
    if not asked:
        assert isinstance(request, dg.SkipReason)
        return
    assert isinstance(request, dg.RunRequest)
    assert request.run_key is None, "a remembered key would forbid the retry of a failed run"
    assert request.tags["meterline/new_files"] == str(new_files)


def test_sensor_asks_for_a_run_when_the_lake_must_be_migrated(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    settings = Settings(home=copy_old_lake("schema_3", tmp_path), landing=str(tmp_path))

    request = build_landing_sensor(settings, JOB)(dg.build_sensor_context(instance=instance))

    assert isinstance(request, dg.RunRequest)
    assert request.tags == {"meterline/migrates_lake": "true"}


def test_sensor_lists_nothing_while_a_run_is_going(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_settings: Settings) -> int:
        raise AssertionError("the landing was listed")

    monkeypatch.setattr(sensors, "count_new_files", fail)
    add_run(instance, dg.DagsterRunStatus.STARTED)
    landing_sensor = build_landing_sensor(Settings(home=tmp_path), JOB)
    assert isinstance(landing_sensor(dg.build_sensor_context(instance=instance)), dg.SkipReason)
