"""Replay selection: the files and refused lines that a person asks to be decided again."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

import polars as pl

from pipelines.lake.file_states import (
    CORRECTED_FILES,
    LATEST_DECISIONS,
    file_states,
    unhealed,
)
from pipelines.lake.lake import Lake
from pipelines.reading.dialects import Dialect, readers_of
from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.tables import REFUSED_EVENTS, UTC_MICROSECONDS
from pipelines.vocabulary.verdicts import FileStatus, Reason, Verdict

_FILES = f"""
    SELECT files.file_id, files.source, path, etag, size_bytes, received_at,
        epoch_us(received_at) AS received_us,
        latest.revision, status, accepted, lines, blank, raw_sha256,
        sources.dialect IS NOT NULL AS has_dialect,
        coalesce(sources.dedupe_scope, '') AS dedupe_scope,
        file_id IN ({CORRECTED_FILES}) AS is_corrected
    FROM lake.landing_files AS files JOIN ({LATEST_DECISIONS}) AS latest USING (file_id)
    LEFT JOIN sources USING (source) ORDER BY file_id
"""


@dataclass(frozen=True)
class ReplayFile:
    """A file version that can be decided again: its registry row and its latest decision.

    Attributes:
        file_id: number of the file version in the registry.
        source: its sender.
        path: its path below the landing.
        etag: the store's tag of this version.
        size_bytes: its size as landed, so compressed if it is.
        received_at: when it was received.
        received_us: the same, in microseconds since 1970.
        revision: revision of its latest decision.
        status: status of its latest decision.
        accepted: number of its lines that are accepted.
        lines: number of its lines when it was decided.
        blank: number of those that were blank.
        raw_sha256: SHA-256 of its decompressed bytes. None: it could not be read.
        has_dialect: False if the catalog has no row for the sender any more.
        dedupe_scope: the scope in which the sender's keys are unique today.
        is_corrected: True if a corrected copy replaces its refused lines.
        is_healed: True if it is corrected, or if it waits and a later version of its path is
            decided.
        is_released: True if it is held and a person lets it in.
        is_recut: True if today's reading cuts it into other lines, and none of them is accepted.
    """

    file_id: int
    source: str
    path: str
    etag: str
    size_bytes: int
    received_at: datetime
    received_us: int
    revision: int
    status: str
    accepted: int
    lines: int
    blank: int
    raw_sha256: str | None
    has_dialect: bool
    dedupe_scope: str
    is_corrected: bool
    is_healed: bool = False
    is_released: bool = False
    is_recut: bool = False

    @property
    def is_whole(self) -> bool:
        """True if no line of it counts yet, so that all of its lines are decided."""
        return self.status != FileStatus.DECIDED or self.is_recut


@dataclass(frozen=True)
class Selection:
    """The files and lines that a person asks to be decided again. An empty field selects all.

    Attributes:
        sources: senders.
        files: paths below the landing, or globs over them.
        reasons: reason codes, `duplicate`, `conflict`, `not_usage`, `held` or `unreadable_file`.
        release: paths or globs of held files that are let in. If it is the only field that is not
            empty, no other file is selected.
        by: name of who lets files in, as given.
    """

    sources: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    release: tuple[str, ...] = ()
    by: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        known = {*Reason, Verdict.DUPLICATE, Verdict.CONFLICT, Verdict.NOT_USAGE, FileStatus.HELD}
        unknown = sorted(set(self.reasons) - known)
        if unknown:
            raise MeterlineError(
                f"--reason: expected one of {', '.join(sorted(known))}; found {', '.join(unknown)}"
            )

    def names(self, file: ReplayFile) -> bool:
        """True if the file is selected, before `reasons` chooses among its lines."""
        is_narrowed = self.sources or self.files or self.reasons
        if self.releases(file) or (self.release and not is_narrowed):
            return self.releases(file)
        return (not self.sources or file.source in self.sources) and (
            not self.files or _matches(file.path, self.files)
        )

    def releases(self, file: ReplayFile) -> bool:
        """True if the file is held and is to be let in."""
        return file.status == FileStatus.HELD and _matches(file.path, self.release)


@dataclass(frozen=True)
class ReplayPlan:
    """The files and lines that one replay decides again.

    Attributes:
        batch_id: number of the transaction that will commit the replay.
        files: the files, by `file_id`.
        refused: the lines of these files that are refused now, one row each, with the columns of
            `refused_events`. `is_taken` is True if the line is decided again, and `is_blank` if
            today's reading finds nothing in it.
        not_replayed: path and reason of each selected file that cannot be read again.
        folder: staging folder of this replay.
        readers: the dialect of each source today, by source.
        released_by: name of who lets held files in.
    """

    batch_id: int
    files: dict[int, ReplayFile]
    refused: pl.DataFrame
    not_replayed: tuple[tuple[str, str], ...]
    folder: Path
    readers: Mapping[str, Dialect]
    released_by: str = ""

    @property
    def paths(self) -> pl.DataFrame:
        """One row per file: file_id and path."""
        rows = [(file_id, file.path) for file_id, file in self.files.items()]
        return pl.DataFrame(rows, {"file_id": pl.Int64(), "path": pl.String()}, orient="row")

    @property
    def received_at(self) -> pl.Series:
        """When each of the files was received, one value per file."""
        received = [file.received_at for file in self.files.values()]
        return pl.Series("received_at", received, UTC_MICROSECONDS)


def plan(lake: Lake, sources: pl.DataFrame, selection: Selection, staging: Path) -> ReplayPlan:
    """The files and refused lines that the selection names.

    Args:
        lake: the registry and the verdicts so far.
        sources: schema `SOURCES`.
        selection: the files and lines that a person asks for.
        staging: the replay gets a folder of its own below it.

    Raises:
        MeterlineError: a path in `release` matches no held file, or one in `files` no file.
    """
    every = _known_files(lake, sources)
    for pattern in selection.release:
        if not any(Selection(release=(pattern,)).releases(file) for file in every):
            raise MeterlineError(f"--release {pattern}: no held file has this path")
    for pattern in selection.files:
        if not any(_matches(file.path, (pattern,)) for file in every):
            raise MeterlineError(f"--file {pattern}: no file with this path was ever taken in")
    named = {
        file.file_id: replace(file, is_released=selection.releases(file))
        for file in every
        if selection.names(file) and (not file.is_healed or selection.releases(file))
    }
    refused = _refused_now(lake, named, selection.reasons)
    taken = set(refused.filter("is_taken")["file_id"])
    files = {}
    not_replayed = []
    for file_id, file in named.items():
        is_asked = not selection.reasons or _WAITS_AS.get(file.status) in selection.reasons
        if not (file.is_released or (is_asked if file.is_whole else file_id in taken)):
            continue
        if not file.has_dialect:
            not_replayed.append((file.path, f"no row for source '{file.source}'"))
            continue
        files[file_id] = file
    batch_id = lake.last_batch_id() + 1
    is_of_plan = pl.col("file_id").is_in(list(files))
    return ReplayPlan(
        batch_id,
        files,
        refused.filter(is_of_plan),
        tuple(not_replayed),
        staging / f"{batch_id:09d}",
        readers_of(sources),
        selection.by,
    )


_WAITS_AS: Mapping[str, str] = {FileStatus.HELD: "held", FileStatus.QUARANTINED: "unreadable_file"}
"""The `--reason` that selects a file of this status."""


def _known_files(lake: Lake, sources: pl.DataFrame) -> list[ReplayFile]:
    known = lake.query(_FILES, sources=sources.select("source", "dialect", "dedupe_scope"))
    waiting = set(unhealed(file_states(lake))["file_id"])
    files = [ReplayFile(**row) for row in known.iter_rows(named=True)]
    return [
        replace(
            file, is_healed=file.is_corrected or (file.is_whole and file.file_id not in waiting)
        )
        for file in files
    ]


def _matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(path == pattern or fnmatchcase(path, pattern) for pattern in patterns)


def _refused_now(
    lake: Lake, files: dict[int, ReplayFile], reasons: tuple[str, ...]
) -> pl.DataFrame:
    latest = pl.DataFrame(
        {"file_id": list(files), "latest": [file.revision for file in files.values()]},
        schema={"file_id": pl.Int64(), "latest": pl.Int32()},
    )
    rows = lake.query(
        "SELECT refused.* FROM lake.refused_events AS refused JOIN latest USING (file_id) "
        "WHERE coalesce(refused.revision, 0) = latest.latest",
        latest=latest,
    ).cast(REFUSED_EVENTS.schema)
    state = pl.coalesce("reason_code", "verdict")
    is_taken = state.is_in(list(reasons)) if reasons else pl.lit(value=True)
    return rows.select(
        *REFUSED_EVENTS.column_names,
        is_taken.alias("is_taken"),
        pl.lit(value=False).alias("is_blank"),
    )
