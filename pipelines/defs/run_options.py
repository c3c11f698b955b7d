"""Run options: the choices of a person who launches a run, as Dagster shows them."""

import dagster as dg
from pydantic import Field

from pipelines.intake.kinds import (
    Close,
    Correction,
    Kind,
    NewFiles,
    Reissue,
    Replay,
    Republication,
    Void,
)
from pipelines.intake.replay_selection import Selection
from pipelines.vocabulary.acts import Asked
from pipelines.vocabulary.errors import MeterlineError


class RunOptions(dg.Config):
    """The choices of a person who launches a run, as the launchpad describes them."""

    as_of: str = Field(
        default="",
        description="The instant that the run speaks for, as RFC 3339 such as "
        "2026-03-10T12:00:00Z. Periods whose grace ended by then are closed. Empty: now.",
    )
    republish: bool = Field(
        default=False,
        description="Build and publish the marts again with the last `as_of` of the home. The run "
        "takes in no file and closes no invoice.",
    )
    replay: bool = Field(
        default=False,
        description="Decide refused lines again by today's catalog; this is what replaces a "
        "backfill. The run takes in no new file.",
    )
    replay_sources: list[str] = Field(
        default_factory=list,
        description="With replay: only lines of these senders. Empty: of all.",
    )
    replay_files: list[str] = Field(
        default_factory=list,
        description="With replay: only lines of these paths or globs. Empty: of all files.",
    )
    replay_reasons: list[str] = Field(
        default_factory=list,
        description="With replay: only lines refused for these reason codes. Empty: for any.",
    )
    replay_release: list[str] = Field(
        default_factory=list,
        description="With replay: paths or globs of held files to let in, with their bad lines "
        "refused.",
    )
    correct_file: str | None = Field(
        default=None, description="Path of a file that was taken in and has a corrected copy."
    )
    correct_from: str | None = Field(
        default=None,
        description="Path of that copy. It stands for the refused lines of `correct_file`.",
    )
    close: bool = Field(
        default=False,
        description="Close the invoices that are due, with what is accepted or waived. The run "
        "takes in no file.",
    )
    accept: list[str] = Field(
        default_factory=list,
        description="With close: subscriptions whose past, as an edit of the catalog added it, is "
        "billed.",
    )
    waive: list[str] = Field(
        default_factory=list,
        description="With close: paths of held or unreadable files that hold back nobody from now "
        "on.",
    )
    dry_run: bool = Field(
        default=False,
        description="With close or reissue: accept, waive, reissue and close nothing, and list "
        "what would be.",
    )
    void: list[str] = Field(
        default_factory=list,
        description="Numbers of the invoices that are void from now on. If there is one, the run "
        "takes in no file and closes no invoice.",
    )
    reissue: list[str] = Field(
        default_factory=list,
        description="Numbers of the invoices that end, and whose periods are closed anew by "
        "today's catalog. If there is one, the run takes in no file and closes nothing else.",
    )
    by: str = Field(
        default="",
        description="Your name; it is kept with what you accept, waive, void or reissue.",
    )
    reason: str = Field(default="", description="Why; it is kept with your name.")

    @property
    def instant(self) -> str | None:
        """`as_of`; None when it is left empty, which means now."""
        return self.as_of or None

    @classmethod
    def of(cls, kind: Kind, as_of: str | None = None) -> "RunOptions":
        """The options that ask for this kind of run; `kind` is the inverse.

        Raises:
            MeterlineError: no option asks for this kind.
        """
        given = as_of or ""
        match kind:
            case NewFiles():
                return cls(as_of=given)
            case Republication():
                return cls(as_of=given, republish=True)
            case Correction(file, copy):
                return cls(as_of=given, correct_file=file, correct_from=copy)
            case Replay(selection):
                return cls(
                    as_of=given,
                    replay=True,
                    replay_sources=list(selection.sources),
                    replay_files=list(selection.files),
                    replay_reasons=list(selection.reasons),
                    replay_release=list(selection.release),
                    by=selection.by,
                )
            case Close(asked, is_trial) | Reissue(asked, is_trial):
                return cls(
                    as_of=given,
                    close=isinstance(kind, Close),
                    accept=list(asked.accept),
                    waive=list(asked.waive),
                    reissue=list(asked.reissue),
                    dry_run=is_trial,
                    by=asked.by,
                    reason=asked.reason,
                )
            case Void(asked):
                return cls(as_of=given, void=list(asked.void), by=asked.by, reason=asked.reason)
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
            bool(self.reissue),
        ]
        if sum(chosen) > 1:
            raise MeterlineError(
                "expected at most one of republish, replay, correct_file, close, void and reissue, "
                "found more"
            )
        if (self.accept or self.waive) and not self.close:
            raise MeterlineError("accept and waive go with close, found them without it")
        if self.dry_run and not (self.close or self.reissue):
            raise MeterlineError("dry_run goes with close or reissue, found it without them")
        if self.close or self.void or self.reissue:
            return self._of_books
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

    @property
    def _of_books(self) -> Close | Void | Reissue:
        """The kind of run that an act about the books asks for."""
        asked = Asked(
            self.by,
            self.reason,
            void=tuple(self.void),
            reissue=tuple(self.reissue),
            accept=tuple(self.accept),
            waive=tuple(self.waive),
        )
        if self.void:
            return Void(asked)
        return Reissue(asked, self.dry_run) if self.reissue else Close(asked, self.dry_run)
