"""One batch: the files it takes, their verdicts, and the transaction that commits them.

Belongs here: the shell around the pure stages: staging folders, spilling by key hash,
counters, the lake transaction. Must not be put here: rules about events (see `decide`).
Only the Dagster assets call this, in the order `plan` → `parse` → `decide_and_commit`.

Memory is bounded by `EVENTS_PER_GROUP`, not by the batch: parsed events lie in Parquet
sorted by key hash, and each range of hashes is decided alone, since a key never leaves it.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from pipelines.intake.decide import KNOWN_KEYS_COLUMNS, decide
from pipelines.intake.window_index import WindowIndex
from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import RunFacts
from pipelines.landing.discovery import Discovery, discover, first_batch
from pipelines.landing.store import Landing
from pipelines.reading.dialects import Dialect, reader_of
from pipelines.reading.hold_rule import HoldRule
from pipelines.reading.parse import FileOrigin
from pipelines.reading.parts import LandedFile, ParsedBatch
from pipelines.reading.workers import parse_files
from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.frames import REJECTIONS
from pipelines.vocabulary.tables import (
    ACCEPTED_EVENTS,
    BATCHES,
    CATALOGS,
    FILE_DECISIONS,
    LANDING_FILES,
    REFUSED_EVENTS,
    UTC_MICROSECONDS,
    LakeTable,
)
from pipelines.vocabulary.verdicts import FileStatus, Reason, Verdict

EVENTS_PER_GROUP = 1_500_000
"""Events decided at a time; about 2 GiB at the widest."""

STREAMED_BYTES_MIN = 4 * 1024 * 1024
"""Landed bytes below which loading the compiled scanner costs more than it saves."""

_HASHES = 2**64


@dataclass(frozen=True)
class BatchPlan:
    """The files one batch takes, and what stays behind.

    Attributes:
        batch_id: the transaction's number.
        discovery: all that the listing holds.
        files: file versions of this batch, in sequence.
        waiting: new file versions left for the next batch.
        folder: staging folder of this batch.
        readers: source → what reads its events.
    """

    batch_id: int
    discovery: Discovery
    files: pl.DataFrame
    waiting: int
    folder: Path
    readers: Mapping[str, Dialect]

    def undecided(self) -> pl.DataFrame:
        """File versions that the listing holds and that wait for a later batch."""
        return self.discovery.files.join(self.files, on="file_id", how="anti")


def plan(
    lake: Lake,
    landing: Landing,
    sources: pl.DataFrame,
    staging: Path,
    batch_bytes: int,
    listed_at: datetime | None = None,
) -> BatchPlan:
    """The next batch: new file versions in sequence, up to `batch_bytes`."""
    listing = landing.list_objects()
    discovery = discover(listing, lake.table(LANDING_FILES), sources, listed_at)
    batch_id = lake.last_batch_id() + 1
    files = first_batch(discovery.files, batch_bytes)
    return BatchPlan(
        batch_id=batch_id,
        discovery=discovery,
        files=files,
        waiting=discovery.files.height - files.height,
        folder=staging / f"{batch_id:09d}",
        readers={row["source"]: reader_of(row) for row in sources.iter_rows(named=True)},
    )


def parse(
    lake: Lake,
    index: WindowIndex,
    plan: BatchPlan,
    landing: Landing,
    sources: pl.DataFrame,
    refusal_cuts: pl.DataFrame,
    threads: int,
    hold: HoldRule | None = None,
) -> ParsedBatch:
    """Parsed events and rejections of the batch's files, as Parquet in its staging folder.

    Large batches are streamed where the scanner knows the dialect: events that are accepted
    whatever else the batch holds are staged for the lake at once.
    """
    files = _landed_files(plan)
    folder = plan.folder / "parsed"
    if sum(file.size_bytes for file in files) < STREAMED_BYTES_MIN:
        return parse_files(landing, files, folder, threads, hold)
    from pipelines.reading.scanner import cache  # numba takes a small batch half a second

    cache.keep_compiled()
    from pipelines.intake import sieve, stream

    streamed = [file for file in files if stream.can_stream(file)]
    others = parse_files(landing, [f for f in files if f not in streamed], folder, threads, hold)
    index.bring_up(lake)
    times = sieve.plain_times(
        pl.DataFrame(
            [(f.origin.source, f.origin.received_at) for f in streamed],
            schema={"source": pl.String, "received_at": UTC_MICROSECONDS},
            orient="row",
        ),
        sources,
        refusal_cuts,
    )
    filters = index.filters(_reach(plan.files, sources))
    return stream.stream_files(
        landing,
        list(zip(streamed, times, strict=True)),
        others,
        filters,
        folder,
        plan.batch_id,
        threads,
        hold,
    )


def _reach(files: pl.DataFrame, sources: pl.DataFrame) -> datetime | None:
    """Keys received until then block none of the files' events; None when any may."""
    ruled = sources.join(files, on="source", how="semi")
    windows = ruled["dedupe_window"]
    if not files.height or windows.null_count() or ruled["late_lookup"].any():
        return None
    earliest, widest = files["received_at"].min(), windows.max()
    assert isinstance(earliest, datetime)  # noqa: S101 -- there are files
    assert isinstance(widest, timedelta)  # noqa: S101 -- and none is unlimited
    return earliest - widest


