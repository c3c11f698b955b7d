"""Landing: listed, so that the run knows what it will take in."""

import logging
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import dagster as dg
import polars as pl

from pipelines.catalog.catalog import Catalog
from pipelines.defs.described import BUCKET_KEY
from pipelines.defs.resources import Writer
from pipelines.defs.run_options import RunOptions
from pipelines.defs.shown import markdown_table
from pipelines.home import Home
from pipelines.intake.kinds import Kind, Plan, Tools
from pipelines.lake.closed_book import reopened_periods
from pipelines.lake.file_checks import check_files
from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import (
    RunFacts,
    choose_as_of,
    code_revision,
    require_plausible_clock,
)
from pipelines.operations.acts import asked_acts, reissued_invoices, write_acts
from pipelines.operations.closing import moment_of_run
from pipelines.settings import metric_codes
from pipelines.vocabulary.acts import Act
from pipelines.vocabulary.counted import counted
from pipelines.vocabulary.reopened import REOPENED_PERIODS
from pipelines.warehouse.book_fill import fill_closed_book
from pipelines.warehouse.contradictions import contradictions
from pipelines.warehouse.gate import last_as_of
from pipelines.warehouse.stored_catalogs import last_good_catalog

_progress = logging.getLogger("meterline")


@dataclass(frozen=True)
class Landed:
    """The files that a run found in the landing, and the facts about the run.

    Attributes:
        kind: the kind of run that was asked for.
        plan: the files and lines that it takes in; there may be none.
        facts: the facts that every transaction of the run records.
        catalog: the catalog by which events are decided.
        refused: why today's catalog is refused, a sentence a problem. Events are then decided by
            the last good one, and nothing is billed.
        reopened: closed periods that are open time again; schema `REOPENED_PERIODS`.
    """

    kind: Kind
    plan: Plan
    facts: RunFacts
    catalog: Catalog
    refused: tuple[str, ...] = ()
    reopened: pl.DataFrame = field(default_factory=REOPENED_PERIODS.to_frame)

    @property
    def is_reissue(self) -> bool:
        """True if the run closes anew the periods of invoices, and nothing else."""
        return bool(self.reopened["is_asked"].any())

    @property
    def leaves_due(self) -> bool:
        """True if the run does not close all that is due."""
        return self.is_reissue or not self.kind.closes

    def undecided(self) -> pl.DataFrame:
        """The new file versions that wait for a later batch, one row each."""
        return self.plan.listing.undecided()

    def pending(self) -> pl.DataFrame:
        """The file versions that wait for a later batch or for a person; schema `WAITING`."""
        return self.plan.listing.pending()

    def tools(self, home: Home, lake: Lake) -> Tools:
        """The open parts of the home that the plan works with."""
        return tools_of(home, lake, self.catalog, self.facts.listing_started_at)


@dg.asset(group_name="2_landing", kinds={"python"}, deps=[BUCKET_KEY])
def landed_files(
    context: dg.AssetExecutionContext,
    config: RunOptions,
    catalog: Catalog,
    writer: dg.ResourceParam[Writer],
) -> dg.Output[Landed]:
    """The listing of the landing, and the file versions that the run takes in.

    Its config says what kind of run it is. By default, it takes in every file that has landed and
    was not taken in before, however old it is, so there is no backfill by partition. `replay`
    decides refused lines again. `republish` builds and publishes the marts again.
    """
    home, kind = writer.home, config.kind
    with home.lake_for_writing() as lake:
        check_files(lake, with_sample=True).require_whole()
        _sweep(home, lake)
        _list_digests(lake)
        listing_started_at = datetime.now(UTC)
        if kind.moves_time:
            require_plausible_clock(config.instant, listing_started_at, lake.last_written_at())
        spoken_for = last_as_of(lake, home.settings.published)
        as_of = (
            spoken_for
            if spoken_for and not kind.moves_time
            else choose_as_of(config.instant, listing_started_at, spoken_for)
        )
        facts = _facts(as_of, listing_started_at, catalog)
        _fill(lake, facts)
        acts = _asked(home, lake, catalog, kind, facts)
        reopened = reopened_periods(lake, reissued_invoices(acts))
        # A reissue is written down in the transaction that closes its periods anew.
        if not kind.is_trial and not reopened["is_asked"].any():
            write_acts(lake, acts, facts)
        problems = contradictions(lake, catalog, metric_codes(), reopened)
        if problems:
            catalog = last_good_catalog(lake, catalog, metric_codes())
            home.frozen_catalogs.freeze(catalog)
        plan = kind.plan(tools_of(home, lake, catalog, listing_started_at))
    listing = plan.listing
    ignored = listing.discovery.ignored
    _progress.info(
        f"listed {counted(listing.discovery.listed, 'file')}: {listing.files.height:,} new, "
        f"{listing.waiting:,} waiting, {ignored.height:,} not read"
    )
    counts = {"listed": listing.discovery.listed, "new": listing.files.height}
    context.log_event(dg.AssetObservation(BUCKET_KEY, metadata=counts))
    return dg.Output(
        Landed(
            kind,
            plan,
            _facts(as_of, listing_started_at, catalog),
            catalog,
            tuple(problems),
            reopened,
        ),
        metadata={
            "as_of": dg.MetadataValue.text(as_of.isoformat()),
            **counts,
            "waiting": listing.waiting,
            "not_read": ignored.height,
            "not_read_because": dg.MetadataValue.md(markdown_table(ignored.head(20))),
        },
    )


def _facts(as_of: datetime, listing_started_at: datetime, catalog: Catalog) -> RunFacts:
    return RunFacts(as_of, listing_started_at, catalog.digest, catalog.files, code_revision())


def _asked(home: Home, lake: Lake, catalog: Catalog, kind: Kind, facts: RunFacts) -> list[Act]:
    """What a person asks for; it must be allowed, also if it is a trial."""
    if kind.asked is None:
        return []
    moment = moment_of_run(facts, home.settings)
    return asked_acts(lake, catalog, kind.asked, moment)


def _fill(lake: Lake, facts: RunFacts) -> None:
    """Writes the closed book of a home whose invoices are older than the book."""
    filled = fill_closed_book(lake, facts)
    if filled:
        periods = counted(filled, "period that was", "periods that were")
        _progress.info(f"wrote down {periods} closed before")


def tools_of(home: Home, lake: Lake, catalog: Catalog, listed_at: datetime) -> Tools:
    """The open parts of a home that every kind of run works with."""
    settings = home.settings
    return Tools(
        lake=lake,
        index=home.window_index(),
        landing=home.landing(),
        sources=catalog.sources,
        cuts_until=partial(home.refusal_cuts, lake, catalog),
        staging=settings.staging,
        batch_bytes=settings.batch_bytes,
        listed_at=listed_at,
        threads=settings.threads,
        hold=home.hold_rule,
    )


def _sweep(home: Home, lake: Lake) -> None:
    """Removes the files that an unfinished run left; the writer lock must be held."""
    shutil.rmtree(home.settings.staging, ignore_errors=True)
    swept = lake.sweep()
    if swept:
        _progress.info(f"swept {counted(swept, 'file')} of a run that did not finish")


def _list_digests(lake: Lake) -> None:
    listed = lake.list_digests()
    if listed:
        _progress.info(
            f"took the digests of {counted(listed, 'file')} that an earlier version committed"
        )
