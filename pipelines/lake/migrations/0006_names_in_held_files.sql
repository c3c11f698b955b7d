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
