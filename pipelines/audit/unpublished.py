"""Unpublished batches: every invariant is checked on each before it is published."""

import polars as pl

from pipelines.audit.conservation import INVARIANTS, check_batch
from pipelines.audit.invariant import Finding
from pipelines.audit.provenance import REPARSED, check_provenance
from pipelines.audit.window import INDEXED, check_index
from pipelines.catalog.catalog import Catalog
from pipelines.home import Home
from pipelines.lake.lake import Lake

CHECKED = (*INVARIANTS, INDEXED, REPARSED)
"""The invariants that must hold before invoices are closed or marts are published."""


def check_unpublished(lake: Lake, home: Home, catalog: Catalog) -> list[Finding]:
    """One finding per invariant about all batches that no published generation includes.

    A batch that fails a check is not published, so every run checks it again until it passes.
    """
    published = home.generation()
    batch_ids = lake.query(
        "SELECT batch_id FROM lake.batches WHERE kind = 'decide' AND batch_id > $published "
        "ORDER BY batch_id",
        {"published": published.batch_id if published else 0},
    )["batch_id"]
    landing = home.landing()
    index = home.window_index()
    index.bring_up(lake)
    found: dict[str, list[Finding]] = {invariant.name: [] for invariant in CHECKED}
    for batch_id in batch_ids:
        sources = _sources_of_batch(lake, home, batch_id, catalog)
        indexed, repeated = check_index(index, lake, batch_id)
        for finding in (
            *check_batch(lake, batch_id, sources, repeated),
            indexed,
            check_provenance(lake, landing, batch_id, sources),
        ):
            found[finding.invariant.name].append(finding)
    return [
        Finding(
            invariant,
            offences=sum(finding.offences for finding in found[invariant.name]),
            sample="; ".join(f.sample for f in found[invariant.name] if not f.holds),
        )
        for invariant in CHECKED
    ]


def _sources_of_batch(lake: Lake, home: Home, batch_id: int, catalog: Catalog) -> pl.DataFrame:
    """The sources of the catalog by which the batch was decided; today's may differ."""
    found = lake.query(
        "SELECT catalog_digest FROM lake.batches WHERE batch_id = $batch_id",
        {"batch_id": batch_id},
    )["catalog_digest"]
    if not found.len() or found[0] == catalog.digest:
        return catalog.sources
    return home.frozen_catalogs.sources(str(found[0]))
