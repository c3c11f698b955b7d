"""The phases of dbt as ops of Dagster: what each builds, and how it shows what came of it."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, TypeAlias

import dagster as dg
import duckdb
from dagster_dbt import dbt_assets
from dagster_dbt.asset_utils import get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from pipelines.defs.described import lineage_metadata
from pipelines.defs.lineage import LineageTranslator, asset_keys, lineage_of
from pipelines.defs.resources import Writer
from pipelines.defs.shown import in_own_words
from pipelines.lake.ducklake import quoted
from pipelines.operations.dbt_connection import connection_of, frozen_catalog
from pipelines.settings import Settings
from pipelines.vocabulary.visible import visible, visible_lines
from pipelines.warehouse.column_lineage import Lineage, kept_lineage
from pipelines.warehouse.dbt_runner import PreparedProject, run_phase
from pipelines.warehouse.mappings import require_sound_mappings
from pipelines.warehouse.phase_outcome import PhaseOutcome
from pipelines.warehouse.phases import (
    BILLING,
    MARTS,
    DbtPhase,
    Manifest,
    PhaseNodes,
    is_passed_through,
    nodes_of,
)
from pipelines.warehouse.standing import forget, remember, stands

_log = logging.getLogger("meterline.dbt")

# What stands is not checked again, and Dagster warns of each such check.
logging.getLogger("dagster._core.execution.plan.active").addFilter(
    lambda record: "emitted no result in step" not in record.getMessage()
)

ASSERTIONS = "assertions"
"""Metadata of a check: how many assertions of a dbt test it stands for."""

PhaseEvent: TypeAlias = (
    dg.Output[None]
    | dg.AssetMaterialization
    | dg.AssetCheckResult
    | dg.AssetObservation
    | dg.AssetCheckEvaluation
)
"""What dagster-dbt makes of a dbt event."""


def build_phase(
    phase: DbtPhase, project: PreparedProject, manifest: Manifest
) -> dg.AssetsDefinition:
    """The phase's models, seeds and tests as one op that runs dbt in process.

    Args:
        phase: its selection.
        project: the parsed project.
        manifest: its manifest, as dbt wrote it.
    """
    translator = LineageTranslator()
    lineage = lineage_of(manifest)
    nodes = nodes_of(phase, manifest)
    keys = asset_keys(manifest)

    @dbt_assets(
        manifest=lineage,
        select=phase.select,
        exclude=phase.exclude,
        name=phase.name,
        dagster_dbt_translator=translator,
    )
    def dbt_phase(
        context: dg.AssetExecutionContext, writer: dg.ResourceParam[Writer]
    ) -> Iterator[PhaseEvent]:
        selection, indirect = get_subset_selection_for_context(
            context, lineage, phase.select, phase.exclude, None, translator, None
        )
        if phase == BILLING:
            with in_own_words():
                require_sound_mappings(manifest, project.project_dir)
        is_whole = selection == list(phase.arguments)
        stood: AbstractSet[str] = frozenset()
        if is_whole:
            outcome, stood = _build_whole(phase, project, nodes, writer.settings)
        else:
            forget(writer.settings.warehouse, phase.name)
            indirectly = [f"--indirect-selection={indirect}"] if indirect else []
            outcome = _build(project, [*selection, *indirectly], writer.settings)
        rows = count_rows(writer.settings.warehouse, counted_relations(outcome.node_events))
        columns = column_lineage(phase, project, manifest, writer.settings) if is_whole else {}
        yield from _outputs_of_standing(stood, lineage)
        for event in outcome.node_events:
            if is_passed_through(manifest["nodes"][_unique_id(event)]):
                continue
            message = DbtCoreCliEventMessage(raw_event=dict(event), event_history_metadata={})
            for dagster_event in message.to_default_asset_events(lineage, translator, context):
                shown = _with_findings(dagster_event, event, rows, outcome)
                if isinstance(shown, dg.Output):
                    said = lineage_metadata(_unique_id(event), columns, keys)
                    shown = shown.with_metadata({**shown.metadata, **said})
                yield shown
        with in_own_words():
            outcome.require_success(phase.select, phase.failure)

    return dbt_phase


def column_lineage(
    phase: DbtPhase, project: PreparedProject, manifest: Manifest, settings: Settings
) -> Lineage:
    """Where the columns of the phase's marts come from; empty for any other phase.

    It only explains, so a lineage that cannot be made is a line in the log.
    """
    if phase != MARTS:
        return {}
    try:
        return kept_lineage(project, manifest, settings.dbt_target / "target" / "compiled")
    except Exception as error:
        _log.info(f"the columns' lineage is not known: {visible(str(error))}")
        return {}


def _build_whole(
    phase: DbtPhase, project: PreparedProject, nodes: PhaseNodes, settings: Settings
) -> tuple[PhaseOutcome, frozenset[str]]:
    """What came of the whole phase, and the nodes that stood and were not built."""
    made_from = f"{project.folder.name} {frozen_catalog(settings).name}"
    if stands(settings.warehouse, phase.name, made_from, nodes.standing_relations):
        return _build(project, nodes.all - nodes.standing, settings), nodes.standing
    forget(settings.warehouse, phase.name)
    outcome = _build(project, nodes.all, settings)
    if not outcome.failures:
        remember(settings.warehouse, phase.name, made_from, nodes.standing_relations)
    return outcome, frozenset()


def _build(
    project: PreparedProject, selection: Sequence[str] | AbstractSet[str], settings: Settings
) -> PhaseOutcome:
    return run_phase(
        project,
        selection,
        connection=connection_of(settings),
        seed_folder=frozen_catalog(settings),
        artifacts=settings.dbt_target,
        report=_log.info,
    )


def counted_relations(node_events: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """SQL of the number of rows, by relation: of tables, seeds and metrics, never other views."""
    counted = dict[str, str]()
    for event in node_events:
        node, relation = event["data"]["node_info"], _relation_name(event)
        if event["data"]["status"] in {"error", "skipped"}:
            continue
        if node["materialized"] in {"table", "incremental", "seed"}:
            counted[relation] = f"select count(*) from {relation}"
        elif node["node_name"].startswith("metric_"):
            # What is kept of the metric knows its events; the view would read the lake.
            state = '"state_{}"'.format(node["node_name"].removeprefix("metric_"))
            counted[relation] = f"select coalesce(sum(event_count), 0) from states.{state}"
    return counted


def count_rows(warehouse: Path, relations: Mapping[str, str]) -> dict[str, int]:
    """Rows per relation, by the SQL that counts them; DuckDB knows those of tables by itself."""
    if not relations:
        return {}
    counts = " union all ".join(
        f"select {quoted(relation)}, cast(({count}) as bigint)"
        for relation, count in relations.items()
    )
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return dict(connection.execute(counts).fetchall())


def _unique_id(event: Mapping[str, Any]) -> str:
    unique_id: str = event["data"]["node_info"]["unique_id"]
    return unique_id


def _relation_name(event: Mapping[str, Any]) -> str:
    relation: str = event["data"]["node_info"]["node_relation"]["relation_name"]
    return relation


def _outputs_of_standing(stood: AbstractSet[str], lineage: Manifest) -> Iterator[dg.Output[None]]:
    """The outputs of tables and seeds that stood, for which the steps after them wait.

    Dagster wants an output after those that it is made of.
    """
    nodes = lineage["nodes"]
    reads = {name: nodes[name]["depends_on"].get("nodes", ()) for name in sorted(stood)}
    for name in TopologicalSorter(reads).static_order():
        is_test = name not in stood or nodes[name]["resource_type"] == "test"
        if not is_test and nodes[name]["config"]["materialized"] != "ephemeral":
            key = LineageTranslator().get_asset_key(nodes[name])
            yield dg.Output(
                None, output_name=key.to_python_identifier(), metadata={"unchanged": True}
            )


def _with_findings(
    shown: PhaseEvent, event: Mapping[str, Any], rows: Mapping[str, int], outcome: PhaseOutcome
) -> PhaseEvent:
    """The event of a table with its row count, that of a test with what each assertion found."""
    if isinstance(shown, dg.Output) and _relation_name(event) in rows:
        return shown.with_metadata(
            {**shown.metadata, "dagster/row_count": rows[_relation_name(event)]}
        )
    found = outcome.assertions.get(_unique_id(event), ())
    if not isinstance(shown, dg.AssetCheckResult) or not found:
        return shown
    return shown._replace(
        metadata={
            **shown.metadata,
            ASSERTIONS: dg.MetadataValue.int(len(found)),
            "found": dg.MetadataValue.table(
                [
                    dg.TableRecord(
                        {
                            "assertion": assertion.name,
                            "rows that offend": assertion.offences,
                            "the first of them": visible_lines("\n".join(assertion.first_rows)),
                            "what to do": assertion.what_to_do if assertion.offences else "",
                        }
                    )
                    for assertion in found
                ]
            ),
        }
    )
