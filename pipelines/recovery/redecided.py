"""Redecided: an events batch decided once more, as it was decided on its day.

It reads the same file versions, by the catalog of that day, with the senders' keys and the closed
time that the lake had before the batch. Nothing of it is committed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl

from pipelines.home import Home
from pipelines.intake import batch, replay, replay_selection
from pipelines.intake.batch import BatchPlan, Decided
from pipelines.intake.replay_selection import Selection
from pipelines.intake.window_index import WindowIndex
from pipelines.lake.commit import ROWS_FILE, as_stored
from pipelines.lake.file_digests import RegisteredFile
from pipelines.lake.file_states import LATEST_DECISIONS
from pipelines.lake.lake import Lake
from pipelines.landing.discovery import Discovery
from pipelines.reading.dialects import readers_of
from pipelines.reading.parts import ParsedBatch
from pipelines.vocabulary.errors import LakeError
from pipelines.vocabulary.tables import (
    ACCEPTED_EVENTS,
    BATCHES,
    CATALOGS,
    FILE_DECISIONS,
    HELD_NAMES,
    LANDING_FILES,
    REFUSED_EVENTS,
)
from pipelines.vocabulary.verdicts import FileStatus
from pipelines.warehouse.stored_catalogs import stored_catalog

FROM_BACKUP = "`meterline restore --files --from BACKUP` puts it back"
"""The end of a sentence about a file that the landing does not give again."""


@dataclass(frozen=True)
class _Then:
    """A batch as it is decided again, and what decides it.

    Attributes:
        home: gives the landing and the settings.
        past: the lake as it was before the batch.
        batch_id: the batch.
        files: its rows of `landing_files`; none of a replay.
        decisions: its rows of `file_decisions`. None: they are damaged.
        sources: the senders of that day; schema `SOURCES`.
        cuts_until: the refusal cuts of that day, as a function.
        folder: staging folder.
    """

    home: Home
    past: Lake
    batch_id: int
    files: pl.DataFrame
    decisions: pl.DataFrame | None
    sources: pl.DataFrame
    cuts_until: Callable[[pl.Series], pl.DataFrame]
    folder: Path


def files_decided_again(
    home: Home,
    lake: Lake,
    past: Lake,
    batch_id: int,
    damaged: Sequence[RegisteredFile],
    folder: Path,
) -> Mapping[tuple[str, str], Path]:
    """Every file that the batch gives, in the staging folder, by its table and end of its name.

    Args:
        home: gives the landing and the settings.
        lake: has the rows of the batch that do not come from the landing.
        past: the lake as it was before the batch.
        batch_id: an events batch.
        damaged: its files that are not read.
        folder: a staging folder of its own.

    Raises:
        LakeError: the landing does not have the files of the batch, or has others in their place.
    """
    then = _then(home, lake, past, batch_id, damaged, folder)
    decided = _decided_again(then) if then.files.height else _replayed_again(then)
    made = {
        (table.name, path.name): path
        for table, paths in decided.staged_files.items()
        for path in paths
    }
    for table, rows in decided.rows.items():
        if rows.height:
            path = folder / "rows" / table.name / ROWS_FILE
            path.parent.mkdir(parents=True, exist_ok=True)
            as_stored(table, rows).write_parquet(path)
            made[table.name, ROWS_FILE] = path
    return made


def _then(
    home: Home,
    lake: Lake,
    past: Lake,
    batch_id: int,
    damaged: Sequence[RegisteredFile],
    folder: Path,
) -> _Then:
    of_batch = {"batch_id": batch_id}
    row = lake.query(
        f"SELECT catalog_digest FROM lake.{BATCHES.name} WHERE batch_id = $batch_id", of_batch
    )
    catalog = stored_catalog(lake.table(CATALOGS), str(row["catalog_digest"][0]))
    files = lake.query(
        f"SELECT * FROM lake.{LANDING_FILES.name} WHERE batch_id = $batch_id ORDER BY file_id",
        of_batch,
    ).cast(LANDING_FILES.schema)
    decisions = None
    if not any(file.table_name == FILE_DECISIONS.name for file in damaged):
        decisions = lake.query(
            f"SELECT * FROM lake.{FILE_DECISIONS.name} WHERE batch_id = $batch_id", of_batch
        )
    cuts_until = partial(home.refusal_cuts, past, catalog)
    return _Then(home, past, batch_id, files, decisions, catalog.sources, cuts_until, folder)


def _decided_again(then: _Then) -> Decided:
    """A batch of file versions. Those that were unreadable on the day have no lines."""
    unreadable = set[int]()
    if then.decisions is not None:
        is_unreadable = pl.col("status") == FileStatus.QUARANTINED
        unreadable = set(then.decisions.filter(is_unreadable)["file_id"])
    files = _as_listed_now(then.home, then.files, unreadable).join(
        then.sources.select("source", "dialect", "dedupe_scope"), on="source", how="left"
    )
    plan = BatchPlan(
        batch_id=then.batch_id,
        discovery=Discovery(files=files, ignored=pl.DataFrame(), listed=files.height),
        files=files.sort("file_id"),
        waiting=0,
        folder=then.folder,
        readers=readers_of(then.sources),
    )
    settings, index = then.home.settings, WindowIndex(then.folder / "window")
    if batch.is_streamed(plan):
        # The index lets a few new keys through to be decided. Which ones depends on the segments
        # that it had, so it is made batch by batch, as it was then.
        for batch_id in range(1, then.batch_id):
            index.bring_up(then.past, batch_id)
    is_correction = then.files["corrects_file_id"].is_not_null().any()
    parsed = batch.parse(
        then.past,
        index,
        plan,
        then.home.landing(),
        then.sources,
        then.cuts_until,
        settings.threads,
        None if is_correction else then.home.hold_rule,
    )
    _require_same_bytes(then, parsed)
    return batch.decide_files(
        then.past,
        index if batch.is_streamed(plan) else None,
        plan,
        parsed,
        then.sources,
        then.cuts_until(plan.files["received_at"]),
    )


def _replayed_again(then: _Then) -> Decided:
    """A replay of all refused lines of the files that it changed.

    Raises:
        LakeError: it cannot be known which files it changed.
    """
    if then.decisions is None:
        raise LakeError(
            f"batch {then.batch_id} is a replay, and only its damaged file says of which files. "
            f"{FROM_BACKUP}"
        )
    changed = then.decisions["file_id"].to_list()
    before = then.past.query(
        f"SELECT file_id, path, etag, size_bytes, status FROM lake.{LANDING_FILES.name} "
        f"JOIN ({LATEST_DECISIONS}) AS latest USING (file_id)"
    ).filter(pl.col("file_id").is_in(changed))
    is_let_in = then.decisions.filter(pl.col("status") == FileStatus.DECIDED)["file_id"]
    released = before.filter(
        pl.col("status") == FileStatus.HELD, pl.col("file_id").is_in(is_let_in.to_list())
    )
    selection = Selection(files=tuple(before["path"]), release=tuple(released["path"]))
    planned = replay_selection.plan(then.past, then.sources, selection, then.folder)
    tags = dict(_as_listed_now(then.home, before, set()).select("file_id", "etag").iter_rows())
    plan = replace(
        planned,
        files={
            file_id: replace(file, etag=tags[file_id])
            for file_id, file in planned.files.items()
            if file_id in tags
        },
        refused=planned.refused.filter(pl.col("file_id").is_in(changed)),
    )
    home = then.home
    parsed = replay.parse(plan, home.landing(), home.settings.threads, home.hold_rule)
    cuts = then.cuts_until(plan.received_at)
    again = replay.decide_again(then.past, None, plan, parsed, then.sources, cuts)
    return Decided(
        rows={
            FILE_DECISIONS: again.decisions,
            REFUSED_EVENTS: again.refused,
            HELD_NAMES: again.held_names,
        },
        staged_files={ACCEPTED_EVENTS: list(again.accepted)},
    )


def _as_listed_now(home: Home, files: pl.DataFrame, left_out: set[int]) -> pl.DataFrame:
    """The file versions with the tags that the landing gives them now.

    A landing that was copied gives other tags to the same bytes. Whether they are the same is seen
    by their SHA-256, when they were read.

    Raises:
        LakeError: a file is not in the landing any more, or has another size.
    """
    wanted = files.filter(~pl.col("file_id").is_in(list(left_out)))
    listed = home.landing().list_objects().select("path", "etag", "size_bytes")
    found = wanted.drop("etag").join(listed, on=["path", "size_bytes"], how="left")
    lost = found.filter(pl.col("etag").is_null())
    if lost.height:
        first = lost.row(0, named=True)
        raise LakeError(
            f"{first['path']} with {first['size_bytes']:,} bytes is not in the landing any more, "
            "so its batch cannot be decided again. Put the file back there; otherwise "
            f"{FROM_BACKUP}"
        )
    return found.sort("file_id")


def _require_same_bytes(then: _Then, parsed: ParsedBatch) -> None:
    """Refuses files of the landing whose bytes are not those that were decided."""
    if then.decisions is None:
        return
    paths = dict(then.files.select("file_id", "path").iter_rows())
    known = dict(then.decisions.select("file_id", "raw_sha256").iter_rows())
    for file in parsed.files:
        reason = file.unreadable
        if reason is None and known.get(file.file_id) not in (None, file.raw_sha256):
            reason = "its bytes are not those that were decided"
        if reason is not None:
            raise LakeError(
                f"{paths[file.file_id]}: {reason}, so its batch cannot be decided again. "
                f"Put the file back there; otherwise {FROM_BACKUP}"
            )
