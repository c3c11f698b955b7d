"""Correction: a corrected copy of a file stands for its refused lines, at its old `received_at`.

Belongs here: which file corrects which, and that it changes nothing else. Must not be put here:
deciding (a correction is a batch of one file; see `batch`).

The copy is landed beside the original, below its source's folder, under a name that begins with
`_`, so that no run takes it in by itself. It becomes a file version of its own, so every accepted
row still walks back to landed bytes. It has the original's lines: only those that are refused
there may differ; the others must be the events that were accepted, and are duplicates of them.
"""

from pathlib import Path

import polars as pl

from pipelines.intake.batch import BatchPlan
from pipelines.lake.file_states import LATEST_DECISIONS
from pipelines.lake.lake import Lake
from pipelines.landing.discovery import Discovery
from pipelines.landing.store import Landing
from pipelines.reading.dialects import readers_of
from pipelines.reading.parts import ParsedBatch
from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.tables import LANDING_FILES


def plan_correction(
    lake: Lake,
    landing: Landing,
    sources: pl.DataFrame,
    discovery: Discovery,
    original: str,
    copy: str,
    staging: Path,
) -> BatchPlan:
    """A batch of the copy alone, received when the newest version of the original was.

    Raises:
        MeterlineError: either file is not there, or the copy is another source's or known.
    """
    registry = lake.table(LANDING_FILES)
    versions = registry.filter(pl.col("path") == original).sort("file_id").tail(1)
    if not versions.height:
        raise MeterlineError(f"--file {original}: no file with this path was ever taken in")
    (corrected,) = versions.to_dicts()
    listed = landing.list_objects().filter(pl.col("path") == copy)
    if not listed.height or copy.split("/", maxsplit=1)[0] != corrected["source"]:
        raise MeterlineError(
            f"--from {copy}: expected a landed file below {corrected['source']}/, found none"
        )
    if listed.join(registry, on=["path", "etag", "size_bytes"], how="semi").height:
        raise MeterlineError(f"--from {copy}: this version was taken in before; nothing to do")
    if registry.filter(pl.col("corrects_file_id") == corrected["file_id"]).height:
        raise MeterlineError(f"--file {original}: it is corrected already; correct the copy")
    file = listed.select("path", "etag", "size_bytes").with_columns(
        pl.lit(int(registry["file_id"].len()) + 1, pl.Int64).alias("file_id"),
        pl.lit(corrected["source"]).alias("source"),
        versions["received_at"],
        versions["file_id"].alias("corrects_file_id"),
    )
    files = file.join(sources.select("source", "dialect", "dedupe_scope"), on="source").select(
        *(name for name in LANDING_FILES.column_names if name != "batch_id"),
        "dialect",
        "dedupe_scope",
    )
    if not files.height:
        raise MeterlineError(f"--file {original}: no row for source '{corrected['source']}'")
    batch_id = lake.last_batch_id() + 1
    readers = readers_of(sources)
    return BatchPlan(batch_id, discovery, files, 0, staging / f"{batch_id:09d}", readers)


def require_same_events(lake: Lake, plan: BatchPlan, parsed: ParsedBatch) -> None:
    """Nothing, when the copy differs from the original in refused lines alone.

    Raises:
        MeterlineError: it cannot be read, has other lines, or changes a line that counts.
    """
    (file,), (copy,) = parsed.files, plan.files.to_dicts()
    if file.unreadable is not None:
        raise MeterlineError(f"--from {copy['path']}: {file.unreadable}")
    (original,) = lake.query(
        f"SELECT * FROM ({LATEST_DECISIONS}) WHERE file_id = $file_id",
        {"file_id": copy["corrects_file_id"]},
    ).to_dicts()
    if original["status"] == "quarantined":
        return  # It could not be read, so no line of it was ever decided.
    if file.lines != original["lines"]:
        raise MeterlineError(
            f"--from {copy['path']}: expected the original's {original['lines']} lines, found "
            f"{file.lines}"
        )
    if original["status"] == "held":
        return  # None of its lines counts yet.
    columns = ["line", "idempotency_key", "payload_digest"]
    of_file = {"file_id": copy["corrects_file_id"], "revision": original["revision"]}
    accepted = lake.query(
        f"SELECT {', '.join(columns)} FROM lake.accepted_events WHERE file_id = $file_id",
        {"file_id": copy["corrects_file_id"]},
    )
    refused = lake.query(
        "SELECT line FROM lake.refused_events "
        "WHERE file_id = $file_id AND coalesce(revision, 0) = $revision",
        of_file,
    )
    events = pl.concat(
        [pl.DataFrame(schema=accepted.schema)]
        + [
            pl.read_parquet(path, columns=columns).select(columns).cast(accepted.schema)
            for path in (*parsed.events, *parsed.accepted)
        ]
    )
    rejected = [pl.read_parquet(path, columns=["line"]) for path in parsed.rejections]
    lost = accepted.join(events, on=columns, how="anti")
    filled = pl.concat([events.select("line"), *rejected])
    added = filled.join(accepted, on="line", how="anti").join(refused, on="line", how="anti")
    changed = sorted([*lost["line"], *added["line"]])
    if changed:
        raise MeterlineError(
            f"--from {copy['path']}: line {changed[0]} is not refused in the original and must "
            f"stay as it was; {len(changed)} such lines differ"
        )
