"""Correction: a corrected copy replaces the refused lines of a file, at its old `received_at`.

A correction is a batch of one file; `batch` decides it.

The copy is landed below the folder of the original's source, under a name that begins with `_`:
no run takes such a file in by itself. It becomes a file version of its own, so every accepted row
can still be traced to landed bytes.

The copy has as many lines as the original. A line that was refused may differ. A line that was
accepted must hold the same event, which is then a duplicate of the accepted one. An event whose key
is its place in the original has another key in a copy, so such a file has no corrected copy.

Example: line 7 of `acme/may.ndjson` was rejected as malformed. The copy `acme/_may.ndjson` repeats
all lines and mends line 7. The event of line 7 is accepted as if it had been received with the
original. The other lines are duplicates and change nothing.
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

    Args:
        lake: its registry has the original.
        landing: the store that holds the copy.
        sources: schema `SOURCES`.
        discovery: the other files of the listing; they wait.
        original: path of the file that is corrected.
        copy: path of the corrected copy.
        staging: the batch gets a folder of its own below it.

    Raises:
        MeterlineError: one of the files does not exist, the copy belongs to another source or was
            taken in before, or the original is corrected already.
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
        raise MeterlineError(
            f"--from {copy}: this version was taken in before, so there is nothing to do"
        )
    if registry.filter(pl.col("corrects_file_id") == corrected["file_id"]).height:
        raise MeterlineError(
            f"--file {original}: it is corrected already; to correct more, correct the copy"
        )
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
        raise MeterlineError(
            f"--file {original}: expected a row for source '{corrected['source']}' in "
            "sources.csv, found none"
        )
    batch_id = lake.last_batch_id() + 1
    readers = readers_of(sources)
    return BatchPlan(batch_id, discovery, files, 0, staging / f"{batch_id:09d}", readers)


def require_same_events(lake: Lake, plan: BatchPlan, parsed: ParsedBatch) -> None:
    """Passes if the copy differs from the original in refused lines only.

    Raises:
        MeterlineError: the copy cannot be read, has another number of lines, or changes a line
            that was accepted or blank.
    """
    (file,), (copy,) = parsed.files, plan.files.to_dicts()
    if file.unreadable is not None:
        raise MeterlineError(f"--from {copy['path']}: {file.unreadable}")
    (original,) = lake.query(
        f"SELECT * FROM ({LATEST_DECISIONS}) WHERE file_id = $file_id",
        {"file_id": copy["corrects_file_id"]},
    ).to_dicts()
    if original["status"] == "quarantined":
        return  # The original could not be read, so none of its lines was decided.
    if file.lines != original["lines"]:
        raise MeterlineError(
            f"--from {copy['path']}: expected the original's {original['lines']} lines, found "
            f"{file.lines}"
        )
    if original["status"] == "held":
        return  # The original is held, so none of its lines counts yet.
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
    place_keys = pl.format('["{}",{}]', pl.lit(original["raw_sha256"]), "line")
    places = lost.filter(pl.col("idempotency_key") == place_keys)
    if places.height:
        raise MeterlineError(
            f"--from {copy['path']}: line {places['line'].sort()[0]} of the original was accepted "
            "without a key of its own, so its key is its place in the original; in a copy it would "
            "count again. Land the mended lines alone, as a new file"
        )
    if changed:
        raise MeterlineError(
            f"--from {copy['path']}: line {changed[0]} is not refused in the original, so the "
            f"copy must repeat it; found {len(changed)} such lines that differ"
        )
