CREATE TABLE lake.definitions (
    batch_id BIGINT,
    definitions_digest VARCHAR,
    content VARCHAR
);
COMMENT ON TABLE lake.definitions
    IS 'One row per set of metric definitions that periods were closed by.';
COMMENT ON COLUMN lake.definitions.batch_id
    IS 'The transaction that wrote the row; `batch_id <= n` is the past.';
COMMENT ON COLUMN lake.definitions.definitions_digest
    IS 'SHA-256 (hex) of the content''s UTF-8 bytes.';
COMMENT ON COLUMN lake.definitions.content
    IS 'Metrics by code, and minor units by currency, in canonical JSON.';

COMMENT ON COLUMN lake.closed_periods.definitions_digest
    IS 'What it was counted by; see `definitions`; null: not kept.';
ALTER TABLE lake.closed_periods ADD COLUMN phase_index INTEGER;
COMMENT ON COLUMN lake.closed_periods.phase_index
    IS 'Which of its plans it was on, from 0; null: not kept.';
ALTER TABLE lake.closed_periods ADD COLUMN is_trial BOOLEAN;
COMMENT ON COLUMN lake.closed_periods.is_trial
    IS 'True if it ended within the trial; null: not kept.';

-- An object may stand on several lines, of which the first counts.

COMMENT ON COLUMN lake.file_decisions.blank
    IS 'Lines of white space, a CSV file''s header, and an object''s lines after its first.';
