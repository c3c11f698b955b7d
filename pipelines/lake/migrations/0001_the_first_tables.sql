CREATE TABLE lake.schema_version (
    version INTEGER,
    name VARCHAR,
    applied_at TIMESTAMPTZ
);
COMMENT ON TABLE lake.schema_version
    IS 'One row per migration applied to this lake.';
COMMENT ON COLUMN lake.schema_version.version
    IS 'Number of the migration, from 1.';
COMMENT ON COLUMN lake.schema_version.name
    IS 'What the migration did.';
COMMENT ON COLUMN lake.schema_version.applied_at
    IS 'When it was applied (UTC).';

CREATE TABLE lake.batches (
    batch_id BIGINT,
    kind VARCHAR,
    as_of TIMESTAMPTZ,
    listing_started_at TIMESTAMPTZ,
    committed_at TIMESTAMPTZ,
    catalog_digest VARCHAR,
    code_revision VARCHAR
);
COMMENT ON TABLE lake.batches
    IS 'One row per lake transaction.';
COMMENT ON COLUMN lake.batches.batch_id
    IS 'The transaction that wrote the row; `batch_id <= n` is the past.';
COMMENT ON COLUMN lake.batches.kind
    IS '`decide` (events) or `close` (invoices).';
COMMENT ON COLUMN lake.batches.as_of
    IS 'The instant the run speaks for (UTC); never goes back.';
COMMENT ON COLUMN lake.batches.listing_started_at
    IS 'When the listing of the landing began (UTC).';
COMMENT ON COLUMN lake.batches.committed_at
    IS 'When the transaction was written (UTC).';
COMMENT ON COLUMN lake.batches.catalog_digest
    IS 'SHA-256 of the catalog used; see `catalogs`.';
COMMENT ON COLUMN lake.batches.code_revision
    IS 'SHA-256 of the code that decided.';

CREATE TABLE lake.catalogs (
    batch_id BIGINT,
    catalog_digest VARCHAR,
    file_name VARCHAR,
    content VARCHAR
);
COMMENT ON TABLE lake.catalogs
    IS 'One row per file of each catalog ever used, so that an invoice can be computed again.';
COMMENT ON COLUMN lake.catalogs.batch_id
    IS 'The transaction that wrote the row; `batch_id <= n` is the past.';
COMMENT ON COLUMN lake.catalogs.catalog_digest
    IS 'SHA-256 over the files'' names and bytes.';
COMMENT ON COLUMN lake.catalogs.file_name
    IS 'Name of the CSV file.';
COMMENT ON COLUMN lake.catalogs.content
    IS 'Its text, byte for byte.';

CREATE TABLE lake.landing_files (
    batch_id BIGINT,
    file_id BIGINT,
    source VARCHAR,
    path VARCHAR,
    etag VARCHAR,
    size_bytes BIGINT,
    received_at TIMESTAMPTZ
);
COMMENT ON TABLE lake.landing_files
    IS 'The registry: one row per file version (path, etag, size) ever taken in.';
COMMENT ON COLUMN lake.landing_files.batch_id
    IS 'The transaction that wrote the row; `batch_id <= n` is the past.';
COMMENT ON COLUMN lake.landing_files.file_id
    IS 'The registry''s sequence number of the file version.';
COMMENT ON COLUMN lake.landing_files.source
    IS 'The sender: first folder below the landing.';
COMMENT ON COLUMN lake.landing_files.path
    IS 'Path below the landing, with `/`.';
COMMENT ON COLUMN lake.landing_files.etag
    IS 'The store''s tag of this content; for a folder, time and size.';
COMMENT ON COLUMN lake.landing_files.size_bytes
    IS 'Bytes as landed (compressed).';
COMMENT ON COLUMN lake.landing_files.received_at
    IS 'When the file version was received (UTC).';

CREATE TABLE lake.file_decisions (
    batch_id BIGINT,
    file_id BIGINT,
    revision INTEGER,
    status VARCHAR,
    reason_code VARCHAR,
    reason VARCHAR,
    raw_bytes BIGINT,
    raw_sha256 VARCHAR,
    lines BIGINT,
    accepted BIGINT,
    duplicate BIGINT,
    conflict BIGINT,
    rejected BIGINT,
    blank BIGINT
);
COMMENT ON TABLE lake.file_decisions
    IS 'One row per file version and revision: status and counts; lines = accepted + duplicate + conflict + rejected + blank.';
COMMENT ON COLUMN lake.file_decisions.batch_id
    IS 'The transaction that wrote the row; `batch_id <= n` is the past.';
