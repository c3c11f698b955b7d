"""Book runs: runs of a home, stage by stage, over a lake and dbt's compiled SQL in one process.

A run does what the assets do, in their order: it judges the catalog, decides events, drafts, closes
and checks the books. It takes a tenth of a second where a run of the command takes 15. What lies
between the stages is left out here: files, Dagster and dbt itself.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from pipelines.catalog import calendar
from pipelines.catalog.catalog import TABLES, Catalog, catalog_of, validated_tables
from pipelines.catalog.closed_fees import fees_without_owner
from pipelines.catalog.closed_time import collisions
from pipelines.catalog.tables.charge_cells import fixed_cells
from pipelines.catalog.tables.customers import invoice_series
from pipelines.intake.decide import KNOWN_KEYS_COLUMNS, decide
from pipelines.invoicing.closed_book import closed_rows
from pipelines.invoicing.document_values import canonical_json
from pipelines.invoicing.due import Closing
from pipelines.invoicing.finalize import ClosingFacts, finalize
from pipelines.lake.acts import act_rows
from pipelines.lake.closed_book import (
    closed_cuts,
    closed_spans,
    closed_zones,
    reopened_periods,
    reopening_rows,
)
from pipelines.lake.file_states import file_states
from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import RunFacts
from pipelines.operations.acts import (
    asked_acts,
    chain_end,
    head_after,
    reissued_invoices,
    write_acts,
)
from pipelines.operations.closing import Known, Moment, holds, judged, known_to, periods_on_hold
from pipelines.operations.reissues import corrected_by, judged_reissue, require_all_closed
from pipelines.vocabulary.acts import Act, Asked
from pipelines.vocabulary.frames import (
    DRAFT_LINES,
    DRAFTS,
    FINALIZED,
    PARSED_EVENTS,
    SOURCE_CUSTOMERS,
    WAITING,
)
from pipelines.vocabulary.tables import (
    ACCEPTED_EVENTS,
    ACTS,
    BATCHES,
    CATALOGS,
    CLOSED_PERIODS,
    DEFINITIONS,
    FILE_DECISIONS,
    INVOICE_LINES,
    INVOICES,
    LANDING_FILES,
    REFUSED_EVENTS,
    TERMS,
    LakeTable,
)
from pipelines.warehouse.billed_fees import fee_owners, fees_billed_once, fees_in_advance
from pipelines.warehouse.dbt_tables import (
    CALENDAR_TABLES,
    CLOCK,
    IN_PROGRESS_COLUMNS,
    drafts_and_lines,
    source_customers,
    with_next_invoice_id,
)
from pipelines.warehouse.definitions import Definitions, definitions_of
from pipelines.warehouse.gate import current_inputs
from pipelines.warehouse.moved_names import moved_names
from pipelines.warehouse.stored_catalogs import (
    last_catalog_digest,
    last_good_catalog,
    stored_catalog,
)
from pipelines.warehouse.terms import terms_of_drafts, terms_rows
from tests.worlds.compiled_dbt import CompiledDbt, seeds
from tests.worlds.deliveries import key_hash
from tests.worlds.edited_catalogs import Files, file_bytes
from tests.worlds.lakes import LakeInMemory, open_lake
from tests.worlds.naive_books import METRICS, Usage

COLUMNS = {name: [each.name for each in table.columns] for name, table in TABLES.items()}
PAST_ALLOWANCE_DAYS = 3
"""The usual setting: a draft whose cut is longer past was added by an edit."""

HOME = Path(tempfile.gettempdir())
"""Where the home would be: published files name it."""


@dataclass(frozen=True)
class Drafted:
    """What a run found to bill, and what it closed.

    Attributes:
        is_idle: True if nothing differs from what was published; the frames are then empty.
        periods: open time; schema `BILLING_PERIODS`.
        assigned: each event and metric with the invoice it is on, or the reason why it is on none;
            None without dbt.
        drafts: the open drafts, before the closing.
        lines: their lines.
        closed: the invoices that were finalized.
        held_back: the drafts that were not.
        failed: the tests of dbt that fail, with the number of offences.
    """

    is_idle: bool
    periods: pl.DataFrame = field(default_factory=pl.DataFrame)
    assigned: pl.DataFrame | None = None
    drafts: pl.DataFrame = field(default_factory=pl.DataFrame)
    lines: pl.DataFrame = field(default_factory=pl.DataFrame)
    closed: pl.DataFrame = field(default_factory=pl.DataFrame)
    held_back: pl.DataFrame = field(default_factory=pl.DataFrame)
    failed: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """What came of a run.

    Attributes:
        refused: why the catalog is refused beside closed time; then nothing was drafted.
        reasons: reason code of each refused event, by place.
        drafted: None if the run was killed before, or the catalog is refused.
    """

    refused: tuple[str, ...]
    reasons: dict[tuple[int, int], str]
    drafted: Drafted | None


class _MemoryLake(LakeInMemory):
    """A lake in memory that takes batches."""

    def commit_batch(
        self,
        batch_id: int,
        rows: "dict[LakeTable, pl.DataFrame]",  # type: ignore[override]
        staged_files: object,
    ) -> None:
        """Adds the rows at once."""
        assert batch_id == self.last_batch_id() + 1
        for table, frame in rows.items():
            self.append(table, frame.cast(table.schema))


class BookHome:
    """A home whose runs are made here."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        has_dbt: bool = True,
        numbers_zero: bool = True,
        warehouse: str | Path = ":memory:",
    ) -> None:
        """Makes an empty home.

        Args:
            folder: of a real lake, which has its tables already; None: the lake is in memory.
            has_dbt: False has a stand-in for dbt: every open period comes to an invoice of 0.00.
            numbers_zero: see `finalize`.
            warehouse: file of dbt's tables; usually in memory.
        """
        self.numbers_zero = numbers_zero
        self.lake: Lake = open_lake(folder, read_only=False) if folder else _MemoryLake()
        self.dbt = CompiledDbt(self.lake._connection, warehouse) if has_dbt else None
        self._published = ""
        # Without dbt, nothing says what the metrics count.
        undefined = dict.fromkeys(METRICS)
        self._definitions = Definitions(canonical_json({"metrics": undefined}))

    def close(self) -> None:
        """Lets go of the lake."""
        self.lake.close()

    def run(
        self,
        files: Files,
        as_of: datetime,
        usages: Sequence[Usage],
        killed: str = "",
        *,
        is_checked: bool = True,
        reissue: Sequence[str] = (),
    ) -> Run:
        """One run.

        Args:
            files: the catalog.
            as_of: the instant of the run; its listing begins then.
            usages: the events of new files: all of one `file_id` have one source and receipt.
            killed: the stage after which it ends: `decided`, `closed` or none.
            is_checked: False leaves out the marts and dbt's tests, which take most of the time.
            reissue: ids of invoices whose periods are closed anew; nothing else is closed then.

        Raises:
            CatalogError: the catalog contradicts itself; nothing was done.
            MeterlineError: nothing could be reissued; nothing was done.
        """
        catalog = self.catalog_of(files)
        acts = self._asked(catalog, as_of, reissue)
        reopened = reopened_periods(self.lake, reissued_invoices(acts))
        problems = [
            *collisions(catalog, closed_spans(self.lake, reopened), frozenset(METRICS)),
            *fees_without_owner(catalog, fee_owners(self.lake)),
        ]
        judged, refused = catalog, tuple(map(str, problems))
        if problems:
            catalog = last_good_catalog(self.lake, judged, frozenset(METRICS))
        facts = RunFacts(as_of, as_of, catalog.digest, catalog.files, "0" * 64)
        reasons = self._decide(catalog, facts, usages)
        if problems or killed == "decided":
            return Run(refused, reasons, None)
        inputs = current_inputs(self.lake, HOME, catalog, facts, reopened)
        if inputs.digest == self._published and not acts:
            return Run((), reasons, Drafted(is_idle=True, periods=inputs.periods))
        drafted = self._bill(catalog, files, facts, inputs.periods, reopened, acts)
        if self.dbt and is_checked and not killed:
            self.dbt.build("marts")
            drafted = replace(drafted, failed=self.dbt.failed_tests())
        if killed != "closed":
            self._published = current_inputs(
                self.lake, HOME, catalog, facts, leaves_due=bool(acts)
            ).digest
        return Run((), reasons, drafted)

    def catalog_of(self, files: Files) -> Catalog:
        """The catalog of these files.

        Raises:
            CatalogError: it contradicts itself.
        """
        contents = file_bytes(files)
        return catalog_of(validated_tables(contents, frozenset(METRICS)), contents)

    def _asked(self, catalog: Catalog, as_of: datetime, reissue: Sequence[str]) -> list[Act]:
        asked = Asked("ada", "wrong", reissue=tuple(reissue))
        return asked_acts(self.lake, catalog, asked, Moment(as_of, as_of, PAST_ALLOWANCE_DAYS))

    def void(self, invoice_id: str, as_of: datetime) -> None:
        """A person ends an invoice."""
        catalog = stored_catalog(self.lake.table(CATALOGS), last_catalog_digest(self.lake))
        asked = Asked("anna", "by mistake", void=(invoice_id,))
        facts = RunFacts(as_of, as_of, "", {}, "0" * 64)
        acts = asked_acts(self.lake, catalog, asked, _moment(facts))
        write_acts(self.lake, acts, facts)

    def _decide(
        self, catalog: Catalog, facts: RunFacts, usages: Sequence[Usage]
    ) -> dict[tuple[int, int], str]:
        if not usages:
            return {}
        batch_id = self.lake.last_batch_id() + 1
        events = pl.DataFrame([_event(usage) for usage in usages], PARSED_EVENTS)
        since = calendar.earliest_in_time(catalog, events["received_at"])
        cuts = calendar.cuts_until(
            catalog,
            closed_spans(self.lake),
            closed_cuts(self.lake, since, events["received_at"]),
            events["received_at"],
        )
        known = pl.DataFrame(schema={name: PARSED_EVENTS[name] for name in KNOWN_KEYS_COLUMNS})
        verdicts = decide(events, known, catalog.sources, cuts)
        rows = {
            BATCHES: facts.batch_row(batch_id, "decide"),
            CATALOGS: facts.catalog_rows(batch_id, self.lake),
            LANDING_FILES: _files(events, batch_id),
            FILE_DECISIONS: _decisions(events, verdicts.refused, batch_id),
            ACCEPTED_EVENTS: _lake_rows(ACCEPTED_EVENTS, verdicts.accepted, batch_id),
            REFUSED_EVENTS: _lake_rows(REFUSED_EVENTS, verdicts.refused, batch_id),
        }
        self.lake.commit_batch(batch_id, rows, {})
        refused = verdicts.refused.select("file_id", "line", "reason_code")
        return {(file_id, line): str(code) for file_id, line, code in refused.iter_rows()}

    def _bill(
        self,
        catalog: Catalog,
        files: Files,
        facts: RunFacts,
        periods: pl.DataFrame,
        reopened: pl.DataFrame,
        acts: list[Act],
    ) -> Drafted:
        if self.dbt:
            drafts, lines, fed, assigned = self._drafted_by_dbt(
                self.dbt, catalog, files, facts, periods, reopened
            )
        else:
            drafts, lines = _stand_in(periods.filter(pl.col("period_start_at") <= facts.as_of))
            fed, assigned = pl.DataFrame(schema=SOURCE_CUSTOMERS), None
        moment = _moment(facts)
        known = known_to(self.lake, catalog, moment)
        corrects = corrected_by(drafts, periods, reopened)
        asked = drafts.filter(pl.col("invoice_id").is_in(list(corrects))) if acts else drafts
        judge = judged_reissue if acts else judged
        closing = judge(asked, file_states(self.lake), fed, known, moment).closing
        closed, at_fault = self._close(
            catalog, facts, periods, closing, lines, known, reopened, acts, corrects
        )
        return Drafted(
            is_idle=False,
            periods=periods,
            assigned=assigned,
            drafts=drafts,
            lines=lines,
            closed=closed,
            held_back=pl.concat([closing.held_back, at_fault]),
        )

    def _drafted_by_dbt(
        self,
        dbt: CompiledDbt,
        catalog: Catalog,
        files: Files,
        facts: RunFacts,
        periods: pl.DataFrame,
        reopened: pl.DataFrame,
    ) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """The drafts, their lines, the customers of sources, and where each event is."""
        clock = (facts.as_of, self.lake.last_batch_id("decide"), catalog.digest)
        sources = sorted(catalog.auto_customer_sources)
        frames = (
            with_next_invoice_id(periods, reopened),
            calendar.local_days_of(periods, closed_zones(self.lake)),
            calendar.names(catalog),
            moved_names(self.lake, catalog, reopened),
            fixed_cells(catalog.tables),
            fees_billed_once(self.lake, catalog, reopened),
            reopened,
            fees_in_advance(self.lake, reopened),
            periods_on_hold(self.lake, periods, known_to(self.lake, catalog, _moment(facts))),
            pl.DataFrame({"source": sources}, {"source": pl.String()}),
            pl.DataFrame([clock], CLOCK, orient="row"),
        )
        dbt.write("calendar", **dict(zip(CALENDAR_TABLES, frames, strict=True)))
        dbt.write("landing", files_in_progress=_NO_FILES)
        dbt.write("catalog", **seeds(files, COLUMNS))
        dbt.build("billing")
        with dbt.warehouse() as warehouse:
            drafts, lines = drafts_and_lines(warehouse)
            fed = source_customers(warehouse, "attribution.int_events_counted")
            self._definitions = definitions_of(warehouse)
        return drafts, lines, fed, dbt.rows(ASSIGNED)

    def _close(
        self,
        catalog: Catalog,
        facts: RunFacts,
        periods: pl.DataFrame,
        closing: Closing,
        lines: pl.DataFrame,
        known: Known,
        reopened: pl.DataFrame,
        acts: list[Act],
        corrects: dict[str, str],
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        batch_id = self.lake.last_batch_id() + 1
        events = self.lake.last_batch_id("decide")
        terms = terms_of_drafts(closing.closable, lines, periods, catalog, self._definitions)
        closed = finalize(
            closing.closable,
            lines,
            self.lake.query(f"SELECT {', '.join(FINALIZED)} FROM lake.invoices").cast(FINALIZED),
            ClosingFacts(batch_id, events, facts.as_of, catalog.digest, facts.code_revision),
            head_after(chain_end(self.lake), acts),
            terms,
            numbers_zero=self.numbers_zero,
            corrects=corrects,
            series=invoice_series(catalog.tables),
        )
        if acts:
            require_all_closed(pl.concat([closing.held_back, closed.held_back]))
        if closed.closed_drafts.height or acts:
            metrics = calendar.charged_metrics(catalog)
            rows = {
                BATCHES: facts.batch_row(batch_id, "close"),
                CATALOGS: facts.catalog_rows(batch_id, self.lake),
                INVOICES: closed.invoices,
                INVOICE_LINES: closed.invoice_lines,
                CLOSED_PERIODS: pl.concat(
                    [
                        reopening_rows(self.lake, reopened, batch_id),
                        closed_rows(
                            periods,
                            closed.closings,
                            metrics,
                            batch_id,
                            self._definitions.digest,
                            reopened,
                        ),
                    ]
                ),
                DEFINITIONS: self._definitions.rows(self.lake, batch_id),
                TERMS: terms_rows(self.lake, terms, closed.terms_digests, batch_id),
                ACTS: act_rows(self.lake, [*acts, *holds(known, closing)], batch_id, facts.as_of),
            }
            self.lake.commit_batch(batch_id, rows, {})
        return closed.invoices, closed.held_back


def _moment(facts: RunFacts) -> Moment:
    return Moment(facts.as_of, facts.listing_started_at, PAST_ALLOWANCE_DAYS)


_NO_FILES = pl.DataFrame(schema={name: WAITING[name] for name in IN_PROGRESS_COLUMNS})

ASSIGNED = """
    SELECT assigned.file_id, assigned.line, assigned.metric_code, assigned.unbilled_reason,
        periods.invoice_id, periods.finalized_batch_id IS NOT NULL AS is_closed
    FROM warehouse.attribution.int_events_assigned AS assigned
    LEFT JOIN warehouse.attribution.int_periods_united AS periods
        USING (subscription_id, period_index)
    ORDER BY ALL
"""
"""SQL: each event and metric with the invoice it is on, or the reason why it is on none."""


def _stand_in(begun: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A draft of 0.00 without lines for each period."""
    label = pl.col("period_start_label").dt.date().cast(pl.String)
    drafts = begun.with_columns(
        invoice_id=pl.format("{}/{}", "subscription_id", label),
        kind=pl.lit("arrears"),
        **{name: pl.lit(0) for name in DRAFTS if name.endswith("_amount")},
        amount_due=pl.lit(0),
        line_count=pl.lit(0),
        fault=pl.lit(None),
    )
    return (
        drafts.select(pl.col(name).cast(dtype) for name, dtype in DRAFTS.items()),
        pl.DataFrame(schema=DRAFT_LINES),
    )


def _event(usage: Usage) -> dict[str, object]:
    file_id, line = usage.place
    key = f"{file_id}-{line}"
    return {
        "file_id": file_id,
        "line": line,
        "byte_offset": 100 * line,
        "byte_length": 99,
        "source": usage.source,
        "dedupe_scope": usage.source,
        "key_hash": key_hash(usage.source, key),
        "idempotency_key": key,
        "customer_ref": usage.customer_ref,
        "subscription_ref": usage.subscription_ref,
        "event_name": "http_request",
        "occurred_at": usage.occurred_at,
        "received_at": usage.received_at,
        "properties": dict(usage.properties),
        "payload_digest": key.encode(),
        "line_sha256": key.encode(),
        **_amendment(usage),
    }


def _amendment(usage: Usage) -> dict[str, object]:
    target = usage.void_of or usage.amend_of
    if target is None:
        return {}
    key = f"{target[0]}-{target[1]}"
    if usage.amend_of:
        return {"amendment": "amend", "target_key": key}
    return {"event_name": None, "amendment": "void", "target_key": key}


def _files(events: pl.DataFrame, batch_id: int) -> pl.DataFrame:
    files = events.select("file_id", "source", "received_at").unique().sort("file_id")
    return _lake_rows(
        LANDING_FILES,
        files.with_columns(
            path=pl.format("{}/{}.ndjson", "source", "file_id"),
            etag=pl.lit("e"),
            size_bytes=pl.lit(1),
        ),
        batch_id,
    )


def _decisions(events: pl.DataFrame, refused: pl.DataFrame, batch_id: int) -> pl.DataFrame:
    lines = events.group_by("file_id").agg(lines=pl.len()).sort("file_id")
    rejected = refused.group_by("file_id").agg(rejected=pl.len())
    counted = lines.join(rejected, on="file_id", how="left").with_columns(
        pl.col("rejected").fill_null(0)
    )
    return _lake_rows(
        FILE_DECISIONS,
        counted.with_columns(
            revision=pl.lit(0),
            status=pl.lit("decided"),
            raw_bytes=pl.lit(1),
            raw_sha256=pl.lit("0"),
            accepted=pl.col("lines") - pl.col("rejected"),
            duplicate=pl.lit(0),
            conflict=pl.lit(0),
            blank=pl.lit(0),
            held=pl.lit(0),
        ),
        batch_id,
    )


def _lake_rows(table: LakeTable, rows: pl.DataFrame, batch_id: int) -> pl.DataFrame:
    known = rows.with_columns(batch_id=pl.lit(batch_id))
    missing = [name for name in table.column_names if name not in known.columns]
    return known.with_columns(pl.lit(None).alias(name) for name in missing).select(
        pl.col(name).cast(dtype) for name, dtype in table.schema.items()
    )
