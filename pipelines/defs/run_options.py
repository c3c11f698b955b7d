"""Run options: the choices of a person who launches a run, as Dagster shows them."""

import dagster as dg
from pydantic import Field

from pipelines.intake.kinds import (
    Close,
    Correction,
    Kind,
    NewFiles,
    Replay,
    Republication,
    Void,
)
from pipelines.intake.replay_selection import Selection
from pipelines.vocabulary.acts import Asked
from pipelines.vocabulary.errors import MeterlineError


class RunOptions(dg.Config):
    """The choices of a person who launches a run.

    Attributes:
        as_of: the instant of the run as RFC 3339: periods cut by then are closed. None: now.
        republish: True if the marts are built and published again with the last `as_of` of the
            home. Such a run takes in no file and closes no invoice.
        replay: True if refused lines are decided again. Such a run takes in no new file.
        replay_sources: senders whose lines are replayed; empty for all.
        replay_files: paths or globs of the files to replay; empty for all.
        replay_reasons: reason codes of the lines to replay; empty for all.
        replay_release: paths or globs of held files that are let in.
        correct_file: path of a file that was taken in. None: no file is corrected.
        correct_from: path of its corrected copy. None: no file is corrected.
        close: True if the invoices that are due are closed, with what is accepted or waived. Such
            a run takes in no file.
        accept: subscriptions whose past, as an edit of the catalog added it, is billed.
        waive: paths of held or unreadable files that shall hold back nobody.
        dry_run: True if nothing is accepted, waived or closed.
        void: numbers of the invoices that are void from now on. If there is one, the run takes in
            no file and closes no invoice.
        by: name of who asks to accept, waive, void or release.
        reason: why.
    """

    as_of: str | None = None
    republish: bool = False
    replay: bool = False
    replay_sources: list[str] = Field(default_factory=list)
    replay_files: list[str] = Field(default_factory=list)
    replay_reasons: list[str] = Field(default_factory=list)
    replay_release: list[str] = Field(default_factory=list)
    correct_file: str | None = None
    correct_from: str | None = None
    close: bool = False
    accept: list[str] = Field(default_factory=list)
    waive: list[str] = Field(default_factory=list)
    dry_run: bool = False
    void: list[str] = Field(default_factory=list)
    by: str = ""
    reason: str = ""

    @classmethod
    def of(cls, kind: Kind, as_of: str | None = None) -> "RunOptions":
        """The options that ask for this kind of run; `kind` is the inverse.

        Raises:
            MeterlineError: no option asks for this kind.
        """
        match kind:
            case NewFiles():
                return cls(as_of=as_of)
            case Republication():
                return cls(as_of=as_of, republish=True)
            case Correction(file, copy):
                return cls(as_of=as_of, correct_file=file, correct_from=copy)
            case Replay(selection):
                return cls(
                    as_of=as_of,
                    replay=True,
                    replay_sources=list(selection.sources),
                    replay_files=list(selection.files),
                    replay_reasons=list(selection.reasons),
                    replay_release=list(selection.release),
                    by=selection.by,
                )
            case Close(asked, is_trial):
                return cls(
                    as_of=as_of,
                    close=True,
                    accept=list(asked.accept),
                    waive=list(asked.waive),
                    dry_run=is_trial,
                    by=asked.by,
                    reason=asked.reason,
                )
            case Void(asked):
                return cls(as_of=as_of, void=list(asked.void), by=asked.by, reason=asked.reason)
            case _:
                raise MeterlineError(f"expected a kind that options name, found {kind}")

    @property
    def kind(self) -> Kind:
        """The kind of run that the options ask for.

        Raises:
            MeterlineError: the options contradict each other, or name an unknown reason.
        """
        chosen = [
            self.republish,
            self.replay,
            bool(self.correct_file or self.correct_from),
            self.close,
            bool(self.void),
        ]
        if sum(chosen) > 1:
            raise MeterlineError(
                "expected at most one of republish, replay, correct_file, close and void, found "
                "more"
            )
        asks_without_close = bool(self.accept or self.waive or self.dry_run) and not self.close
        if asks_without_close:
            raise MeterlineError("accept, waive and dry_run go with close, found them without it")
        if self.close:
            asked = Asked(self.by, self.reason, accept=tuple(self.accept), waive=tuple(self.waive))
            return Close(asked, self.dry_run)
        if self.void:
            return Void(Asked(self.by, self.reason, void=tuple(self.void)))
        if self.republish:
            return Republication()
        if self.correct_file or self.correct_from:
            if not (self.correct_file and self.correct_from):
                raise MeterlineError("expected both correct_file and correct_from, found one")
            return Correction(self.correct_file, self.correct_from)
        if self.replay:
            return Replay(
                Selection(
                    tuple(self.replay_sources),
                    tuple(self.replay_files),
                    tuple(self.replay_reasons),
                    tuple(self.replay_release),
                    self.by,
                )
            )
        return NewFiles()
