"""Report: what a home holds, for a person at a terminal or a program reading JSON."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipelines.home import Home
from pipelines.lake.closed_book import periods_without_terms
from pipelines.lake.file_states import LATEST_DECISIONS, file_states, undecided_states
from pipelines.lake.lake import Lake
from pipelines.operations import attention, summary
from pipelines.operations.attention import (
    DueDraft,
    OldestUndecided,
    Refusal,
    WaitingFile,
    WaiverUsed,
)
from pipelines.operations.closed_differences import ClosedDifferences, closed_differences
from pipelines.operations.closing import Known, Moment, known_to
from pipelines.operations.giving_back import GivenBack, to_give_back
from pipelines.operations.listed import Listed, list_landing
from pipelines.operations.summary import Billed, InvoiceSums, NotBilled, Waiting
from pipelines.periods.zones import local_time
from pipelines.settings import Settings, metric_codes
from pipelines.vocabulary.money import amount_text
from pipelines.vocabulary.verdicts import FileStatus, Verdict
from pipelines.warehouse.contradictions import contradictions

INVOICES_LISTED = 50
"""Invoices that a report lists; whatever is beyond is counted alone."""


@dataclass(frozen=True)
class FileClass:
    """Decided files of one source and kind of name; their lines by verdict add up to `lines`."""

    source: str
    file_kind: str
    files: int
    lines: int
    accepted: int
    duplicate: int
    conflict: int
    rejected: int
    blank: int
    held: int
    not_usage: int = 0


VERDICT_COUNTS = (
    "lines",
    "accepted",
    "duplicate",
    "conflict",
    "rejected",
    "not_usage",
    "blank",
    "held",
)
"""Fields of `FileClass` that count lines; the last seven add up to the first."""


@dataclass(frozen=True)
class UndecidedFile:
    """A file version that has landed and that no run has decided."""

    path: str
    size_bytes: int


@dataclass(frozen=True)
class UnreadObject:
    """An object of the landing that is not read, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class InvoiceRow:
    """One invoice of the published generation.

    Attributes:
        status: `finalized` or `draft`.
        invoice_number: as printed; None for a draft.
        customer_id: who owes it.
        subscription_id: whose period it is.
        period_start_date: first day of the period, in the customer's time zone.
        time_zone: the customer's.
        period_start_at: RFC 3339.
        period_end_at: RFC 3339.
        currency: of the amount.
        total_amount: decimal in the major unit, with the digits of the currency. None for a draft
            with a fault.
        period_end_date: the day after the period's last, in the customer's time zone.
    """

    status: str
    invoice_number: str | None
    customer_id: str
    subscription_id: str
    period_start_date: str
    time_zone: str
    period_start_at: str
    period_end_at: str
    currency: str
    total_amount: str | None
    period_end_date: str


@dataclass(frozen=True)
class InvoiceCounts:
    """All invoices of the published generation, by status.

    Attributes:
        finalized: with a number.
        draft: open, in grace, or waiting.
        unnumbered: periods that came to 0 and were closed without an invoice.
    """

    finalized: int = 0
    draft: int = 0
    unnumbered: int = 0


