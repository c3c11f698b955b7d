"""The names in the lines of a held file: whom the file may have usage of.

A held file's events wait. Its invoices must wait too, so the names in its lines are kept. Names are
kept as sent, because a later row of the catalog may say who they mean.
"""

from collections.abc import Iterable

import polars as pl

from pipelines.vocabulary.frames import NAMES_IN_LINES, RefKind

_REFS = {RefKind.CUSTOMER: "customer_ref", RefKind.SUBSCRIPTION: "subscription_ref"}


def names_in(events: Iterable[pl.LazyFrame], rejections: Iterable[pl.LazyFrame]) -> pl.DataFrame:
    """One row per file, kind and name; schema `NAMES_IN_LINES`.

    A rejected line counts as far as its names could be read: once it is corrected, it is usage.

    Example: a file has two events of `acme`, of 3 and 5 May, and a line of `acme` without a valid
    timestamp. The row of `acme` has 3 lines and no instants, as the third line may be of any time.

    Args:
        events: schema `PARSED_EVENTS`.
        rejections: schema `REJECTIONS`.
    """
    no_instant = pl.lit(None, NAMES_IN_LINES["first_occurred_at"]).alias("occurred_at")
    lines = [
        *(part.select("file_id", *_REFS.values(), "occurred_at") for part in events),
        *(part.select("file_id", *_REFS.values(), no_instant) for part in rejections),
    ]
    if not lines:
        return pl.DataFrame(schema=NAMES_IN_LINES)
    named = pl.concat(
        pl.concat(lines).select("file_id", "occurred_at", kind=pl.lit(kind.value), name=ref)
        for kind, ref in _REFS.items()
    )
    is_dated = pl.col("occurred_at").is_not_null().all()
    return (
        named.filter(pl.col("name").is_not_null())
        .group_by("file_id", "kind", "name")
        .agg(
            pl.len().cast(pl.Int64).alias("lines"),
            pl.when(is_dated).then(pl.col("occurred_at").min()).alias("first_occurred_at"),
            pl.when(is_dated).then(pl.col("occurred_at").max()).alias("last_occurred_at"),
        )
        .sort("file_id", "kind", "name")
        .select(*NAMES_IN_LINES)
        .collect()
    )
