"""The assets: the one place that knows the order from the landing to the published marts.

Belongs here: handing each stage its inputs, and showing in Dagster what it gave. Must not be
put here: rules (see the stages), SQL (see `dbt_project`), how dbt runs (see `dbt_assets`).

    catalog → landed_files → parsed_events → lake tables → calendar → (dbt: billing)
            → lake/invoices → (dbt: marts) → published_marts

The calendar is the gate: when neither events, catalog, code nor due periods differ from what
is published, it yields nothing, and Dagster skips everything after it.
"""

import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
import polars as pl

from pipelines.audit.conservation import INVARIANTS, check_batch
from pipelines.audit.invariant import Finding
from pipelines.audit.provenance import REPARSED, check_provenance
from pipelines.audit.window import INDEXED, check_index
from pipelines.catalog import calendar
from pipelines.catalog.catalog import Catalog, freeze_catalog, read_catalog, read_sources
from pipelines.defs.checks import check_results, check_specs, require_all
from pipelines.defs.dbt import CATALOG_KEY
from pipelines.defs.resources import Writer
from pipelines.defs.run_options import RunOptions
from pipelines.intake import batch, replay, replay_selection
from pipelines.intake.batch import BatchPlan
from pipelines.intake.correction import plan_correction, require_same_events
from pipelines.intake.replay_selection import ReplayPlan
from pipelines.intake.window_index import WindowIndex
from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import RunFacts, choose_as_of, code_revision
from pipelines.landing.store import Landing
from pipelines.reading.hold_rule import HoldRule
from pipelines.reading.parts import ParsedBatch
from pipelines.settings import Settings, metric_codes
from pipelines.vocabulary.verdicts import Verdict
from pipelines.warehouse.gate import last_as_of
from pipelines.warehouse.publish import current_generation

_progress = logging.getLogger("meterline")

EVENT_TABLES = ("landing_files", "file_decisions", "accepted_events", "refused_events")
"""Lake tables that one batch of events writes, in one transaction."""


CHECKED = (*INVARIANTS, INDEXED, REPARSED)
"""What must hold in a batch before anything of it is closed or published."""


@dataclass(frozen=True)
class Landed:
    """What a run found in the landing, and what it knows about itself.

    Attributes:
        plan: the batch to take in; it may have no file.
        facts: recorded with every transaction of the run.
        republish: True builds and publishes even when nothing changed, and closes nothing.
        replay: what is decided again instead of the plan.
        is_correction: the plan is one file, which corrects another.
    """

    plan: BatchPlan
    facts: RunFacts
    republish: bool
    replay: ReplayPlan | None = None
    is_correction: bool = False


@dg.asset(key=CATALOG_KEY, group_name="1_catalog", output_required=True)
def catalog(
    context: dg.AssetExecutionContext, writer: dg.ResourceParam[Writer]
) -> dg.Output[Catalog]:
    """The catalog's CSV files, validated as a whole and frozen by digest."""
    found = read_catalog(writer.settings.catalog, metric_codes())
    freeze_catalog(found, writer.settings.frozen_catalogs)
    for warning in found.warnings:
        context.log.warning(warning)
    return dg.Output(
        found,
        metadata={
            "digest": found.digest,
            "customers": found.customers.height,
            "subscriptions": found.subscriptions.height,
            "warnings": len(found.warnings),
        },
    )


@dg.asset(group_name="2_landing")
def landed_files(
    config: RunOptions, catalog: Catalog, writer: dg.ResourceParam[Writer]
) -> dg.Output[Landed]:
    """The landing listed, and the file versions that no batch has taken."""
    settings = writer.settings
    with open_lake(settings) as lake:
        _sweep(settings, lake)
        listing_started_at = datetime.now(UTC)
        spoken_for = last_as_of(lake, settings.published)
        facts = RunFacts(
            as_of=spoken_for
            if spoken_for and not config.takes_in
            else choose_as_of(config.as_of, listing_started_at, spoken_for),
            listing_started_at=listing_started_at,
            catalog_digest=catalog.digest,
            catalog_files=catalog.files,
            code_revision=code_revision(),
        )
        plan = batch.plan(
            lake,
            Landing(settings.landing, settings.s3_endpoint_url),
            catalog.sources,
            settings.staging,
            settings.batch_bytes if config.takes_in else 0,
            listing_started_at,
        )
        if config.correct_file and config.correct_from:
            plan = plan_correction(
                lake,
                Landing(settings.landing, settings.s3_endpoint_url),
                catalog.sources,
                plan.discovery,
                config.correct_file,
                config.correct_from,
                settings.staging,
            )
        taken_up = (
            replay_selection.plan(
                lake,
                catalog.sources,
                config.selection,
                settings.staging,
            )
            if config.replay
            else None
        )
    ignored = plan.discovery.ignored
    _progress.info(
        f"listed {plan.discovery.listed:,} files: {plan.files.height:,} new, "
        f"{plan.waiting:,} waiting, {ignored.height:,} not read"
    )
    return dg.Output(
        Landed(plan, facts, config.republish, taken_up, bool(config.correct_from)),
        metadata={
            "as_of": dg.MetadataValue.text(facts.as_of.isoformat()),
            "listed": plan.discovery.listed,
            "new": plan.files.height,
            "waiting": plan.waiting,
            "not_read": ignored.height,
            "not_read_because": dg.MetadataValue.md(markdown_table(ignored.head(20))),
        },
    )


