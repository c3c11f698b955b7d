"""Events: parsed, decided, committed to the lake in one transaction, and checked."""

import logging
from collections.abc import Iterator
from dataclasses import asdict

import dagster as dg

from pipelines.audit.unpublished import CHECKED, check_unpublished
from pipelines.defs.assets.landing import Landed
from pipelines.defs.checks import check_results, check_specs, require_all
from pipelines.defs.resources import Writer
from pipelines.defs.shown import in_own_words, markdown_table, verdict_sentence
from pipelines.lake.file_states import verdict_counts
from pipelines.reading.parts import ParsedBatch
from pipelines.vocabulary.verdicts import Verdict

_progress = logging.getLogger("meterline")

EVENT_TABLES = (
    "landing_files",
    "file_decisions",
    "accepted_events",
    "refused_events",
    "batches",
)
"""The lake tables that a batch of events writes in one transaction."""


@dg.asset(group_name="3_events", kinds={"polars", "python"})
def parsed_events(landed_files: Landed, writer: dg.ResourceParam[Writer]) -> dg.Output[ParsedBatch]:
    """Every line of the run's files, as an event or a rejection in the staging folder."""
    if landed_files.plan.sentence:
        _progress.info(landed_files.plan.sentence)
    with writer.home.lake_for_writing() as lake:
        parsed = landed_files.plan.parse(landed_files.tools(writer.home, lake))
    return dg.Output(
        parsed,
        metadata={
            "files": len(parsed.files),
            "lines": sum(file.lines for file in parsed.files),
            "lines_scanned": parsed.scanned,
            "raw_bytes": sum(file.raw_bytes for file in parsed.files),
            "unreadable_files": sum(file.unreadable is not None for file in parsed.files),
            "held_files": sum(file.held is not None for file in parsed.files),
        },
    )


@dg.multi_asset(
    name="decided_events",
    group_name="3_events",
    outs={
        table: dg.AssetOut(
            key=dg.AssetKey(["lake", table]), dagster_type=dg.Nothing, kinds={"polars", "parquet"}
        )
        for table in EVENT_TABLES
    },
    check_specs=check_specs(CHECKED),
)
def decided_events(
    landed_files: Landed,
    parsed_events: ParsedBatch,
    writer: dg.ResourceParam[Writer],
) -> Iterator[dg.Output[None] | dg.AssetCheckResult]:
    """The verdict of each event, committed to the lake with its files in one transaction."""
    if parsed_events.files:
        _progress.info("deciding")
    with writer.home.lake_for_writing() as lake:
        tools = landed_files.tools(writer.home, lake)
        replayed = landed_files.plan.decide(tools, parsed_events, landed_files.facts)
        batch_id = lake.last_batch_id("decide")
        verdicts = verdict_counts(lake, batch_id)
        row_counts = {table: lake.row_count(table) for table in EVENT_TABLES}
        findings = check_unpublished(lake, writer.home, landed_files.catalog)
    _progress.info(f"batch {batch_id}: {verdict_sentence(verdicts)}")
    for table in EVENT_TABLES:
        yield dg.Output(
            None,
            output_name=table,
            metadata={
                "dagster/row_count": row_counts[table],
                "batch_id": batch_id,
                "new_files": landed_files.plan.listing.files.height,
                **({"replayed": dg.MetadataValue.json(asdict(replayed))} if replayed else {}),
                "verdicts": dg.MetadataValue.md(markdown_table(verdicts)),
                **{
                    f"lines_{verdict}": int(verdicts[verdict].sum())
                    for verdict in (*Verdict, "blank", "held")
                },
            },
        )
    yield from check_results(findings)
    with in_own_words():
        require_all(findings)
