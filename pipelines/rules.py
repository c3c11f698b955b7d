"""Rules: what a batch's events are judged by, as frames that the catalog fills.

Belongs here: the columns of these frames and their closed enumerations. Must not be put here:
anything that computes (see `decide`, `periods`), columns of the lake (see `schemas`).
"""

from enum import StrEnum

import polars as pl

from pipelines.schemas import UTC_MICROSECONDS


class RefKind(StrEnum):
    """What an event names to say whose it is: two namespaces, in which one text may mean two."""

    CUSTOMER = "customer"
    SUBSCRIPTION = "subscription"


SOURCES = pl.Schema(
    {
        "source": pl.String(),
        "dialect": pl.String(),
        "dedupe_scope": pl.String(),
        "dedupe_window": pl.Duration("us"),
        "max_lateness": pl.Duration("us"),
        "future_skew": pl.Duration("us"),
        "received_at_from": pl.String(),
        "late_lookup": pl.Boolean(),
        "conflicts_expected": pl.Boolean(),
        "key_fields": pl.List(pl.String()),
        "fields": pl.List(
            pl.Struct({"field": pl.String(), "path": pl.String(), "form": pl.String()})
        ),
        "event_schemas": pl.List(
            pl.Struct(
                {
                    "event_name": pl.String(),
                    "name": pl.String(),
                    "kind": pl.String(),
                    "is_required": pl.Boolean(),
                }
            )
        ),
    }
)
"""One row per sender; a null window or lateness means unlimited. The last three say how its
events are read (see `dialects.reader_of`); empty is as its dialect's vendor documents it."""

REFUSAL_CUTS = pl.Schema(
    {
        "kind": pl.String(),
        "name": pl.String(),
        "from_at": UTC_MICROSECONDS,
        "latest_cut_at": UTC_MICROSECONDS,
    }
)
"""Per name (a customer's or a subscription's, see `RefKind`) a step function of occurred_at:
received at or after `latest_cut_at` is backdated; null where nothing is refused. Sorted by
(kind, name, from_at)."""
