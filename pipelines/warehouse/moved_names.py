"""Moved names: names whose closed usage would belong to somebody else by today's catalog.

The usage stands on a finalized invoice. It stays there, and is billed nowhere else.

The first closing that counted an event has it. What a name meant in a later one says nothing, as
the event had moved by then. When the invoice of the first one is void, or its period is opened
again, the event is free: the next closing that counts it has it.

Example: the alias `web` meant acme, and acme's May is closed. In June the alias is given to beta,
since ever. The usage of `web` in May stays on acme's invoice, and beta's May does not count it.
When the alias is acme's again, so is that usage, also if beta's May was closed meanwhile.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import polars as pl

from pipelines.catalog.calendar import names_of
from pipelines.catalog.catalog import Catalog, stored_tables
from pipelines.catalog.tables.customer_aliases import Alias
from pipelines.catalog.tables.customers import Customer
from pipelines.lake.lake import Lake
from pipelines.vocabulary.acts import ActKind
from pipelines.vocabulary.frames import CUSTOMER_NAMES, MOVED_NAMES
from pipelines.vocabulary.reopened import NOTHING_REOPENED

_EVER_BEFORE = datetime.min.replace(tzinfo=UTC)
_EVER_AFTER = datetime.max.replace(tzinfo=UTC)

_Span = tuple[datetime, datetime]
_Part = Callable[[_Span, list[_Span]], Iterator[_Span]]

_NAMING = (Customer, Alias)
"""The tables that say which customer a name means."""

_NAMING_FILES = tuple(row.file_name for row in _NAMING)


def moved_names(
    lake: Lake, catalog: Catalog, reopened: pl.DataFrame = NOTHING_REOPENED
) -> pl.DataFrame:
    """Every name that a closed period counted and that means somebody else today, in all periods.

    Args:
        lake: any connection.
        catalog: the catalog in use.
        reopened: closed periods that count as open; schema `REOPENED_PERIODS`.

    Returns:
        Schema `MOVED_NAMES`; empty as long as no name was edited.
    """
    stored = lake.query(
        """
        SELECT catalog_digest, file_name, content FROM lake.catalogs
        WHERE file_name IN $names AND catalog_digest IN (
            SELECT DISTINCT catalog_digest FROM lake.closed_periods WHERE state = 'closed'
        )
        ORDER BY ALL
        """,
        {"names": list(_NAMING_FILES)},
    )
    today = names_of(catalog.tables)
    meanings = dict[tuple[bytes, ...], pl.DataFrame]()
    content_of = dict[str, tuple[bytes, ...]]()
    for (digest,), rows in stored.group_by("catalog_digest", maintain_order=True):
        texts = dict(rows.select("file_name", "content").iter_rows())
        files = {name: texts.get(name, "").encode() for name in _NAMING_FILES}
        content_of[str(digest)] = content = tuple(files.values())
        if content not in meanings:
            is_unchanged = content == tuple(catalog.files.get(name, b"") for name in _NAMING_FILES)
            before = today if is_unchanged else names_of(stored_tables(files, _NAMING))
            meanings[content] = before
    moved = {content: _moved(before, today) for content, before in meanings.items()}
    names = {str(name) for each in moved.values() for name in each["name"]}
    if not names:
        return pl.DataFrame(schema=MOVED_NAMES)
    kept = {
        content: _kept(before.filter(pl.col("name").is_in(sorted(names))), today)
        for content, before in meanings.items()
    }
    return _closed_usage(
        lake,
        pl.concat(
            spans[content].with_columns(catalog_digest=pl.lit(digest), is_moved=pl.lit(is_moved))
            for spans, is_moved in ((moved, True), (kept, False))
            for digest, content in content_of.items()
        ),
        reopened,
    )


def _moved(before: pl.DataFrame, today: pl.DataFrame) -> pl.DataFrame:
    """The spans in which a name meant a customer before, and does not mean it today."""
    edited = before.join(today, on=CUSTOMER_NAMES.names(), how="anti", nulls_equal=True)
    return _spans(edited, today, _less)


def _kept(before: pl.DataFrame, today: pl.DataFrame) -> pl.DataFrame:
    """The spans in which a name meant a customer before, and means it today."""
    return _spans(before, today, _within)


def _spans(before: pl.DataFrame, today: pl.DataFrame, part: _Part) -> pl.DataFrame:
    """The part of each span of a name, as today's spans of the same customer leave or share it."""
    meanings = today.filter(pl.col("name").is_in(before["name"].implode())).rows_by_key("name")
    rows = [
        (name, customer_id, *span)
        for name, customer_id, start, end in before.iter_rows()
        for span in part(
            (start or _EVER_BEFORE, end or _EVER_AFTER),
            sorted(
                (other_start or _EVER_BEFORE, other_end or _EVER_AFTER)
                for other, other_start, other_end in meanings.get(name, [])
                if other == customer_id
            ),
        )
    ]
    return pl.DataFrame(rows, schema=CUSTOMER_NAMES, orient="row")


def _within(span: _Span, others: list[_Span]) -> Iterator[_Span]:
    """What a span shares with those in order."""
    for start, end in others:
        if max(start, span[0]) < min(end, span[1]):
            yield max(start, span[0]), min(end, span[1])


def _less(span: _Span, taken: list[_Span]) -> Iterator[_Span]:
    """What is left of a span without those in order."""
    start, end = span
    for taken_start, taken_end in taken:
        if start < min(taken_start, end):
            yield start, min(taken_start, end)
        start = max(start, taken_end)
    if start < end:
        yield start, end


def _closed_usage(lake: Lake, changed: pl.DataFrame, reopened: pl.DataFrame) -> pl.DataFrame:
    return lake.query(
        """
        WITH closings AS (
            SELECT closed.*, least(
                void.batch_id,
                opened.batch_id,
                CASE WHEN reopened.revision = closed.revision + 1 THEN $this_batch_id END
            ) AS ended_batch_id
            FROM lake.closed_periods AS closed
            LEFT JOIN lake.closed_periods AS opened
                ON closed.subscription_id = opened.subscription_id
                AND closed.period_start_label = opened.period_start_label
                AND closed.revision + 1 = opened.revision
            LEFT JOIN (SELECT invoice_id, batch_id FROM lake.acts WHERE kind = $void) AS void
                ON closed.invoice_id = void.invoice_id
            LEFT JOIN reopened
                ON closed.subscription_id = reopened.subscription_id
                AND closed.period_start_label = reopened.period_start_label
            WHERE closed.state = 'closed'
        )
        SELECT changed.name, unnest(string_split(metric_codes, ',')) AS metric_code,
            greatest(valid_from_at, period_start_at) AS moved_from_at,
            least(valid_to_at, period_end_at) AS moved_to_at,
            cut_at, event_batch_id, invoice_id, batch_id AS closing_batch_id, ended_batch_id,
            is_moved
        FROM closings JOIN changed
            ON closings.customer_id = changed.customer_id
            AND closings.catalog_digest = changed.catalog_digest
            AND period_start_at < valid_to_at AND period_end_at > valid_from_at
        ORDER BY ALL
        """,
        {"this_batch_id": lake.last_batch_id() + 1, "void": ActKind.VOID.value},
        changed=changed,
        reopened=reopened,
    ).cast(MOVED_NAMES)
