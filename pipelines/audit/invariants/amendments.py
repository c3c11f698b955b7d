"""Amendments: each names a key that is not its own."""

from pipelines.audit.invariant import Invariant

INVARIANTS = (
    Invariant(
        "amendments_name_their_target",
        "accepted_events",
        "An amendment voids or amends a key that is not its own; other events name none.",
        """
        SELECT file_id, line, amendment, target_key FROM lake.accepted_events
        WHERE batch_id = $batch_id AND NOT coalesce(
            CASE WHEN amendment IS NULL THEN target_key IS NULL
                ELSE amendment IN ('void', 'amend') AND target_key <> idempotency_key END,
            false
        )
        """,
        sentence=("{path} line {line}: amendment {amendment} with the target {target_key}"),
    ),
)
