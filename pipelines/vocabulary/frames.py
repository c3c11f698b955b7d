"""Frames that pass between stages: every column once, with its type.

Belongs here: schemas of frames that two rooms share, and their closed enumerations. Must not be put
here: anything that computes, and columns of the lake (see `tables`).
"""

from enum import StrEnum

import polars as pl

from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.tables import (
    ACCEPTED_EVENTS,
    INVOICE_LINES,
    INVOICES,
    REFUSED_EVENTS,
    UTC_MICROSECONDS,
)


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


PARSED_EVENTS = pl.Schema(
    {name: dtype for name, dtype in ACCEPTED_EVENTS.schema.items() if name != "batch_id"}
    | {"line_sha256": pl.Binary()}
)
"""A well-formed event before its verdict, with the digest of its line."""


REJECTIONS = pl.Schema(
    {
        name: REFUSED_EVENTS.schema[name]
        for name in (
            "file_id",
            "line",
            "byte_offset",
            "byte_length",
            "line_sha256",
            "source",
            "received_at",
            "reason_code",
            "reason",
            "idempotency_key",
        )
    }
)
"""A line refused by the parser: `idempotency_key` is null unless it could be read."""


LISTING = pl.Schema(
    {
        "path": pl.String(),
        "etag": pl.String(),
        "size_bytes": pl.Int64(),
        "modified_at": UTC_MICROSECONDS,
    }
)
"""One row per object of the landing, as the store lists it."""


PENDING = "pending"
"""State of a file version that is listed and not decided."""


DRAFTS = pl.Schema(
    {
        name: INVOICES.schema[name]
        for name in (
            "invoice_id",
            "subscription_id",
            "customer_id",
            "plan_code",
            "currency",
            "period_start_at",
            "period_end_at",
            "cut_at",
            "total_amount",
            "line_count",
        )
    }
)
"""One row per draft invoice, as dbt made it."""


DRAFT_LINES = pl.Schema(
    {name: dtype for name, dtype in INVOICE_LINES.schema.items() if name != "batch_id"}
)
"""One row per line of a draft invoice."""


FILE_STATES = pl.Schema(
    {
        "file_id": pl.Int64(),
        "source": pl.String(),
        "path": pl.String(),
        "received_at": UTC_MICROSECONDS,
        "status": pl.String(),
    }
)
"""One row per file version: the status of its latest revision, or `pending`."""


SOURCE_CUSTOMERS = pl.Schema(
    {"source": pl.String(), "customer_id": pl.String(), "first_received_at": UTC_MICROSECONDS}
)
"""One row per source and customer with an accepted event from it: when the first was received."""


FINALIZED = pl.Schema(
    {
        name: INVOICES.schema[name]
        for name in ("invoice_id", "series_number", "as_of", "chain_sha256")
    }
)
"""What closing must know of the invoices closed so far."""


def checked(rows: pl.DataFrame, schema: pl.Schema, what: str) -> pl.DataFrame:
    """The columns of a schema, when every one is there, of its type, and without nulls.

    Types are not cast: a cast to a shorter decimal would round in silence.

    Raises:
        InvariantError: a column is missing, of another type, or null; `what` names the frame.
    """
    for name, dtype in schema.items():
        found = rows.schema.get(name)
        if found != dtype:
            raise InvariantError(f"{what}: expected {name} as {dtype}, found {found}")
        if rows[name].null_count():
            raise InvariantError(f"{what}: expected {name} in every row, found it null")
    return rows.select(*schema)


BILLING_PERIODS = pl.Schema(
    {
        "subscription_id": pl.String(),
        "customer_id": pl.String(),
        "plan_code": pl.String(),
        "currency": pl.String(),
        "time_zone": pl.String(),
        "late_usage_policy": pl.String(),
        "period_index": pl.Int32(),
        "period_start_at": UTC_MICROSECONDS,
        "period_end_at": UTC_MICROSECONDS,
        "cut_at": UTC_MICROSECONDS,
        "period_start_date": pl.Date(),
    }
)
"""One row per billing period; key (subscription_id, period_index), which counts from 1."""


CUSTOMER_NAMES = pl.Schema(
    {
        "name": pl.String(),
        "customer_id": pl.String(),
        "valid_from_at": UTC_MICROSECONDS,
        "valid_to_at": UTC_MICROSECONDS,
    }
)
"""One row per name and validity `[from, to)`; a null bound is open."""
