CREATE TABLE lake.acts (
    batch_id BIGINT,
    act_number BIGINT,
    kind VARCHAR,
    subscription_id VARCHAR,
    invoice_id VARCHAR,
    file_id BIGINT,
    asked_by VARCHAR,
    reason VARCHAR,
    as_of TIMESTAMPTZ,
    chain_position BIGINT,
    canonical_json VARCHAR,
    document_sha256 VARCHAR,
    previous_chain_sha256 VARCHAR,
    chain_sha256 VARCHAR
);
COMMENT ON TABLE lake.acts
    IS 'One row per act about the books: what a person asked for, and what followed from it.';
COMMENT ON COLUMN lake.acts.batch_id
    IS 'The transaction that wrote the row; `batch_id <= n` is the past.';
COMMENT ON COLUMN lake.acts.act_number
    IS '1..n in the order of the acts, gapless.';
COMMENT ON COLUMN lake.acts.kind
    IS '`void`, `accept`, `waive`, `waiver_used`, `hold` or `release`.';
COMMENT ON COLUMN lake.acts.subscription_id
    IS 'Subscription concerned; null for a file.';
COMMENT ON COLUMN lake.acts.invoice_id
    IS 'Invoice or draft concerned; null for a subscription or a file.';
COMMENT ON COLUMN lake.acts.file_id
    IS 'File version concerned; null otherwise.';
COMMENT ON COLUMN lake.acts.asked_by
    IS 'Name of who asked for it, as given; null for what a run did by itself.';
COMMENT ON COLUMN lake.acts.reason
    IS 'Why, in the words of who asked.';
COMMENT ON COLUMN lake.acts.as_of
    IS 'The instant the act speaks for (UTC).';
COMMENT ON COLUMN lake.acts.chain_position
    IS 'Of a void: its place in the chain of invoices and voids.';
COMMENT ON COLUMN lake.acts.canonical_json
    IS 'Of a void: its document in canonical JSON.';
COMMENT ON COLUMN lake.acts.document_sha256
    IS 'Of a void: SHA-256 (hex) of the canonical JSON''s UTF-8 bytes.';
COMMENT ON COLUMN lake.acts.previous_chain_sha256
    IS 'Of a void: the link before it.';
COMMENT ON COLUMN lake.acts.chain_sha256
    IS 'Of a void: SHA-256 (hex) of previous link and document digest.';

ALTER TABLE lake.invoices ADD COLUMN chain_position BIGINT;
COMMENT ON COLUMN lake.invoices.chain_position
    IS '1..n in the chain of invoices and voids, gapless; null: the series_number.';

COMMENT ON COLUMN lake.batches.kind
    IS '`decide` (events), `close` (invoices), `act` (of a person) or `fill` (closed book).';

ALTER TABLE lake.file_decisions ADD COLUMN not_usage BIGINT;
COMMENT ON TABLE lake.file_decisions
    IS 'One row per file version and revision: status and counts; lines = accepted + duplicate + conflict + rejected + not_usage + blank + held.';
COMMENT ON COLUMN lake.file_decisions.not_usage
    IS 'Lines of a kind that its source calls no usage; null counts as 0.';
COMMENT ON TABLE lake.refused_events
    IS 'One row per line that is not accepted: its verdict and the reason.';
COMMENT ON COLUMN lake.refused_events.verdict
    IS '`duplicate`, `conflict`, `rejected` or `not_usage`.';
COMMENT ON COLUMN lake.accepted_events.properties
    IS 'Property name → exact source text of a string, number or boolean; JSON text of the rest.';
COMMENT ON COLUMN lake.refused_events.properties
    IS 'Property name → exact source text of a string, number or boolean; JSON text of the rest.';

-- Files of no declared format are quarantined under a reason of their own, and a line of a file may
-- hold several events.

COMMENT ON COLUMN lake.file_decisions.reason_code
    IS '`unreadable_file` or `not_declared_format` when quarantined; null otherwise.';
COMMENT ON COLUMN lake.file_decisions.lines
    IS 'Lines of the file, or events where a line holds several; 0 when quarantined.';
