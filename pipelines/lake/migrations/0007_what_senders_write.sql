-- Files of no declared format are quarantined under a reason of their own, and a line of a file may
-- hold several events.

COMMENT ON COLUMN lake.file_decisions.reason_code
    IS '`unreadable_file` or `not_declared_format` when quarantined; null otherwise.';
COMMENT ON COLUMN lake.file_decisions.lines
    IS 'Lines of the file, or events where a line holds several; 0 when quarantined.';
