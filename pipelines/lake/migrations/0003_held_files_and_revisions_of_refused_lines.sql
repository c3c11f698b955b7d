COMMENT ON TABLE lake.landing_files
    IS 'The registry: one row per file version (path, etag, size) ever taken in.';
ALTER TABLE lake.landing_files ADD COLUMN corrects_file_id BIGINT;
COMMENT ON COLUMN lake.landing_files.corrects_file_id
    IS 'The file version whose refused lines it corrects; null for any other.';

COMMENT ON TABLE lake.file_decisions
    IS 'One row per file version and revision: status and counts; lines = accepted + duplicate + conflict + rejected + blank + held.';
ALTER TABLE lake.file_decisions ADD COLUMN held BIGINT;
COMMENT ON COLUMN lake.file_decisions.held
    IS 'Well-formed lines of a held file, which wait undecided; null counts as 0.';

COMMENT ON TABLE lake.refused_events
    IS 'One row per line that is not accepted: duplicate, conflict or rejected, with the reason.';
ALTER TABLE lake.refused_events ADD COLUMN revision INTEGER;
COMMENT ON COLUMN lake.refused_events.revision
    IS 'Of the file''s decision that refused the line: only rows of the file''s latest revision count; null counts as 0.';
