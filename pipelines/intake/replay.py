"""Replay: refused lines are decided again, for example after the catalog was corrected.

1. `replay_selection.plan` chooses the files and their refused lines.
2. `parse` reads these files again.
3. `decide_again` decides the chosen lines and compares the outcome with the earlier one.
4. `commit` writes what changed in one transaction. A dry run leaves this out.

A replayed line keeps its file, line and `received_at`. An accepted line stays accepted and is
never decided again. If a line of a file changes, all lines of the file that are still refused are
written again under its next revision. Only the rows of the latest revision count.

A replayed line is also compared with events accepted after it. Example: line 1 was rejected, and
the same key was then accepted from line 9. In a replay, line 1 becomes a duplicate of line 9.

Known drawback: the refused lines of all chosen files are in memory at once. On a lake with
hundreds of millions of refused lines, narrow the replay by source, file or reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.intake.decide import Verdicts, decide
from pipelines.intake.known_keys import known_keys, winner_paths
from pipelines.intake.replay_selection import ReplayPlan
from pipelines.intake.replayed import Change, NotReplayed, Replayed
from pipelines.intake.reread import changes_of, reread
from pipelines.intake.verdict_rows import (
    decision_row,
    decision_rows,
    groups,
    held_name_rows,
    unread_lines,
    write_rows,
)
from pipelines.intake.window_index import WindowIndex
from pipelines.lake.acts import act_rows
from pipelines.lake.file_states import held_names
from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import RunFacts
from pipelines.landing.store import Landing
from pipelines.reading.hold_rule import HoldRule
from pipelines.reading.parse import FileOrigin
from pipelines.reading.parts import LandedFile, ParsedBatch, ParsedFile
from pipelines.reading.workers import parse_files
from pipelines.vocabulary.acts import Act, ActKind
from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.tables import (
    ACCEPTED_EVENTS,
    ACTS,
    BATCHES,
    CATALOGS,
    FILE_DECISIONS,
    HELD_NAMES,
    REFUSED_EVENTS,
)
from pipelines.vocabulary.verdicts import FileStatus, Verdict

_PLACE = ["file_id", "line"]
_OUTCOME = ["state", "winner_file_id", "winner_line"]


@dataclass(frozen=True)
class Redecided:
    """The outcome of deciding lines again, and how it differs from the earlier one.

    Attributes:
        decisions: new rows of `file_decisions`, one per file that changed.
        refused: new rows of `refused_events`, one per line of these files that stays refused.
        held_names: new rows of `held_names`, of those among these files that stay held.
        accepted: Parquet files of the newly accepted events.
        changes: one row per kind of change; columns before, after, lines, example.
        unchanged: number of lines decided again with the same outcome.
        not_replayed: path and reason of each file that could not be decided again.
    """

    decisions: pl.DataFrame
    refused: pl.DataFrame
    held_names: pl.DataFrame
    accepted: tuple[Path, ...]
    changes: pl.DataFrame
    unchanged: int
    not_replayed: tuple[tuple[str, str], ...]

    def summary(self) -> Replayed:
        """The changes, without the rows for the lake."""
        return Replayed(
            files=self.decisions.height,
            changes=[Change(**row) for row in self.changes.iter_rows(named=True)],
            unchanged=self.unchanged,
            not_replayed=[NotReplayed(path, reason) for path, reason in self.not_replayed],
        )


def parse(plan: ReplayPlan, landing: Landing, processes: int, hold: HoldRule) -> ParsedBatch:
    """The lines of the chosen files, read again with the dialects of today.

    Args:
        plan: the chosen files.
        landing: the store that holds them.
        processes: processes that parse.
        hold: the rule by which a file is held again; a released file never is.
    """
    parts = []
    for is_released in (False, True):
        files = [
            LandedFile(
                file.path,
                file.etag,
                file.size_bytes,
                plan.readers[file.source],
                FileOrigin(file_id, file.source, file.dedupe_scope, file.received_us),
            )
            for file_id, file in plan.files.items()
            if file.is_released == is_released
        ]
        # A decided file was let in before, so only a file that still waits can be held again.
        rule = None if is_released else hold
        waiting = [file for file in files if plan.files[file.origin.file_id].is_whole]
        decided = [file for file in files if not plan.files[file.origin.file_id].is_whole]
        for name, group, group_rule in (("waiting", waiting, rule), ("decided", decided, None)):
            folder = plan.folder / f"parsed-{name}-{int(is_released)}"
            parts.append(parse_files(landing, group, folder, processes, group_rule))
    return ParsedBatch(
        files=tuple(file for part in parts for file in part.files),
        events=tuple(path for part in parts for path in part.events),
        rejections=tuple(path for part in parts for path in part.rejections),
        held_names=tuple(path for part in parts for path in part.held_names),
    )


def decide_again(
    lake: Lake,
    index: WindowIndex | None,
    plan: ReplayPlan,
    parsed: ParsedBatch,
    sources: pl.DataFrame,
    refusal_cuts: pl.DataFrame,
) -> Redecided:
    """The new verdicts of the chosen lines, and what differs from before; nothing is committed.

    Args:
        lake: the verdicts so far.
        index: finds the keys accepted before; it is brought up first. None in a dry run, which
            has no writer lock: the keys are then looked up in the lake.
        plan: the chosen files and lines.
        parsed: the lines of these files.
        sources: schema `SOURCES`.
        refusal_cuts: schema `REFUSAL_CUTS`.

    Raises:
        InvariantError: a chosen line has no verdict, or two.
    """
    if index is not None:
        index.bring_up(lake)
    read, not_replayed = _readable(plan, parsed)
    plan, not_reread = reread(plan, read, parsed)
    read = {file_id: file for file_id, file in read.items() if file_id in plan.files}
    taken = plan.refused.filter(pl.col("is_taken") & pl.col("file_id").is_in(list(read)))
    whole = [file_id for file_id in read if plan.files[file_id].is_whole]

    def decided(events: pl.DataFrame) -> Verdicts:
        # All keys are looked up, because a replayed line may have been received at any time.
        known = known_keys(lake, index, None, (), events)
        paths = winner_paths(lake, plan.paths, known)
        return decide(events, known, sources, refusal_cuts, paths)

    refused, accepted_places, accepted = _verdicts(
        decided, plan, parsed, taken.select(_PLACE), whole
    )
    after = _outcomes(refused, accepted_places)
    is_whole = pl.col("file_id").is_in(whole)
    before = plan.refused.filter(is_whole | pl.col("is_taken"), pl.col("file_id").is_in(list(read)))
    before = before.select(*_PLACE, _state().alias("state"), *_OUTCOME[1:], "is_blank")
    expected = before.filter(~is_whole & ~pl.col("is_blank"))
    lost = expected.join(after, on=_PLACE, how="anti").height
    repeated = after.height - after.select(_PLACE).unique().height
    if lost or repeated:
        raise InvariantError(
            f"expected one verdict for each line decided again, found {lost} lines without a "
            f"verdict and {repeated} verdicts too many; nothing was written"
        )
    compared = _compared(plan, before.drop("is_blank"), after)
    revisions = {file_id: plan.files[file_id].revision + 1 for file_id in read}
    names = held_name_rows(parsed.held_names, plan.batch_id, revisions)
    changed = _changed_files(plan, read, compared, _named_otherwise(lake, names))
    return Redecided(
        decisions=_decisions(plan, read, changed, refused, accepted_places),
        refused=_refused_rows(plan, changed, refused),
        held_names=names.filter(pl.col("file_id").is_in(changed)),
        accepted=accepted,
        changes=changes_of(plan, compared),
        unchanged=compared.filter(~pl.col("is_changed")).height,
        not_replayed=(*plan.not_replayed, *not_replayed, *not_reread),
    )


def _outcomes(refused: pl.DataFrame, accepted_places: pl.DataFrame) -> pl.DataFrame:
    """One row per line: its place, its state and its winner."""
    no_winner = (pl.lit(None, pl.Int64).alias(name) for name in _OUTCOME[1:])
    accepted = accepted_places.with_columns(pl.lit("accepted").alias("state"), *no_winner)
    return pl.concat([refused.select(*_PLACE, _state().alias("state"), *_OUTCOME[1:]), accepted])


def commit(lake: Lake, plan: ReplayPlan, redecided: Redecided, facts: RunFacts) -> bool:
    """True once the changes are committed in one transaction; False if nothing changed."""
    if not redecided.decisions.height:
        return False
    lake.commit_batch(
        plan.batch_id,
        rows={
            BATCHES: facts.batch_row(plan.batch_id, "decide"),
            CATALOGS: facts.catalog_rows(plan.batch_id, lake),
            FILE_DECISIONS: redecided.decisions,
            REFUSED_EVENTS: redecided.refused,
            HELD_NAMES: redecided.held_names,
            ACTS: act_rows(lake, _releases(plan, redecided), plan.batch_id, facts.as_of),
        },
        staged_files={ACCEPTED_EVENTS: list(redecided.accepted)},
    )
    return True


def _releases(plan: ReplayPlan, redecided: Redecided) -> list[Act]:
    """The acts by which a person let held files in."""
    return [
        Act(ActKind.RELEASE, file_id=file_id, asked_by=plan.released_by or None)
        for file_id in redecided.decisions["file_id"]
        if plan.files[file_id].is_released
    ]


def _state() -> pl.Expr:
    return pl.coalesce("reason_code", "verdict")


def _readable(
    plan: ReplayPlan, parsed: ParsedBatch
) -> tuple[dict[int, ParsedFile], list[tuple[str, str]]]:
    """The files that could be read again, by `file_id`; path and reason of the others."""
    read, failed = {}, []
    for file in sorted(parsed.files, key=lambda file: file.file_id):
        known = plan.files[file.file_id]
        if file.unreadable is not None:
            failed.append((known.path, file.unreadable))
        elif known.raw_sha256 not in (None, file.raw_sha256):
            failed.append((known.path, "its bytes are not those that were decided"))
        else:
            read[file.file_id] = file
    return read, failed


def _verdicts(
    decided: Callable[[pl.DataFrame], Verdicts],
    plan: ReplayPlan,
    parsed: ParsedBatch,
    taken: pl.DataFrame,
    whole: list[int],
) -> tuple[pl.DataFrame, pl.DataFrame, tuple[Path, ...]]:
    """The refused rows, the places of the accepted events, and the Parquet files of these."""

    def taken_up(rows: pl.LazyFrame) -> pl.LazyFrame:
        is_whole = pl.col("file_id").is_in(whole)
        return pl.concat(
            [
                rows.filter(is_whole),
                rows.filter(~is_whole).join(taken.lazy(), on=_PLACE, how="semi"),
            ]
        )

    refused = [_as_refused(taken_up(unread_lines(parsed.rejections)).collect())]
    places = [pl.DataFrame(schema={name: pl.Int64() for name in _PLACE})]
    written = []
    for number, events in enumerate(groups(parsed.events, taken_up)):
        verdicts = decided(events)
        refused.append(_as_refused(verdicts.refused))
        if verdicts.accepted.height:
            places.append(verdicts.accepted.select(_PLACE))
            path = plan.folder / "accepted" / f"replay-{number:04d}.parquet"
            written.append(write_rows(ACCEPTED_EVENTS, verdicts.accepted, plan.batch_id, path))
    return pl.concat(refused), pl.concat(places), tuple(written)


def _as_refused(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the columns of `refused_events`; `batch_id` and `revision` are null."""
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in REFUSED_EVENTS.schema.items()
    )


