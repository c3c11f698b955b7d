"""Batch rows: SQL that several invariants share, for a batch's decisions and decided lines."""

DECIDED_AGAIN = """
    (SELECT file_id FROM lake.file_decisions WHERE batch_id = $batch_id AND revision > 0)
"""
"""The ids of the files that the batch decided again."""

DECIDED_LINES = f"""
    (SELECT file_id, line, byte_offset, byte_length, 'accepted' AS verdict
     FROM lake.accepted_events WHERE batch_id = $batch_id
     UNION ALL
     SELECT file_id, line, byte_offset, byte_length, 'accepted' AS verdict
     FROM lake.accepted_events WHERE batch_id < $batch_id AND file_id IN {DECIDED_AGAIN}
     UNION ALL
     SELECT file_id, line, byte_offset, byte_length, verdict
     FROM lake.refused_events WHERE batch_id = $batch_id)
"""
"""One row per line with a verdict, of the files that the batch decided.

For a replayed file these are the lines accepted earlier and every line that the replay wrote.
"""

DECISIONS = "(SELECT * FROM lake.file_decisions WHERE batch_id = $batch_id)"
"""The file decisions of the batch, one row per file."""
