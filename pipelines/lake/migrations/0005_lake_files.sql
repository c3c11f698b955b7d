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
