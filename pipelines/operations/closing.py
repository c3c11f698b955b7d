"""Closing: every draft judged by all that the home knows; what is closed now, and what waits."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl

from pipelines.catalog import calendar
from pipelines.catalog.catalog import Catalog
from pipelines.catalog.tables.subscriptions import Subscription
from pipelines.home import Home
from pipelines.invoicing.added_to_the_past import PERIOD, LastClosing, added_to_the_past
from pipelines.invoicing.documents import lines_per_invoice
from pipelines.invoicing.due import Closing, HeldBack, closable, settle_time
from pipelines.invoicing.finalize import held_by_faults
from pipelines.invoicing.held_owners import held_owners
from pipelines.invoicing.waits import unread_waits
from pipelines.lake.acts import DRAFT_ID, accepted_subscriptions, drafts_on_hold, waived_files
from pipelines.lake.closed_book import closed_spans
from pipelines.lake.file_states import held_names, unhealed
from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import RunFacts
from pipelines.settings import Settings
from pipelines.vocabulary.acts import Act, ActKind
from pipelines.vocabulary.frames import BILLING_PERIODS, HELD_OWNERS
from pipelines.vocabulary.tables import CATALOGS, UTC_MICROSECONDS
from pipelines.warehouse.dbt_tables import PERIODS_ON_HOLD
from pipelines.warehouse.gate import last_as_of
from pipelines.warehouse.stored_catalogs import stored_catalog

ON_HOLD = pl.Schema({"invoice_id": pl.String(), "subscription_id": pl.String()})
"""One row per draft that a closing held back, because an edit had added it to the past."""

DUE = ("invoice_id", "customer_id", "subscription_id", "reason_code", "reason")
"""The columns by which a draft is named whose cut has passed, and why it is still a draft."""


@dataclass(frozen=True)
class Moment:
    """When drafts are judged.

    Attributes:
        as_of: cuts up to then are due.
        listing_started_at: when the listing began from which the file states were made.
        past_allowance_days: see `added_to_the_past`.
        settle: the time from a cut to a listing that shows every file received before it; None: as
            long as the sources need.
    """

    as_of: datetime
    listing_started_at: datetime
    past_allowance_days: int
    settle: timedelta | None = None


def moment_of_run(facts: RunFacts, settings: Settings) -> Moment:
    """When a run judges drafts."""
    return Moment(facts.as_of, facts.listing_started_at, settings.past_allowance_days)


def moment_of(home: Home, lake: Lake) -> Moment:
    """The instant that the home last spoke for, as if its landing were listed now."""
    now = datetime.now(UTC)
    as_of = last_as_of(lake, home.settings.published) or now
    return Moment(as_of, now, home.settings.past_allowance_days)


@dataclass(frozen=True)
class Known:
    """All that a home knows beside drafts and files, as far as it holds back a draft.

    Attributes:
        sources: schema `SOURCES`.
        owners: whom the names in held files mean; schema `HELD_OWNERS`.
        past: the open periods that an edit added to the past; schema `BILLING_PERIODS`.
        on_hold: one row per draft that a closing held back: `invoice_id`, `subscription_id`.
        accepted: subscriptions whose added past may be billed.
        waived: file versions that hold back nobody.
    """

    sources: pl.DataFrame
    owners: pl.DataFrame = field(default_factory=HELD_OWNERS.to_frame)
    past: pl.DataFrame = field(default_factory=BILLING_PERIODS.to_frame)
    on_hold: pl.DataFrame = field(default_factory=ON_HOLD.to_frame)
    accepted: Collection[str] = ()
    waived: Collection[int] = ()


@dataclass(frozen=True)
class Judged:
    """Every draft, judged.

    Attributes:
        closing: the drafts that can be closed, and those that cannot.
        waivers: one row per closable draft that a waived file may concern: `invoice_id`,
            `subscription_id`, `file_id` and the sentence `why`.
    """

    closing: Closing
    waivers: pl.DataFrame


def known_to(lake: Lake, catalog: Catalog, moment: Moment, asked: Sequence[Act] = ()) -> Known:
    """What the home knows now.

    Args:
        lake: any connection.
        catalog: the catalog in use.
        moment: when drafts are judged.
        asked: acts that are tried, and not written down.
    """
    accepted = (act.subscription_id for act in asked if act.kind == ActKind.ACCEPT)
    waived = (act.file_id for act in asked if act.kind == ActKind.WAIVE)
    return Known(
        sources=catalog.sources,
        owners=held_owners(held_names(lake), calendar.names(catalog), catalog.frame(Subscription)),
        past=past_periods(lake, catalog, moment),
        on_hold=drafts_on_hold(lake),
        accepted={*accepted_subscriptions(lake), *filter(None, accepted)},
        waived={*waived_files(lake), *filter(None, waived)},
    )


def judged(
    drafts: pl.DataFrame,
    states: pl.DataFrame,
    source_customers: pl.DataFrame,
    known: Known,
    moment: Moment,
) -> Judged:
    """Every draft, judged by time, files, edits of the past, and what people accepted or waived.

    Args:
        drafts: schema `DRAFTS`.
        states: every file version; schema `FILE_STATES`.
        source_customers: schema `SOURCE_CUSTOMERS`.
        known: what the home knows beside them.
        moment: when they are judged.
    """
    waiting = unhealed(states)
    is_waived = pl.col("file_id").is_in(sorted(known.waived))
    closing = closable(
        drafts,
        waiting.filter(~is_waived),
        source_customers,
        moment.as_of,
        moment.listing_started_at,
        settle_time(known.sources) if moment.settle is None else moment.settle,
        known.owners,
        _held_past(drafts, known),
    )
    closed, files = closing.closable, waiting.filter(is_waived)
    waivers = (
        unread_waits(closed, files, source_customers, known.owners)
        .join(files.select("file_id", unread_path="path"), on="unread_path")
        .join(closed, on="invoice_id")
        .select("invoice_id", "subscription_id", "file_id", why="unread_why")
        .sort("invoice_id", "file_id")
    )
    return Judged(closing, waivers)


def _held_past(drafts: pl.DataFrame, known: Known) -> pl.Series:
    """Ids of the drafts that were added to the past and that nobody accepted."""
    added = known.past.select("subscription_id", "period_start_at", is_added=pl.lit(value=True))
    is_held = pl.col("invoice_id").is_in(known.on_hold["invoice_id"].implode())
    is_accepted = pl.col("subscription_id").is_in(sorted(known.accepted))
    return drafts.join(added, on=["subscription_id", "period_start_at"], how="left").filter(
        is_held | pl.col("is_added"), ~is_accepted
    )["invoice_id"]


def periods_on_hold(lake: Lake, periods: pl.DataFrame, known: Known) -> pl.DataFrame:
    """The open periods whose drafts wait until a person accepts them; schema `PERIODS_ON_HOLD`.

    Args:
        lake: any connection.
        periods: open time; schema `BILLING_PERIODS`.
        known: what the home knows.
    """
    keys = periods.filter(~pl.col("subscription_id").is_in(sorted(known.accepted)))
    drafts = lake.query(
        f"SELECT subscription_id, period_start_at, {DRAFT_ID} AS invoice_id FROM periods",
        periods=keys.select("subscription_id", "period_start_at", "period_start_label"),
    ).cast({"period_start_at": UTC_MICROSECONDS})
    past = known.past.select(*PERIODS_ON_HOLD)
    held = pl.concat(
        [
            drafts.join(known.on_hold, on="invoice_id", how="semi").select(*PERIODS_ON_HOLD),
            past.join(keys, on=past.columns, how="semi"),
        ]
    )
    return held.unique().sort(held.columns)


def past_periods(lake: Lake, catalog: Catalog, moment: Moment) -> pl.DataFrame:
    """The open periods that an edit added to the past since the last closing; `BILLING_PERIODS`."""
    newest = lake.query(
        "SELECT as_of, catalog_digest FROM lake.batches WHERE kind = 'close' "
        "ORDER BY batch_id DESC LIMIT 1"
    ).rows()
    # The same catalog adds nothing; that is nearly every run.
    if not newest or newest[0][1] == catalog.digest:
        return BILLING_PERIODS.to_frame()
    ((as_of, digest),) = newest
    spans = closed_spans(lake)
    before = stored_catalog(lake.table(CATALOGS), digest)
    last = LastClosing(as_of, calendar.periods_until(before, spans, as_of).select(PERIOD))
    periods = calendar.periods_until(catalog, spans, moment.as_of)
    return added_to_the_past(periods, last, timedelta(days=moment.past_allowance_days))


def holds(known: Known, closing: Closing) -> list[Act]:
    """The drafts that stay, because they were added to the past, while others are closed.

    They are written down with the closing: its catalog has their periods, so the next run would
    not know any more that they were added.

    Args:
        known: what the home knew when the drafts were judged.
        closing: the drafts that can be closed, and those that cannot.
    """
    is_added = pl.col("reason_code") == HeldBack.ADDED_TO_THE_PAST.value
    held = closing.held_back.filter(is_added).join(known.on_hold, on="invoice_id", how="anti")
    rows = held.select("subscription_id", "invoice_id").iter_rows()
    return [Act(ActKind.HOLD, subscription, invoice) for subscription, invoice in rows]


def as_closed(
    judgement: Judged, lines: pl.DataFrame, finalized: Iterable[str] = ()
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The drafts that a closing finalizes, and those whose cut has passed and that it does not.

    Args:
        judgement: of all drafts.
        lines: schema `DRAFT_LINES`, at least those of the drafts that can be closed.
        finalized: ids of the invoices closed so far.

    Returns:
        Rows of schema `DRAFTS` in closing order, and rows of `DUE`.
    """
    closing = judgement.closing
    faulty = held_by_faults(closing.closable, lines_per_invoice(lines), finalized)
    closed = closing.closable.join(faulty, on="invoice_id", how="anti", maintain_order="left")
    due = closing.held_back.filter(pl.col("reason_code") != HeldBack.NOT_DUE.value)
    return closed, pl.concat([due.select(DUE), faulty.select(DUE)])


def waivers_used(judgement: Judged, closed: pl.DataFrame) -> list[Act]:
    """The drafts that are closed although a waived file may concern them.

    Args:
        judgement: of all drafts.
        closed: those that are closed, with `invoice_id`.
    """
    used = judgement.waivers.join(closed, on="invoice_id", how="semi")
    return [
        Act(
            ActKind.WAIVER_USED,
            row["subscription_id"],
            row["invoice_id"],
            row["file_id"],
            reason=row["why"],
        )
        for row in used.iter_rows(named=True)
    ]
