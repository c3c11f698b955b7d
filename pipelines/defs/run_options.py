"""Run options: what a person may choose when launching a run, as Dagster shows it."""

import dagster as dg
from pydantic import Field

from pipelines.intake.kinds import Correction, Kind, NewFiles, Replay, Republication
from pipelines.intake.replay_selection import Selection
from pipelines.vocabulary.errors import MeterlineError


class RunOptions(dg.Config):
    """What a person may choose when launching a run.

    Attributes:
        as_of: instant the run speaks for, RFC 3339; None is the present.
        republish: True takes in no file and closes no invoice, but builds and publishes the
            marts again, for the last instant the home has spoken for.
        replay: True decides refused lines again, those that the selection names; it takes in
            no new file.
        correct_file, correct_from: a file of the landing and its corrected copy; see `correction`.
        replay_sources, replay_files, replay_reasons, replay_release: see
            `replay_selection.Selection`.
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

    @classmethod
    def of(cls, kind: Kind, as_of: str | None = None) -> "RunOptions":
        """The options that ask a run for this kind; `kind` reads it back from them.

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
                )
            case _:
                raise MeterlineError(f"expected a kind that options name, found {kind}")

    @property
    def kind(self) -> Kind:
        """What the run is asked to do.

        Raises:
            MeterlineError: the options contradict each other, or name an unknown reason.
        """
        chosen = [self.republish, self.replay, bool(self.correct_file or self.correct_from)]
        if sum(chosen) > 1:
            raise MeterlineError("expected one of republish, replay and correct_file, found more")
        if self.republish:
            return Republication()
        if self.correct_file or self.correct_from:
            if not (self.correct_file and self.correct_from):
                raise MeterlineError("correct_file and correct_from go together; give both")
            return Correction(self.correct_file, self.correct_from)
        if self.replay:
            return Replay(
                Selection(
                    tuple(self.replay_sources),
                    tuple(self.replay_files),
                    tuple(self.replay_reasons),
                    tuple(self.replay_release),
                )
            )
        return NewFiles()
