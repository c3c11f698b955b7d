"""Gate: whether anything that the marts depend on differs from what is published.

The `as_of` of a run is no input by itself. The inputs are the numbers of periods that have begun,
ended and been cut by then, the periods that are due, and the number of those whose start has
settled, where a fee in advance may be due. So a run a minute later with nothing new
costs next to nothing.

Example: a run with `as_of` 3 June 10:00 publishes. The next one, at 10:30, has no new file, and no
period begins, ends, is cut or becomes due in between. It builds nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from pipelines.catalog.calendar import periods_until
from pipelines.catalog.catalog import Catalog
from pipelines.invoicing.due import settle_time
from pipelines.invoicing.reissue import with_reissue_cut
from pipelines.lake.acts import act_count
from pipelines.lake.closed_book import closed_count, closed_spans
from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import RunFacts
from pipelines.vocabulary.reopened import NOTHING_REOPENED
from pipelines.warehouse.billed_fees import plans_in_advance
from pipelines.warehouse.generations import current_generation, digest_inputs


@dataclass(frozen=True)
class Inputs:
    """Everything that the marts depend on, as the lake is now.

    Attributes:
        digest: SHA-256 (hex) over all inputs; an equal digest needs no new generation.
        periods: schema `BILLING_PERIODS`: open time up to the run's `as_of` and its newest file.
    """

    digest: str
    periods: pl.DataFrame


def current_inputs(
    lake: Lake,
    home: Path,
    catalog: Catalog,
    facts: RunFacts,
    reopened: pl.DataFrame = NOTHING_REOPENED,
    *,
    leaves_due: bool = False,
) -> Inputs:
    """Everything that the marts of this home depend on now.

    Args:
        lake: any connection.
        home: folder of the home.
        catalog: the catalog in use.
        facts: the facts of the run.
        reopened: closed periods that count as open; schema `REOPENED_PERIODS`.
        leaves_due: True if the run closes nothing, or not all that is due. The next one has to.

    Raises:
        MeterlineError: a period that is to be reissued cannot be closed; see `with_reissue_cut`.
    """
    spans = closed_spans(lake, reopened)
    periods = periods_until(catalog, spans, horizon(lake, facts.as_of))
    periods = with_reissue_cut(periods, reopened, facts.as_of)
    settle = settle_time(catalog.sources)
    digest = inputs_digest(
        lake, home, periods, facts, settle, plans_in_advance(catalog), leaves_due=leaves_due
    )
    return Inputs(digest, periods)


def inputs_digest(
    lake: Lake,
    home: Path,
    periods: pl.DataFrame,
    facts: RunFacts,
    settle: timedelta,
    ahead: Collection[str] = (),
    *,
    leaves_due: bool = False,
) -> str:
    """SHA-256 (hex) over everything that the marts depend on, as the lake is now.

    Args:
        lake: any connection.
        home: folder of the home. Published files name its paths, so a copied home publishes again.
        periods: schema `BILLING_PERIODS`; those that have begun by `as_of` count.
        facts: the facts of the run.
        settle: the time from a cut to a listing that shows everything; see `due.settle_time`.
        ahead: plans with a fee in advance, which may be due at the start of a period.
        leaves_due: see `current_inputs`.
    """
    begun = periods.filter(pl.col("period_start_at") <= facts.as_of).sort(
        "subscription_id", "period_start_at"
    )
    due = begun.filter(
        (pl.col("cut_at") <= facts.as_of) & (pl.col("cut_at") + settle <= facts.listing_started_at)
    )
    due_periods = due.select("subscription_id", pl.col("period_start_at").cast(pl.String)).rows()
    return digest_inputs(
        {
            "home": str(home),
            "event_batch_id": lake.last_batch_id("decide"),
            "catalog_digest": facts.catalog_digest,
            "code_revision": facts.code_revision,
            "closed": closed_count(lake),
            "acts": act_count(lake),
            "begun": begun.height,
            "ended": begun.filter(pl.col("period_end_at") <= facts.as_of).height,
            "cut": begun.filter(pl.col("cut_at") <= facts.as_of).height,
            "due": repr(due_periods) + (" are left" if leaves_due and due_periods else ""),
            "due_at_start": begun.filter(
                pl.col("plan_code").is_in(sorted(ahead)),
                pl.col("period_start_at") + settle <= facts.listing_started_at,
            ).height,
        }
    )


def last_as_of(lake: Lake, published: Path) -> datetime | None:
    """The latest `as_of` of a transaction or a generation; None before the first run."""
    generation = current_generation(published)
    found = [
        lake.query("SELECT max(as_of) AS as_of FROM lake.batches")["as_of"][0],
        generation.as_of if generation else None,
    ]
    return max((as_of for as_of in found if as_of is not None), default=None)


def horizon(lake: Lake, as_of: datetime) -> datetime:
    """The later of the run's `as_of` and the `received_at` of the newest file."""
    found = lake.query("SELECT max(received_at) AS newest FROM lake.landing_files")["newest"][0]
    return max(as_of, found) if found else as_of