@dg.asset(group_name="3_events")
def parsed_events(
    landed_files: Landed, catalog: Catalog, writer: dg.ResourceParam[Writer]
) -> dg.Output[ParsedBatch]:
    """Every line of the batch's files as an event or a rejection, in the staging folder."""
    settings, plan = writer.settings, landed_files.plan
    if plan.files.height:
        _progress.info(f"parsing {plan.files.height:,} files")
    landing = Landing(settings.landing, settings.s3_endpoint_url)
    hold = HoldRule(settings.hold_percent, settings.hold_rejections_min)
    if landed_files.replay:
        _progress.info(f"reading {len(landed_files.replay.files):,} files again")
        parsed = replay.parse(landed_files.replay, landing, settings.threads, hold)
    else:
        with open_lake(settings) as lake:
            parsed = batch.parse(
                lake,
                WindowIndex(settings.window_index),
                plan,
                landing,
                catalog.sources,
                calendar.cuts_until(catalog, plan.files["received_at"]),
                settings.threads,
                None if landed_files.is_correction else hold,
            )
            if landed_files.is_correction:
                require_same_events(lake, plan, parsed)
    unreadable = [file for file in parsed.files if file.unreadable]
    return dg.Output(
        parsed,
        metadata={
            "files": len(parsed.files),
            "lines": sum(file.lines for file in parsed.files),
            "lines_scanned": parsed.scanned,
            "raw_bytes": sum(file.raw_bytes for file in parsed.files),
            "unreadable_files": len(unreadable),
            "held_files": len([file for file in parsed.files if file.held]),
        },
    )


@dg.multi_asset(
    name="decided_events",
    group_name="3_events",
    outs={
        table: dg.AssetOut(key=dg.AssetKey(["lake", table]), dagster_type=dg.Nothing)
        for table in EVENT_TABLES
    },
    check_specs=check_specs(CHECKED),
)
def decided_events(
    landed_files: Landed,
    parsed_events: ParsedBatch,
    catalog: Catalog,
    writer: dg.ResourceParam[Writer],
) -> Iterator[dg.Output[None] | dg.AssetCheckResult]:
    """Each event's verdict, committed to the lake with its files in one transaction."""
    settings, plan, facts = writer.settings, landed_files.plan, landed_files.facts
    replayed = None
    with open_lake(settings) as lake:
        if landed_files.replay:
            _progress.info("deciding again")
            redecided = replay.decide_again(
                lake,
                WindowIndex(settings.window_index),
                landed_files.replay,
                parsed_events,
                catalog.sources,
                calendar.cuts_until(catalog, landed_files.replay.received_at),
            )
            replay.commit(lake, landed_files.replay, redecided, facts)
            shutil.rmtree(landed_files.replay.folder, ignore_errors=True)
            replayed = redecided.as_json()
        elif plan.files.height:
            _progress.info("deciding")
            batch.decide_and_commit(
                lake,
                WindowIndex(settings.window_index),
                plan,
                parsed_events,
                catalog.sources,
                calendar.cuts_until(catalog, plan.files["received_at"]),
                facts,
            )
            shutil.rmtree(plan.folder, ignore_errors=True)
        batch_id = lake.last_batch_id("decide")
        verdicts = verdict_counts(lake, batch_id)
        findings = check_unpublished(lake, settings, catalog)
    _progress.info(f"batch {batch_id}: {verdict_sentence(verdicts)}")
    for table in EVENT_TABLES:
        yield dg.Output(
            None,
            output_name=table,
            metadata={
                "batch_id": batch_id,
                "new_files": plan.files.height,
                **({"replayed": dg.MetadataValue.json(replayed)} if replayed else {}),
                "verdicts": dg.MetadataValue.md(markdown_table(verdicts)),
                **{
                    f"lines_{verdict}": int(verdicts[verdict].sum())
                    for verdict in (*Verdict, "blank")
                },
            },
        )
    yield from check_results(findings)
    require_all(findings)