@dataclass(frozen=True)
class HomeReport:
    """What a home holds.

    Attributes:
        as_of: instant the published generation speaks for, RFC 3339; None before the first.
        file_classes: per source and kind of file: files and lines by verdict.
        quarantined: file versions that could not be read and that nothing has healed.
        held: the same for those with too many rejected lines.
        reasons: refused lines by verdict and reason, most frequent first; conflicts that their
            source expects stand apart.
        conflicts: lines with an accepted key and another payload that nobody expects.
        invoices: the newest finalized invoices of the published generation in closing order, then
            drafts; `INVOICES_LISTED` at most. Periods closed without an invoice are counted alone.
        invoice_counts: all of its invoices.
        generation: id of the published generation; None before the first.
        in_progress: file versions landed and not decided yet.
        not_read: objects of the landing that are not read.
        warnings: what may surprise: a lost link to the marts, or what the catalog allows.
        oldest_undecided: the file that waits longest; None when none waits.
        due_drafts: why each draft whose cut has passed is still a draft.
        billed: finalized invoices of the published generation.
        not_billed: usage that is on no invoice, by reason and metric.
        waiting: drafts and files that wait, by kind.
        contradictions: why nothing is billed at all, a sentence each: what the catalog says
            against what is closed, and invoices that bill twice.
        waivers: invoices that were finalized although a waived file may concern them.
        to_give_back: what invoices owe to customers.
        periods_without_terms: closed periods that nothing can rate again, because they were closed
            before terms were kept.
        closed_differences: closed lines that today's catalog and definitions would count otherwise.
    """

    as_of: str | None
    file_classes: list[FileClass]
    quarantined: list[WaitingFile]
    held: list[WaitingFile]
    reasons: list[Refusal]
    conflicts: int
    invoices: list[InvoiceRow]
    invoice_counts: InvoiceCounts
    generation: str | None
    in_progress: list[UndecidedFile]
    not_read: list[UnreadObject]
    warnings: list[str]
    oldest_undecided: OldestUndecided | None
    due_drafts: list[DueDraft]
    billed: Billed
    not_billed: NotBilled
    waiting: list[Waiting]
    contradictions: list[str]
    waivers: list[WaiverUsed]
    to_give_back: list[GivenBack]
    periods_without_terms: int
    closed_differences: ClosedDifferences


def read_report(settings: Settings, listed: Listed | None = None) -> HomeReport:
    """What the home and its landing hold now; a home no run has touched holds nothing.

    Args:
        settings: of the home.
        listed: the landing as a run has just listed it; None lists it now.

    Raises:
        MeterlineError: the catalog contradicts itself, or the landing cannot be listed.
    """
    home = Home(settings)
    generation = home.generation()
    lost = _lost_marts(home) if generation is None else []
    with (
        home.lake() if home.has_lake else nullcontext() as lake,
        home.marts() if generation else nullcontext() as marts,
    ):
        listed = listed or list_landing(home, lake)
        files, ignored = listed.discovery.files, listed.discovery.ignored
        pending = listed.pending()
        states = file_states(lake, pending) if lake else undecided_states(pending)
        moment = Moment(
            generation.as_of if generation else listed.listed_at,
            listed.listed_at,
            settings.past_allowance_days,
        )
        known = known_to(lake, listed.catalog, moment) if lake else Known(listed.catalog.sources)
        unread = attention.waiting_files(lake, states, known.owners) if lake else []
        held = [file for file in unread if file.status == FileStatus.HELD]
        quarantined = [file for file in unread if file.status == FileStatus.QUARANTINED]
        reasons = attention.refusals(lake, listed.catalog.sources) if lake else []
        as_of = f"{generation.as_of:%Y-%m-%dT%H:%M:%SZ}" if generation else None
        sums = summary.invoice_sums(marts, as_of) if marts and as_of else InvoiceSums()
        return HomeReport(
            as_of=as_of,
            file_classes=_file_classes(lake) if lake else [],
            quarantined=quarantined,
            held=held,
            reasons=reasons,
            conflicts=sum(
                refusal.lines
                for refusal in reasons
                if refusal.verdict == Verdict.CONFLICT and not refusal.is_expected
            ),
            invoices=list(_invoices(marts)) if marts else [],
            invoice_counts=_invoice_counts(sums),
            generation=generation.generation_id if generation else None,
            in_progress=[
                UndecidedFile(*row) for row in files.select("path", "size_bytes").iter_rows()
            ],
            not_read=[UnreadObject(*row) for row in ignored.select("path", "reason").iter_rows()],
            warnings=[*lost, *listed.catalog.warnings, *listed.discovery.unmatched],
            oldest_undecided=attention.oldest_undecided(states, listed.listed_at),
            due_drafts=attention.due_drafts(marts, states, known, moment) if lake and marts else [],
            billed=summary.billed(sums),
            not_billed=summary.not_billed(marts) if marts else NotBilled(),
            waiting=summary.waiting(
                sums,
                as_of,
                len(held),
                len(quarantined),
                files.height,
                listed.discovery.waiting.height,
            ),
            contradictions=contradictions(lake, listed.catalog, metric_codes()) if lake else [],
            waivers=attention.waivers_used(lake) if lake else [],
            to_give_back=to_give_back(lake, listed.catalog, moment.as_of) if lake else [],
            periods_without_terms=periods_without_terms(lake) if lake else 0,
            closed_differences=closed_differences(marts) if marts else ClosedDifferences(),
        )


