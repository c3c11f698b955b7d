import os
from pathlib import Path

import dagster as dg
import pytest

from pipelines.defs.dagster_home import dagster_instance
from pipelines.defs.described import BUCKET_KEY
from pipelines.settings import DBT_PROJECT, Settings
from pipelines.warehouse.dbt_runner import prepare_project, read_manifest
from tests.worlds.homes import copied_catalog, prepared_home
from tests.worlds.programs import run_program

LOADED = """
from pipelines.definitions import defs
defs.resolve_job_def("meterline")
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return prepared_home(tmp_path_factory.mktemp("home")).settings


@pytest.fixture(scope="module")
def definitions(settings: Settings) -> dg.Definitions:
    # Importing the module makes the definitions of the home that the environment names.
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("METERLINE_HOME", str(settings.home))
        from pipelines.definitions import build_definitions, python_assets
    return build_definitions(settings, python_assets(), DBT_PROJECT)


def test_definitions_load_without_parsing_dbt(
    settings: Settings, definitions: dg.Definitions
) -> None:
    project = prepare_project(DBT_PROJECT, settings.dbt_target)
    parsed_at = project.parsed_file.stat().st_mtime_ns
    loaded = run_program(["-c", LOADED], os.environ | {"METERLINE_HOME": str(settings.home)})
    assert loaded.returncode == 0, loaded.stderr
    # The parse takes ten seconds; a UI that takes so long to come up is taken for broken.
    assert project.parsed_file.stat().st_mtime_ns == parsed_at


def test_every_asset_is_made_by_the_job_and_stands_in_a_group(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        is_made_here = key != BUCKET_KEY
        assert node.is_materializable is is_made_here, key.to_user_string()
        assert node.group_name, key.to_user_string()
        assert node.group_name[0].isdigit(), f"{key.to_user_string()}: {node.group_name}"
    from pipelines.definitions import JOB

    in_job = definitions.resolve_job_def(JOB).asset_layer.selected_asset_keys
    assert in_job | {BUCKET_KEY} == graph.get_all_asset_keys()


def test_lineage_begins_with_the_bucket_and_the_catalog(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    roots = {key for key in graph.get_all_asset_keys() if not graph.get(key).parent_keys}
    assert roots >= {BUCKET_KEY, dg.AssetKey("catalog")}
    assert graph.get(dg.AssetKey("landed_files")).parent_keys >= {BUCKET_KEY}


def test_every_asset_says_what_it_is_and_who_owns_it(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    nodes = [graph.get(key) for key in graph.get_all_asset_keys()]
    for node in nodes:
        assert node.kinds, node.key
        assert node.owners == ["team:billing"], node.key
        assert "Raw SQL:\n```sql\n\n```" not in (node.description or ""), node.key
    said = [(node.description or "").partition("#### Raw SQL")[0].strip() for node in nodes]
    assert all(sentence.endswith((".", "`")) for sentence in said)
    of_python = [node.description for node in nodes if "dbt" not in node.kinds]
    assert len(set(of_python)) == len(of_python)


def test_tables_of_the_lake_and_the_calendar_show_their_columns(
    definitions: dg.Definitions,
) -> None:
    graph = definitions.resolve_asset_graph()
    for key in (["lake", "invoices"], ["calendar", "clock"]):
        columns = graph.get(dg.AssetKey(key)).metadata["dagster/column_schema"].columns
        assert columns
        assert all(column.description for column in columns)


def test_every_check_is_a_sentence(definitions: dg.Definitions) -> None:
    checks = [
        spec
        for asset in definitions.assets or []
        if isinstance(asset, dg.AssetsDefinition)
        for spec in asset.check_specs
    ]
    assert len(checks) > 50
    for check in checks:
        said = check.description or ""
        assert " " in said, check.name
        assert said.endswith("."), check.name


def test_job_says_what_stands_for_a_backfill(definitions: dg.Definitions) -> None:
    from pipelines.definitions import JOB

    job = definitions.resolve_job_def(JOB)
    assert "nothing to backfill" in (job.description or "")
    landed = definitions.resolve_asset_graph().get(dg.AssetKey("landed_files"))
    assert "no backfill" in (landed.description or "")


def test_groups_read_in_the_order_of_the_flow(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    against = [
        f"{parent.to_user_string()} ({graph.get(parent).group_name}) -> "
        f"{key.to_user_string()} ({graph.get(key).group_name})"
        for key in graph.get_all_asset_keys()
        for parent in graph.get(key).parent_keys
        if str(graph.get(parent).group_name) > str(graph.get(key).group_name)
    ]
    assert against == []


def test_published_marts_come_from_landed_files(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    upstream = dg.AssetSelection.assets("published_marts").upstream().resolve(graph)
    assert dg.AssetKey("landed_files") in upstream
    assert dg.AssetKey(["lake", "accepted_events"]) in upstream
    assert dg.AssetKey(["lake", "invoice_lines"]) in upstream


def test_refused_catalog_fails_one_step_and_one_asset_with_its_own_sentence(
    settings: Settings, tmp_path: Path
) -> None:
    from pipelines.definitions import JOB, build_definitions, python_assets

    catalog = copied_catalog(tmp_path / "catalog")
    with (catalog / "subscriptions.csv").open("a") as file:
        file.write("sub-x,nobody,edge-europe,week,1,calendar,2015-05-11,\n")
    refusing = settings.model_copy(update={"catalog": catalog})
    refused = build_definitions(refusing, python_assets(), DBT_PROJECT)
    with dagster_instance(refusing) as instance:
        job = refused.resolve_job_def(JOB)
        result = job.execute_in_process(instance=instance, raise_on_error=False)

        failed = [e for e in result.all_events if e.event_type is dg.DagsterEventType.STEP_FAILURE]
        assert [event.step_key for event in failed] == ["catalog"]
        said = failed[0].step_failure_data.user_failure_data
        sentence = (said and said.description) or ""
        assert sentence.startswith("the catalog has 1 problem; nothing was written:\n")
        assert "'nobody' is not in customers.csv" in sentence
        graph = refused.resolve_asset_graph()
        planned = {
            key.to_user_string()
            for key in graph.get_all_asset_keys()
            if instance.get_latest_planned_materialization_info(key)
        }
        assert planned == {"catalog"}, "the lineage shows what was planned as failed"
        checks = instance.event_log_storage.get_latest_asset_check_execution_by_key(
            list(graph.asset_check_keys)
        )
        assert checks == {}


def test_every_dbt_test_of_a_model_is_a_blocking_check(
    settings: Settings, definitions: dg.Definitions
) -> None:
    nodes = read_manifest(prepare_project(DBT_PROJECT, settings.dbt_target))["nodes"].values()
    tests = {
        node["name"]
        for node in nodes
        if node["resource_type"] == "test" and node["depends_on"]["nodes"]
    }
    checks = definitions.resolve_asset_graph().asset_check_keys
    assert tests <= {check.name for check in checks}
    assert all(
        spec.blocking
        for asset in definitions.assets or []
        if isinstance(asset, dg.AssetsDefinition)
        for spec in asset.check_specs
    )


def test_views_are_no_assets_but_for_metrics_and_marts(
    settings: Settings, definitions: dg.Definitions
) -> None:
    nodes = read_manifest(prepare_project(DBT_PROJECT, settings.dbt_target))["nodes"].values()
    views = {
        dg.AssetKey([node["schema"], node["name"]])
        for node in nodes
        if node["config"]["materialized"] == "view"
    }
    shown = definitions.resolve_asset_graph().get_all_asset_keys() & views
    assert {key.path[0] for key in shown} == {"metrics", "marts"}
    assert shown == {key for key in views if key.path[0] in ("metrics", "marts")}
