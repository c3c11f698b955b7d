"""The landing as it was listed, with the catalog that says what of it is read."""

from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from pipelines.catalog.catalog import Catalog
from pipelines.home import Home
from pipelines.lake.lake import Lake
from pipelines.landing.discovery import Discovery, discover
from pipelines.vocabulary.tables import LANDING_FILES


@dataclass(frozen=True)
class Listed:
    """What was seen of a home's landing; whoever comes next need not list it again.

    Attributes:
        catalog: in use.
        discovery: what the listing holds; its files are those that no batch has taken.
        listed_at: when the listing began.
    """

    catalog: Catalog
    discovery: Discovery
    listed_at: datetime

    def pending(self) -> pl.DataFrame:
        """The file versions that no batch has decided, columns as in `FILE_STATES`."""
        columns = ("file_id", "source", "path", "received_at")
        files, waiting = self.discovery.files, self.discovery.waiting
        return pl.concat([files.select(columns), waiting.select(columns)])


def list_landing(home: Home, lake: Lake | None) -> Listed:
    """What the landing holds now; none of its files is opened.

    Args:
        home: whose landing and catalog they are.
        lake: of the home, open; None before the first run.

    Raises:
        MeterlineError: the catalog contradicts itself, or the landing cannot be listed.
    """
    catalog = home.catalog()
    listed_at = datetime.now(UTC)
    listing = home.landing().list_objects()
    registry = lake.table(LANDING_FILES) if lake else pl.DataFrame(schema=LANDING_FILES.schema)
    discovery = discover(listing, registry, catalog.sources, listed_at)
    return Listed(catalog, discovery, listed_at)
