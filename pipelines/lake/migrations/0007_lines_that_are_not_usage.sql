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
