"""Moved names: names whose closed usage would belong to somebody else by today's catalog.

The usage stands on a finalized invoice. It stays there, and is billed nowhere else.

Example: the alias `web` meant acme, and acme's May is closed. In June the alias is given to beta,
since ever. The usage of `web` in May stays on acme's invoice, and beta's May does not count it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import polars as pl

from pipelines.catalog.calendar import names_of
from pipelines.catalog.catalog import Catalog, stored_tables
from pipelines.catalog.tables.customer_aliases import Alias
from pipelines.catalog.tables.customers import Customer
from pipelines.lake.acts import VOID_INVOICES
from pipelines.lake.closed_book import NEWEST_CLOSED
from pipelines.lake.lake import Lake
from pipelines.vocabulary.frames import CUSTOMER_NAMES, MOVED_NAMES

_EVER_BEFORE = datetime.min.replace(tzinfo=UTC)
_EVER_AFTER = datetime.max.replace(tzinfo=UTC)

_NAMING = (Customer, Alias)
"""The tables that say which customer a name means."""

_NAMING_FILES = tuple(row.file_name for row in _NAMING)


def moved_names(lake: Lake, catalog: Catalog) -> pl.DataFrame:
    """Every name that a closed period counted and that means somebody else today.

    Args:
        lake: any connection.
        catalog: the catalog in use.

    Returns:
        Schema `MOVED_NAMES`; empty as long as no name was edited.
    """
    stored = lake.query(
        f"""
        SELECT catalog_digest, file_name, content FROM lake.catalogs
        WHERE file_name IN $names AND catalog_digest IN (
            SELECT DISTINCT catalog_digest FROM ({NEWEST_CLOSED})
        )
        ORDER BY ALL
        """,
        {"names": list(_NAMING_FILES)},
    )
    today = names_of(catalog.tables)
    unchanged = {name: catalog.files.get(name, b"") for name in _NAMING_FILES}
    changed = list[pl.DataFrame]()
    known = dict[tuple[bytes, ...], pl.DataFrame]()
    for (digest,), rows in stored.group_by("catalog_digest", maintain_order=True):
        texts = dict(rows.select("file_name", "content").iter_rows())
        files = {name: texts.get(name, "").encode() for name in _NAMING_FILES}
        if files == unchanged:
            continue
        content = tuple(files.values())
        if content not in known:
            before = names_of(stored_tables(files, _NAMING))
            known[content] = _moved(before, today)
        changed.append(known[content].with_columns(catalog_digest=pl.lit(digest)))
    if not any(frame.height for frame in changed):
        return pl.DataFrame(schema=MOVED_NAMES)
    return _closed_usage(lake, pl.concat(changed))


def _moved(before: pl.DataFrame, today: pl.DataFrame) -> pl.DataFrame:
    """The spans in which a name meant a customer before, and does not mean it today."""
    edited = before.join(today, on=CUSTOMER_NAMES.names(), how="anti", nulls_equal=True)
    meanings = today.filter(pl.col("name").is_in(edited["name"].implode())).rows_by_key("name")
    rows = [
        (name, customer_id, *span)
        for name, customer_id, start, end in edited.iter_rows()
        for span in _less(
            (start or _EVER_BEFORE, end or _EVER_AFTER),
            sorted(
                (other_start or _EVER_BEFORE, other_end or _EVER_AFTER)
                for other, other_start, other_end in meanings.get(name, [])
                if other == customer_id
            ),
        )
    ]
    return pl.DataFrame(rows, schema=CUSTOMER_NAMES, orient="row")


def _less(
    span: tuple[datetime, datetime], taken: list[tuple[datetime, datetime]]
) -> Iterator[tuple[datetime, datetime]]:
    """What is left of a span without those in order."""
    start, end = span
    for taken_start, taken_end in taken:
        if start < min(taken_start, end):
            yield start, min(taken_start, end)
        start = max(start, taken_end)
    if start < end:
        yield start, end


def _closed_usage(lake: Lake, changed: pl.DataFrame) -> pl.DataFrame:
    return lake.query(
        f"""
        SELECT changed.name, unnest(string_split(metric_codes, ',')) AS metric_code,
            greatest(valid_from_at, period_start_at) AS moved_from_at,
            least(valid_to_at, period_end_at) AS moved_to_at,
            cut_at, event_batch_id, invoice_id
        FROM ({NEWEST_CLOSED}) AS closed JOIN changed
            ON closed.customer_id = changed.customer_id
            AND closed.catalog_digest = changed.catalog_digest
            AND period_start_at < valid_to_at AND period_end_at > valid_from_at
            AND closed.invoice_id NOT IN ({VOID_INVOICES})
        ORDER BY ALL
        """,
        changed=changed,
    ).cast(MOVED_NAMES)
