"""Amendments: each names the key of another event."""

from pipelines.audit.invariant import Invariant

INVARIANTS = (
    Invariant(
        "amendments_name_their_target",
        "accepted_events",
        "An amendment names the key of another event, which it voids or amends. Other events name "
        "no such key.",
        """
        SELECT file_id, line, amendment, target_key FROM lake.accepted_events
        WHERE batch_id = $batch_id AND NOT coalesce(
            CASE WHEN amendment IS NULL THEN target_key IS NULL
                ELSE amendment IN ('void', 'amend') AND target_key <> idempotency_key END,
            false
        )
        """,
        sentence=(
            "{path} line {line}: expected the key of another event as the target of an amendment, "
            "found amendment {amendment} with the target {target_key}"
        ),
    ),
)
