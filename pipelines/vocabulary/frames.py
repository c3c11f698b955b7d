"""Frames that pass between rooms: each column with its type. The lake's own are in `tables`."""

from enum import StrEnum

import polars as pl

from pipelines.vocabulary.tables import (
    ACCEPTED_EVENTS,
    HELD_NAMES,
    INVOICE_LINES,
    INVOICES,
    LABEL,
    REFUSED_EVENTS,
    UTC_MICROSECONDS,
)


class RefKind(StrEnum):
    """The two ways in which an event may name its owner.

    They are two namespaces: customer `42` and subscription `42` are different owners.
    """

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
        "not_usage": pl.List(pl.String()),
        "paths": pl.List(pl.String()),
        "batch_member": pl.String(),
        "format": pl.String(),
        "null_text": pl.String(),
        "separator": pl.String(),
        "decimal_separator": pl.String(),
    }
)
"""One row per sender; key `source`.

A null window or lateness is unlimited. `key_fields`, `fields`, `event_schemas` and `not_usage` say
how the sender's events are read (see `dialects.reader_of`). Where they are empty, events are read
as the dialect's vendor documents them.

`paths` narrows the files that are read. Where it is empty, all are. The columns after it say how
files are written (see `layout.Layout`).
"""

WAITING = pl.Schema(
    {
        "file_id": pl.Int64(),
        "source": pl.String(),
        "path": pl.String(),
        "size_bytes": pl.Int64(),
        "received_at": UTC_MICROSECONDS,
        "reason": pl.String(),
    }
)
"""One row per file version that could be usage and that no run can take in yet.

`file_id` is the number that it would get after all new files. `received_at` is the time of its
object if its path has no date. `reason` is a sentence that says what it waits for.
"""

UNFINISHED = pl.Schema({"path": pl.String(), "modified_at": UTC_MICROSECONDS})
"""One row per unfinished upload that holds bytes, below the folder of a source."""

REFUSAL_CUTS = pl.Schema(
    {
        "kind": pl.String(),
        "name": pl.String(),
        "from_at": UTC_MICROSECONDS,
        "latest_cut_at": UTC_MICROSECONDS,
    }
)
"""One row per name and step; key (kind, name, from_at), sorted by it.

`kind` is a `RefKind`. A step begins at `from_at` and lasts until the name's next step. An event
that occurred in a step and was received at or after its `latest_cut_at` is rejected as backdated.
Where `latest_cut_at` is null, no event is backdated.

Example: a step from 1 May with `latest_cut_at` 3 June. Usage of 10 May is accepted when received
on 2 June, and rejected when received on 3 June.
"""


PARSED_EVENTS = pl.Schema(
    {name: dtype for name, dtype in ACCEPTED_EVENTS.schema.items() if name != "batch_id"}
    | {"line_sha256": pl.Binary()}
)
"""One row per well-formed event before its verdict, with the SHA-256 of its line."""


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
            "customer_ref",
            "subscription_ref",
        )
    }
)
"""One row per line that the parser did not read as an event: it is rejected, or not usage.

`reason_code` is null for a line that is not usage. A key or name that cannot be read is null.
"""


NAMES_IN_LINES = pl.Schema(
    {
        name: dtype
        for name, dtype in HELD_NAMES.schema.items()
        if name not in ("batch_id", "revision")
    }
)
"""One row per held file and name in its lines; key (file_id, kind, name).

`kind` is a `RefKind`. The instants are null if one of the lines has no instant that can be read.
"""


LISTING = pl.Schema(
    {
        "path": pl.String(),
        "etag": pl.String(),
        "size_bytes": pl.Int64(),
        "modified_at": UTC_MICROSECONDS,
    }
)
"""One row per object of the landing, as the store lists it; key `path`."""


PENDING = "pending"
"""The state of a file version that is listed and not yet decided."""


