"""File versions: what was taken in, and what was decided about each."""

from pipelines.vocabulary.tables.columns import (
    BATCH_ID,
    FILE_ID,
    RECEIVED_AT,
    SOURCE,
    LakeTable,
    bigint,
    instant,
    integer,
    text,
)

LANDING_FILES = LakeTable(
    "landing_files",
    "The registry: one row per file version (path, etag, size) ever taken in.",
    (
        BATCH_ID,
        FILE_ID,
        SOURCE,
        text("path", "Path below the landing, with `/`."),
        text("etag", "The store's tag of this content; for a folder, time and size."),
        bigint("size_bytes", "Bytes as landed (compressed)."),
        RECEIVED_AT,
        bigint(
            "corrects_file_id",
            "The file version whose refused lines it corrects; null for any other.",
        ),
    ),
)

FILE_DECISIONS = LakeTable(
    "file_decisions",
    "One row per file version and revision: status and counts; "
    "lines = accepted + duplicate + conflict + rejected + not_usage + blank + held.",
    (
        BATCH_ID,
        FILE_ID,
        integer("revision", "0 for the first decision; the latest counts."),
        text("status", "`decided`, `quarantined` or `held`."),
        text(
            "reason_code",
            "`unreadable_file` or `not_declared_format` when quarantined; null otherwise.",
        ),
        text("reason", "A sentence for a person; null when decided."),
        bigint("raw_bytes", "Bytes once decompressed; null when quarantined."),
        text("raw_sha256", "SHA-256 (hex) of the decompressed bytes; null when quarantined."),
        bigint(
            "lines",
            "Lines of the file, or events where a line holds several; 0 when quarantined.",
        ),
        bigint("accepted", "Lines accepted."),
        bigint("duplicate", "Lines that repeat an accepted event."),
        bigint("conflict", "Lines with an accepted key and another payload."),
        bigint("rejected", "Lines rejected, with a reason each."),
        bigint(
            "blank",
            "Lines of white space, a CSV file's header, and an object's lines after its first.",
        ),
        bigint(
            "held",
            "Well-formed lines of a held file, which wait undecided; null counts as 0.",
        ),
        bigint(
            "not_usage",
            "Lines of a kind that its source calls no usage; null counts as 0.",
        ),
    ),
)

HELD_NAMES = LakeTable(
    "held_names",
    "One row per held file, revision and name: who is named in the lines that wait.",
    (
        BATCH_ID,
        FILE_ID,
        integer("revision", "Of the decision that held the file."),
        text("kind", "`customer` or `subscription`."),
        text("name", "The name as sent."),
        bigint("lines", "Lines with this name, rejected ones included."),
        instant("first_occurred_at", "Earliest usage; null if a line's instant is unknown."),
        instant("last_occurred_at", "Latest usage; null if a line's instant is unknown."),
    ),
)
