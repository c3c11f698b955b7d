"""Calendar: billing periods, local days and names for dbt, written only if anything differs.

If nothing differs from what is published (see `warehouse.gate`), the calendar yields nothing, and
Dagster skips everything after it.
"""

import logging
from collections.abc import Iterator, Sequence

import dagster as dg

from pipelines.catalog import calendar
from pipelines.catalog.catalog import Catalog
from pipelines.catalog.tables.charge_cells import fixed_cells
from pipelines.defs.assets.events import EVENT_TABLES
from pipelines.defs.assets.landing import Landed
from pipelines.defs.resources import Writer
from pipelines.lake.acts import act_count
from pipelines.lake.closed_book import closed_count, closed_zones
from pipelines.operations.closing import known_to, moment_of_run, periods_on_hold
from pipelines.vocabulary.errors import ClosedTimeError
from pipelines.warehouse.billed_fees import fees_billed_once, fees_in_advance
from pipelines.warehouse.dbt_tables import (
    CALENDAR_TABLES,
    write_calendar,
    write_files_in_progress,
)
from pipelines.warehouse.gate import current_inputs
from pipelines.warehouse.moved_names import moved_names

_progress = logging.getLogger("meterline")

RUN_KEYS = (dg.AssetKey("landed_files"), dg.AssetKey("catalog"))
"""The assets that say what the run is, before it reads any event."""

CLOSED_BOOK = ["lake", "closed_periods"]
"""The closed book as the run found it; the run's own closings add to it for the next one."""

ACTS = ["lake", "acts"]
"""The acts of people, with those that the run was asked for; closings add to them."""


def _kinds(key: Sequence[str]) -> set[str]:
    """Tables of the lake are Parquet files, those of the warehouse are DuckDB's."""
    return {"python", "parquet" if key[0] == "lake" else "duckdb"}


_DEPS = [*RUN_KEYS, *(dg.AssetKey(["lake", table]) for table in EVENT_TABLES)]


@dg.multi_asset(
    name="billing_calendar",
    specs=[
        dg.AssetSpec(
            dg.AssetKey(key), group_name="4_calendar", deps=_DEPS, skippable=True, kinds=_kinds(key)
        )
        for key in (
            *(["calendar", table] for table in CALENDAR_TABLES),
            ["landing", "files_in_progress"],
            CLOSED_BOOK,
            ACTS,
        )
    ],
    ins={"landed_files": dg.AssetIn("landed_files"), "catalog": dg.AssetIn("catalog")},
)
def calendar_tables(
    landed_files: Landed, catalog: Catalog, writer: dg.ResourceParam[Writer]
) -> Iterator[dg.MaterializeResult[None]]:
    """Periods, local days and names for dbt; nothing if nothing differs from what is published."""
    settings, facts = writer.settings, landed_files.facts
    if landed_files.refused:
        raise ClosedTimeError(list(landed_files.refused))
    published, damage = writer.home.generation(), writer.home.damage_of_marts()
    if damage:
        _progress.warning(f"{damage}; the marts are published again")
    with writer.home.lake_for_writing() as lake:
        reopened = landed_files.reopened
        inputs = current_inputs(lake, settings.home, catalog, facts, reopened)
        stands = published and published.inputs_digest == inputs.digest and not damage
        if stands and not landed_files.kind.is_forced:
            _progress.info("nothing differs from what is published")
            return
        batch_id = lake.last_batch_id("decide")
        days = calendar.local_days_of(inputs.periods, closed_zones(lake))
        moved = moved_names(lake, catalog, reopened)
        billed = fees_billed_once(lake, catalog, reopened)
        ahead = fees_in_advance(lake, reopened)
        moment = moment_of_run(facts, settings)
        on_hold = periods_on_hold(lake, inputs.periods, known_to(lake, catalog, moment))
        books = {tuple(CLOSED_BOOK): closed_count(lake), tuple(ACTS): act_count(lake)}
    rows = write_calendar(
        settings.warehouse,
        inputs.periods,
        days,
        calendar.names(catalog),
        moved,
        fixed_cells(catalog.tables),
        billed,
        reopened,
        ahead,
        on_hold,
        facts.as_of,
        batch_id,
        catalog.digest,
        catalog.auto_customer_sources,
    )
    rows_in_progress = write_files_in_progress(settings.warehouse, landed_files.pending())
    _progress.info("metering and rating")
    for table, count in rows.items():
        yield dg.MaterializeResult(
            asset_key=dg.AssetKey(["calendar", table]), metadata={"dagster/row_count": count}
        )
    yield dg.MaterializeResult(
        asset_key=dg.AssetKey(["landing", "files_in_progress"]),
        metadata={"dagster/row_count": rows_in_progress},
    )
    for key, count in books.items():
        yield dg.MaterializeResult(
            asset_key=dg.AssetKey(key), metadata={"dagster/row_count": count}
        )
