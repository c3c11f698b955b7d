"""The assets from the calendar to the published marts; the order continues from `assets`.

Belongs here: handing calendar, close and publication their inputs, and showing what they
gave. Must not be put here: rules about invoices (see `close`), SQL (see `dbt_project`).
"""

import logging
from collections.abc import Iterator

import dagster as dg
import duckdb
import polars as pl

from pipelines.catalog import calendar
from pipelines.catalog.catalog import Catalog
from pipelines.defs.assets.events import EVENT_TABLES, Landed, markdown_table, open_lake
from pipelines.defs.resources import Writer
from pipelines.invoicing.documents import GENESIS, verify_chain
from pipelines.invoicing.due import closable, settle_time
from pipelines.invoicing.finalize import ClosingFacts, finalize
from pipelines.lake.ducklake import attach_statements
from pipelines.lake.file_states import file_states, source_customers, unhealed
from pipelines.settings import Settings
from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.frames import DRAFT_LINES, DRAFTS, FINALIZED
from pipelines.vocabulary.tables import BATCHES, CATALOGS, INVOICE_LINES, INVOICES
from pipelines.warehouse.gate import finalized_periods, horizon, inputs_digest
from pipelines.warehouse.in_progress import write_files_in_progress
from pipelines.warehouse.publish import (
    ChainHead,
    CheckSummary,
    GenerationFacts,
    current_generation,
    publish,
)

_progress = logging.getLogger("meterline")

MARTS = (
    "dim_billable_metrics",
    "dim_billing_periods",
    "dim_customers",
    "fct_event_amendments",
    "fct_event_states",
    "fct_invoice_lines",
    "fct_invoices",
    "fct_landing_files",
    "fct_metered_usage",
    "fct_refused_events",
    "fct_source_customers",
    "rpt_reconciliation",
    "rpt_unbilled_usage",
)
"""What is published; each is a model of the dbt project's folder `marts`."""

_RUN_KEYS = [dg.AssetKey("landed_files"), dg.AssetKey("catalog")]
_BATCH_KEYS = [dg.AssetKey(["lake", table]) for table in EVENT_TABLES]


@dg.multi_asset(
    name="billing_calendar",
    specs=[
        dg.AssetSpec(
            dg.AssetKey(["calendar", table]),
            group_name="4_calendar",
            deps=[*_RUN_KEYS, *_BATCH_KEYS],
            skippable=True,
        )
        for table in calendar.CALENDAR_TABLES
    ]
    + [
        dg.AssetSpec(
            dg.AssetKey(["landing", "files_in_progress"]),
            group_name="4_calendar",
            deps=[*_RUN_KEYS, *_BATCH_KEYS],
            skippable=True,
        )
    ],
    ins={"landed_files": dg.AssetIn("landed_files"), "catalog": dg.AssetIn("catalog")},
)
def calendar_tables(
    landed_files: Landed, catalog: Catalog, writer: dg.ResourceParam[Writer]
) -> Iterator[dg.MaterializeResult[None]]:
    """Billing periods and names for dbt; nothing when what is published is still true."""
    settings, facts = writer.settings, landed_files.facts
    with open_lake(settings) as lake:
        periods = calendar.periods_until(catalog, horizon(lake, facts.as_of))
        digest = inputs_digest(lake, settings.home, periods, facts, settle_time(catalog.sources))
        finalized = finalized_periods(lake)
        batch_id = lake.last_batch_id("decide")
    published = current_generation(settings.published)
    if published and published.inputs_digest == digest and not landed_files.republish:
        _progress.info("nothing differs from what is published")
        return
    rows = calendar.write_calendar(
        settings.warehouse,
        periods,
        calendar.names(catalog),
        finalized,
        facts.as_of,
        batch_id,
        catalog.digest,
        catalog.auto_customer_sources,
    )
    rows_in_progress = write_files_in_progress(settings.warehouse, landed_files.plan.undecided())
    _progress.info("metering and rating")
    for table, count in rows.items():
        yield dg.MaterializeResult(
            asset_key=dg.AssetKey(["calendar", table]), metadata={"dagster/row_count": count}
        )
    yield dg.MaterializeResult(
        asset_key=dg.AssetKey(["landing", "files_in_progress"]),
        metadata={"dagster/row_count": rows_in_progress},
    )


