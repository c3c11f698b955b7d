"""Invoices: the drafts that can be closed become invoices, in one transaction of the lake."""

import logging
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl

from pipelines.catalog.calendar import charged_metrics
from pipelines.catalog.catalog import Catalog
from pipelines.catalog.tables.customers import invoice_series
from pipelines.defs.assets.calendar import RUN_KEYS
from pipelines.defs.assets.landing import Landed
from pipelines.defs.recounted import KEPT_USAGE
from pipelines.defs.resources import Writer
from pipelines.defs.shown import markdown_table
from pipelines.invoicing.closed_book import closed_rows
from pipelines.invoicing.document_values import optional_decimal
from pipelines.invoicing.finalize import ClosedInvoices, ClosingFacts, finalize
from pipelines.invoicing.reissue import reissued_periods
from pipelines.lake.acts import act_rows
from pipelines.lake.closed_book import reopening_rows
from pipelines.lake.file_checks import check_files
from pipelines.lake.file_states import file_states
from pipelines.operations.acts import asked_acts, chain_end, head_after
from pipelines.operations.closing import holds, judged, known_to, moment_of_run, waivers_used
from pipelines.operations.reissues import corrected_by, judged_reissue, require_all_closed
from pipelines.vocabulary.counted import counted
from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.frames import FINALIZED
from pipelines.vocabulary.money import amount_text
from pipelines.vocabulary.tables import (
    ACTS,
    BATCHES,
    CATALOGS,
    CLOSED_PERIODS,
    DEFINITIONS,
    INVOICE_LINES,
    INVOICES,
    TERMS,
)
from pipelines.warehouse.dbt_tables import (
    drafts_and_lines,
    open_periods,
    opened,
    source_customers,
)
from pipelines.warehouse.definitions import Definitions, definitions_of
from pipelines.warehouse.terms import terms_of_drafts, terms_rows

_progress = logging.getLogger("meterline")


@dg.multi_asset(
    name="closed_invoices",
    specs=[
        dg.AssetSpec(
            dg.AssetKey(["lake", table]),
            group_name="7_invoices",
            kinds={"python", "parquet"},
            deps=[
                *RUN_KEYS,
                dg.AssetKey(["invoicing", "int_invoices_drafted"]),
                dg.AssetKey(["invoicing", "int_invoice_lines_drafted"]),
                dg.AssetKey(["attribution", "int_events_counted"]),
                KEPT_USAGE,
            ],
        )
        for table in ("invoices", "invoice_lines", "definitions", "terms")
    ],
    ins={"landed_files": dg.AssetIn("landed_files"), "catalog": dg.AssetIn("catalog")},
)
def closed_invoices(
    landed_files: Landed, catalog: Catalog, writer: dg.ResourceParam[Writer]
) -> Iterator[dg.MaterializeResult[None]]:
    """The drafts that can be closed: numbered, hashed and chained, in one lake transaction."""
    closed, held_back, row_counts = _close(landed_files, catalog, writer)
    if landed_files.kind.closes:
        _progress.info(
            f"finalized {counted(closed.invoices.height, 'invoice')}, "
            f"{counted(held_back.height, 'stays a draft', 'stay drafts')}"
            + (f", closed {counted(closed.unnumbered, 'period')} of 0" if closed.unnumbered else "")
        )
    shown = {"invoices": invoices_shown(closed), "invoice_lines": lines_shown(closed)}
    for table, rows in shown.items():
        yield dg.MaterializeResult(
            asset_key=dg.AssetKey(["lake", table]),
            metadata={
                "dagster/row_count": row_counts[table],
                "new_rows": rows.height,
                "new": dg.MetadataValue.md(markdown_table(rows.head(20))),
                "held_back": dg.MetadataValue.md(
                    markdown_table(held_back.select("invoice_id", "reason_code", "reason").head(20))
                ),
            },
        )
    for table in ("definitions", "terms"):
        yield dg.MaterializeResult(
            asset_key=dg.AssetKey(["lake", table]),
            metadata={"dagster/row_count": row_counts[table]},
        )


def invoices_shown(closed: ClosedInvoices) -> pl.DataFrame:
    """One row per new invoice: its number, its subscription, and its total with the currency."""
    rows = closed.invoices.select("invoice_number", "subscription_id", "total_amount", "currency")
    return _with_money(rows, "total_amount")


def lines_shown(closed: ClosedInvoices) -> pl.DataFrame:
    """One row per new line: its id, its quantity if it has one, its amount with the currency."""
    currencies = closed.invoices.select("invoice_id", "currency")
    rows = closed.invoice_lines.join(currencies, on="invoice_id", maintain_order="left")
    quantities = pl.Series("quantity", map(optional_decimal, rows["quantity"]), pl.String())
    return _with_money(rows.select("line_id", quantities, "amount", "currency"), "amount")


