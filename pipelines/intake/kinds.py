"""Kinds of run: new files, replay, correction, republication, closing, void, reissue.

A kind is a value. It plans its work under the writer lock. Its plan then parses and decides. To
add a kind, add its class here, and the run options that choose it.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Protocol

import polars as pl

from pipelines.intake import batch, replay, replay_selection
from pipelines.intake.batch import BatchPlan
from pipelines.intake.correction import plan_correction, require_same_events
from pipelines.intake.replay_selection import ReplayPlan, Selection
from pipelines.intake.replayed import Replayed
from pipelines.intake.window_index import WindowIndex
from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import RunFacts
from pipelines.landing.store import Landing
from pipelines.reading.hold_rule import HoldRule
from pipelines.reading.parts import ParsedBatch
from pipelines.vocabulary.acts import Asked
from pipelines.vocabulary.counted import counted


@dataclass(frozen=True)
class Tools:
    """The open parts of a home that a kind of run works with.

    Attributes:
        lake: open for writing, under the writer lock.
        index: the window index of the same home.
        landing: the store that holds the files.
        sources: schema `SOURCES`.
        cuts_until: the refusal cuts for files received at the given instants, as a function.
        staging: folder of files that are not committed yet.
        batch_bytes: landed bytes that a batch takes at most.
        listed_at: when the listing began.
        threads: processes that parse, or threads that scan.
        hold: the rule by which a file is held.
    """

    lake: Lake
    index: WindowIndex
    landing: Landing
    sources: pl.DataFrame
    cuts_until: Callable[[pl.Series], pl.DataFrame]
    staging: Path
    batch_bytes: int
    listed_at: datetime
    threads: int
    hold: HoldRule


class Plan(Protocol):
    """The files and lines that a run is about to take in.

    Attributes:
        listing: the listed files: those that the run takes as new, and those that wait.
    """

    @property
    def listing(self) -> BatchPlan:
        """The listed files: those that the run takes as new, and those that wait."""

    @property
    def sentence(self) -> str:
        """The work to be done, in words for a person; empty if there is none."""

    def parse(self, tools: Tools) -> ParsedBatch:
        """The lines of the files, as events and rejections in the staging folder."""

    def decide(self, tools: Tools, parsed: ParsedBatch, facts: RunFacts) -> Replayed | None:
        """The changes of a replay, once the verdicts are committed; None for other kinds."""


class Kind(Protocol):
    """The kind of run that a person or a sensor asks for.

    Attributes:
        takes_in: True if the run takes new files.
        moves_time: True if the run may have a new `as_of`; else it has the last one of the home.
        is_forced: True if the run builds and publishes even when nothing differs.
    """

    takes_in: ClassVar[bool]
    moves_time: ClassVar[bool]
    is_forced: ClassVar[bool]

    @property
    def closes(self) -> bool:
        """True if the run closes the invoices that are due."""

    @property
    def asked(self) -> Asked | None:
        """The acts that a person asks the run for."""

    @property
    def is_trial(self) -> bool:
        """True if what is asked for is judged, and not done."""

    def plan(self, tools: Tools) -> Plan:
        """The files and lines that the run will take in; no file is read yet."""


@dataclass(frozen=True)
class FilesPlan:
    """New files, or one corrected copy.

    Attributes:
        listing: see `Plan`.
        is_correction: True if the only file is a corrected copy. It is then never held, and may
            change refused lines only.
    """

    listing: BatchPlan
    is_correction: bool = False

    @property
    def sentence(self) -> str:
        """The number of files to parse, in words."""
        files = self.listing.files.height
        return f"parsing {counted(files, 'file')}" if files else ""

    def parse(self, tools: Tools) -> ParsedBatch:
        """The lines of the files; see `batch.parse`."""
        parsed = batch.parse(
            tools.lake,
            tools.index,
            self.listing,
            tools.landing,
            tools.sources,
            tools.cuts_until,
            tools.threads,
            None if self.is_correction else tools.hold,
        )
        if self.is_correction:
            require_same_events(tools.lake, self.listing, parsed)
        return parsed

    def decide(self, tools: Tools, parsed: ParsedBatch, facts: RunFacts) -> None:
        """Commits the batch; does nothing if it has no file."""
        if not self.listing.files.height:
            return
        batch.decide_and_commit(
            tools.lake,
            tools.index,
            self.listing,
            parsed,
            tools.sources,
            tools.cuts_until(self.listing.files["received_at"]),
            facts,
        )
        shutil.rmtree(self.listing.folder, ignore_errors=True)


@dataclass(frozen=True)
class LinesPlan:
    """Refused lines that are decided again.

    Attributes:
        listing: see `Plan`; it takes no new file.
        lines: the files and lines that are decided again.
    """

    listing: BatchPlan
    lines: ReplayPlan

    @property
    def sentence(self) -> str:
        """The number of files to read again, in words."""
        return f"reading {counted(len(self.lines.files), 'file')} again"

    def parse(self, tools: Tools) -> ParsedBatch:
        """The lines of the files, read again; see `replay.parse`."""
        return replay.parse(self.lines, tools.landing, tools.threads, tools.hold)

    def decide(self, tools: Tools, parsed: ParsedBatch, facts: RunFacts) -> Replayed:
        """The changes, once they are committed."""
        redecided = replay.decide_again(
            tools.lake,
            tools.index,
            self.lines,
            parsed,
            tools.sources,
            tools.cuts_until(self.lines.received_at),
        )
        replay.commit(tools.lake, self.lines, redecided, facts)
        shutil.rmtree(self.lines.folder, ignore_errors=True)
        return redecided.summary()


class _TakesNoFile:
    """A kind that takes in no file and keeps the last `as_of`; most kinds differ in little."""

    takes_in: ClassVar[bool] = False
    moves_time: ClassVar[bool] = False
    is_forced: ClassVar[bool] = False

    def plan(self, tools: Tools) -> Plan:
        """No file."""
        return FilesPlan(_listing(tools, 0))


@dataclass(frozen=True)
class NewFiles:
    """The usual run: new files are taken in, and the invoices that are due are closed."""

    takes_in: ClassVar[bool] = True
    moves_time: ClassVar[bool] = True
    closes: ClassVar[bool] = True
    asked: ClassVar[None] = None
    is_trial: ClassVar[bool] = False
    is_forced: ClassVar[bool] = False

    def plan(self, tools: Tools) -> FilesPlan:
        """The next batch of new file versions."""
        return FilesPlan(_listing(tools, tools.batch_bytes))


@dataclass(frozen=True)
class Replay(_TakesNoFile):
    """Refused lines are decided again, and the invoices that waited for them are closed.

    Attributes:
        selection: the files and lines to decide again.
    """

    closes: ClassVar[bool] = True
    asked: ClassVar[None] = None
    is_trial: ClassVar[bool] = False

    selection: Selection

    def plan(self, tools: Tools) -> LinesPlan:
        """The files and lines that the selection names."""
        listing = _listing(tools, 0)
        lines = replay_selection.plan(tools.lake, tools.sources, self.selection, tools.staging)
        return LinesPlan(listing, lines)


@dataclass(frozen=True)
class Correction(_TakesNoFile):
    """A corrected copy replaces the refused lines of a file.

    Attributes:
        file: path of the file that was taken in.
        copy: path of its corrected copy.
    """

    closes: ClassVar[bool] = True
    asked: ClassVar[None] = None
    is_trial: ClassVar[bool] = False

    file: str
    copy: str

    def plan(self, tools: Tools) -> FilesPlan:
        """A batch of the copy alone."""
        planned = plan_correction(
            tools.lake,
            tools.landing,
            tools.sources,
            _listing(tools, 0).discovery,
            self.file,
            self.copy,
            tools.staging,
        )
        return FilesPlan(planned, is_correction=True)


@dataclass(frozen=True)
class Republication(_TakesNoFile):
    """The marts are built and published again, with the last `as_of` of the home."""

    closes: ClassVar[bool] = False
    asked: ClassVar[None] = None
    is_trial: ClassVar[bool] = False
    is_forced: ClassVar[bool] = True


@dataclass(frozen=True)
class _MayBeTried(_TakesNoFile):
    """A kind that closes what a person asks for, or only tries it.

    Attributes:
        asked: what is asked for.
        is_trial: True if nothing is written down and nothing is closed.
    """

    moves_time: ClassVar[bool] = True
    is_forced: ClassVar[bool] = True

    asked: Asked
    is_trial: bool = False

    @property
    def closes(self) -> bool:
        """True unless it is a trial."""
        return not self.is_trial


@dataclass(frozen=True)
class Close(_MayBeTried):
    """The invoices that are due are closed, with what a person accepts or waives."""


@dataclass(frozen=True)
class Void(_TakesNoFile):
    """An invoice ends, and the marts are published without it.

    Attributes:
        asked: the void.
    """

    closes: ClassVar[bool] = False
    is_trial: ClassVar[bool] = False
    is_forced: ClassVar[bool] = True

    asked: Asked


@dataclass(frozen=True)
class Reissue(_MayBeTried):
    """Invoices end, and their periods are closed anew by today's catalog, in one transaction."""


def _listing(tools: Tools, batch_bytes: int) -> BatchPlan:
    return batch.plan(
        tools.lake, tools.landing, tools.sources, tools.staging, batch_bytes, tools.listed_at
    )
