"""Usage events: those accepted, and the lines that were refused.

Order: the rows of each Parquet file are sorted by (name, event_name, occurred_at, file_id, line).
The name is `customer_ref`, else `subscription_ref`, else the empty text. Texts are compared by
their bytes, and null comes first. A large batch has several files, and each is sorted alone.
"""

import polars as pl

from pipelines.vocabulary.tables.columns import (
    BATCH_ID,
    FILE_ID,
    PROPERTIES,
    RECEIVED_AT,
    SOURCE,
    Column,
    LakeTable,
    bigint,
    blob,
    instant,
    integer,
    text,
)

_POSITION = (
    bigint("line", "Line, element or CSV record, from 1, blanks counted; Parquet row, from 0."),
    bigint("byte_offset", "Its first byte in the decompressed file, from 0; null in Parquet."),
    bigint("byte_length", "Its bytes without line end or comma; null in Parquet."),
)
_SCOPE = text("dedupe_scope", "Where keys are unique: the source, or a scope several share.")
_KEY = text("idempotency_key", "What makes two events the same, compared byte for byte.")
_EVENT = (
    text("customer_ref", "Customer id or alias as sent; null where only a subscription is named."),
    text("subscription_ref", "Subscription as sent; null where the dialect has none."),
    text("event_name", "Name of the event as sent."),
    instant("occurred_at", "When the usage happened, by the sender (UTC)."),
)
_PROPERTIES = Column(
    "properties",
    "MAP(VARCHAR, VARCHAR)",
    PROPERTIES,
    "Property name → exact source text of a string, number or boolean; JSON text of the rest.",
)
_DIGEST = blob("payload_digest", "Two XXH64 of the typed fields as sent.")
_AMENDMENT = (
    text("amendment", "`void` (nothing else is read of it) or `amend`; else null."),
    text("target_key", "Key of the event it amends, in the same scope; else null."),
)

ACCEPTED_EVENTS = LakeTable(
    "accepted_events",
    "One row per accepted usage event; (file_id, line) is its place and its order.",
    (
        BATCH_ID,
        FILE_ID,
        *_POSITION,
        SOURCE,
        _SCOPE,
        Column(
            "key_hash",
            "UBIGINT",
            pl.UInt64(),
            "XXH64 of scope and key; its top bits are the bucket.",
        ),
        _KEY,
        *_EVENT,
        RECEIVED_AT,
        _PROPERTIES,
        _DIGEST,
        *_AMENDMENT,
    ),
)

REFUSED_EVENTS = LakeTable(
    "refused_events",
    "One row per line that is not accepted: its verdict and the reason.",
    (
        BATCH_ID,
        FILE_ID,
        *_POSITION,
        blob("line_sha256", "SHA-256 of the line's bytes; of a row, as JSON."),
        SOURCE,
        RECEIVED_AT,
        text("verdict", "`duplicate`, `conflict`, `rejected` or `not_usage`."),
        text("reason_code", "From the closed list when rejected; null otherwise."),
        text("reason", "A sentence for a person."),
        _SCOPE,
        _KEY,
        *_EVENT,
        _PROPERTIES,
        _DIGEST,
        bigint("winner_file_id", "File of the accepted event it repeats or contradicts."),
        bigint("winner_line", "Line of that event."),
        *_AMENDMENT,
        integer(
            "revision",
            "Of the file's decision that refused the line: only rows of the file's latest "
            "revision count; null counts as 0.",
        ),
    ),
)
