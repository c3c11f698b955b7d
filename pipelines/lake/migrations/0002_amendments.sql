ALTER TABLE lake.accepted_events ADD COLUMN amendment VARCHAR;
COMMENT ON COLUMN lake.accepted_events.amendment
    IS '`void` (nothing else is read of it) or `amend`; else null.';
ALTER TABLE lake.accepted_events ADD COLUMN target_key VARCHAR;
COMMENT ON COLUMN lake.accepted_events.target_key
    IS 'Key of the event it amends, in the same scope; else null.';

ALTER TABLE lake.refused_events ADD COLUMN amendment VARCHAR;
COMMENT ON COLUMN lake.refused_events.amendment
    IS '`void` (nothing else is read of it) or `amend`; else null.';
ALTER TABLE lake.refused_events ADD COLUMN target_key VARCHAR;
COMMENT ON COLUMN lake.refused_events.target_key
    IS 'Key of the event it amends, in the same scope; else null.';
