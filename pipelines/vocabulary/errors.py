"""The exceptions that Meterline raises when it must stop.

Bad data is not an exception. A bad line becomes a rejection with a reason, and a bad file is
quarantined (see `verdicts`).
"""

from typing import ClassVar

from pipelines.vocabulary.counted import counted
from pipelines.vocabulary.verdicts import Reason
from pipelines.vocabulary.visible import visible_lines


class MeterlineError(Exception):
    """Any reason for Meterline to stop. Its text says what to do.

    The text may name files and values of senders. Nothing in it acts where it is shown.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(visible_lines(sentence))


class _ProblemsError(MeterlineError):
    """A catalog with problems: a sentence about all of them, then one for each.

    Attributes:
        problems: one sentence per problem, with file, row and column.
    """

    _about_all: ClassVar[str]
    _place: ClassVar[str]

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        listed = "\n".join(f"  - {problem}" for problem in problems)
        count = counted(len(problems), self._place)
        super().__init__(f"{self._about_all.format(count=count)}:\n{listed}")


class CatalogError(_ProblemsError):
    """The catalog contradicts itself. Nothing was written."""

    _about_all = "the catalog has {count}; nothing was written"
    _place = "problem"


class ClosedTimeError(_ProblemsError):
    """The catalog takes away what was billed. Events were decided, and nothing was billed."""

    _about_all = (
        "the catalog contradicts what is closed in {count}; events were decided by the last good "
        "catalog, no invoice was closed and nothing was published"
    )
    _place = "place"


class LandingError(MeterlineError):
    """The landing cannot be listed or read: wrong address, credentials or network."""


class LakeError(MeterlineError):
    """The lake refuses to go on: a newer schema, a path registered twice, a broken rule."""


class OlderSchemaError(LakeError):
    """The lake has an earlier schema, or no tables yet. The next run migrates it."""


class DamagedLakeError(LakeError):
    """A file of the lake cannot be read."""


class AlreadyRunningError(MeterlineError):
    """Another run holds the writer lock of this home."""


class UnforeseenError(MeterlineError):
    """A library or the machine failed, and nothing here was made for it.

    Attributes:
        trace: all that is known, as Python writes it. It goes to a log.
    """

    def __init__(self, sentence: str, trace: str) -> None:
        self.trace = trace
        super().__init__(sentence)


class InvariantError(MeterlineError):
    """The written rows do not add up. Nothing is published or finalized."""


class UnreadableFileError(Exception):
    """The file cannot be read to its end, and is quarantined.

    Its message becomes the reason in `file_decisions`.

    Attributes:
        reason: the reason code there.
    """

    def __init__(self, sentence: str, reason: Reason = Reason.UNREADABLE_FILE) -> None:
        self.reason = reason
        super().__init__(sentence)
