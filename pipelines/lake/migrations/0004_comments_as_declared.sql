-- Comments were reworded in the code while each lake kept those of the day it was made.
-- From here on a changed comment is a migration, so that every lake says what the code declares.

COMMENT ON TABLE lake.schema_version
    IS 'One row per migration applied to this lake.';
COMMENT ON COLUMN lake.schema_version.version
    IS 'Number of the migration, from 1.';
COMMENT ON COLUMN lake.schema_version.name
    IS 'What the migration did.';
COMMENT ON COLUMN lake.schema_version.applied_at
    IS 'When it was applied (UTC).';

COMMENT ON TABLE lake.file_decisions
    IS 'One row per file version and revision: status and counts; lines = accepted + duplicate + conflict + rejected + blank + held.';
COMMENT ON COLUMN lake.file_decisions.reason_code
    IS '`unreadable_file` when quarantined; null otherwise.';
COMMENT ON COLUMN lake.file_decisions.blank
    IS 'Lines of white space, and a CSV file''s header.';

COMMENT ON COLUMN lake.accepted_events.line
    IS 'Line, element or CSV record, from 1, blanks counted; Parquet row, from 0.';
COMMENT ON COLUMN lake.accepted_events.byte_offset
    IS 'Its first byte in the decompressed file, from 0; null in Parquet.';
COMMENT ON COLUMN lake.accepted_events.byte_length
    IS 'Its bytes without line end or comma; null in Parquet.';
COMMENT ON COLUMN lake.accepted_events.key_hash
    IS 'XXH64 of scope and key; its top bits are the bucket.';
COMMENT ON COLUMN lake.accepted_events.customer_ref
    IS 'Customer id or alias as sent; null where only a subscription is named.';
COMMENT ON COLUMN lake.accepted_events.payload_digest
    IS 'Two XXH64 of the typed fields as sent.';

COMMENT ON COLUMN lake.refused_events.line
    IS 'Line, element or CSV record, from 1, blanks counted; Parquet row, from 0.';
COMMENT ON COLUMN lake.refused_events.byte_offset
    IS 'Its first byte in the decompressed file, from 0; null in Parquet.';
COMMENT ON COLUMN lake.refused_events.byte_length
    IS 'Its bytes without line end or comma; null in Parquet.';
COMMENT ON COLUMN lake.refused_events.line_sha256
    IS 'SHA-256 of the line''s bytes; of a row, as JSON.';
COMMENT ON COLUMN lake.refused_events.customer_ref
    IS 'Customer id or alias as sent; null where only a subscription is named.';
COMMENT ON COLUMN lake.refused_events.payload_digest
    IS 'Two XXH64 of the typed fields as sent.';

COMMENT ON COLUMN lake.invoices.kind
    IS '`arrears`: usage of the period that has ended.';