COMMENT ON COLUMN lake.file_decisions.file_id
    IS 'The registry''s sequence number of the file version.';
COMMENT ON COLUMN lake.file_decisions.revision
    IS '0 for the first decision; the latest counts.';
COMMENT ON COLUMN lake.file_decisions.status
    IS '`decided`, `quarantined` or `held`.';
COMMENT ON COLUMN lake.file_decisions.reason_code
    IS '`unreadable_file` when quarantined; null when decided.';
COMMENT ON COLUMN lake.file_decisions.reason
    IS 'A sentence for a person; null when decided.';
COMMENT ON COLUMN lake.file_decisions.raw_bytes
    IS 'Bytes once decompressed; null when quarantined.';
COMMENT ON COLUMN lake.file_decisions.raw_sha256
    IS 'SHA-256 (hex) of the decompressed bytes; null when quarantined.';
COMMENT ON COLUMN lake.file_decisions.lines
    IS 'Lines of the file; 0 when quarantined.';
COMMENT ON COLUMN lake.file_decisions.accepted
    IS 'Lines accepted.';
COMMENT ON COLUMN lake.file_decisions.duplicate
    IS 'Lines that repeat an accepted event.';
COMMENT ON COLUMN lake.file_decisions.conflict
    IS 'Lines with an accepted key and another payload.';
COMMENT ON COLUMN lake.file_decisions.rejected
    IS 'Lines rejected, with a reason each.';
COMMENT ON COLUMN lake.file_decisions.blank
    IS 'Lines of white space, and a CSV file''s header.';

CREATE TABLE lake.accepted_events (
    batch_id BIGINT,
    file_id BIGINT,
    line BIGINT,
    byte_offset BIGINT,
    byte_length BIGINT,
    source VARCHAR,
    dedupe_scope VARCHAR,
    key_hash UBIGINT,
    idempotency_key VARCHAR,
    customer_ref VARCHAR,
    subscription_ref VARCHAR,
    event_name VARCHAR,
    occurred_at TIMESTAMPTZ,
    received_at TIMESTAMPTZ,
    properties MAP(VARCHAR, VARCHAR),
    payload_digest BLOB
);
COMMENT ON TABLE lake.accepted_events
    IS 'One row per accepted usage event; (file_id, line) is its place and its order.';
COMMENT ON COLUMN lake.accepted_events.batch_id
    IS 'The transaction that wrote the row; `batch_id <= n` is the past.';
COMMENT ON COLUMN lake.accepted_events.file_id
    IS 'The registry''s sequence number of the file version.';
COMMENT ON COLUMN lake.accepted_events.line
    IS 'Line, element or CSV record, from 1, blanks counted; Parquet row, from 0.';
COMMENT ON COLUMN lake.accepted_events.byte_offset
    IS 'Its first byte in the decompressed file, from 0; null in Parquet.';
COMMENT ON COLUMN lake.accepted_events.byte_length
    IS 'Its bytes without line end or comma; null in Parquet.';
COMMENT ON COLUMN lake.accepted_events.source
    IS 'The sender: first folder below the landing.';
COMMENT ON COLUMN lake.accepted_events.dedupe_scope
    IS 'Where keys are unique: the source, or a scope several share.';
COMMENT ON COLUMN lake.accepted_events.key_hash
    IS 'XXH64 of scope and key; its top bits are the bucket.';
COMMENT ON COLUMN lake.accepted_events.idempotency_key
    IS 'What makes two events the same, compared byte for byte.';
COMMENT ON COLUMN lake.accepted_events.customer_ref
    IS 'Customer id or alias as sent; null where only a subscription is named.';
COMMENT ON COLUMN lake.accepted_events.subscription_ref
    IS 'Subscription as sent; null where the dialect has none.';
COMMENT ON COLUMN lake.accepted_events.event_name
    IS 'Name of the event as sent.';
COMMENT ON COLUMN lake.accepted_events.occurred_at
    IS 'When the usage happened, by the sender (UTC).';
COMMENT ON COLUMN lake.accepted_events.received_at
    IS 'When the file version was received (UTC).';
COMMENT ON COLUMN lake.accepted_events.properties
    IS 'Property name → exact source text of a string, number or boolean.';
COMMENT ON COLUMN lake.accepted_events.payload_digest
    IS 'Two XXH64 of the typed fields as sent.';

