"""Conservation: what a batch wrote is asserted in SQL, by another road than it was decided.

Belongs here: the invariants of ingestion as queries that list offenders. Must not be put
here: deciding, repairing or reporting. An invariant holds when its query returns no row;
NULL counts as an offence. A violation blocks closing and publication.

Source: the invariants I-1 to I-10 of the design; their numbers stand beside each query.
"""

import polars as pl

from pipelines.audit.invariant import Finding, Invariant
from pipelines.lake.lake import Lake
from pipelines.vocabulary.verdicts import Reason

_REASONS = ", ".join(f"'{reason.value}'" for reason in Reason)

_DECIDED_AGAIN = """
    (SELECT file_id FROM lake.file_decisions WHERE batch_id = $batch_id AND revision > 0)
"""

# A replay writes the lines that are still refused again; those accepted before it stay.
_DECIDED_LINES = f"""
    (SELECT file_id, line, byte_offset, byte_length, 'accepted' AS verdict
     FROM lake.accepted_events WHERE batch_id = $batch_id
     UNION ALL
     SELECT file_id, line, byte_offset, byte_length, 'accepted' AS verdict
     FROM lake.accepted_events WHERE batch_id < $batch_id AND file_id IN {_DECIDED_AGAIN}
     UNION ALL
     SELECT file_id, line, byte_offset, byte_length, verdict
     FROM lake.refused_events WHERE batch_id = $batch_id)
"""

_PLACE = "(file_id * 4294967296 + line)"
"""(file_id, line) as one number, which sorts four times as fast; lines are fewer than 2^32."""

_IS_LOOKED_UP = """
    coalesce(sources.late_lookup AND epoch_us({event}.received_at) - epoch_us({event}.occurred_at)
        >= sources.lateness_us, false)
"""
"""Whether an event is late at a source that has such events looked up among all keys."""
_DECISIONS = "(SELECT * FROM lake.file_decisions WHERE batch_id = $batch_id)"

