"""Definitions: everything that Dagster serves: assets, job, sensor and schedule.

Importing this module reads the settings, and parses the dbt project if it has changed.
"""

from collections.abc import Iterable
from pathlib import Path

import dagster as dg

from pipelines.defs import assets
from pipelines.defs.assets import alarms, published
from pipelines.defs.dbt import build_phase
from pipelines.defs.described import bucket, described
from pipelines.defs.lineage import mart_keys
from pipelines.defs.recounted import recounted_sample
from pipelines.defs.resources import RunMemory, build_writer
from pipelines.defs.sensors import build_landing_sensor, build_nightly_run
from pipelines.settings import DBT_PROJECT, Settings, load_settings
from pipelines.warehouse.dbt_runner import prepare_project, read_manifest
from pipelines.warehouse.descriptions import described_marts
from pipelines.warehouse.phases import BILLING, MARTS

_RUN_MEMORY = dg.IOManagerDefinition(lambda _context: RunMemory())

JOB = "meterline"
"""The name of the only job: from the landing to the published marts."""

JOB_DESCRIPTION = (
    "Landed files become published invoices. There are no partitions, and nothing to backfill: "
    "every run takes in whatever has landed, however old, and builds metrics and marts from all "
    "events. A file that comes late, a new metric or a new price needs no more than the next run. "
    "To decide refused lines again, set `replay` in the config of `landed_files`; to build the "
    "marts again, set `republish`."
)
"""What the job does, and what a person does who looks for a backfill."""


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
        description=JOB_DESCRIPTION,
        hooks={alarms.tell_failure},
    )
    return dg.Definitions(
        assets=described(
            [
                bucket(settings.landing),
                *python_assets,
                *(build_phase(phase, project, manifest) for phase in (BILLING, MARTS)),
                published.build_publication(mart_keys(manifest), described_marts(manifest)),
            ],
            manifest,
            settings.owner,
        ),
        asset_checks=[recounted_sample],
        jobs=[job],
        sensors=[build_landing_sensor(settings, job)],
        schedules=[build_nightly_run(job)],
        resources={"writer": build_writer(settings), "io_manager": _RUN_MEMORY},
        executor=dg.in_process_executor,
    )


defs = build_definitions(load_settings(), python_assets(), DBT_PROJECT)
