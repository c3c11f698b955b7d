"""Files: each version is taken in once and decided once."""

from pipelines.audit.batch_rows import DECIDED_AGAIN, DECISIONS
from pipelines.audit.invariant import Invariant

INVARIANTS = (
    Invariant(
        "files_are_registered_once",
        "landing_files",
        "Each file version (path, etag, size) is taken in once. File ids are 1 to n (I-3).",
        """
        SELECT path, etag, size_bytes, count(*) AS times FROM lake.landing_files
        GROUP BY ALL HAVING count(*) > 1
        UNION ALL
        SELECT 'file ids', '', max(file_id), count(*) FROM lake.landing_files
        HAVING count(*) <> coalesce(max(file_id), 0) OR count(DISTINCT file_id) <> count(*)
        """,
        sentence=(
            "{path} ({etag}): expected to be taken in once and file ids without a gap, found "
            "{times} times"
        ),
    ),
    Invariant(
        "files_of_the_batch_are_decided",
        "file_decisions",
        "Every file version of the batch has one decision, and no other file has one. The decision "
        "of a replay is the next revision of an earlier one (I-3).",
        f"""
        SELECT files.file_id AS registered, decisions.file_id AS decided
        FROM (SELECT * FROM lake.landing_files WHERE batch_id = $batch_id) AS files
        FULL JOIN (SELECT * FROM {DECISIONS} WHERE revision = 0) AS decisions
            ON files.file_id = decisions.file_id
        WHERE files.file_id IS NULL OR decisions.file_id IS NULL
        UNION ALL
        SELECT decisions.file_id, decisions.revision
        FROM {DECISIONS} AS decisions
        LEFT JOIN (
            SELECT file_id, max(revision) AS revision FROM lake.file_decisions
            WHERE batch_id < $batch_id AND file_id IN {DECIDED_AGAIN} GROUP BY file_id
        ) AS earlier ON decisions.file_id = earlier.file_id
        WHERE decisions.revision IS DISTINCT FROM 0
            AND NOT coalesce(decisions.revision = earlier.revision + 1, false)
        """,
        sentence=(
            "file {registered}: expected one decision for each registered file, and the next "
            "revision for a replayed one; found {decided}"
        ),
    ),
)
