"""What a replay takes up: the files and refused lines that a person names.

Belongs here: the selection and the state it is made from. Must not be put here: deciding (see
`replay`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.lake.lake import Lake
from pipelines.reading.dialects import Dialect, reader_of
from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.tables import REFUSED_EVENTS, UTC_MICROSECONDS
from pipelines.vocabulary.verdicts import FileStatus, Reason, Verdict

_FILES = """
    WITH latest AS (
        SELECT * FROM lake.file_decisions
        QUALIFY row_number() OVER (PARTITION BY file_id ORDER BY revision DESC) = 1
    ),
    files AS (
        SELECT files.file_id, files.source, path, etag, size_bytes, received_at,
            epoch_us(received_at) AS received_us, corrects_file_id,
            latest.revision, status, accepted, raw_sha256
        FROM lake.landing_files AS files JOIN latest USING (file_id)
    )
    SELECT files.*, sources.dialect, sources.dedupe_scope,
        coalesce(status <> 'decided'
            AND max(file_id) FILTER (status = 'decided') OVER (PARTITION BY path) > file_id, false)
        OR file_id IN (SELECT corrects_file_id FROM files WHERE status = 'decided')
            AS is_healed
    FROM files LEFT JOIN sources USING (source) ORDER BY file_id
"""


@dataclass(frozen=True)
class Selection:
    """What a person asks to be decided again; what is empty does not narrow.

    Attributes:
        sources: senders.
        files: paths below the landing, or globs over them.
        reasons: reason codes, `duplicate`, `conflict`, `held` or `unreadable_file`.
        release: paths or globs of held files to be let in whatever they hold; alone, it
            narrows the replay to them.
    """

    sources: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    release: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known = {*Reason, Verdict.DUPLICATE, Verdict.CONFLICT, FileStatus.HELD}
        unknown = sorted(set(self.reasons) - known)
        if unknown:
            raise MeterlineError(
                f"--reason: expected one of {', '.join(sorted(known))}; found {', '.join(unknown)}"
            )

    def names(self, file: dict[str, Any]) -> bool:
        """True when the file is asked for, whatever its lines are."""
        is_narrowed = self.sources or self.files or self.reasons
        if self.releases(file) or (self.release and not is_narrowed):
            return self.releases(file)
        return (not self.sources or file["source"] in self.sources) and (
            not self.files or _matches(file["path"], self.files)
        )

    def releases(self, file: dict[str, Any]) -> bool:
        """True when the file is held and is to be let in."""
        return file["status"] == FileStatus.HELD and _matches(file["path"], self.release)


@dataclass(frozen=True)
class ReplayPlan:
    """The files taken up again.

    Attributes:
        batch_id: the transaction's number.
        files: file_id → its registration, latest decision and dialect; `is_whole` when all of
            its lines are decided, `is_released` when it is not held again.
        refused: rows of `refused_events` that count now, of these files, and `is_taken`.
        not_replayed: (path, why) of files that cannot be taken up.
        folder: staging folder.
        readers: source → what reads its events today.
    """

    batch_id: int
    files: dict[int, dict[str, Any]]
    refused: pl.DataFrame
    not_replayed: tuple[tuple[str, str], ...]
    folder: Path
    readers: Mapping[str, Dialect]

    @property
    def received_at(self) -> pl.Series:
        """When each of the files was received."""
        received = [file["received_at"] for file in self.files.values()]
        return pl.Series("received_at", received, UTC_MICROSECONDS)


def plan(lake: Lake, sources: pl.DataFrame, selection: Selection, staging: Path) -> ReplayPlan:
    """The files and refused lines that the selection names.

    Raises:
        MeterlineError: a path to release names no held file, or a path no file.
    """
    known = lake.query(_FILES, sources=sources.select("source", "dialect", "dedupe_scope"))
    every = list(known.iter_rows(named=True))
    for pattern in selection.release:
        if not any(Selection(release=(pattern,)).releases(file) for file in every):
            raise MeterlineError(f"--release {pattern}: no held file has this path")
    for pattern in selection.files:
        if not any(_matches(file["path"], (pattern,)) for file in every):
            raise MeterlineError(f"--file {pattern}: no file with this path was ever taken in")
    named: dict[int, dict[str, Any]] = {
        file["file_id"]: file | {"is_released": selection.releases(file)}
        for file in every
        if selection.names(file) and (not file["is_healed"] or selection.releases(file))
    }
    refused = _refused_now(lake, named, selection.reasons)
    taken = set(refused.filter("is_taken")["file_id"])
    files = {}
    not_replayed = []
    for file_id, file in named.items():
        is_whole = file["status"] != FileStatus.DECIDED
        asked = {FileStatus.HELD: "held", FileStatus.QUARANTINED: "unreadable_file"}
        is_asked = not selection.reasons or asked.get(file["status"]) in selection.reasons
        if not (file["is_released"] or (is_asked if is_whole else file_id in taken)):
            continue
        if file["dialect"] is None:
            not_replayed.append((file["path"], f"no row for source '{file['source']}'"))
            continue
        files[file_id] = file | {"is_whole": is_whole}
    batch_id = lake.last_batch_id() + 1
    is_of_plan = pl.col("file_id").is_in(list(files))
    return ReplayPlan(
        batch_id,
        files,
        refused.filter(is_of_plan),
        tuple(not_replayed),
        staging / f"{batch_id:09d}",
        {row["source"]: reader_of(row) for row in sources.iter_rows(named=True)},
    )


def _matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(path == pattern or fnmatchcase(path, pattern) for pattern in patterns)


def _refused_now(
    lake: Lake, files: dict[int, dict[str, Any]], reasons: tuple[str, ...]
) -> pl.DataFrame:
    latest = pl.DataFrame(
        {"file_id": list(files), "latest": [file["revision"] for file in files.values()]},
        schema={"file_id": pl.Int64(), "latest": pl.Int32()},
    )
    rows = lake.query(
        "SELECT refused.* FROM lake.refused_events AS refused JOIN latest USING (file_id) "
        "WHERE coalesce(refused.revision, 0) = latest.latest",
        latest=latest,
    ).cast(REFUSED_EVENTS.schema)
    state = pl.coalesce("reason_code", "verdict")
    is_taken = state.is_in(list(reasons)) if reasons else pl.lit(value=True)
    return rows.select(*REFUSED_EVENTS.column_names, is_taken.alias("is_taken"))
