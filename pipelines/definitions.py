"""Definitions: everything that Dagster serves: assets, job, sensor and schedule.

Importing this module reads the settings, and parses the dbt project if it has changed.
"""

from collections.abc import Iterable
from pathlib import Path

import dagster as dg

from pipelines.defs import assets
from pipelines.defs.assets import alarms, published
from pipelines.defs.dbt import build_phase
from pipelines.defs.lineage import mart_keys
from pipelines.defs.resources import RunMemory, build_writer
from pipelines.defs.sensors import build_landing_sensor, build_nightly_run
from pipelines.settings import DBT_PROJECT, Settings, load_settings
from pipelines.warehouse.dbt_runner import prepare_project, read_manifest
from pipelines.warehouse.descriptions import described_marts
from pipelines.warehouse.phases import BILLING, MARTS

_RUN_MEMORY = dg.IOManagerDefinition(lambda _context: RunMemory())

JOB = "meterline"
"""The name of the only job: from the landing to the published marts."""


def python_assets() -> list[dg.AssetsDefinition]:
    """The assets that Python makes, except the publication, which needs the list of marts."""
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
    """The definitions of a home; the dbt project is parsed only if its files have changed.

    All steps run in the process of the run. So no step imports anything again, and frames pass
    from step to step in memory.

    Args:
        settings: the settings of the home.
        python_assets: the assets that Python makes, except the publication.
        project_dir: folder of the dbt project.
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
            published.build_publication(mart_keys(manifest), described_marts(manifest)),
        ],
        jobs=[job],
        sensors=[build_landing_sensor(settings, job)],
        schedules=[build_nightly_run(job)],
        resources={"writer": build_writer(settings), "io_manager": _RUN_MEMORY},
        executor=dg.in_process_executor,
    )


defs = build_definitions(load_settings(), python_assets(), DBT_PROJECT)
