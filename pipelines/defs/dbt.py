"""dbt's nodes as Dagster assets: their keys, groups and upstreams, and the two phases.

Belongs here: how a dbt node appears in Dagster. Must not be put here: how dbt is invoked
(see `dbt_runner`) or what Python assets do (see `assets`).

The phases: `tag:billing` before invoices are closed, `tag:marts` after, each one op. A test
belongs to the phase of the last model it reads; a failed one stops all that follows.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import dagster as dg
import duckdb
from dagster_dbt import DagsterDbtTranslator, DbtProject, dbt_assets
from dagster_dbt.asset_utils import get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from pipelines.defs.resources import Writer
from pipelines.home import Home
from pipelines.lake.ducklake import quoted
from pipelines.settings import Settings
from pipelines.vocabulary.errors import InvariantError, MeterlineError
from pipelines.warehouse.dbt_runner import PreparedProject, run_phase

_log = logging.getLogger("meterline.dbt")

PhaseEvent: TypeAlias = (
    dg.Output[None]
    | dg.AssetMaterialization
    | dg.AssetCheckResult
    | dg.AssetObservation
    | dg.AssetCheckEvaluation
)
"""What dagster-dbt makes of a dbt event."""

CATALOG_KEY = dg.AssetKey("catalog")
"""The catalog as Python validated and froze it; seeds are loaded from it."""


@dataclass(frozen=True)
class DbtPhase:
    """One selection of the project, which is one op.

    Attributes:
        name: of the op.
        tag: of its models and seeds.
        not_yet: tag of what is built later; a test that reads such a model waits for it.
        failure: what did not happen when it failed, for the message.
    """

    name: str
    tag: str
    not_yet: str | None = None
    failure: str = "nothing was published"

    @property
    def select(self) -> str:
        """The selection, as dbt writes it."""
        return f"tag:{self.tag}"

    @property
    def exclude(self) -> str | None:
        """The exclusion, as dbt writes it."""
        return f"tag:{self.not_yet}" if self.not_yet else None


BILLING = DbtPhase(
    "billing",
    tag="billing",
    not_yet="marts",
    failure="no invoice was closed and nothing was published",
)
"""Seeds, metrics, rating, drafts: all that the close reads."""

MARTS = DbtPhase(
    "marts",
    tag="marts",
    failure="nothing was published; an invoice that this run closed stays closed",
)
"""What people read; it sees the invoices that were just closed."""


class LineageTranslator(DagsterDbtTranslator):
    """dbt's nodes in the lineage graph; `dbt_project.yml` names the group of each folder."""

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        """dagster-dbt's, with the frozen catalog before every seed."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        if self.get_resource_props(manifest, unique_id)["resource_type"] != "seed":
            return spec
        return spec.replace_attributes(deps=[CATALOG_KEY])


def read_manifest(project: PreparedProject) -> dict[str, Any]:
    """The project's manifest, in which every test that reads a model is attached to one.

    dagster-dbt shows a test as a check of the model it is attached to, and a test of several
    models as none: such a one is attached to the last mart it names, else to the last model.
    """
    manifest: dict[str, Any] = json.loads(project.manifest_file.read_bytes())
    nodes = manifest["nodes"]
    for node in nodes.values():
        if node["resource_type"] != "test" or node.get("attached_node"):
            continue
        models = [name for name in node["depends_on"]["nodes"] if name in nodes]
        in_marts = [name for name in models if MARTS.tag in nodes[name]["tags"]]
        node["attached_node"] = next(reversed(in_marts or models), None)
    return manifest


def mart_keys(manifest: Mapping[str, Any]) -> list[dg.AssetKey]:
    """Keys of the marts: the models of the folder `marts`, in the order of their names."""
    return sorted(
        LineageTranslator().get_asset_key(node)
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][1] == "marts"
    )


def build_phase(
    phase: DbtPhase, project: PreparedProject, manifest: Mapping[str, Any]
) -> dg.AssetsDefinition:
    """The phase's models, seeds and tests as one op that runs dbt in process.

    Args:
        phase: its selection.
        project: the parsed project.
        manifest: its manifest; see `read_manifest`.
    """
    translator = LineageTranslator()

    @dbt_assets(
        manifest=manifest,
        select=phase.select,
        exclude=phase.exclude,
        name=phase.name,
        dagster_dbt_translator=translator,
    )
    def dbt_phase(
        context: dg.AssetExecutionContext, writer: dg.ResourceParam[Writer]
    ) -> Iterator[PhaseEvent]:
        selection, indirect = get_subset_selection_for_context(
            context, manifest, phase.select, phase.exclude, None, translator, None
        )
        outcome = run_phase(
            project,
            [*selection, *([f"--indirect-selection={indirect}"] if indirect else [])],
            connection=connection_of(writer.settings),
            seed_folder=frozen_catalog(writer.settings),
            artifacts=writer.settings.dbt_target,
            report=_log.info,
        )
        rows = count_rows(writer.settings.warehouse, built_tables(outcome.node_events))
        for event in outcome.node_events:
            message = DbtCoreCliEventMessage(raw_event=dict(event), event_history_metadata={})
            for dagster_event in message.to_default_asset_events(manifest, translator, context):
                yield _with_row_count(dagster_event, rows.get(_relation_name(event)))
        outcome.require_success(phase.select, phase.failure)

    return dbt_phase


def connection_of(settings: Settings) -> dict[str, str]:
    """The environment of dbt's connection: this home, and the lake as it is now."""
    # Imported here, because the module imports dbt, which loading definitions need not pay.
    from pipelines.warehouse.dbt_plugin import connection_environment

    home = Home(settings)
    with home.lake() as lake:
        snapshot_id = lake.snapshot_id()
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    return connection_environment(
        warehouse=settings.warehouse,
        lake_catalog=home.lake_catalog,
        lake_data=settings.lake_data,
        lake_snapshot=snapshot_id,
        readable_folders=[settings.frozen_catalogs],
        threads=settings.threads,
        memory_limit=settings.memory_limit,
    )