INVARIANTS = (
    Invariant(
        "files_are_registered_once",
        "landing_files",
        "Each file version (path, etag, size) is taken in once; file ids are 1..n (I-3).",
        """
        SELECT path, etag, size_bytes, count(*) AS times FROM lake.landing_files
        GROUP BY ALL HAVING count(*) > 1
        UNION ALL
        SELECT 'file ids', '', max(file_id), count(*) FROM lake.landing_files
        HAVING count(*) <> coalesce(max(file_id), 0) OR count(DISTINCT file_id) <> count(*)
        """,
    ),
    Invariant(
        "files_of_the_batch_are_decided",
        "file_decisions",
        "Every file version of the batch has one decision, and only those; a replay's is the "
        "next revision of an earlier one (I-3).",
        f"""
        SELECT files.file_id AS registered, decisions.file_id AS decided
        FROM (SELECT * FROM lake.landing_files WHERE batch_id = $batch_id) AS files
        FULL JOIN (SELECT * FROM {_DECISIONS} WHERE revision = 0) AS decisions
            ON files.file_id = decisions.file_id
        WHERE files.file_id IS NULL OR decisions.file_id IS NULL
        UNION ALL
        SELECT decisions.file_id, decisions.revision
        FROM {_DECISIONS} AS decisions
        LEFT JOIN (
            SELECT file_id, max(revision) AS revision FROM lake.file_decisions
            WHERE batch_id < $batch_id AND file_id IN {_DECIDED_AGAIN} GROUP BY file_id
        ) AS earlier ON decisions.file_id = earlier.file_id
        WHERE decisions.revision IS DISTINCT FROM 0
            AND NOT coalesce(decisions.revision = earlier.revision + 1, false)
        """,
    ),
    Invariant(
        "lines_add_up",
        "file_decisions",
        "lines = accepted + duplicate + conflict + rejected + blank + held, and the counts are "
        "those of the rows written; a file is held as a whole or not at all (I-1).",
        f"""
        WITH written AS (
            SELECT file_id,
                count(*) FILTER (verdict = 'accepted') AS accepted,
                count(*) FILTER (verdict = 'duplicate') AS duplicate,
                count(*) FILTER (verdict = 'conflict') AS conflict,
                count(*) FILTER (verdict = 'rejected') AS rejected
            FROM {_DECIDED_LINES} GROUP BY file_id
        )
        SELECT decisions.file_id, decisions.lines, decisions.accepted, decisions.duplicate,
            decisions.conflict, decisions.rejected, decisions.blank,
            coalesce(decisions.held, 0) AS held
        FROM lake.file_decisions AS decisions LEFT JOIN written USING (file_id)
        WHERE decisions.batch_id = $batch_id AND NOT coalesce(
            decisions.lines = decisions.accepted + decisions.duplicate + decisions.conflict
                + decisions.rejected + decisions.blank + coalesce(decisions.held, 0)
            AND CASE decisions.status
                WHEN 'held' THEN coalesce(decisions.held, 0) >= 0
                    AND decisions.accepted + decisions.duplicate + decisions.conflict = 0
                ELSE coalesce(decisions.held, 0) = 0 END
            AND decisions.accepted = coalesce(written.accepted, 0)
            AND decisions.duplicate = coalesce(written.duplicate, 0)
            AND decisions.conflict = coalesce(written.conflict, 0)
            AND decisions.rejected = coalesce(written.rejected, 0),
            false
        )
        """,
    ),
    Invariant(
        "each_line_has_one_verdict",
        "file_decisions",
        "Line numbers lie in 1..lines, row numbers (of what has no byte range) in 0..lines-1, and "
        "none has two verdicts (I-1).",
        f"""
        SELECT file_id, line, byte_offset, lines FROM (
            SELECT *, lag(place) OVER (ORDER BY place) AS previous_place
            FROM (SELECT *, {_PLACE} AS place FROM {_DECIDED_LINES}) AS decided
            LEFT JOIN {_DECISIONS} AS decisions USING (file_id)
        )
        WHERE NOT coalesce(
            line + if(byte_offset IS NULL, 1, 0) BETWEEN 1 AND lines
                AND place <> coalesce(previous_place, -1),
            false
        )
        """,
    ),
    Invariant(
        "byte_ranges_are_disjoint",
        "file_decisions",
        "Byte ranges increase with the line, do not touch and end within the file; where one is "
        "missing, all of the file are, and its lines are rows numbered from 0, without a gap "
        "unless it is held (I-2).",
        f"""
        SELECT * FROM (
            SELECT file_id, line, byte_offset, byte_length, raw_bytes, blank, status,
                if(previous_file_id = file_id, previous_end, -1) AS previous_end,
                if(previous_file_id = file_id, previous_line, -1) AS previous_line
            FROM (
                SELECT *, lag(file_id) OVER places AS previous_file_id,
                    lag(line) OVER places AS previous_line,
                    lag(byte_offset + byte_length) OVER places AS previous_end
                FROM {_DECIDED_LINES}
                WINDOW places AS (ORDER BY {_PLACE})
            ) AS decided
            LEFT JOIN {_DECISIONS} AS decisions USING (file_id)
        )
        WHERE NOT coalesce(
            byte_offset > previous_end AND byte_length > 0
            AND byte_offset + byte_length <= raw_bytes,
            false
        ) AND NOT coalesce(
            byte_offset IS NULL AND byte_length IS NULL AND blank = 0
            AND (line = previous_line + 1 OR (status = 'held' AND line > previous_line))
            AND (previous_line = -1 OR previous_end IS NULL),
            false
        )
        """,
    ),
    Invariant(
        "rejections_have_reasons",
        "refused_events",
        "A rejection has a reason of the closed list, its place and its line's digest; a "
        "duplicate or conflict has a winner and no reason code (I-4).",
        f"""
        SELECT file_id, line, verdict, reason_code FROM lake.refused_events
        WHERE batch_id = $batch_id AND NOT coalesce(
            octet_length(line_sha256) = 32 AND reason <> ''
            AND coalesce(byte_offset >= 0, byte_length IS NULL)
            AND CASE verdict
                WHEN 'rejected' THEN reason_code IN ({_REASONS}) AND winner_file_id IS NULL
                WHEN 'duplicate' THEN reason_code IS NULL AND winner_file_id IS NOT NULL
                WHEN 'conflict' THEN reason_code IS NULL AND winner_file_id IS NOT NULL
                ELSE false END,
            false
        )
        """,
    ),
    Invariant(
        "refusals_bear_their_revision",
        "refused_events",
        "A refused line bears the revision of its file's decision in the batch, so that the "
        "latest revision of a file is all that is refused of it (I-1).",
        f"""
        SELECT refused.file_id, refused.line, refused.revision, decisions.revision AS decided
        FROM lake.refused_events AS refused LEFT JOIN {_DECISIONS} AS decisions USING (file_id)
        WHERE refused.batch_id = $batch_id
            AND coalesce(refused.revision, 0) IS DISTINCT FROM decisions.revision
        """,
    ),
    Invariant(
        "keys_are_accepted_once_per_window",
        "accepted_events",
        "No two accepted events of one scope and key were received closer than the window; an "
        "event looked up for its lateness has no accepted event of its key before it (I-6).",
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
    ),
    Invariant(
        "accepted_events_are_in_time",
        "accepted_events",
        "received_at - max lateness < occurred_at <= received_at + future skew; an amendment, and "
        "an event whose source has late events looked up, may be later (I-7).",
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
    ),
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
    ),
    Invariant(
        "winners_precede_their_copies",
        "refused_events",
        "A duplicate or conflict names an accepted event of its scope and key, before it in "
        "(file_id, line) unless it was replayed, and less than the window away, or looked up for "
        "its lateness (I-8).",
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
    ),
    Invariant(
        "duplicates_repeat_and_conflicts_contradict",
        "refused_events",
        "A duplicate has its winner's payload digest; a conflict has another (I-9).",
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
    ),
)
"""Checked after every batch, in this order."""


