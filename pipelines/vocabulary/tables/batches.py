"""Transactions of the lake, and the catalogs, definitions and terms they used."""

from pipelines.vocabulary.tables.columns import BATCH_ID, LakeTable, instant, text

BATCHES = LakeTable(
    "batches",
    "One row per lake transaction.",
    (
        BATCH_ID,
        text(
            "kind",
            "`decide` (events), `close` (invoices), `act` (of a person) or `fill` (closed book).",
        ),
        instant("as_of", "The instant the run speaks for (UTC); never goes back."),
        instant("listing_started_at", "When the listing of the landing began (UTC)."),
        instant("committed_at", "When the transaction was written (UTC)."),
        text("catalog_digest", "SHA-256 of the catalog used; see `catalogs`."),
        text("code_revision", "SHA-256 of the code that decided."),
    ),
)

CATALOGS = LakeTable(
    "catalogs",
    "One row per file of each catalog ever used, so that an invoice can be computed again.",
    (
        BATCH_ID,
        text("catalog_digest", "SHA-256 over the files' names and bytes."),
        text("file_name", "Name of the CSV file."),
        text("content", "Its text, byte for byte."),
    ),
)

DEFINITIONS = LakeTable(
    "definitions",
    "One row per set of metric definitions that periods were closed by.",
    (
        BATCH_ID,
        text("definitions_digest", "SHA-256 (hex) of the content's UTF-8 bytes."),
        text("content", "Metrics by code, and minor units by currency, in canonical JSON."),
    ),
)

TERMS = LakeTable(
    "terms",
    "One row per set of terms that periods were closed by: all that their paper bill needs.",
    (
        BATCH_ID,
        text("terms_digest", "SHA-256 (hex) of the canonical JSON's UTF-8 bytes."),
        text("canonical_json", "Customer, plan, charges and more of a period, in canonical JSON."),
    ),
)
