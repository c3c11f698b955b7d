from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from pipelines.defs.dbt import DbtPhase, build_phase, frozen_catalog, read_manifest
from pipelines.defs.resources import build_writer
from pipelines.settings import Settings
from pipelines.vocabulary.errors import MeterlineError
from pipelines.warehouse.dbt_runner import PreparedProject
from tests.worlds.lakes import start_lake
from tests.worlds.small_dbt_project import small_project


@pytest.fixture
def project() -> PreparedProject:
    return small_project()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(home=start_lake(tmp_path))
    made.warehouse.parent.mkdir()
    with duckdb.connect(str(made.warehouse)) as warehouse:
        warehouse.execute("create schema calendar")
        warehouse.execute("create table calendar.clock as select 'digest' as catalog_digest")
    frozen = made.frozen_catalogs / "digest"
    frozen.mkdir(parents=True)
    (frozen / "prices.csv").write_text("price\n0.30\n7\n")
    return made


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def run_phase_of(
    tag: str, project: PreparedProject, settings: Settings, instance: dg.DagsterInstance
) -> dg.ExecuteInProcessResult:
    manifest = read_manifest(project)

    @dg.asset(deps=[dg.AssetKey("wrong")])
    def closed_after() -> None:
        """Stands for the close, which must not see drafts that failed a test."""

    phase = build_phase(DbtPhase("phase", tag), project, manifest)
    catalog = dg.AssetSpec("catalog")
    defs = dg.Definitions(
        [catalog, phase, closed_after],
        resources={"writer": build_writer(settings)},
        jobs=[dg.define_asset_job("job")],
        executor=dg.in_process_executor,
    )
    job = defs.resolve_job_def("job")
    return job.execute_in_process(instance=instance, raise_on_error=False)


def test_phase_materializes_models_and_seeds_with_their_row_counts(
    project: PreparedProject, settings: Settings, instance: dg.DagsterInstance
) -> None:
    outcome = run_phase_of("good", project, settings, instance)
    assert outcome.success
    rows = {
        event.asset_key.to_user_string(): event.materialization.metadata["dagster/row_count"].value
        for event in outcome.get_asset_materialization_events()
        if event.asset_key and event.asset_key.to_user_string() != "closed_after"
    }
    assert rows == {"prices": 2, "seen_batches": 1}


def test_seeds_come_after_the_frozen_catalog_in_the_lineage(project: PreparedProject) -> None:
    manifest = read_manifest(project)
    phase = build_phase(DbtPhase("phase", "good"), project, manifest)
    assert phase.asset_deps[dg.AssetKey("prices")] == {dg.AssetKey("catalog")}
    assert phase.asset_deps[dg.AssetKey("seen_batches")] == {dg.AssetKey(["lake", "batches"])}


def test_failed_test_is_a_failed_check_and_stops_the_run(
    project: PreparedProject, settings: Settings, instance: dg.DagsterInstance
) -> None:
    outcome = run_phase_of("failing", project, settings, instance)
    assert not outcome.success
    (check,) = outcome.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("not_null_wrong_amount", False)
    assert check.severity is dg.AssetCheckSeverity.ERROR
    (failed,) = outcome.get_step_failure_events()
    cause = failed.step_failure_data.error
    assert cause is not None
    assert cause.cause is not None
    assert "not_null_wrong_amount" in cause.cause.message
    started = {event.step_key for event in outcome.all_node_events if event.is_step_start}
    assert "closed_after" not in started


def test_warehouse_is_free_for_python_after_a_phase(
    project: PreparedProject, settings: Settings, instance: dg.DagsterInstance
) -> None:
    run_phase_of("good", project, settings, instance)
    with duckdb.connect(str(settings.warehouse), config={"threads": 1}) as warehouse:
        assert warehouse.execute("select batches from seen_batches").fetchall() == [(0,)]


def test_phase_before_any_calendar_says_what_to_do(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(MeterlineError, match="launch the whole job"):
        frozen_catalog(settings)
    settings.warehouse.parent.mkdir()
    duckdb.connect(str(settings.warehouse)).close()
    with pytest.raises(MeterlineError, match="holds no calendar yet"):
        frozen_catalog(settings)
