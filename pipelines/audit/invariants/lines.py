"""Lines: each has one verdict and one place, and a file's counts are the numbers of its rows."""

from pipelines.audit.batch_rows import DECIDED_LINES, DECISIONS
from pipelines.audit.invariant import Invariant
from pipelines.vocabulary.verdicts import Reason

_REASONS = ", ".join(f"'{reason.value}'" for reason in Reason)

_PLACE = "(file_id * 4294967296 + line)"
"""(file_id, line) as one number, which sorts four times as fast. A line number is below 2^32."""

INVARIANTS = (
    Invariant(
        "lines_add_up",
        "file_decisions",
        "lines = accepted + duplicate + conflict + rejected + not_usage + blank + held, and each "
        "count is the number of rows written. A file is held as a whole or not at all (I-1).",
        f"""
        WITH written AS (
            SELECT file_id,
                count(*) FILTER (verdict = 'accepted') AS accepted,
                count(*) FILTER (verdict = 'duplicate') AS duplicate,
                count(*) FILTER (verdict = 'conflict') AS conflict,
                count(*) FILTER (verdict = 'rejected') AS rejected,
                count(*) FILTER (verdict = 'not_usage') AS not_usage
            FROM {DECIDED_LINES} GROUP BY file_id
        )
        SELECT decisions.file_id, decisions.lines, decisions.accepted, decisions.duplicate,
            decisions.conflict, decisions.rejected, decisions.blank,
            coalesce(decisions.not_usage, 0) AS not_usage, coalesce(decisions.held, 0) AS held
        FROM lake.file_decisions AS decisions LEFT JOIN written USING (file_id)
        WHERE decisions.batch_id = $batch_id AND NOT coalesce(
            decisions.lines = decisions.accepted + decisions.duplicate + decisions.conflict
                + decisions.rejected + coalesce(decisions.not_usage, 0) + decisions.blank
                + coalesce(decisions.held, 0)
            AND CASE decisions.status
                WHEN 'held' THEN coalesce(decisions.held, 0) >= 0
                    AND decisions.accepted + decisions.duplicate + decisions.conflict = 0
                ELSE coalesce(decisions.held, 0) = 0 END
            AND decisions.accepted = coalesce(written.accepted, 0)
            AND decisions.duplicate = coalesce(written.duplicate, 0)
            AND decisions.conflict = coalesce(written.conflict, 0)
            AND decisions.rejected = coalesce(written.rejected, 0)
            AND coalesce(decisions.not_usage, 0) = coalesce(written.not_usage, 0),
            false
        )
        """,
        sentence=(
            "{path}: expected counts that add up to {lines} lines, and a row for each line, found "
            "{accepted} accepted + {duplicate} duplicate + {conflict} conflict + "
            "{rejected} rejected + {not_usage} not usage + {blank} blank + {held} held"
        ),
    ),
    Invariant(
        "each_line_has_one_verdict",
        "file_decisions",
        "A line number is from 1 to lines, a row number (of an event without a byte range) from 0 "
        "to lines - 1. No line has two verdicts (I-1).",
        f"""
        SELECT file_id, line, byte_offset, lines FROM (
            SELECT *, lag(place) OVER (ORDER BY place) AS previous_place
            FROM (SELECT *, {_PLACE} AS place FROM {DECIDED_LINES}) AS decided
            LEFT JOIN {DECISIONS} AS decisions USING (file_id)
        )
        WHERE NOT coalesce(
            line + if(byte_offset IS NULL, 1, 0) BETWEEN 1 AND lines
                AND place <> coalesce(previous_place, -1),
            false
        )
        """,
        sentence=("{path} line {line} has two verdicts or lies beyond the file's {lines} lines"),
    ),
    Invariant(
        "byte_ranges_are_disjoint",
        "file_decisions",
        "Byte ranges increase with the line, do not overlap and end within the file. If one is "
        "missing, all of the file are missing, and its lines are rows numbered from 0, without a "
        "gap unless the file is held (I-2).",
        f"""
        SELECT * FROM (
            SELECT file_id, line, byte_offset, byte_length, raw_bytes, blank, status,
                if(previous_file_id = file_id, previous_end, 0) AS previous_end,
                if(previous_file_id = file_id, previous_line, -1) AS previous_line
            FROM (
                SELECT *, lag(file_id) OVER places AS previous_file_id,
                    lag(line) OVER places AS previous_line,
                    lag(byte_offset + byte_length) OVER places AS previous_end
                FROM {DECIDED_LINES}
                WINDOW places AS (ORDER BY {_PLACE})
            ) AS decided
            LEFT JOIN {DECISIONS} AS decisions USING (file_id)
        )
        WHERE NOT coalesce(
            byte_offset >= previous_end AND byte_length > 0
            AND byte_offset + byte_length <= raw_bytes,
            false
        ) AND NOT coalesce(
            byte_offset IS NULL AND byte_length IS NULL AND blank = 0
            AND (line = previous_line + 1 OR (status = 'held' AND line > previous_line))
            AND (previous_line = -1 OR previous_end IS NULL),
            false
        )
        """,
        sentence=(
            "{path} line {line}: expected bytes from {previous_end} on and within the file's "
            "{raw_bytes}, found {byte_length} bytes at {byte_offset}"
        ),
    ),
    Invariant(
        "rejections_have_reasons",
        "refused_events",
        "A refused line has its place, a reason and the digest of its bytes. A rejection has a "
        "reason code, a duplicate or conflict has a winner and no reason code, and a line that is "
        "not usage has neither (I-4).",
        f"""
        SELECT file_id, line, verdict, reason_code FROM lake.refused_events
        WHERE batch_id = $batch_id AND NOT coalesce(
            octet_length(line_sha256) = 32 AND reason <> ''
            AND coalesce(byte_offset >= 0, byte_length IS NULL)
            AND CASE verdict
                WHEN 'rejected' THEN reason_code IN ({_REASONS}) AND winner_file_id IS NULL
                WHEN 'duplicate' THEN reason_code IS NULL AND winner_file_id IS NOT NULL
                WHEN 'conflict' THEN reason_code IS NULL AND winner_file_id IS NOT NULL
                WHEN 'not_usage' THEN reason_code IS NULL AND winner_file_id IS NULL
                ELSE false END,
            false
        )
        """,
        sentence=(
            "{path} line {line}: expected a reason, a place, a digest, and a reason code or a "
            "winner, found {verdict} with the reason code {reason_code}"
        ),
    ),
    Invariant(
        "refused_lines_have_their_revision",
        "refused_events",
        "A refused line has the revision of its file's decision in the batch. So the rows of the "
        "latest revision are all refused lines of a file (I-1).",
        f"""
        SELECT refused.file_id, refused.line, refused.revision, decisions.revision AS decided
        FROM lake.refused_events AS refused LEFT JOIN {DECISIONS} AS decisions USING (file_id)
        WHERE refused.batch_id = $batch_id
            AND coalesce(refused.revision, 0) IS DISTINCT FROM decisions.revision
        """,
        sentence=(
            "{path} line {line}: expected revision {decided}, that of its file's decision, found "
            "{revision}"
        ),
    ),
)