def _landed_files(plan: BatchPlan) -> list[LandedFile]:
    return [
        LandedFile(
            path=row["path"],
            etag=row["etag"],
            size_bytes=row["size_bytes"],
            dialect=plan.readers[row["source"]],
            origin=FileOrigin(
                file_id=row["file_id"],
                source=row["source"],
                dedupe_scope=row["dedupe_scope"],
                received_at=row["received_us"],
            ),
        )
        for row in plan.files.with_columns(
            pl.col("received_at").dt.epoch("us").alias("received_us")
        ).iter_rows(named=True)
    ]


def decide_and_commit(
    lake: Lake,
    index: WindowIndex,
    plan: BatchPlan,
    parsed: ParsedBatch,
    sources: pl.DataFrame,
    refusal_cuts: pl.DataFrame,
    facts: RunFacts,
) -> pl.DataFrame:
    """Commits the batch; returns its rows of `file_decisions`.

    Raises:
        InvariantError: the verdicts of a file do not add up to its lines; nothing is written.
        LakeError: the transaction failed; the lake is as before.
    """
    index.bring_up(lake)
    folder = plan.folder / "decided"
    rejections = _read_parts(parsed.rejections, REJECTIONS).with_columns(
        pl.lit(Verdict.REJECTED.value).alias("verdict"), pl.lit(0, pl.Int32).alias("revision")
    )
    accepted_files = list(parsed.accepted)
    refused_files: list[Path] = []
    counts = [_passed(parsed), _counted(rejections)]
    if rejections.height:
        refused_files.append(_write(REFUSED_EVENTS, rejections, plan.batch_id, folder, "unparsed"))
    reach = _reach(plan.files, sources)
    for number, events in enumerate(_groups(parsed.events)):
        known = known_keys(lake, index, reach, parsed.accepted, events)
        verdicts = decide(events, known, sources, refusal_cuts)
        accepted = verdicts.accepted.with_columns(pl.lit(Verdict.ACCEPTED.value).alias("verdict"))
        refused = verdicts.refused.with_columns(pl.lit(0, pl.Int32).alias("revision"))
        counts += [_counted(accepted), _counted(refused)]
        for table, rows, paths in (
            (ACCEPTED_EVENTS, accepted, accepted_files),
            (REFUSED_EVENTS, refused, refused_files),
        ):
            if rows.height:
                paths.append(_write(table, rows, plan.batch_id, folder, f"part-{number:04d}"))
    decisions = _file_decisions(plan.batch_id, parsed, pl.concat(counts))
    lake.commit_batch(
        plan.batch_id,
        rows={
            BATCHES: facts.batch_row(plan.batch_id, "decide"),
            CATALOGS: facts.catalog_rows(plan.batch_id, lake),
            LANDING_FILES: plan.files.with_columns(pl.lit(plan.batch_id).alias("batch_id")).select(
                LANDING_FILES.column_names
            ),
            FILE_DECISIONS: decisions,
        },
        staged_files={ACCEPTED_EVENTS: accepted_files, REFUSED_EVENTS: refused_files},
    )
    return decisions


def _read_parts(parts: tuple[Path, ...], schema: pl.Schema) -> pl.DataFrame:
    return pl.read_parquet(list(parts)) if parts else pl.DataFrame(schema=schema)


def _groups(parts: tuple[Path, ...]) -> Iterator[pl.DataFrame]:
    """The parsed events by range of key hash, each at most about `EVENTS_PER_GROUP` rows."""
    if not parts:
        return
    events = pl.scan_parquet(list(parts))
    rows = events.select(pl.len()).collect().item()
    groups = max(1, math.ceil(rows / EVENTS_PER_GROUP))
    for group in range(groups):
        first = _HASHES * group // groups
        last = _HASHES * (group + 1) // groups - 1
        yield events.filter(
            pl.col("key_hash").is_between(
                pl.lit(first, pl.UInt64), pl.lit(last, pl.UInt64), closed="both"
            )
        ).collect()


