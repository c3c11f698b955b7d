"""Stored catalogs: catalogs that the lake has the bytes of, read again as they were."""

import polars as pl

from pipelines.catalog.catalog import Catalog, catalog_of, stored_tables, validated_tables
from pipelines.catalog.senders import SENDER_TABLES
from pipelines.lake.lake import Lake
from pipelines.vocabulary.errors import CatalogError
from pipelines.vocabulary.tables import CATALOGS


def stored_catalog(contents: pl.DataFrame, digest: str) -> Catalog:
    """A catalog as the lake has it. It was valid when it was stored, and is not judged again.

    Args:
        contents: rows of the lake table `catalogs`.
        digest: which one.
    """
    files = stored_files(contents, digest)
    return catalog_of(stored_tables(files), files)


def stored_files(contents: pl.DataFrame, digest: str) -> dict[str, bytes]:
    """The files of a catalog, name → bytes; none where the lake does not have it.

    Args:
        contents: rows of the lake table `catalogs`.
        digest: which one.
    """
    rows = contents.filter(pl.col("catalog_digest") == digest)
    return {name: text.encode() for name, text in rows.select("file_name", "content").iter_rows()}


def last_catalog_digest(lake: Lake) -> str:
    """The digest of the catalog that the newest transaction used; the lake has at least one."""
    newest = lake.query("SELECT arg_max(catalog_digest, batch_id) AS digest FROM lake.batches")
    return str(newest["digest"][0])


def last_good_catalog(lake: Lake, refused: Catalog, metric_codes: frozenset[str]) -> Catalog:
    """The catalog by which events are decided while today's is refused for what is closed.

    It is the last one that a transaction used, with the senders of today's: a new sender's files
    need not wait until a subscription is corrected.

    Args:
        lake: any connection; it has at least one transaction.
        refused: today's catalog.
        metric_codes: the billable metrics there are.
    """
    last = stored_catalog(lake.table(CATALOGS), last_catalog_digest(lake))
    of_senders = {row.file_name for row in SENDER_TABLES}
    files = {name: content for name, content in last.files.items() if name not in of_senders}
    files |= {name: content for name, content in refused.files.items() if name in of_senders}
    try:
        return catalog_of(validated_tables(files, metric_codes), files)
    except CatalogError:
        return last
