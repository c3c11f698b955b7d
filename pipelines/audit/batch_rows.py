"""SQL that several invariants share: a batch's decisions and the lines they decide."""

DECIDED_AGAIN = """
    (SELECT file_id FROM lake.file_decisions WHERE batch_id = $batch_id AND revision > 0)
"""
"""The files that the batch decided again."""

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
"""Every line of the batch's files that has a verdict.

A replay writes the lines that are still refused again, and those accepted before it stay.
"""

DECISIONS = "(SELECT * FROM lake.file_decisions WHERE batch_id = $batch_id)"
"""The file decisions of the batch."""