def _with_money(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """The rows with the amount as text, such as `11.06 USD`, instead of amount and currency."""
    amounts = zip(rows[column], rows["currency"], strict=True)
    texts = [f"{amount_text(amount, currency)} {currency}" for amount, currency in amounts]
    return rows.with_columns(pl.Series(column, texts, pl.String())).drop("currency")


def _drafted(
    landed_files: Landed, warehouse_file: Path
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame, Definitions]:
    """What the run may close: drafts, their lines, open periods, customers of sources, metrics.

    Raises:
        MeterlineError: the run would only try a reissue, and must not publish what it tried.
    """
    with opened(warehouse_file) as warehouse:
        drafts, lines = drafts_and_lines(warehouse)
        periods = open_periods(warehouse)
        fed = source_customers(warehouse, "attribution.int_events_counted")
        definitions = definitions_of(warehouse)
    if landed_files.is_reissue:
        if not landed_files.kind.closes:
            raise MeterlineError(
                "nothing was reissued, closed or published, because dry_run was asked for; "
                "`meterline reissue --dry-run` shows what would be"
            )
        drafts = drafts.join(
            reissued_periods(periods, landed_files.reopened),
            on=["subscription_id", "period_start_at"],
            how="semi",
        )
    elif not landed_files.kind.closes:
        drafts = drafts.clear()
    return drafts, lines, periods, fed, definitions


def _close(
    landed_files: Landed, catalog: Catalog, writer: Writer
) -> tuple[ClosedInvoices, pl.DataFrame, dict[str, int]]:
    """The new invoices, once they are in the lake; the drafts that stay; the rows of each table."""
    settings, facts = writer.settings, landed_files.facts
    drafts, lines, periods, fed, definitions = _drafted(landed_files, settings.warehouse)
    reopened, is_reissue = landed_files.reopened, landed_files.is_reissue
    corrects = corrected_by(drafts, periods, reopened)
    moment = moment_of_run(facts, settings)
    with writer.home.lake_for_writing() as lake:
        states = file_states(lake, landed_files.pending())
        known = known_to(lake, catalog, moment)
        judge = judged_reissue if is_reissue else judged
        judgement = judge(drafts, states, fed, known, moment)
        asked = landed_files.kind.asked if is_reissue else None
        acts = asked_acts(lake, catalog, asked, moment) if asked else []
        batch_id = lake.last_batch_id() + 1
        closable = judgement.closing.closable
        terms = terms_of_drafts(closable, lines, periods, catalog, definitions)
        closed = finalize(
            closable,
            lines,
            lake.query(f"SELECT {', '.join(FINALIZED)} FROM lake.invoices").cast(FINALIZED),
            ClosingFacts(
                batch_id=batch_id,
                event_batch_id=lake.last_batch_id("decide"),
                as_of=facts.as_of,
                catalog_digest=catalog.digest,
                code_revision=facts.code_revision,
            ),
            head_after(chain_end(lake), acts),
            terms,
            numbers_zero=settings.number_zero_invoices,
            corrects=corrects,
            series=invoice_series(catalog.tables),
        )
        held_back = pl.concat([judgement.closing.held_back, closed.held_back])
        if is_reissue:
            require_all_closed(held_back)
        if closed.closed_drafts.height or is_reissue:
            # The drafts were made of the files after the run's first check.
            check_files(lake).require_whole()
            used = waivers_used(judgement, closed.closed_drafts)
            acts += [*holds(known, judgement.closing), *used]
            metrics, digest = charged_metrics(catalog), definitions.digest
            newly_closed = closed_rows(
                periods, closed.closings, metrics, batch_id, digest, reopened
            )
            lake.commit_batch(
                batch_id,
                rows={
                    BATCHES: facts.batch_row(batch_id, "close"),
                    CATALOGS: facts.catalog_rows(batch_id, lake),
                    DEFINITIONS: definitions.rows(lake, batch_id),
                    TERMS: terms_rows(lake, terms, closed.terms_digests, batch_id),
                    INVOICES: closed.invoices,
                    INVOICE_LINES: closed.invoice_lines,
                    CLOSED_PERIODS: pl.concat(
                        [reopening_rows(lake, reopened, batch_id), newly_closed]
                    ),
                    ACTS: act_rows(lake, acts, batch_id, facts.as_of),
                },
                staged_files={},
            )
        tables = (INVOICES, INVOICE_LINES, DEFINITIONS, TERMS)
        row_counts = {table.name: lake.row_count(table.name) for table in tables}
    return closed, held_back, row_counts
