"""Tables of the lake: every column once, with its type and its meaning.

Belongs here: column lists. Must not be put here: anything that computes, or the SQL that makes the
tables (see `lake.migrations`).

The total order of events is (`file_id`, `line`): `file_id` is the registry's sequence number, which
discovery assigns by (received_at, path), and `line` counts within a file.
"""

from dataclasses import dataclass

import polars as pl

UTC_MICROSECONDS = pl.Datetime("us", "UTC")
"""The one type of an instant."""

PROPERTIES = pl.Map(pl.String, pl.String)
"""Property name → exact source text of a string, number or boolean."""


@dataclass(frozen=True)
class Column:
    """One column of a lake table.

    Attributes:
        name: as in SQL and in frames.
        sql_type: type in the lake (DuckDB's name).
        dtype: type in a Polars frame.
        meaning: what a reader must know, unit and nullability included.
        since: number of the migration that made it, rows written before hold null; a later
            column stands behind an earlier one.
    """

    name: str
    sql_type: str
    dtype: pl.DataType
    meaning: str
    since: int = 1


@dataclass(frozen=True)
class LakeTable:
    """A table of the lake: append-only, and every row carries `batch_id`."""

    name: str
    meaning: str
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pl.Schema:
        """The Polars schema of a frame that holds rows of this table."""
        return pl.Schema({column.name: column.dtype for column in self.columns})

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in the order of the table."""
        return tuple(column.name for column in self.columns)


def _bigint(name: str, meaning: str) -> Column:
    return Column(name, "BIGINT", pl.Int64(), meaning)


def _text(name: str, meaning: str, since: int = 1) -> Column:
    return Column(name, "VARCHAR", pl.String(), meaning, since)


def _instant(name: str, meaning: str) -> Column:
    return Column(name, "TIMESTAMPTZ", UTC_MICROSECONDS, meaning)


def _bytes(name: str, meaning: str) -> Column:
    return Column(name, "BLOB", pl.Binary(), meaning)


_BATCH = _bigint("batch_id", "The transaction that wrote the row; `batch_id <= n` is the past.")
_FILE = _bigint("file_id", "The registry's sequence number of the file version.")
_POSITION = (
    _bigint("line", "Line, element or CSV record, from 1, blanks counted; Parquet row, from 0."),
    _bigint("byte_offset", "Its first byte in the decompressed file, from 0; null in Parquet."),
    _bigint("byte_length", "Its bytes without line end or comma; null in Parquet."),
)
_SOURCE = _text("source", "The sender: first folder below the landing.")
_SCOPE = _text("dedupe_scope", "Where keys are unique: the source, or a scope several share.")
_KEY = _text("idempotency_key", "What makes two events the same, compared byte for byte.")
_KEY_HASH = Column(
    "key_hash", "UBIGINT", pl.UInt64(), "XXH64 of scope and key; its top bits are the bucket."
)
_EVENT = (
    _text("customer_ref", "Customer id or alias as sent; null where only a subscription is named."),
    _text("subscription_ref", "Subscription as sent; null where the dialect has none."),
    _text("event_name", "Name of the event as sent."),
    _instant("occurred_at", "When the usage happened, by the sender (UTC)."),
)
_RECEIVED = _instant("received_at", "When the file version was received (UTC).")
_PROPERTIES = Column(
    "properties",
    "MAP(VARCHAR, VARCHAR)",
    PROPERTIES,
    "Property name → exact source text of a string, number or boolean.",
)
_DIGEST = _bytes("payload_digest", "Two XXH64 of the typed fields as sent.")
_AMENDMENT = (
    _text("amendment", "`void` (nothing else is read of it) or `amend`; else null.", since=2),
    _text("target_key", "Key of the event it amends, in the same scope; else null.", since=2),
)
_LINE_SHA256 = _bytes("line_sha256", "SHA-256 of the line's bytes; of a row, as JSON.")

BATCHES = LakeTable(
    "batches",
    "One row per lake transaction.",
    (
        _BATCH,
        _text("kind", "`decide` (events) or `close` (invoices)."),
        _instant("as_of", "The instant the run speaks for (UTC); never goes back."),
        _instant("listing_started_at", "When the listing of the landing began (UTC)."),
        _instant("committed_at", "When the transaction was written (UTC)."),
        _text("catalog_digest", "SHA-256 of the catalog used; see `catalogs`."),
        _text("code_revision", "SHA-256 of the code that decided."),
    ),
)

CATALOGS = LakeTable(
    "catalogs",
    "One row per file of each catalog ever used, so that an invoice can be computed again.",
    (
        _BATCH,
        _text("catalog_digest", "SHA-256 over the files' names and bytes."),
        _text("file_name", "Name of the CSV file."),
        _text("content", "Its text, byte for byte."),
    ),
)

LANDING_FILES = LakeTable(
    "landing_files",
    "The registry: one row per file version (path, etag, size) ever taken in.",
    (
        _BATCH,
        _FILE,
        _SOURCE,
        _text("path", "Path below the landing, with `/`."),
        _text("etag", "The store's tag of this content; for a folder, time and size."),
        _bigint("size_bytes", "Bytes as landed (compressed)."),
        _RECEIVED,
        Column(
            "corrects_file_id",
            "BIGINT",
            pl.Int64(),
            "The file version whose refused lines it corrects; null for any other.",
            since=3,
        ),
    ),
)

FILE_DECISIONS = LakeTable(
    "file_decisions",
    "One row per file version and revision: status and counts; "
    "lines = accepted + duplicate + conflict + rejected + blank + held.",
    (
        _BATCH,
        _FILE,
        Column("revision", "INTEGER", pl.Int32(), "0 for the first decision; the latest counts."),
        _text("status", "`decided`, `quarantined` or `held`."),
        _text("reason_code", "`unreadable_file` when quarantined; null otherwise."),
        _text("reason", "A sentence for a person; null when decided."),
        _bigint("raw_bytes", "Bytes once decompressed; null when quarantined."),
        _text("raw_sha256", "SHA-256 (hex) of the decompressed bytes; null when quarantined."),
        _bigint("lines", "Lines of the file; 0 when quarantined."),
        _bigint("accepted", "Lines accepted."),
        _bigint("duplicate", "Lines that repeat an accepted event."),
        _bigint("conflict", "Lines with an accepted key and another payload."),
        _bigint("rejected", "Lines rejected, with a reason each."),
        _bigint("blank", "Lines of white space, and a CSV file's header."),
        Column(
            "held",
            "BIGINT",
            pl.Int64(),
            "Well-formed lines of a held file, which wait undecided; null counts as 0.",
            since=3,
        ),
    ),
)

ACCEPTED_EVENTS = LakeTable(
    "accepted_events",
    "One row per accepted usage event; (file_id, line) is its place and its order.",
    (
        _BATCH,
        _FILE,
        *_POSITION,
        _SOURCE,
        _SCOPE,
        _KEY_HASH,
        _KEY,
        *_EVENT,
        _RECEIVED,
        _PROPERTIES,
        _DIGEST,
        *_AMENDMENT,
    ),
)

REFUSED_EVENTS = LakeTable(
    "refused_events",
    "One row per line that is not accepted: duplicate, conflict or rejected, with the reason.",
    (
        _BATCH,
        _FILE,
        *_POSITION,
        _LINE_SHA256,
        _SOURCE,
        _RECEIVED,
        _text("verdict", "`duplicate`, `conflict` or `rejected`."),
        _text("reason_code", "From the closed list when rejected; null otherwise."),
        _text("reason", "A sentence for a person."),
        _SCOPE,
        _KEY,
        *_EVENT,
        _PROPERTIES,
        _DIGEST,
        _bigint("winner_file_id", "File of the accepted event it repeats or contradicts."),
        _bigint("winner_line", "Line of that event."),
        *_AMENDMENT,
        Column(
            "revision",
            "INTEGER",
            pl.Int32(),
            "Of the file's decision that refused the line: only rows of the file's latest "
            "revision count; null counts as 0.",
            since=3,
        ),
    ),
)

INVOICES = LakeTable(
    "invoices",
    "One row per finalized invoice; immutable, numbered, hashed and chained.",
    (
        _BATCH,
        _text("invoice_id", "subscription / first local day of the period."),
        _text("series", "Series the number belongs to."),
        _bigint("series_number", "1..n within the series, gapless, in closing order."),
        _text("invoice_number", "Series and number as printed."),
        _text("kind", "`arrears`: usage of the period that has ended."),
        _text("subscription_id", "Subscription billed."),
        _text("customer_id", "Customer billed."),
        _text("plan_code", "Plan of the subscription."),
        _text("currency", "ISO 4217 code of every amount."),
        _instant("period_start_at", "First instant of the billing period (UTC)."),
        _instant("period_end_at", "First instant after the billing period (UTC)."),
        _instant("cut_at", "Period end plus grace: received from here on is late (UTC)."),
        _instant("as_of", "The instant of the run that finalized it (UTC)."),
        _bigint("event_batch_id", "Last batch of events it saw."),
        Column("total_amount", "DECIMAL(38,15)", pl.Decimal(38, 15), "Sum of its lines."),
        _bigint("line_count", "Number of lines."),
        _text("catalog_digest", "Catalog it was priced with."),
        _text("code_revision", "Code it was computed with."),
        _text("canonical_json", "The document in canonical JSON."),
        _text("document_sha256", "SHA-256 (hex) of the canonical JSON's UTF-8 bytes."),
        _text("previous_chain_sha256", "The chain before it; 64 zeros for the first."),
        _text("chain_sha256", "SHA-256 (hex) of previous chain and document digest."),
    ),
)

INVOICE_LINES = LakeTable(
    "invoice_lines",
    "One row per line of a finalized invoice: charge × group, rounded once.",
    (
        _BATCH,
        _text("invoice_id", "The invoice."),
        _text("line_id", "invoice / charge / group."),
        Column("line_number", "INTEGER", pl.Int32(), "Position on the invoice, from 1."),
        _text("charge_code", "Charge of the plan."),
        _text("metric_code", "Billable metric the charge prices."),
        _text("charge_model", "`standard` or `graduated`."),
        _text("group_key", "JSON object of the charge's grouping; `{}` when ungrouped."),
        Column("price_valid_from", "DATE", pl.Date(), "Price version in force at period start."),
        _bigint("event_count", "Events behind the quantity."),
        Column("quantity", "DECIMAL(38,18)", pl.Decimal(38, 18), "In the metric's unit."),
        Column("amount", "DECIMAL(38,15)", pl.Decimal(38, 15), "Rounded to the minor unit."),
        _text("tiers", "JSON array of tier details, decimals as text, unrounded."),
    ),
)

LAKE_TABLES = (
    BATCHES,
    CATALOGS,
    LANDING_FILES,
    FILE_DECISIONS,
    ACCEPTED_EVENTS,
    REFUSED_EVENTS,
    INVOICES,
    INVOICE_LINES,
)
"""Every table of the lake but `schema_version`."""
