"""Batch: the files it takes, their verdicts, and the transaction that commits them.

1. `plan` lists the landing and chooses the files.
2. `parse` writes their events and rejections as Parquet into the staging folder.
3. `decide_and_commit` decides each event and commits everything in one transaction.

`EVENTS_PER_GROUP` bounds the memory, not the size of the batch: events are decided one range of
key hashes at a time. Events of one key share a hash, so they are always decided together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from pipelines.intake.decide import decide
from pipelines.intake.known_keys import known_keys, reach_of, winner_paths
from pipelines.intake.verdict_rows import (
    decision_row,
    decision_rows,
    groups,
    held_name_rows,
    unread_lines,
    write_rows,
)
from pipelines.intake.window_index import WindowIndex
from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import RunFacts
from pipelines.landing.discovery import Discovery, discover, first_batch
from pipelines.landing.store import Landing
from pipelines.reading.dialects import Dialect, readers_of
from pipelines.reading.hold_rule import HoldRule
from pipelines.reading.parse import FileOrigin
from pipelines.reading.parts import LandedFile, ParsedBatch
from pipelines.reading.workers import parse_files
from pipelines.vocabulary.frames import WAITING
from pipelines.vocabulary.tables import (
    ACCEPTED_EVENTS,
    BATCHES,
    CATALOGS,
    FILE_DECISIONS,
    HELD_NAMES,
    LANDING_FILES,
    REFUSED_EVENTS,
    UTC_MICROSECONDS,
    LakeTable,
)
from pipelines.vocabulary.verdicts import Verdict

STREAMED_BYTES_MIN = 4 * 1024 * 1024
"""A batch of fewer landed bytes is not streamed: loading the scanner costs more than it saves."""


@dataclass(frozen=True)
class BatchPlan:
    """The files that one batch takes, and the number that wait.

    Attributes:
        batch_id: number of the transaction that will commit the batch.
        discovery: the new file versions of the listing, and the objects that are not read.
        files: the file versions of this batch, one row each, by `file_id`.
        waiting: number of new file versions left for later batches.
        folder: staging folder of this batch.
        readers: the dialect of each source, by source.
    """

    batch_id: int
    discovery: Discovery
    files: pl.DataFrame
    waiting: int
    folder: Path
    readers: Mapping[str, Dialect]

    def undecided(self) -> pl.DataFrame:
        """The new file versions that wait for a later batch, one row each."""
        return self.discovery.files.join(self.files, on="file_id", how="anti")

    def pending(self) -> pl.DataFrame:
        """The file versions that wait for a later batch or for a person; schema `WAITING`."""
        undecided = self.undecided().with_columns(pl.lit(None, pl.String).alias("reason"))
        return pl.concat([undecided.select(*WAITING), self.discovery.waiting])


@dataclass(frozen=True)
class Decided:
    """What a batch of events says about its files and their lines.

    Attributes:
        rows: of small tables, with `batch_id`.
        staged_files: Parquet files of the others, in the staging folder.
    """

    rows: Mapping[LakeTable, pl.DataFrame]
    staged_files: Mapping[LakeTable, list[Path]]


def plan(
    lake: Lake,
    landing: Landing,
    sources: pl.DataFrame,
    staging: Path,
    batch_bytes: int,
    listed_at: datetime | None = None,
) -> BatchPlan:
    """The next batch: the new file versions that come first, up to `batch_bytes`.

    Args:
        lake: its registry says which file versions were taken in before.
        landing: the store that is listed.
        sources: schema `SOURCES`.
        staging: the batch gets a folder of its own below it.
        batch_bytes: the landed bytes that a batch takes at most. The first file is taken whatever
            its size, except that 0 takes none.
        listed_at: when the listing began. None: files dated in the future are accepted.
    """
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
        readers=readers_of(sources),
    )


def parse(
    lake: Lake,
    index: WindowIndex,
    plan: BatchPlan,
    landing: Landing,
    sources: pl.DataFrame,
    cuts_until: Callable[[pl.Series], pl.DataFrame],
    threads: int,
    hold: HoldRule | None = None,
) -> ParsedBatch:
    """The batch's events and rejections as Parquet in its staging folder, and counts per file.

    The files of a large batch are streamed if the scanner knows their dialect. Events that no
    other event can make duplicates are then staged for the lake at once.

    Args:
        lake: the index is brought up to its last batch.
        index: finds the keys accepted before.
        plan: the files.
        landing: the store that holds them.
        sources: schema `SOURCES`.
        cuts_until: the refusal cuts (schema `REFUSAL_CUTS`) for files received at the given
            instants. It is called only if files are streamed: with many customers it takes longer
            than a small batch.
        threads: processes that parse, or threads that scan.
        hold: the rule by which a file is held. None: no file is held.
    """
    files = _landed_files(plan)
    folder = plan.folder / "parsed"
    if not is_streamed(plan):
        return parse_files(landing, files, folder, threads, hold)
    from pipelines.reading.scanner import cache  # numba takes a small batch half a second

    cache.keep_compiled()
    from pipelines.intake import sieve, stream

    streamed = [file for file in files if stream.can_stream(file)]
    left = [file for file in files if not stream.can_stream(file)]
    others = parse_files(landing, left, folder, threads, hold)
    index.bring_up(lake)
    times = sieve.plain_times(
        pl.DataFrame(
            [(f.origin.source, f.origin.received_at) for f in streamed],
            schema={"source": pl.String, "received_at": UTC_MICROSECONDS},
            orient="row",
        ),
        sources,
        cuts_until(plan.files["received_at"]),
    )
    filters = index.filters(reach_of(plan.files, sources))
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


def is_streamed(plan: BatchPlan) -> bool:
    """True if the batch is large enough to be streamed."""
    return int(plan.files["size_bytes"].sum()) >= STREAMED_BYTES_MIN


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
    """The batch's rows of `file_decisions`, one per file, once the batch is committed.

    Raises:
        InvariantError: the verdicts of a file do not add up to its lines. Nothing is written.
        LakeError: the transaction failed. The lake is as before.
    """
    decided = decide_files(lake, index, plan, parsed, sources, refusal_cuts)
    decisions = decided.rows[FILE_DECISIONS]
    lake.commit_batch(
        plan.batch_id,
        rows={
            BATCHES: facts.batch_row(plan.batch_id, "decide"),
            CATALOGS: facts.catalog_rows(plan.batch_id, lake),
            LANDING_FILES: plan.files.with_columns(pl.lit(plan.batch_id).alias("batch_id")).select(
                LANDING_FILES.column_names
            ),
            **decided.rows,
        },
        staged_files=decided.staged_files,
    )
    return decisions


def decide_files(
    lake: Lake,
    index: WindowIndex | None,
    plan: BatchPlan,
    parsed: ParsedBatch,
    sources: pl.DataFrame,
    refusal_cuts: pl.DataFrame,
) -> Decided:
    """What the batch says about its files, staged and not committed.

    Args:
        lake: the verdicts before the batch.
        index: finds the keys accepted before; it is brought up first. None: they are looked up in
            the lake.
        plan: the files.
        parsed: their events and rejections.
        sources: schema `SOURCES`.
        refusal_cuts: schema `REFUSAL_CUTS`.

    Raises:
        InvariantError: the verdicts of a file do not add up to its lines.
    """
    if index is not None:
        index.bring_up(lake)
    folder = plan.folder / "decided"
    unread = unread_lines(parsed.rejections)
    rejections = unread.with_columns(pl.lit(0, pl.Int32).alias("revision")).collect()
    accepted_files = list(parsed.accepted)
    refused_files: list[Path] = []
    counts = [_passed(parsed), _counted(rejections)]
    if rejections.height:
        path = folder / REFUSED_EVENTS.name / "unparsed.parquet"
        refused_files.append(write_rows(REFUSED_EVENTS, rejections, plan.batch_id, path))
    reach = reach_of(plan.files, sources)
    for number, events in enumerate(groups(parsed.events)):
        known = known_keys(lake, index, reach, parsed.accepted, events)
        winners = winner_paths(lake, plan.files, known)
        verdicts = decide(events, known, sources, refusal_cuts, winners)
        accepted = verdicts.accepted.with_columns(pl.lit(Verdict.ACCEPTED.value).alias("verdict"))
        refused = verdicts.refused.with_columns(pl.lit(0, pl.Int32).alias("revision"))
        counts += [_counted(accepted), _counted(refused)]
        for table, rows, paths in (
            (ACCEPTED_EVENTS, accepted, accepted_files),
            (REFUSED_EVENTS, refused, refused_files),
        ):
            if rows.height:
                path = folder / table.name / f"part-{number:04d}.parquet"
                paths.append(write_rows(table, rows, plan.batch_id, path))
    decisions = _file_decisions(plan.batch_id, parsed, pl.concat(counts))
    names = held_name_rows(parsed.held_names, plan.batch_id, dict.fromkeys(decisions["file_id"], 0))
    return Decided(
        rows={FILE_DECISIONS: decisions, HELD_NAMES: names},
        staged_files={ACCEPTED_EVENTS: accepted_files, REFUSED_EVENTS: refused_files},
    )


def _passed(parsed: ParsedBatch) -> pl.DataFrame:
    """Events accepted without deciding, counted by file."""
    return pl.DataFrame(
        [(file_id, Verdict.ACCEPTED.value, events) for file_id, events in parsed.passed.items()],
        schema={"file_id": pl.Int64, "verdict": pl.String, "events": pl.Int64},
        orient="row",
    )


def _counted(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("file_id", "verdict").agg(pl.len().cast(pl.Int64).alias("events"))


def _file_decisions(batch_id: int, parsed: ParsedBatch, counts: pl.DataFrame) -> pl.DataFrame:
    """The batch's rows of `file_decisions`, one per file.

    Raises:
        InvariantError: the verdicts of a file do not add up to its lines.
    """
    of_file: dict[int, dict[str, int]] = {}
    for file_id, verdict, events in counts.iter_rows():
        found = of_file.setdefault(file_id, {})
        found[verdict] = found.get(verdict, 0) + events
    return decision_rows(
        [
            decision_row(file, of_file.get(file.file_id, {}), batch_id, 0, f"file {file.file_id}")
            for file in parsed.files
        ]
    )
