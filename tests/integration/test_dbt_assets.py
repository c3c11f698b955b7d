from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from pipelines.defs.dbt import build_phase
from pipelines.defs.resources import build_writer
from pipelines.operations.dbt_connection import frozen_catalog
from pipelines.settings import Settings
from pipelines.vocabulary.errors import MeterlineError
from pipelines.warehouse.dbt_runner import PreparedProject, read_manifest
from pipelines.warehouse.phases import DbtPhase
from tests.worlds.small_dbt_project import home_with_calendar, small_project


@pytest.fixture
def project() -> PreparedProject:
    return small_project()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return home_with_calendar(tmp_path, "digest", "price\n0.30\n7\n")


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
    assert rows == {"prices": 2, "seen_batches": 1, "priced": 2}


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


def freeze(settings: Settings, digest: str, prices: str) -> None:
    """Puts another catalog in use, as a run with it would."""
    (settings.frozen_catalogs / digest).mkdir(exist_ok=True)
    (settings.frozen_catalogs / digest / "prices.csv").write_text(prices)
    with duckdb.connect(str(settings.warehouse)) as warehouse:
        warehouse.execute("update calendar.clock set catalog_digest = ?", [digest])


def rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        return warehouse.execute(query).fetchall()


def unchanged(outcome: dg.ExecuteInProcessResult) -> list[str]:
    return [
        event.asset_key.to_user_string()
        for event in outcome.get_asset_materialization_events()
        if event.asset_key and "unchanged" in event.materialization.metadata
    ]


def test_seeds_and_views_stand_until_the_catalog_changes(
    project: PreparedProject, settings: Settings, instance: dg.DagsterInstance
) -> None:
    first = run_phase_of("good", project, settings, instance)
    again = run_phase_of("good", project, settings, instance)
    assert (unchanged(first), unchanged(again)) == ([], ["prices", "priced"])
    assert [check.check_name for check in first.get_asset_check_evaluations()] == [
        "assertions_of_stg_prices"
    ]
    # The view and what is asserted of it follow from the seed alone.
    assert again.get_asset_check_evaluations() == []

    freeze(settings, "another", "price\n5\n")
    changed = run_phase_of("good", project, settings, instance)
    assert unchanged(changed) == []
    assert rows(settings, "select price from priced") == [("5",)]
    assert unchanged(run_phase_of("good", project, settings, instance)) == ["prices", "priced"]


def test_nothing_stands_after_a_phase_that_failed(
    project: PreparedProject, settings: Settings, instance: dg.DagsterInstance
) -> None:
    run_phase_of("good", project, settings, instance)
    freeze(settings, "twice", "price\n5\n5\n")
    assert not run_phase_of("good", project, settings, instance).success
    # Even for the catalog that was built before.
    freeze(settings, "digest", "price\n0.30\n7\n")
    mended = run_phase_of("good", project, settings, instance)
    assert (mended.success, unchanged(mended)) == (True, [])


def test_check_lists_each_assertion_and_the_rows_that_offend(
    project: PreparedProject, settings: Settings, instance: dg.DagsterInstance
) -> None:
    freeze(settings, "twice", "price\n5\n5\n")
    outcome = run_phase_of("good", project, settings, instance)

    (check,) = outcome.get_asset_check_evaluations()
    assert not check.passed
    assert check.metadata["assertions"].value == 2
    table = check.metadata["found"]
    assert isinstance(table, dg.TableMetadataValue)
    assert [record.data for record in table.records] == [
        {
            "assertion": "not_null(price)",
            "rows that offend": 0,
            "the first of them": "",
            "what to do": "",
        },
        {
            "assertion": "unique_key(price)",
            "rows that offend": 1,
            "the first of them": '{"price":"5","row_count":2}',
            "what to do": "correct the price",
        },
    ]


def test_view_is_no_asset_and_its_assertions_are_a_check_of_the_table_made_of_it(
    project: PreparedProject,
) -> None:
    phase = build_phase(DbtPhase("phase", "good"), project, read_manifest(project))

    assert dg.AssetKey("stg_prices") not in phase.keys
    assert phase.asset_deps[dg.AssetKey("priced")] == {dg.AssetKey("prices")}
    assert {check.asset_key: check.name for check in phase.check_keys} == {
        dg.AssetKey("priced"): "assertions_of_stg_prices"
    }