CREATE TABLE lake.refused_events (
    batch_id BIGINT,
    file_id BIGINT,
    line BIGINT,
    byte_offset BIGINT,
    byte_length BIGINT,
    line_sha256 BLOB,
    source VARCHAR,
    received_at TIMESTAMPTZ,
    verdict VARCHAR,
    reason_code VARCHAR,
    reason VARCHAR,
    dedupe_scope VARCHAR,
    idempotency_key VARCHAR,
    customer_ref VARCHAR,
    subscription_ref VARCHAR,
    event_name VARCHAR,
    occurred_at TIMESTAMPTZ,
    properties MAP(VARCHAR, VARCHAR),
    payload_digest BLOB,
    winner_file_id BIGINT,
    winner_line BIGINT
);
COMMENT ON TABLE lake.refused_events
    IS 'One row per line that is not accepted: duplicate, conflict or rejected, with the reason.';
COMMENT ON COLUMN lake.refused_events.batch_id
    IS 'The transaction that wrote the row; `batch_id <= n` is the past.';
COMMENT ON COLUMN lake.refused_events.file_id
    IS 'The registry''s sequence number of the file version.';
COMMENT ON COLUMN lake.refused_events.line
    IS 'Line, element or CSV record, from 1, blanks counted; Parquet row, from 0.';
COMMENT ON COLUMN lake.refused_events.byte_offset
    IS 'Its first byte in the decompressed file, from 0; null in Parquet.';
COMMENT ON COLUMN lake.refused_events.byte_length
    IS 'Its bytes without line end or comma; null in Parquet.';
COMMENT ON COLUMN lake.refused_events.line_sha256
    IS 'SHA-256 of the line''s bytes; of a row, as JSON.';
COMMENT ON COLUMN lake.refused_events.source
    IS 'The sender: first folder below the landing.';
COMMENT ON COLUMN lake.refused_events.received_at
    IS 'When the file version was received (UTC).';
COMMENT ON COLUMN lake.refused_events.verdict
    IS '`duplicate`, `conflict` or `rejected`.';
COMMENT ON COLUMN lake.refused_events.reason_code
    IS 'From the closed list when rejected; null otherwise.';
COMMENT ON COLUMN lake.refused_events.reason
    IS 'A sentence for a person.';
COMMENT ON COLUMN lake.refused_events.dedupe_scope
    IS 'Where keys are unique: the source, or a scope several share.';
COMMENT ON COLUMN lake.refused_events.idempotency_key
    IS 'What makes two events the same, compared byte for byte.';
COMMENT ON COLUMN lake.refused_events.customer_ref
    IS 'Customer id or alias as sent; null where only a subscription is named.';
COMMENT ON COLUMN lake.refused_events.subscription_ref
    IS 'Subscription as sent; null where the dialect has none.';
COMMENT ON COLUMN lake.refused_events.event_name
    IS 'Name of the event as sent.';
COMMENT ON COLUMN lake.refused_events.occurred_at
    IS 'When the usage happened, by the sender (UTC).';
COMMENT ON COLUMN lake.refused_events.properties
    IS 'Property name → exact source text of a string, number or boolean.';
COMMENT ON COLUMN lake.refused_events.payload_digest
    IS 'Two XXH64 of the typed fields as sent.';
COMMENT ON COLUMN lake.refused_events.winner_file_id
    IS 'File of the accepted event it repeats or contradicts.';
COMMENT ON COLUMN lake.refused_events.winner_line
    IS 'Line of that event.';

CREATE TABLE lake.invoices (
    batch_id BIGINT,
    invoice_id VARCHAR,
    series VARCHAR,
    series_number BIGINT,
    invoice_number VARCHAR,
    kind VARCHAR,
    subscription_id VARCHAR,
    customer_id VARCHAR,
    plan_code VARCHAR,
    currency VARCHAR,
    period_start_at TIMESTAMPTZ,
    period_end_at TIMESTAMPTZ,
    cut_at TIMESTAMPTZ,
    as_of TIMESTAMPTZ,
    event_batch_id BIGINT,
    total_amount DECIMAL(38,15),
    line_count BIGINT,
    catalog_digest VARCHAR,
    code_revision VARCHAR,
    canonical_json VARCHAR,
    document_sha256 VARCHAR,
    previous_chain_sha256 VARCHAR,
    chain_sha256 VARCHAR
);
COMMENT ON TABLE lake.invoices
    IS 'One row per finalized invoice; immutable, numbered, hashed and chained.';
COMMENT ON COLUMN lake.invoices.batch_id
    IS 'The transaction that wrote the row; `batch_id <= n` is the past.';