def _compared(plan: ReplayPlan, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """One row per line decided again: its state before and after, and `is_changed`."""
    waited = {"held": "held", "quarantined": "unreadable_file", "decided": "blank"}
    statuses = pl.DataFrame(
        [(file_id, waited[file.status]) for file_id, file in plan.files.items()],
        schema={"file_id": pl.Int64(), "waited": pl.String()},
        orient="row",
    )
    both = before.join(after, on=_PLACE, how="full", coalesce=True, suffix="_after")
    return both.join(statuses, on="file_id", how="left").select(
        *_PLACE,
        pl.coalesce("state", "waited").alias("before"),
        pl.coalesce("state_after", "waited").alias("after"),
        pl.any_horizontal(
            pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in _OUTCOME
        ).alias("is_changed"),
    )


def _named_otherwise(lake: Lake, names: pl.DataFrame) -> set[int]:
    """The files that stay held and whose lines name others than before, or as often."""
    known = held_names(lake)
    columns = known.columns
    before = known.filter(pl.col("file_id").is_in(names["file_id"].unique().to_list()))
    differing = (
        names.join(before, on=columns, how="anti", nulls_equal=True),
        before.join(names, on=columns, how="anti", nulls_equal=True),
    )
    return {file_id for rows in differing for file_id in rows["file_id"]}


def _changed_files(
    plan: ReplayPlan,
    read: dict[int, ParsedFile],
    compared: pl.DataFrame,
    named_otherwise: set[int],
) -> list[int]:
    changed = set(compared.filter("is_changed")["file_id"]) | named_otherwise
    return [
        file_id
        for file_id, file in read.items()
        if file_id in changed or plan.files[file_id].status != _status(file)
    ]


def _status(file: ParsedFile) -> FileStatus:
    return FileStatus.HELD if file.held else FileStatus.DECIDED


def _refused_rows(plan: ReplayPlan, changed: list[int], refused: pl.DataFrame) -> pl.DataFrame:
    """Every line of the changed files that is refused from now on, under their next revision."""
    whole = [file_id for file_id in changed if plan.files[file_id].is_whole]
    kept = plan.refused.filter(~pl.col("is_taken"), ~pl.col("file_id").is_in(whole))
    revisions = {file_id: plan.files[file_id].revision + 1 for file_id in changed}
    rows = pl.concat([refused, kept.drop("is_taken", "is_blank")]).filter(
        pl.col("file_id").is_in(changed)
    )
    return rows.with_columns(
        pl.lit(plan.batch_id, pl.Int64).alias("batch_id"),
        pl.col("file_id").replace_strict(revisions, return_dtype=pl.Int32).alias("revision"),
    ).sort(_PLACE)


def _decisions(
    plan: ReplayPlan,
    read: dict[int, ParsedFile],
    changed: list[int],
    refused: pl.DataFrame,
    accepted_places: pl.DataFrame,
) -> pl.DataFrame:
    counts: dict[tuple[int, str], int] = {}
    for file_id, verdict in (
        _refused_rows(plan, changed, refused).select("file_id", "verdict").iter_rows()
    ):
        counts[file_id, verdict] = counts.get((file_id, verdict), 0) + 1
    newly = dict(accepted_places.group_by("file_id").len().iter_rows())
    rows = []
    for file_id in changed:
        file, known = read[file_id], plan.files[file_id]
        found = {verdict.value: counts.get((file_id, verdict.value), 0) for verdict in Verdict}
        found["accepted"] = known.accepted + newly.get(file_id, 0)
        rows.append(decision_row(file, found, plan.batch_id, known.revision + 1, known.path))
    return decision_rows(rows)
