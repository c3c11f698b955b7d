"""Run options: what a person may choose when launching a run.

Belongs here: the options as Dagster shows them. Must not be put here: what a run does with them.
"""

import dagster as dg
from pydantic import Field

from pipelines.intake.replay_selection import Selection


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

    @property
    def takes_in(self) -> bool:
        """False when the run works on what is in the lake already."""
        return not (self.republish or self.replay or self.correct_from)

    @property
    def selection(self) -> Selection:
        """What a replay takes up."""
        return Selection(
            tuple(self.replay_sources),
            tuple(self.replay_files),
            tuple(self.replay_reasons),
            tuple(self.replay_release),
        )
