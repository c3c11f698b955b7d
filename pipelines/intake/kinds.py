"""Kinds of run: what each takes in, and how it reads and decides it.

A kind is a value. It plans its work under the writer lock, and the plan then parses and decides.
To add a kind, add its class here and the options that choose it.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Protocol

import polars as pl

from pipelines.intake import batch, replay, replay_selection
from pipelines.intake.batch import BatchPlan
from pipelines.intake.correction import plan_correction, require_same_events
from pipelines.intake.replay_selection import ReplayPlan, Selection
from pipelines.intake.window_index import WindowIndex
from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import RunFacts
from pipelines.landing.store import Landing
from pipelines.reading.hold_rule import HoldRule
from pipelines.reading.parts import ParsedBatch


@dataclass(frozen=True)
class Tools:
    """What every kind works with.

    Attributes:
        lake: open for writing, under the writer lock.
        index: the window index of the same home.
        landing: where the files lie.
        sources: schema `SOURCES`.
        cuts_until: gives the refusal cuts that files with these instants of arrival need.
        staging: folder for what is not committed yet.
        batch_bytes: landed bytes that a batch takes at most.
        listed_at: when the listing began.
        threads: processes that parse.
        hold: when a file is held.
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
    """What a run is about to take in.

    Attributes:
        listing: the listed files, those that the run takes, and those that wait.
    """

    @property
    def listing(self) -> BatchPlan:
        """The listed files, those that the run takes as new, and those that wait."""

    @property
    def sentence(self) -> str:
        """What is about to be read, for a person; empty when nothing is."""

    def parse(self, tools: Tools) -> ParsedBatch:
        """The files' lines as events and rejections in the staging folder."""

    def decide(self, tools: Tools, parsed: ParsedBatch, facts: RunFacts) -> dict[str, Any] | None:
        """Commits the verdicts; what a replay changed as JSON values, None for other kinds."""


class Kind(Protocol):
    """What a person or a sensor asks a run to do.

    Attributes:
        takes_in: True takes new files and may speak for a new instant.
        closes: True closes what is due.
        is_forced: True builds and publishes even when nothing differs.
    """

    takes_in: ClassVar[bool]
    closes: ClassVar[bool]
    is_forced: ClassVar[bool]

    def plan(self, tools: Tools) -> Plan:
        """What the run will take in; nothing is read yet."""


@dataclass(frozen=True)
class FilesPlan:
    """New files, or one corrected copy.

    Attributes:
        listing: see `Plan`.
        is_correction: the one file corrects another: it is never held, and it must agree with it.
    """

    listing: BatchPlan
    is_correction: bool = False

    @property
    def sentence(self) -> str:
        """How many files are parsed."""
        files = self.listing.files.height
        return f"parsing {files:,} files" if files else ""

    def parse(self, tools: Tools) -> ParsedBatch:
        """Every line of the files; see `batch.parse`."""
        parsed = batch.parse(
            tools.lake,
            tools.index,
            self.listing,
            tools.landing,
            tools.sources,
            tools.cuts_until(self.listing.files["received_at"]),
            tools.threads,
            None if self.is_correction else tools.hold,
        )
        if self.is_correction:
            require_same_events(tools.lake, self.listing, parsed)
        return parsed

    def decide(self, tools: Tools, parsed: ParsedBatch, facts: RunFacts) -> None:
        """Commits the batch, if it has a file."""
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
        listing: see `Plan`; it takes no file.
        lines: what is taken up again.
    """

    listing: BatchPlan
    lines: ReplayPlan

    @property
    def sentence(self) -> str:
        """How many files are read again."""
        return f"reading {len(self.lines.files):,} files again"

    def parse(self, tools: Tools) -> ParsedBatch:
        """Every line of the files, read again."""
        return replay.parse(self.lines, tools.landing, tools.threads, tools.hold)

    def decide(self, tools: Tools, parsed: ParsedBatch, facts: RunFacts) -> dict[str, Any]:
        """Commits what changed."""
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
        return redecided.as_json()


@dataclass(frozen=True)
class NewFiles:
    """The usual run: it takes in what has landed."""

    takes_in: ClassVar[bool] = True
    closes: ClassVar[bool] = True
    is_forced: ClassVar[bool] = False

    def plan(self, tools: Tools) -> FilesPlan:
        """The next batch of new file versions."""
        return FilesPlan(_listing(tools, tools.batch_bytes))


@dataclass(frozen=True)
class Replay:
    """Refused lines are decided again, and what waited for them is closed.

    Attributes:
        selection: the lines.
    """

    takes_in: ClassVar[bool] = False
    closes: ClassVar[bool] = True
    is_forced: ClassVar[bool] = False

    selection: Selection

    def plan(self, tools: Tools) -> LinesPlan:
        """The files and lines that the selection names."""
        listing = _listing(tools, 0)
        lines = replay_selection.plan(tools.lake, tools.sources, self.selection, tools.staging)
        return LinesPlan(listing, lines)


@dataclass(frozen=True)
class Correction:
    """A corrected copy stands for the refused lines of a file.

    Attributes:
        file: the path that was taken in.
        copy: the path of the corrected copy.
    """

    takes_in: ClassVar[bool] = False
    closes: ClassVar[bool] = True
    is_forced: ClassVar[bool] = False

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
class Republication:
    """The marts are built and published again for the last instant the home has spoken for."""

    takes_in: ClassVar[bool] = False
    closes: ClassVar[bool] = False
    is_forced: ClassVar[bool] = True

    def plan(self, tools: Tools) -> FilesPlan:
        """No file."""
        return FilesPlan(_listing(tools, 0))


def _listing(tools: Tools, batch_bytes: int) -> BatchPlan:
    return batch.plan(
        tools.lake, tools.landing, tools.sources, tools.staging, batch_bytes, tools.listed_at
    )
