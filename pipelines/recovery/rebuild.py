"""Rebuild: damaged files of an events batch, made again from the landing.

1. The files of the batch are checked. Only those that are damaged are made again.
2. The batch is decided once more: from the same file versions, by the catalog of that day, against
   the lake as it was before the batch.
3. A file takes its place again only if its bytes have the SHA-256 that was committed. Equal bytes
   are equal rows.

Parquet of the same rows has the same bytes as long as the same versions of the code, Polars and
PyArrow write it. Another version may write other bytes for the same rows. Nothing is written then,
and the file comes from a backup.

Example: a bit of an accepted event of batch 7 flips. Batch 7 had read `cdn/a.ndjson`. The file is
read and decided again, and its accepted events are written as on that day. Nothing of batch 8 is
touched.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from shutil import rmtree

import polars as pl

from pipelines import durable
from pipelines.home import Home
from pipelines.intake import batch, replay, replay_selection
from pipelines.intake.batch import BatchPlan, Decided
from pipelines.intake.replay_selection import Selection
from pipelines.intake.window_index import WindowIndex
from pipelines.lake.commit import ROWS_FILE, as_stored
from pipelines.lake.file_checks import REBUILT, check_files, check_these
from pipelines.lake.file_digests import FileDigest, RegisteredFile, digest_of
from pipelines.lake.file_states import LATEST_DECISIONS
from pipelines.lake.lake import Lake
from pipelines.lake.writer_lock import writer_lock
from pipelines.landing.discovery import Discovery
from pipelines.reading.dialects import readers_of
from pipelines.reading.parts import ParsedBatch
from pipelines.recovery.store import disk_is_explained
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

_FROM_BACKUP = "`meterline restore --files --from BACKUP` puts it back"


@dataclass(frozen=True)
class Rebuilt:
    """The files of a batch that were made again.

    Attributes:
        batch_id: the batch.
        files: the path of each below the lake's tables; none if all were whole.
        rows: number of their rows.
    """

    batch_id: int
    files: tuple[str, ...]
    rows: int


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


@disk_is_explained()
def rebuild_batch(home: Home, batch_id: int) -> Rebuilt:
    """The damaged files of an events batch, once they are on disk as they were committed.

    Raises:
        AlreadyRunningError: another process writes to the home.
        LakeError: the batch is none of events, or one of its damaged files does not come from the
            landing, or the landing does not give the committed bytes again. No other file was
            changed, and none has other bytes than were committed.
    """
    settings = home.settings
    folder = settings.staging / f"rebuild-{batch_id:09d}"
    with writer_lock(settings.writer_lock, "rebuild", settings.lock_wait_seconds):
        with home.lake_to_verify() as lake:
            damaged = _damaged(lake, batch_id)
            if not damaged:
                return Rebuilt(batch_id, (), 0)
            expected = _expected(lake, damaged)
            try:
                with home.lake_before(batch_id) as past:
                    then = _then(home, lake, past, batch_id, damaged, folder)
                    made = _made_files(then, folder)
                problems = _put_in_place(lake, damaged, expected, made)
            except pl.exceptions.PolarsError as error:
                raise LakeError(f"batch {batch_id} cannot be written again: {error}") from error
            finally:
                rmtree(folder, ignore_errors=True)
                with suppress(OSError):
                    settings.staging.rmdir()
        with home.lake_to_verify() as lake:
            check_files(lake)
    if problems:
        raise LakeError(
            "\n  - ".join(
                [f"batch {batch_id} was decided again, and is not what was committed:", *problems]
            )
            + "\nA file of the landing, a setting such as METERLINE_HOLD_PERCENT, or the version "
            f"of Meterline is another; nothing was written instead. {_FROM_BACKUP}"
        )
    names = tuple(f"{file.table_name}/{file.file_name}" for file in damaged)
    return Rebuilt(batch_id, names, sum(file.rows for file in damaged))


def _damaged(lake: Lake, batch_id: int) -> list[RegisteredFile]:
    """The damaged files of the batch.

    Raises:
        LakeError: the batch is none of events, or what is damaged does not come from the landing.
    """
    files = lake.registered_files()
    own = [file for file in files if file.batch_id == batch_id]
    checks = check_these(lake, own, is_hashed=True)
    unread = [file for file in files if file not in own and _is_needed(file, batch_id)]
    others = check_these(lake, unread, is_hashed=False)
    hopeless = [
        sentence
        for sentence, file in zip(
            (*checks.damages, *others.damages), (*checks.damaged, *others.damaged), strict=True
        )
        if file.table_name not in REBUILT or file.batch_id != batch_id
    ]
    if hopeless:
        raise LakeError(
            "\n  - ".join(
                [
                    f"batch {batch_id} cannot be decided again before these are whole:",
                    *hopeless,
                ]
            )
        )
    kinds = lake.query(
        f"SELECT kind FROM lake.{BATCHES.name} WHERE batch_id = $batch_id", {"batch_id": batch_id}
    )
    if kinds.is_empty():
        raise LakeError(
            f"--batch {batch_id}: expected a batch from 1 to {lake.last_batch_id()}, the last one"
        )
    if kinds["kind"][0] != "decide":
        raise LakeError(
            f"batch {batch_id} decided no events (its kind is `{kinds['kind'][0]}`), so nothing of "
            "it is in the landing. `meterline restore --files --from BACKUP` puts its files back"
        )
    return list(checks.damaged)


def _is_needed(file: RegisteredFile, batch_id: int) -> bool:
    """True for a file that is read when the batch is decided again."""
    return file.table_name == "lake_files" or file.batch_id is None or file.batch_id < batch_id


def _expected(lake: Lake, damaged: Sequence[RegisteredFile]) -> Mapping[RegisteredFile, FileDigest]:
    digests = lake.digests()
    for file in damaged:
        if file.key not in digests:
            raise LakeError(
                f"{file.below(lake.data)}: expected its digest in the lake, found none. "
                f"{_FROM_BACKUP}"
            )
    return {file: digests[file.key] for file in damaged}


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


def _made_files(then: _Then, folder: Path) -> Mapping[tuple[str, str], Path]:
    """Every file that the batch gives when it is decided again, by table and name."""
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
            f"{_FROM_BACKUP}"
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
            f"{_FROM_BACKUP}"
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
                f"Put the file back there; otherwise {_FROM_BACKUP}"
            )


def _put_in_place(
    lake: Lake,
    damaged: Sequence[RegisteredFile],
    expected: Mapping[RegisteredFile, FileDigest],
    made: Mapping[tuple[str, str], Path],
) -> list[str]:
    """A sentence for each file that could not be made again; the others are in their place."""
    problems = []
    for file in damaged:
        target = file.below(lake.data)
        path = made.get((file.table_name, file.file_name.split("-", maxsplit=2)[2]))
        if path is None:
            problems.append(f"{target}: expected {file.rows:,} rows, found no such file")
            continue
        found = digest_of(path)
        if found.sha256 != expected[file].sha256:
            rows = pl.scan_parquet(path).select(pl.len()).collect().item()
            problems.append(
                f"{target}: expected {file.rows:,} rows with SHA-256 {expected[file].sha256}, "
                f"found {rows:,} rows with {found.sha256}"
            )
            continue
        durable.sync(path)
        durable.make_folder(target.parent)
        path.replace(target)
        durable.sync(target.parent)
    return problems
