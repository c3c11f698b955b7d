CREATE TABLE lake.lake_files (
    batch_id BIGINT,
    table_name VARCHAR,
    file_name VARCHAR,
    size_bytes BIGINT,
    sha256 VARCHAR
);
COMMENT ON TABLE lake.lake_files
    IS 'One row per Parquet file of the lake: its size and digest when it was committed.';
COMMENT ON COLUMN lake.lake_files.batch_id
    IS 'The transaction that wrote the row; `batch_id <= n` is the past.';
COMMENT ON COLUMN lake.lake_files.table_name
    IS 'Table that the file belongs to.';
COMMENT ON COLUMN lake.lake_files.file_name
    IS 'Name of the file; `batch-<id>-` says which batch it belongs to.';
COMMENT ON COLUMN lake.lake_files.size_bytes
    IS 'Bytes of the file.';
COMMENT ON COLUMN lake.lake_files.sha256
    IS 'SHA-256 (hex) of the file''s bytes.';

CREATE TABLE lake.held_names (
    batch_id BIGINT,
    file_id BIGINT,
    revision INTEGER,
    kind VARCHAR,
    name VARCHAR,
    lines BIGINT,
    first_occurred_at TIMESTAMPTZ,
    last_occurred_at TIMESTAMPTZ
);
COMMENT ON TABLE lake.held_names
    IS 'One row per held file, revision and name: who is named in the lines that wait.';
COMMENT ON COLUMN lake.held_names.batch_id
    IS 'The transaction that wrote the row; `batch_id <= n` is the past.';
COMMENT ON COLUMN lake.held_names.file_id
    IS 'The registry''s sequence number of the file version.';
COMMENT ON COLUMN lake.held_names.revision
    IS 'Of the decision that held the file.';
COMMENT ON COLUMN lake.held_names.kind
    IS '`customer` or `subscription`.';
COMMENT ON COLUMN lake.held_names.name
    IS 'The name as sent.';
COMMENT ON COLUMN lake.held_names.lines
    IS 'Lines with this name, rejected ones included.';
COMMENT ON COLUMN lake.held_names.first_occurred_at
    IS 'Earliest usage; null if a line''s instant is unknown.';
COMMENT ON COLUMN lake.held_names.last_occurred_at
    IS 'Latest usage; null if a line''s instant is unknown.';

COMMENT ON COLUMN lake.batches.kind
    IS '`decide` (events), `close` (invoices) or `fill` (closed book).';

CREATE TABLE lake.closed_periods (
    batch_id BIGINT,
    subscription_id VARCHAR,
    revision INTEGER,
    state VARCHAR,
    customer_id VARCHAR,
    plan_code VARCHAR,
    currency VARCHAR,
    time_zone VARCHAR,
    late_usage_policy VARCHAR,
    interval VARCHAR,
    interval_count INTEGER,
    anchor_label TIMESTAMP,
    phase_start_label TIMESTAMP,
    period_start_at TIMESTAMPTZ,
    period_end_at TIMESTAMPTZ,
    period_start_label TIMESTAMP,
    period_end_label TIMESTAMP,
    full_start_at TIMESTAMPTZ,
    full_end_at TIMESTAMPTZ,
    full_start_label TIMESTAMP,
    full_end_label TIMESTAMP,
    service_days INTEGER,
    full_days INTEGER,
    cut_at TIMESTAMPTZ,
    metric_codes VARCHAR,
    event_batch_id BIGINT,
    catalog_digest VARCHAR,
    definitions_digest VARCHAR,
    terms_digest VARCHAR,
    recipe INTEGER,
    invoice_id VARCHAR
);
COMMENT ON TABLE lake.closed_periods
    IS 'One row per billing period and revision, as it was closed; the newest revision counts. Nothing computes its bounds, cut, days or invoice again.';
COMMENT ON COLUMN lake.closed_periods.batch_id
    IS 'The transaction that wrote the row; `batch_id <= n` is the past.';
COMMENT ON COLUMN lake.closed_periods.subscription_id
    IS 'Subscription.';
COMMENT ON COLUMN lake.closed_periods.revision
    IS '0 when the period was first closed.';
COMMENT ON COLUMN lake.closed_periods.state
    IS '`closed`, or `reopened` by a person.';
COMMENT ON COLUMN lake.closed_periods.customer_id
    IS 'Customer billed.';
COMMENT ON COLUMN lake.closed_periods.plan_code
    IS 'Plan of the subscription.';
COMMENT ON COLUMN lake.closed_periods.currency
    IS 'ISO 4217 code.';
COMMENT ON COLUMN lake.closed_periods.time_zone
    IS 'IANA zone of the labels.';
COMMENT ON COLUMN lake.closed_periods.late_usage_policy
    IS '`reject` or `adjust`.';
COMMENT ON COLUMN lake.closed_periods.interval
    IS 'Unit of the rhythm.';
COMMENT ON COLUMN lake.closed_periods.interval_count
    IS 'Units per period.';
COMMENT ON COLUMN lake.closed_periods.anchor_label
    IS 'Local date and time that the rhythm is counted from.';
COMMENT ON COLUMN lake.closed_periods.phase_start_label
    IS 'Local start of the subscription on this plan.';
COMMENT ON COLUMN lake.closed_periods.period_start_at
    IS 'First instant (UTC).';
COMMENT ON COLUMN lake.closed_periods.period_end_at
    IS 'First instant after it (UTC).';
COMMENT ON COLUMN lake.closed_periods.period_start_label
    IS 'The same as local date and time; names the period.';
COMMENT ON COLUMN lake.closed_periods.period_end_label
    IS 'Local date and time of the end.';
COMMENT ON COLUMN lake.closed_periods.full_start_at
    IS 'Start of the whole rhythm around it (UTC).';
COMMENT ON COLUMN lake.closed_periods.full_end_at
    IS 'End of the whole rhythm around it (UTC).';
COMMENT ON COLUMN lake.closed_periods.full_start_label
    IS 'Local date and time of that start.';
COMMENT ON COLUMN lake.closed_periods.full_end_label
    IS 'Local date and time of that end.';
COMMENT ON COLUMN lake.closed_periods.service_days
    IS 'Local days of the period.';
COMMENT ON COLUMN lake.closed_periods.full_days
    IS 'Local days of the whole rhythm.';
COMMENT ON COLUMN lake.closed_periods.cut_at
    IS 'Received from here on is late (UTC).';
COMMENT ON COLUMN lake.closed_periods.metric_codes
    IS 'Metrics its plan charged, sorted, with a comma between.';
COMMENT ON COLUMN lake.closed_periods.event_batch_id
    IS 'Last batch of events it saw.';
COMMENT ON COLUMN lake.closed_periods.catalog_digest
    IS 'Catalog it was closed with; see `catalogs`.';
COMMENT ON COLUMN lake.closed_periods.definitions_digest
    IS 'Metric definitions it was counted by; null: not kept.';
COMMENT ON COLUMN lake.closed_periods.terms_digest
    IS 'Terms it was priced by; null: not kept, never rated again.';
COMMENT ON COLUMN lake.closed_periods.recipe
    IS 'Rules it was rated by; null: not kept.';
COMMENT ON COLUMN lake.closed_periods.invoice_id
    IS 'Invoice that came of it; null when none did.';