TOTALS = (*(name for name in INVOICES.schema if name.endswith("_amount")), "amount_due")
"""The amounts of an invoice."""

DRAFTS = pl.Schema(
    {
        name: INVOICES.schema[name]
        for name in (
            *("invoice_id", "kind", "subscription_id", "customer_id", "plan_code", "currency"),
            *("period_start_at", "period_end_at", "cut_at"),
            *TOTALS,
            "line_count",
        )
    }
    | {"fault": pl.String()}
)
"""One row per draft invoice, as dbt made it; key `invoice_id`.

`fault` is a sentence that says why the draft cannot be closed, and null normally. Where it is
given, the amounts are null.
"""

DRAFT_NULLS = ("fault", *TOTALS)
"""The columns of `DRAFTS` that may be null."""


DRAFT_LINES = pl.Schema(
    {
        name: dtype
        for name, dtype in INVOICE_LINES.schema.items()
        if name not in ("batch_id", "price_digest")
    }
)
"""One row per line of a draft invoice. `amount` is null where an amount does not hold it.

The digest of its price comes with the terms, when the draft is closed.
"""

DRAFT_LINE_NULLS = (
    *("metric_code", "quantity", "billed_quantity", "unit", "unit_price", "share_days"),
    *("amount", "amount_unrounded", "net_amount", "share_of_days", "adjusts_line_id"),
)
"""The columns of `DRAFT_LINES` that may be null."""


FILE_STATES = pl.Schema(
    {
        "file_id": pl.Int64(),
        "source": pl.String(),
        "path": pl.String(),
        "received_at": UTC_MICROSECONDS,
        "status": pl.String(),
    }
)
"""One row per file version; `status` is that of its latest decision, or `pending`."""


HELD_OWNERS = pl.Schema(
    {
        "file_id": pl.Int64(),
        "kind": pl.String(),
        "name": pl.String(),
        "lines": pl.Int64(),
        "owner_id": pl.String(),
    }
)
"""One row per held file, name in its lines and owner that the catalog knows by this name.

`owner_id` is a customer or a subscription, as `kind` says. It is null if the catalog does not know
the name. A name that changed hands has a row for each owner.
"""


SOURCE_CUSTOMERS = pl.Schema(
    {"source": pl.String(), "customer_id": pl.String(), "first_received_at": UTC_MICROSECONDS}
)
"""One row per source and customer with an accepted event, and when the first one was received."""


FINALIZED = pl.Schema(
    {name: INVOICES.schema[name] for name in ("invoice_id", "series", "series_number", "as_of")}
)
"""One row per finalized invoice: the columns that closing the next ones needs."""


BILLING_PERIODS = pl.Schema(
    {
        "subscription_id": pl.String(),
        "customer_id": pl.String(),
        "plan_code": pl.String(),
        "currency": pl.String(),
        "time_zone": pl.String(),
        "late_usage_policy": pl.String(),
        "interval": pl.String(),
        "interval_count": pl.Int32(),
        "anchor_label": LABEL,
        "phase_index": pl.Int32(),
        "phase_start_label": LABEL,
        "period_index": pl.Int32(),
        "period_start_at": UTC_MICROSECONDS,
        "period_end_at": UTC_MICROSECONDS,
        "period_start_label": LABEL,
        "period_end_label": LABEL,
        "full_start_at": UTC_MICROSECONDS,
        "full_end_at": UTC_MICROSECONDS,
        "full_start_label": LABEL,
        "full_end_label": LABEL,
        "service_days": pl.Int32(),
        "full_days": pl.Int32(),
        "is_trial": pl.Boolean(),
        "grace_end_at": UTC_MICROSECONDS,
        "cut_at": UTC_MICROSECONDS,
        "period_start_date": pl.Date(),
    }
)
"""One row per billing period of open time; key (subscription_id, period_index).

`period_index` counts the open periods of a subscription from 1. A period is `[period_start_at,
period_end_at)`. A label is the local date and time of a bound in the customer's zone. The full
bounds are those of the whole rhythm: a subscription that starts on 10 June has a first period from
10 June to 1 July, whose full bounds are 1 June and 1 July. Its service days are 21, its full days
30. `phase_index` counts the phases of a subscription from 0, the first one being its own row.
`is_trial` is true if the period ends at or before the end of the trial. `grace_end_at` is the
period's end plus the days of grace. `cut_at` is the same, but never before a cut of the
subscription that is closed already.
"""