def frozen_catalog(settings: Settings) -> Path:
    """The folder of the catalog that the calendar in the warehouse was made from.

    Raises:
        MeterlineError: no run has written a calendar.
    """
    try:
        with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
            clock = warehouse.execute("select catalog_digest from calendar.clock").fetchone()
    except (duckdb.CatalogException, duckdb.IOException) as error:
        raise MeterlineError(
            f"{settings.warehouse} holds no calendar yet; launch the whole job `meterline`"
        ) from error
    if clock is None:
        raise InvariantError("expected one row in calendar.clock, found none; run the whole job")
    return settings.frozen_catalogs / str(clock[0])


def built_tables(node_events: Iterable[Mapping[str, Any]]) -> list[str]:
    """The relations that hold rows of their own: tables and seeds, never views."""
    return [
        _relation_name(event)
        for event in node_events
        if event["data"]["node_info"]["materialized"] in {"table", "incremental", "seed"}
        and event["data"]["status"] not in {"error", "skipped"}
    ]


def count_rows(warehouse: Path, relations: Sequence[str]) -> dict[str, int]:
    """Rows per relation; DuckDB knows them without reading the tables."""
    if not relations:
        return {}
    counts = " union all ".join(
        f"select {quoted(relation)}, count(*) from {relation}" for relation in relations
    )
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return dict(connection.execute(counts).fetchall())


def _relation_name(event: Mapping[str, Any]) -> str:
    relation: str = event["data"]["node_info"]["node_relation"]["relation_name"]
    return relation


def _with_row_count(event: PhaseEvent, rows: int | None) -> PhaseEvent:
    if rows is None or not isinstance(event, dg.Output):
        return event
    return event.with_metadata({**event.metadata, "dagster/row_count": rows})