def known_keys(
    lake: Lake,
    index: WindowIndex | None,
    reach: datetime | None,
    staged: tuple[Path, ...],
    events: pl.DataFrame,
) -> pl.DataFrame:
    """The accepted events that share a key hash with any of `events`.

    Args:
        lake: at the batch that the index was brought up to.
        index: finds them; without one every key of the lake is read.
        reach: events received until then may be left out.
        staged: Parquet of events accepted in this batch already.
        events: column key_hash.
    """
    schema = pl.Schema((name, ACCEPTED_EVENTS.schema[name]) for name in KNOWN_KEYS_COLUMNS)
    hashes = events.select(pl.col("key_hash").unique())
    if index is None:
        held = lake.query(
            "SELECT key_hash, file_id, line FROM lake.accepted_events "
            "WHERE key_hash IN (SELECT key_hash FROM hashes)",
            hashes=hashes,
        )
    else:
        held = index.held(hashes["key_hash"].to_numpy(), reach)
    known = [pl.DataFrame(schema=schema)]
    if held.height:
        columns = ", ".join(f"events.{name}" for name in KNOWN_KEYS_COLUMNS)
        known.append(
            lake.query(
                f"SELECT {columns} FROM lake.accepted_events AS events "
                "JOIN held USING (key_hash, file_id, line)",
                held=held,
            )
        )
    if staged:
        known.append(
            # Not a join: of a filter Polars reads the hashes first, and the rest of few rows.
            pl.scan_parquet(list(staged), parallel="prefiltered")
            .select(KNOWN_KEYS_COLUMNS)
            .filter(pl.col("key_hash").is_in(hashes["key_hash"].implode()))
            .collect()
        )
    return pl.concat([rows.select(KNOWN_KEYS_COLUMNS).cast(schema) for rows in known])


def _passed(parsed: ParsedBatch) -> pl.DataFrame:
    """Counts of the events that were accepted as they came."""
    return pl.DataFrame(
        [(file_id, Verdict.ACCEPTED.value, events) for file_id, events in parsed.passed.items()],
        schema={"file_id": pl.Int64, "verdict": pl.String, "events": pl.Int64},
        orient="row",
    )


def _counted(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("file_id", "verdict").agg(pl.len().cast(pl.Int64).alias("events"))


def _write(table: LakeTable, rows: pl.DataFrame, batch_id: int, folder: Path, name: str) -> Path:
    path = folder / table.name / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.sort("file_id", "line").select(
        pl.lit(batch_id).cast(column.dtype).alias(column.name)
        if column.name == "batch_id"
        else pl.col(column.name).cast(column.dtype)
        if column.name in rows.columns
        else pl.lit(None, column.dtype).alias(column.name)
        for column in table.columns
    ).write_parquet(path, compression="zstd", compression_level=1, row_group_size=131_072)
    return path


def _file_decisions(batch_id: int, parsed: ParsedBatch, counts: pl.DataFrame) -> pl.DataFrame:
    """One row per file of the batch; its verdicts must add up to its lines.

    Raises:
        InvariantError: they do not.
    """
    of_file: dict[int, dict[str, int]] = {}
    for file_id, verdict, events in counts.iter_rows():
        found = of_file.setdefault(file_id, {})
        found[verdict] = found.get(verdict, 0) + events
    rows = []
    for file in parsed.files:
        found = of_file.get(file.file_id, {})
        held = file.lines - file.blank - file.rejected if file.held else 0
        decided = sum(found.values()) + file.blank + held
        if decided != file.lines:
            raise InvariantError(
                f"file {file.file_id}: expected {file.lines} lines decided, found {decided} "
                f"({found}, {file.blank} blank, {held} held); nothing was written"
            )
        is_read = file.unreadable is None
        rows.append(
            {
                "batch_id": batch_id,
                "file_id": file.file_id,
                "revision": 0,
                "status": FileStatus.QUARANTINED
                if not is_read
                else FileStatus.HELD
                if file.held
                else FileStatus.DECIDED,
                "reason_code": None if is_read else Reason.UNREADABLE_FILE,
                "reason": file.unreadable or file.held,
                "raw_bytes": file.raw_bytes if is_read else None,
                "raw_sha256": file.raw_sha256 if is_read else None,
                "lines": file.lines,
                "blank": file.blank,
                "held": held,
                **{verdict.value: found.get(verdict, 0) for verdict in Verdict},
            }
        )
    return pl.DataFrame(rows, schema=FILE_DECISIONS.schema)
