"""The lake's digest: two homes that decided the same have the same one.

Belongs here: what counts as the same. It covers the registry, every verdict and every
invoice document; it leaves out batch numbers, the clock and the store's tags, so that neither
the split into batches, nor a killed run, nor moving the landing to another store changes it.

The digest of a set of rows is the sum of their MD5 halves: it needs no order and no memory.
It tells worlds apart by accident, not against an attacker; invoices are chained by SHA-256.
"""

import hashlib

from pipelines.lake.lake import Lake

_ROWS = {
    "landing_files": (
        "file_id, source, path, size_bytes, epoch_us(received_at)",
        "lake.landing_files",
    ),
    "file_decisions": (
        "file_id, revision, status, reason, raw_sha256, lines, accepted, duplicate, conflict, "
        "rejected, blank, coalesce(held, 0)",
        "lake.file_decisions",
    ),
    "accepted_events": (
        "file_id, line, byte_offset, byte_length, dedupe_scope, idempotency_key, customer_ref, "
        "subscription_ref, event_name, epoch_us(occurred_at), epoch_us(received_at), "
        "properties::VARCHAR, hex(payload_digest), amendment, target_key",
        "lake.accepted_events",
    ),
    "refused_events": (
        "file_id, line, byte_offset, byte_length, hex(line_sha256), verdict, reason_code, reason, "
        "idempotency_key, winner_file_id, winner_line, amendment, target_key, "
        "coalesce(revision, 0)",
        "lake.refused_events",
    ),
    "invoices": ("series_number, invoice_id, document_sha256, chain_sha256", "lake.invoices"),
}


def lake_digest(lake: Lake) -> str:
    """SHA-256 (hex) over the sums of each table's row digests."""
    parts = []
    for name, (columns, table) in _ROWS.items():
        found = lake.query(
            f"""
            SELECT count(*) AS n,
                coalesce(sum(md5_number_lower(row_text)::HUGEINT), 0)::VARCHAR AS low,
                coalesce(sum(md5_number_upper(row_text)::HUGEINT), 0)::VARCHAR AS high
            FROM (SELECT to_json(row({columns}))::VARCHAR AS row_text FROM {table})
            """
        ).row(0)
        parts.append(f"{name} {found}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