def _lost_marts(home: Home) -> list[str]:
    damage = home.damage_of_marts()
    return [f"{damage}; `meterline publish` publishes the marts again"] if damage else []


def _file_classes(lake: Lake) -> list[FileClass]:
    sums = ", ".join(f"coalesce(sum({name}), 0)::BIGINT AS {name}" for name in VERDICT_COUNTS)
    rows = lake.query(
        f"""
        SELECT source, regexp_extract(path, '[^/.]*((\\.[A-Za-z]+)+)$', 1) AS file_kind,
            count(*) AS files, {sums}
        FROM lake.landing_files JOIN ({LATEST_DECISIONS}) USING (file_id)
        GROUP BY ALL ORDER BY ALL
        """
    )
    return [FileClass(**row) for row in rows.iter_rows(named=True)]


def _invoice_counts(sums: InvoiceSums) -> InvoiceCounts:
    return InvoiceCounts(
        finalized=sum(total.invoices for total in sums.finalized),
        draft=sum(total.invoices for total in (*sums.due, *sums.not_due)),
        unnumbered=sum(total.invoices for total in sums.unnumbered),
    )


def _invoices(marts: duckdb.DuckDBPyConnection) -> Iterator[InvoiceRow]:
    rows = marts.execute(
        """
        WITH listed AS (
            SELECT * FROM fct_invoices WHERE status <> 'unnumbered'
            ORDER BY status DESC, series_number DESC NULLS LAST, customer_id, invoice_id
            LIMIT $limit
        )
        SELECT listed.status, invoice_number, customer_id, subscription_id,
            dim_billing_periods.period_start_date::VARCHAR AS period_start_date,
            coalesce(dim_billing_periods.time_zone, zones.time_zone, 'Etc/UTC') AS time_zone,
            strftime(listed.period_start_at, '%Y-%m-%dT%H:%M:%SZ') AS period_start_at,
            strftime(listed.period_end_at, '%Y-%m-%dT%H:%M:%SZ') AS period_end_at,
            listed.currency, total_amount
        FROM listed
        LEFT JOIN dim_billing_periods USING (invoice_id, customer_id, subscription_id)
        LEFT JOIN (
            SELECT subscription_id, arg_max(time_zone, period_start_date) AS time_zone
            FROM dim_billing_periods SEMI JOIN listed USING (subscription_id)
            GROUP BY subscription_id
        ) AS zones USING (subscription_id)
        ORDER BY listed.status DESC, series_number, customer_id, invoice_id
        """,
        {"limit": INVOICES_LISTED},
    ).pl()
    for row in rows.iter_rows(named=True):
        # The period of an invoice may be another's by now, or none.
        start_at, end_at = (
            datetime.fromisoformat(row[f"period_{bound}_at"]) for bound in ("start", "end")
        )
        start_date = row.pop("period_start_date") or str(
            local_time(row["time_zone"], start_at).date()
        )
        total = row.pop("total_amount")
        amount = None if total is None else amount_text(total, row["currency"])
        end_date = str(local_time(row["time_zone"], end_at).date())
        yield InvoiceRow(
            **row, period_start_date=start_date, total_amount=amount, period_end_date=end_date
        )
