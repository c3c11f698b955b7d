"""Home: opens the parts of a home and its landing, each with all settings that concern it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import polars as pl

from pipelines.catalog import calendar
from pipelines.catalog.catalog import Catalog
from pipelines.catalog.frozen import FrozenCatalogs
from pipelines.intake.window_index import WindowIndex
from pipelines.lake.catalog_databases import SqliteCatalog
from pipelines.lake.closed_book import closed_cuts, closed_spans
from pipelines.lake.file_checks import check_sizes
from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import code_revision
from pipelines.landing.store import Landing
from pipelines.reading.hold_rule import HoldRule
from pipelines.settings import Settings, metric_codes
from pipelines.vocabulary.errors import MeterlineError
from pipelines.warehouse.generations import (
    MARTS_FILE,
    Generation,
    current_generation,
    damage_of,
)


@dataclass(frozen=True)
class Home:
    """One home: its lake, landing, catalog, window index and marts.

    Attributes:
        settings: the settings of the home, which say where each part is.
    """

    settings: Settings

    @property
    def lake_catalog(self) -> SqliteCatalog:
        """The catalog database of the lake."""
        return SqliteCatalog(self.settings.lake_catalog)

    @property
    def has_lake(self) -> bool:
        """False before the first run; a lake that lost its catalog still is one."""
        return self.lake_catalog.exists() or any(self.settings.lake_data.rglob("*.parquet"))

    @property
    def hold_rule(self) -> HoldRule:
        """The rule by which a file with too many rejected lines is held."""
        return HoldRule(self.settings.hold_percent, self.settings.hold_rejections_min)

    @property
    def frozen_catalogs(self) -> FrozenCatalogs:
        """The catalogs that the home has used, as today's code and metrics read them."""
        return FrozenCatalogs(self.settings.frozen_catalogs, metric_codes(), code_revision())

    def lake(self) -> Lake:
        """The lake, open for reading.

        Raises:
            LakeError: there is no lake yet, it has another schema, or one of its files is missing
                or has another size.
        """
        lake = self._open_lake(self.lake_catalog, read_only=True)
        try:
            check_sizes(lake).require_whole()
        except BaseException:
            lake.close()
            raise
        return lake

    def lake_to_verify(self) -> Lake:
        """The lake, open for reading, whatever its files and its schema are."""
        return self._open_lake(self.lake_catalog, read_only=True, is_for_checks=True)

    def lake_of(self, catalog: SqliteCatalog) -> Lake:
        """The lake as a copy of its catalog database knows it, open for reading."""
        return self._open_lake(catalog, read_only=True, is_for_checks=True)

    def lake_before(self, batch_id: int) -> Lake:
        """The lake as it was before a batch, open for reading, whatever its files are."""
        return self._open_lake(self.lake_catalog, read_only=True, before_batch=batch_id)

    def lake_for_writing(self) -> Lake:
        """The lake, open for writing, made or migrated first if needed; under the writer lock."""
        return self._open_lake(self.lake_catalog, read_only=False)

    def landing(self) -> Landing:
        """The store where senders drop files."""
        return Landing(self.settings.landing, self.settings.s3_endpoint_url)

    def window_index(self) -> WindowIndex:
        """The index of accepted keys; it may lack the newest batches until it is brought up."""
        return WindowIndex(self.settings.window_index)

    def catalog(self) -> Catalog:
        """The catalog as its files are now.

        Raises:
            CatalogError: the files contradict each other or themselves.
        """
        return self.frozen_catalogs.read(self.settings.catalog)

    def refusal_cuts(self, lake: Lake, catalog: Catalog, received_at: pl.Series) -> pl.DataFrame:
        """From when usage is refused as backdated, by catalog and closed book.

        Args:
            lake: any connection.
            catalog: the catalog in use.
            received_at: of the files that are decided.

        Returns:
            Schema `REFUSAL_CUTS`.
        """
        since = calendar.earliest_in_time(catalog, received_at)
        return calendar.cuts_until(
            catalog, closed_spans(lake), closed_cuts(lake, since, received_at), received_at
        )

    def generation(self) -> Generation | None:
        """The current published generation; None before the first run."""
        return current_generation(self.settings.published)

    def published_generation(self) -> Generation:
        """The current published generation.

        Raises:
            MeterlineError: nothing is published yet, or the link to it is missing.
        """
        generation = self.generation()
        if generation is None:
            self.require_as_published(is_hashed=False)
            raise MeterlineError("nothing is published yet: `meterline run` builds the marts")
        return generation

    def damage_of_marts(self, *, is_hashed: bool = False) -> str | None:
        """A sentence if the published marts are not as they were published; see `generations`."""
        return damage_of(self.settings.published, self.generation(), is_hashed=is_hashed)

    def require_as_published(self, *, is_hashed: bool) -> None:
        """Refuses published marts that are not as they were published.

        Args:
            is_hashed: True to hash each file; False to hash only those with another time.

        Raises:
            MeterlineError: a file was changed, or `current` is missing.
        """
        damage = self.damage_of_marts(is_hashed=is_hashed)
        if damage:
            raise MeterlineError(f"{damage}; `meterline publish` publishes the marts again")

    @contextmanager
    def marts(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to the published marts: read-only, in UTC, with access to no other file.

        Raises:
            MeterlineError: nothing is published yet, or a file was changed since.
        """
        generation = self.published_generation()
        self.require_as_published(is_hashed=False)
        marts = self.settings.published / generation.generation_id / MARTS_FILE
        try:
            opened = duckdb.connect(
                str(marts), read_only=True, config={"enable_external_access": "false"}
            )
        except duckdb.Error as error:
            raise MeterlineError(
                f"{marts} cannot be opened: {error}; `meterline publish` publishes the marts again"
            ) from error
        with opened as connection:
            connection.execute("SET TimeZone = 'UTC'")
            yield connection

    def _open_lake(
        self,
        catalog: SqliteCatalog,
        *,
        read_only: bool,
        before_batch: int | None = None,
        is_for_checks: bool = False,
    ) -> Lake:
        settings = self.settings
        return Lake(
            catalog,
            settings.lake_data,
            read_only=read_only,
            before_batch=before_batch,
            is_for_checks=is_for_checks,
            threads=settings.threads,
            memory_limit=settings.memory_limit,
        )
