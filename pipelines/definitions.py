"""Everything Dagster serves: the assets, the job, the sensor, the schedule.

Importing this module reads the settings and, when the dbt project changed, parses it.
"""

from collections.abc import Iterable
from pathlib import Path

import dagster as dg

from pipelines.defs import assets
from pipelines.defs.assets import alarms, published
from pipelines.defs.dbt import BILLING, MARTS, build_phase, mart_keys, read_manifest
from pipelines.defs.resources import RunMemory, build_writer
from pipelines.defs.sensors import build_landing_sensor, build_nightly_run
from pipelines.settings import DBT_PROJECT, Settings, load_settings
from pipelines.warehouse.dbt_runner import prepare_project

_RUN_MEMORY = dg.IOManagerDefinition(lambda _context: RunMemory())

JOB = "meterline"
"""The one job: from the landing to the published marts."""


def python_assets() -> list[dg.AssetsDefinition]:
    """What Python makes before, between and after the two dbt phases, the publication apart."""
    return [
        asset
        for asset in dg.load_assets_from_package_module(assets)
        if isinstance(asset, dg.AssetsDefinition)
    ]


def build_definitions(
    settings: Settings,
    python_assets: Iterable[dg.AssetsDefinition],
    project_dir: Path,
) -> dg.Definitions:
    """The definitions of a home; dbt is parsed only when its files changed.

    One executor, in the process of the run: steps pay no import and pass frames in memory.

    Args:
        settings: of the home.
        python_assets: what Python makes before, between and after the two dbt phases, the
            publication apart.
        project_dir: the dbt project.
    """
    project = prepare_project(project_dir, settings.dbt_target)
    manifest = read_manifest(project)
    job = dg.define_asset_job(
        JOB,
        description="Landed files become published invoices.",
        hooks={alarms.tell_failure},
    )
    return dg.Definitions(
        assets=[
            *python_assets,
            *(build_phase(phase, project, manifest) for phase in (BILLING, MARTS)),
            published.build_publication(mart_keys(manifest)),
        ],
        jobs=[job],
        sensors=[build_landing_sensor(settings, job)],
        schedules=[build_nightly_run(job)],
        resources={"writer": build_writer(settings), "io_manager": _RUN_MEMORY},
        executor=dg.in_process_executor,
    )


defs = build_definitions(load_settings(), python_assets(), DBT_PROJECT)
