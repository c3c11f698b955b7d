"""What a run knows before it looks at any event: its instant, its catalog, its code.

Belongs here: the facts that every transaction of a run records. Must not be put here: the
work of a run (see `assets`).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import polars as pl

from pipelines.lake.lake import Lake
from pipelines.settings import DBT_PROJECT
from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.instants import TimestampError, instant_of, parse_rfc3339
from pipelines.vocabulary.tables import BATCHES, CATALOGS

CLOCK_LEAP_MAX = timedelta(days=365)
"""The longest time between two runs of a home after which a run trusts the clock alone."""


@dataclass(frozen=True)
class RunFacts:
    """What a run knows before it looks at any event.

    Attributes:
        as_of: the instant the run speaks for.
        listing_started_at: when the listing of the landing began.
        catalog_digest: of the catalog in use.
        catalog_files: its CSV files, name → bytes.
        code_revision: digest of the code.
    """

    as_of: datetime
    listing_started_at: datetime
    catalog_digest: str
    catalog_files: Mapping[str, bytes]
    code_revision: str

    def batch_row(self, batch_id: int, kind: str) -> pl.DataFrame:
        """The row of `batches` for a transaction of this run."""
        row = (
            batch_id,
            kind,
            self.as_of,
            self.listing_started_at,
            datetime.now(UTC),
            self.catalog_digest,
            self.code_revision,
        )
        return pl.DataFrame([row], schema=BATCHES.schema, orient="row")

    def catalog_rows(self, batch_id: int, lake: Lake) -> pl.DataFrame:
        """The rows of `catalogs`: none if the lake holds this catalog already."""
        known = lake.table(CATALOGS)["catalog_digest"].to_list()
        files = {} if self.catalog_digest in known else self.catalog_files
        rows = [
            (batch_id, self.catalog_digest, name, content.decode())
            for name, content in sorted(files.items())
        ]
        return pl.DataFrame(rows, schema=CATALOGS.schema, orient="row")


def choose_as_of(
    requested: str | None, listing_started_at: datetime, last_as_of: datetime | None
) -> datetime:
    """The instant a run speaks for: the requested one, else the listing's start.

    Args:
        requested: RFC 3339 with zone, or None.
        listing_started_at: when the listing of the landing begins.
        last_as_of: of the newest transaction; None in a new home.

    Raises:
        MeterlineError: not an instant, in the future, or before the last one.
    """
    as_of = listing_started_at
    if requested is not None:
        try:
            as_of = instant_of(parse_rfc3339(requested))
        except TimestampError as error:
            raise MeterlineError(f"--as-of: {error}") from None
    if as_of > listing_started_at:
        raise MeterlineError(
            f"--as-of {requested} lies in the future; it is {listing_started_at:%Y-%m-%dT%H:%M:%SZ}"
        )
    if requested is None and last_as_of is not None and as_of < last_as_of:
        raise MeterlineError(
            f"this host's clock says {_instant(as_of)}, which lies before {_instant(last_as_of)}, "
            "for which this home has spoken already; time never goes back within a home, and "
            "nothing was written. Correct the clock. If it was ahead when the last run closed "
            "invoices, restore the home from a backup made before that"
        )
    if last_as_of is not None and as_of < last_as_of:
        raise MeterlineError(
            f"--as-of {as_of:%Y-%m-%dT%H:%M:%SZ} lies before {last_as_of:%Y-%m-%dT%H:%M:%SZ}, for "
            "which this home has spoken already; time never goes back within a home. Leave --as-of "
            "away, or name an empty folder in METERLINE_HOME to start another one"
        )
    return as_of


def require_plausible_clock(
    requested: str | None, now: datetime, last_written_at: datetime | None
) -> None:
    """Refuses to speak for the present of a clock that has leapt ahead.

    A run that speaks for a far future would close every period until then, and refuse all usage of
    them as late.

    Example: the last run wrote on 10 March 2026, and the clock says 1 January 2036. The run is
    refused. On 10 March 2027 it is not, and after that a person says the instant once.

    Args:
        requested: the instant that a person named, who vouches for it; None is the present.
        now: what the clock says.
        last_written_at: when the last transaction was written; None in a new home.

    Raises:
        MeterlineError: the clock is more than `CLOCK_LEAP_MAX` ahead.
    """
    if requested is None and last_written_at and now - last_written_at > CLOCK_LEAP_MAX:
        raise MeterlineError(
            f"this host's clock says {_instant(now)}, {(now - last_written_at).days:,} days after "
            f"the last run wrote to this home ({_instant(last_written_at)}); nothing was written, "
            "because every period until then would be closed. Correct the clock, or if it is "
            f"right, say so once: `meterline run --as-of {_instant(now)}`"
        )


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


@cache
def code_revision() -> str:
    """SHA-256 (hex) over the Python and SQL that decide and compute, by name and bytes."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    for root, patterns in (
        (package, ("*.py", "*.sql")),
        (DBT_PROJECT, ("*.sql", "dbt_project.yml", "reference/*.csv")),
    ):
        for path in sorted(path for pattern in patterns for path in root.rglob(pattern)):
            if "target" not in path.relative_to(root).parts:
                digest.update(f"{path.relative_to(root.parent)}\n".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