def open_lake(settings: Settings) -> Lake:
    """The lake, open for writing; only under the writer lock."""
    return Lake(
        settings.lake_catalog,
        settings.lake_data,
        read_only=False,
        threads=settings.threads,
        memory_limit=settings.memory_limit,
    )


def verdict_counts(lake: Lake, batch_id: int) -> pl.DataFrame:
    """One row per source of a batch: files, lines and lines by verdict."""
    return lake.query(
        """
        SELECT source, count(*) AS files, sum(lines)::BIGINT AS lines,
            sum(accepted)::BIGINT AS accepted, sum(duplicate)::BIGINT AS duplicate,
            sum(conflict)::BIGINT AS conflict, sum(rejected)::BIGINT AS rejected,
            sum(blank)::BIGINT AS blank,
            coalesce(sum(held), 0)::BIGINT AS held,
            count(*) FILTER (status = 'quarantined') AS quarantined_files,
            count(*) FILTER (status = 'held') AS held_files
        FROM lake.landing_files JOIN lake.file_decisions USING (file_id)
        WHERE file_decisions.batch_id = $batch_id GROUP BY ALL ORDER BY ALL
        """,
        {"batch_id": batch_id},
    )


def verdict_sentence(verdicts: pl.DataFrame) -> str:
    """What became of a batch's lines, in one line of text."""
    counts = ", ".join(
        f"{int(verdicts[verdict].sum()):,} {verdict}" for verdict in (*Verdict, "blank")
    )
    return f"{int(verdicts['lines'].sum()):,} lines = {counts}"


def markdown_table(rows: pl.DataFrame) -> str:
    """Rows as a Markdown table; senders' text cannot break out of its cell."""
    header = [f"| {' | '.join(rows.columns)} |", f"|{' --- |' * rows.width}"]
    cells = (
        [
            "".join(f"&#{ord(sign)};" if sign in "|<>&`*_[]\\\r\n" else sign for sign in str(value))
            for value in row
        ]
        for row in rows.iter_rows()
    )
    return "\n".join([*header, *(f"| {' | '.join(row)} |" for row in cells)])


def check_unpublished(lake: Lake, settings: Settings, catalog: Catalog) -> list[Finding]:
    """What every invariant finds in the batches that no published generation shows.

    A batch that failed a check stays unpublished, so it is checked again until it passes.
    """
    published = current_generation(settings.published)
    batch_ids = lake.query(
        "SELECT batch_id FROM lake.batches WHERE kind = 'decide' AND batch_id > $published "
        "ORDER BY batch_id",
        {"published": published.batch_id if published else 0},
    )["batch_id"]
    landing = Landing(settings.landing, settings.s3_endpoint_url)
    index = WindowIndex(settings.window_index)
    index.bring_up(lake)
    found: dict[str, list[Finding]] = {invariant.name: [] for invariant in CHECKED}
    for batch_id in batch_ids:
        sources = _sources_of_batch(lake, settings, batch_id, catalog)
        indexed, repeated = check_index(index, lake, batch_id)
        for finding in (
            *check_batch(lake, batch_id, sources, repeated),
            indexed,
            check_provenance(lake, landing, batch_id, sources),
        ):
            found[finding.invariant.name].append(finding)
    return [
        Finding(
            invariant,
            offences=sum(finding.offences for finding in found[invariant.name]),
            sample="; ".join(f.sample for f in found[invariant.name] if not f.holds),
        )
        for invariant in CHECKED
    ]


def _sources_of_batch(
    lake: Lake, settings: Settings, batch_id: int, catalog: Catalog
) -> pl.DataFrame:
    """The rules the batch was decided by: those of its day, not of today's catalog."""
    found = lake.query(
        "SELECT catalog_digest FROM lake.batches WHERE batch_id = $batch_id",
        {"batch_id": batch_id},
    )["catalog_digest"]
    if not found.len() or found[0] == catalog.digest:
        return catalog.sources
    return read_sources(settings.frozen_catalogs / str(found[0]))


def _sweep(settings: Settings, lake: Lake) -> None:
    """Removes what an unfinished run left; the writer lock is held."""
    shutil.rmtree(settings.staging, ignore_errors=True)
    swept = lake.sweep()
    if swept:
        _progress.info(f"swept {swept} files of a run that did not finish")
