"""Keys: an event is accepted once within the window, and a copy names the event it repeats."""

from pipelines.audit.invariant import Invariant

_IS_LOOKED_UP = """
    coalesce(sources.late_lookup AND epoch_us({event}.received_at) - epoch_us({event}.occurred_at)
        >= sources.lateness_us, false)
"""
"""True if an event is late and its source looks late events up among all keys."""

INVARIANTS = (
    Invariant(
        "keys_are_accepted_once_per_window",
        "accepted_events",
        "Accepted events of the same scope and key were received at least the window apart. Before "
        "a late event that is looked up among all keys, none of its key was accepted (I-6).",
        f"""
        WITH contested AS MATERIALIZED (
            SELECT * FROM lake.accepted_events
            WHERE key_hash IN (SELECT key_hash FROM repeated)
        )
        SELECT new.file_id, new.line, held.file_id AS other_file_id, held.line AS other_line
        FROM contested AS new
        JOIN sources USING (source)
        JOIN contested AS held
            ON held.key_hash = new.key_hash AND held.idempotency_key = new.idempotency_key
            AND held.dedupe_scope = new.dedupe_scope
            AND (held.file_id, held.line) <> (new.file_id, new.line)
        WHERE new.batch_id = $batch_id AND (
            sources.window_us IS NULL
            OR abs(epoch_us(new.received_at) - epoch_us(held.received_at)) < sources.window_us
            OR ({_IS_LOOKED_UP.format(event="new")}
                AND (held.file_id, held.line) < (new.file_id, new.line))
        )
        """,
        sentence=(
            "{path} line {line} has the key of file {other_file_id} line {other_line}, "
            "accepted within the window: it would be billed twice"
        ),
    ),
    Invariant(
        "accepted_events_are_in_time",
        "accepted_events",
        "received_at - max lateness < occurred_at <= received_at + future skew. Amendments may be "
        "later, and events of a source that looks late events up (I-7).",
        """
        SELECT events.file_id, events.line, events.occurred_at, events.received_at
        FROM lake.accepted_events AS events LEFT JOIN sources USING (source)
        WHERE events.batch_id = $batch_id AND NOT coalesce(
            epoch_us(occurred_at) <= epoch_us(received_at) + sources.skew_us
            AND (sources.lateness_us IS NULL OR sources.late_lookup
                OR events.amendment IS NOT NULL
                OR epoch_us(received_at) - epoch_us(occurred_at) < sources.lateness_us),
            false
        )
        """,
        sentence=(
            "{path} line {line} occurred at {occurred_at} and was received at {received_at}: "
            "too far apart to be accepted"
        ),
    ),
    Invariant(
        "winners_precede_their_copies",
        "refused_events",
        "A duplicate or conflict names an accepted event of its scope and key as its winner. The "
        "winner comes first by (file_id, line), unless the line was replayed. It was received less "
        "than the window away, unless the line is late and was looked up (I-8).",
        f"""
        SELECT refused.file_id, refused.line, refused.winner_file_id, refused.winner_line
        FROM lake.refused_events AS refused
        LEFT JOIN sources USING (source)
        LEFT JOIN lake.accepted_events AS winner
            ON winner.file_id = refused.winner_file_id AND winner.line = refused.winner_line
        WHERE refused.batch_id = $batch_id AND refused.verdict IN ('duplicate', 'conflict')
        AND NOT coalesce(
            ((winner.file_id, winner.line) < (refused.file_id, refused.line)
                OR (refused.revision > 0
                    AND (winner.file_id, winner.line) <> (refused.file_id, refused.line)))
            AND winner.idempotency_key = refused.idempotency_key
            AND winner.dedupe_scope = refused.dedupe_scope
            AND (sources.window_us IS NULL OR
                abs(epoch_us(winner.received_at) - epoch_us(refused.received_at))
                    < sources.window_us
                OR {_IS_LOOKED_UP.format(event="refused")}),
            false
        )
        """,
        sentence=(
            "{path} line {line}: expected an earlier event of its key within the window as its "
            "winner, found file {winner_file_id} line {winner_line}"
        ),
    ),
    Invariant(
        "duplicates_repeat_and_conflicts_contradict",
        "refused_events",
        "A duplicate has the payload digest of its winner. A conflict has another (I-9).",
        """
        SELECT refused.file_id, refused.line, refused.verdict
        FROM lake.refused_events AS refused
        LEFT JOIN lake.accepted_events AS winner
            ON winner.file_id = refused.winner_file_id AND winner.line = refused.winner_line
        WHERE refused.batch_id = $batch_id AND refused.verdict IN ('duplicate', 'conflict')
        AND NOT coalesce(
            (winner.payload_digest = refused.payload_digest) = (refused.verdict = 'duplicate'),
            false
        )
        """,
        sentence=("{path} line {line} is a {verdict}, but its payload says otherwise"),
    ),
)