CLOSED_SPANS = pl.Schema(
    {
        "subscription_id": pl.String(),
        "customer_id": pl.String(),
        "plan_code": pl.String(),
        "currency": pl.String(),
        "time_zone": pl.String(),
        "metric_codes": pl.String(),
        "phase_start_label": LABEL,
        "void_invoice_id": pl.String(),
        "span_start_at": UTC_MICROSECONDS,
        "span_end_at": UTC_MICROSECONDS,
        "span_start_label": LABEL,
        "span_end_label": LABEL,
        "last_cut_at": UTC_MICROSECONDS,
        "last_period": pl.String(),
        "overlaps_itself": pl.Boolean(),
    }
)
"""One row per subscription and span of closed time, in which one customer, phase and zone hold.

`metric_codes` are those that the plan charged, with a comma between. `phase_start_label` is the
local start of the phase. `last_cut_at` is the latest
cut of the span's periods. `last_period` is the invoice of the last one, or the period's own id.
`void_invoice_id` is the invoice of the span's only period if it is void, else null.
`overlaps_itself` is true if two of its periods have an instant in common.
"""


CLOSED_CUTS = pl.Schema(
    {
        name: BILLING_PERIODS[name]
        for name in (
            "subscription_id",
            "customer_id",
            "late_usage_policy",
            "period_start_at",
            "period_end_at",
            "cut_at",
        )
    }
)
"""One row per closed period: all that decides whether an event comes too late for it."""


ZONE_SPANS = pl.Schema(
    {"time_zone": pl.String(), "from_at": UTC_MICROSECONDS, "to_at": UTC_MICROSECONDS}
)
"""Spans of time of time zones, any number per zone. Both instants are part of the span."""


LOCAL_DAYS = pl.Schema(
    {
        "time_zone": pl.String(),
        "day_number": pl.Int32(),
        "day_start_at": UTC_MICROSECONDS,
        "day_end_at": UTC_MICROSECONDS,
    }
)
"""One row per time zone and local day that has time; key (time_zone, day_number).

`day_number` counts the days from 1970-01-01 to the local date. A day is `[day_start_at,
day_end_at)`. It begins at the first instant at which the zone's clock shows its date or a later
one.
"""


MOVED_NAMES = pl.Schema(
    {
        "name": pl.String(),
        "metric_code": pl.String(),
        "moved_from_at": UTC_MICROSECONDS,
        "moved_to_at": UTC_MICROSECONDS,
        "cut_at": UTC_MICROSECONDS,
        "event_batch_id": pl.Int64(),
        "invoice_id": pl.String(),
        "closing_batch_id": pl.Int64(),
        "ended_batch_id": pl.Int64(),
        "is_moved": pl.Boolean(),
    }
)
"""One row per name, metric and closed period that counted the name's usage, of names that moved.

`is_moved` is false where the name still means the customer of the period. The first closing that
counted an event has it, until it ended by a void or a reissue; null: it stands. The usage happened
in `[moved_from_at, moved_to_at)`, was received before `cut_at`, in a batch up to `event_batch_id`.
"""


CUSTOMER_NAMES = pl.Schema(
    {
        "name": pl.String(),
        "customer_id": pl.String(),
        "valid_from_at": UTC_MICROSECONDS,
        "valid_to_at": UTC_MICROSECONDS,
    }
)
"""One row per name and validity `[valid_from_at, valid_to_at)`. A null bound is open."""