def check_batch(
    lake: Lake, batch_id: int, sources: pl.DataFrame, repeated: pl.DataFrame | None = None
) -> list[Finding]:
    """What each invariant finds among the rows of a batch, in the order of `INVARIANTS`.

    Args:
        lake: any connection.
        batch_id: the batch; the rest of the lake was checked when it was written.
        sources: schema `SOURCES`.
        repeated: column key_hash: every hash that more than one accepted event has, at least of
            the batch's; None looks for them in the whole lake.
    """
    if repeated is None:
        repeated = lake.query(
            "SELECT key_hash FROM lake.accepted_events GROUP BY key_hash HAVING count(*) > 1"
        )
    rules = sources.select(
        "source",
        pl.col("dedupe_window").dt.total_microseconds().alias("window_us"),
        pl.col("max_lateness").dt.total_microseconds().alias("lateness_us"),
        pl.col("future_skew").dt.total_microseconds().alias("skew_us"),
        "late_lookup",
    )
    findings = []
    for invariant in INVARIANTS:
        uses_batch = "$batch_id" in invariant.offenders
        offenders = lake.query(
            f"SELECT *, count(*) OVER () AS offences FROM ({invariant.offenders}) LIMIT 3",
            {"batch_id": batch_id} if uses_batch else None,
            sources=rules,
            repeated=repeated,
        )
        findings.append(
            Finding(
                invariant,
                offences=int(offenders["offences"][0]) if offenders.height else 0,
                sample="; ".join(
                    ", ".join(f"{name}={value}" for name, value in row.items())
                    for row in offenders.drop("offences").iter_rows(named=True)
                ),
            )
        )
    return findings