COMMENT ON COLUMN lake.invoices.invoice_id
    IS 'subscription / first local day of the period.';
COMMENT ON COLUMN lake.invoices.series
    IS 'Series the number belongs to.';
COMMENT ON COLUMN lake.invoices.series_number
    IS '1..n within the series, gapless, in closing order.';
COMMENT ON COLUMN lake.invoices.invoice_number
    IS 'Series and number as printed.';
COMMENT ON COLUMN lake.invoices.kind
    IS '`arrears`: usage of the period that has ended.';
COMMENT ON COLUMN lake.invoices.subscription_id
    IS 'Subscription billed.';
COMMENT ON COLUMN lake.invoices.customer_id
    IS 'Customer billed.';
COMMENT ON COLUMN lake.invoices.plan_code
    IS 'Plan of the subscription.';
COMMENT ON COLUMN lake.invoices.currency
    IS 'ISO 4217 code of every amount.';
COMMENT ON COLUMN lake.invoices.period_start_at
    IS 'First instant of the billing period (UTC).';
COMMENT ON COLUMN lake.invoices.period_end_at
    IS 'First instant after the billing period (UTC).';
COMMENT ON COLUMN lake.invoices.cut_at
    IS 'Period end plus grace: received from here on is late (UTC).';
COMMENT ON COLUMN lake.invoices.as_of
    IS 'The instant of the run that finalized it (UTC).';
COMMENT ON COLUMN lake.invoices.event_batch_id
    IS 'Last batch of events it saw.';
COMMENT ON COLUMN lake.invoices.total_amount
    IS 'Sum of its lines.';
COMMENT ON COLUMN lake.invoices.line_count
    IS 'Number of lines.';
COMMENT ON COLUMN lake.invoices.catalog_digest
    IS 'Catalog it was priced with.';
COMMENT ON COLUMN lake.invoices.code_revision
    IS 'Code it was computed with.';
COMMENT ON COLUMN lake.invoices.canonical_json
    IS 'The document in canonical JSON.';
COMMENT ON COLUMN lake.invoices.document_sha256
    IS 'SHA-256 (hex) of the canonical JSON''s UTF-8 bytes.';
COMMENT ON COLUMN lake.invoices.previous_chain_sha256
    IS 'The chain before it; 64 zeros for the first.';
COMMENT ON COLUMN lake.invoices.chain_sha256
    IS 'SHA-256 (hex) of previous chain and document digest.';

CREATE TABLE lake.invoice_lines (
    batch_id BIGINT,
    invoice_id VARCHAR,
    line_id VARCHAR,
    line_number INTEGER,
    charge_code VARCHAR,
    metric_code VARCHAR,
    charge_model VARCHAR,
    group_key VARCHAR,
    price_valid_from DATE,
    event_count BIGINT,
    quantity DECIMAL(38,18),
    amount DECIMAL(38,15),
    tiers VARCHAR
);
COMMENT ON TABLE lake.invoice_lines
    IS 'One row per line of a finalized invoice: charge × group, rounded once.';
COMMENT ON COLUMN lake.invoice_lines.batch_id
    IS 'The transaction that wrote the row; `batch_id <= n` is the past.';
COMMENT ON COLUMN lake.invoice_lines.invoice_id
    IS 'The invoice.';
COMMENT ON COLUMN lake.invoice_lines.line_id
    IS 'invoice / charge / group.';
COMMENT ON COLUMN lake.invoice_lines.line_number
    IS 'Position on the invoice, from 1.';
COMMENT ON COLUMN lake.invoice_lines.charge_code
    IS 'Charge of the plan.';
COMMENT ON COLUMN lake.invoice_lines.metric_code
    IS 'Billable metric the charge prices.';
COMMENT ON COLUMN lake.invoice_lines.charge_model
    IS '`standard` or `graduated`.';
COMMENT ON COLUMN lake.invoice_lines.group_key
    IS 'JSON object of the charge''s grouping; `{}` when ungrouped.';
COMMENT ON COLUMN lake.invoice_lines.price_valid_from
    IS 'Price version in force at period start.';
COMMENT ON COLUMN lake.invoice_lines.event_count
    IS 'Events behind the quantity.';
COMMENT ON COLUMN lake.invoice_lines.quantity
    IS 'In the metric''s unit.';
COMMENT ON COLUMN lake.invoice_lines.amount
    IS 'Rounded to the minor unit.';
COMMENT ON COLUMN lake.invoice_lines.tiers
    IS 'JSON array of tier details, decimals as text, unrounded.';