@dg.multi_asset(
    name="closed_invoices",
    specs=[
        dg.AssetSpec(
            dg.AssetKey(["lake", table]),
            group_name="7_invoices",
            deps=[
                *_RUN_KEYS,
                dg.AssetKey(["invoices", "int_invoices_drafted"]),
                dg.AssetKey(["invoices", "int_invoice_lines_drafted"]),
                dg.AssetKey(["intermediate", "int_events_counted"]),
            ],
        )
        for table in ("invoices", "invoice_lines")
    ],
    ins={"landed_files": dg.AssetIn("landed_files"), "catalog": dg.AssetIn("catalog")},
)
def closed_invoices(
    landed_files: Landed, catalog: Catalog, writer: dg.ResourceParam[Writer]
) -> Iterator[dg.MaterializeResult[None]]:
    """The drafts that are final, numbered, hashed and chained, in one lake transaction."""
    settings, facts = writer.settings, landed_files.facts
    drafts, lines = _drafts(settings)
    if landed_files.republish:
        drafts = drafts.clear()
    with open_lake(settings) as lake:
        waiting = unhealed(file_states(lake, landed_files.plan.undecided()))
        closing = closable(
            drafts,
            waiting,
            source_customers(settings.warehouse, "intermediate.int_events_counted"),
            facts.as_of,
            facts.listing_started_at,
            settle_time(catalog.sources),
        )
        batch_id = lake.last_batch_id() + 1
        closed = finalize(
            closing.closable,
            lines,
            lake.table(INVOICES).select(*FINALIZED),
            ClosingFacts(
                batch_id=batch_id,
                event_batch_id=lake.last_batch_id("decide"),
                as_of=facts.as_of,
                catalog_digest=catalog.digest,
                code_revision=facts.code_revision,
            ),
        )
        if closed.invoices.height:
            lake.commit_batch(
                batch_id,
                rows={
                    BATCHES: facts.batch_row(batch_id, "close"),
                    CATALOGS: facts.catalog_rows(batch_id, lake),
                    INVOICES: closed.invoices,
                    INVOICE_LINES: closed.invoice_lines,
                },
                staged_files={},
            )
    _progress.info(
        f"finalized {closed.invoices.height:,} invoices, {closing.held_back.height:,} stay drafts"
    )
    shown = {
        "invoices": closed.invoices.select("invoice_number", "subscription_id", "total_amount"),
        "invoice_lines": closed.invoice_lines.select("line_id", "quantity", "amount"),
    }
    for table, rows in shown.items():
        yield dg.MaterializeResult(
            asset_key=dg.AssetKey(["lake", table]),
            metadata={
                "new_rows": rows.height,
                "new": dg.MetadataValue.md(markdown_table(rows.head(20))),
                "held_back": dg.MetadataValue.md(
                    markdown_table(
                        closing.held_back.select("invoice_id", "reason_code", "reason").head(20)
                    )
                ),
            },
        )


@dg.asset(
    group_name="9_published",
    deps=[dg.AssetKey(["marts", mart]) for mart in MARTS],
)
def published_marts(
    context: dg.AssetExecutionContext,
    landed_files: Landed,
    catalog: Catalog,
    writer: dg.ResourceParam[Writer],
) -> dg.MaterializeResult[None]:
    """An immutable generation of the marts, pointed to once every check of the run passed."""
    settings, facts = writer.settings, landed_files.facts
    with open_lake(settings) as lake:
        invoices = lake.table(INVOICES)
        periods = calendar.periods_until(catalog, horizon(lake, facts.as_of))
        digest = inputs_digest(lake, settings.home, periods, facts, settle_time(catalog.sources))
        batch_id = lake.last_batch_id()
    before = current_generation(settings.published)
    broken = verify_chain(invoices, before.chain_head.chain_sha256 if before else GENESIS)
    if broken:
        raise InvariantError(f"{broken.sentence()}; nothing was published")
    generation = publish(
        settings.published,
        settings.warehouse,
        attach_statements(settings.lake_catalog, settings.lake_data, read_only=True),
        GenerationFacts(
            as_of=facts.as_of,
            batch_id=batch_id,
            catalog_digest=catalog.digest,
            code_revision=facts.code_revision,
            inputs_digest=digest,
            chain_head=chain_head(invoices),
        ),
        _checks_of_run(context),
        threads=settings.threads,
        memory_limit=settings.memory_limit,
    )
    _progress.info(f"published generation {generation.generation_id}")
    return dg.MaterializeResult(
        metadata={
            "generation": generation.generation_id,
            "checks_passed": generation.checks_passed,
            "marts": dg.MetadataValue.path(str(settings.published / generation.generation_id)),
            "rows": dg.MetadataValue.md(
                markdown_table(
                    pl.DataFrame(
                        {
                            "table": list(generation.tables),
                            "rows": list(generation.tables.values()),
                        }
                    )
                )
            ),
        }
    )


def chain_head(invoices: pl.DataFrame) -> ChainHead:
    """The end of the chain of all finalized invoices."""
    last = invoices.sort("series_number").tail(1)
    return ChainHead(
        invoices=invoices.height,
        chain_sha256=str(last["chain_sha256"][0]) if last.height else GENESIS,
    )


def _checks_of_run(context: dg.AssetExecutionContext) -> CheckSummary:
    records = context.instance.get_records_for_run(
        context.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ).records
    evaluations = [
        record.event_log_entry.get_dagster_event().asset_check_evaluation_data for record in records
    ]
    failed = (
        f"{evaluation.asset_key.to_user_string()}: {evaluation.check_name}"
        for evaluation in evaluations
        if not evaluation.passed
    )
    return CheckSummary(
        passed=sum(evaluation.passed for evaluation in evaluations), failed=tuple(failed)
    )


def _drafts(settings: Settings) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The draft invoices and their lines, as dbt left them in the warehouse."""
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        warehouse.execute("SET TimeZone = 'UTC'")
        frames = [
            warehouse.execute(f"SELECT {', '.join(schema)} FROM invoices.{table}").pl()
            for table, schema in (
                ("int_invoices_drafted", DRAFTS),
                ("int_invoice_lines_drafted", DRAFT_LINES),
            )
        ]
    return frames[0], frames[1]
