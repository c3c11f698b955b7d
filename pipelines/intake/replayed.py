"""Replayed: the changes of a replay, as the command line and Dagster show them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """The lines whose state changed in the same way.

    Attributes:
        before: their earlier verdict, reason code or file status.
        after: their new verdict, reason code or file status.
        lines: number of these lines.
        example: file and line of the first one.
    """

    before: str
    after: str
    lines: int
    example: str


@dataclass(frozen=True)
class NotReplayed:
    """A file that could not be decided again.

    Attributes:
        path: its path below the landing.
        reason: the reason, as a sentence.
    """

    path: str
    reason: str


@dataclass(frozen=True)
class Replayed:
    """The changes that a replay made, or would make in a dry run.

    Attributes:
        files: number of files that changed.
        changes: the lines that changed, the most frequent kind of change first.
        unchanged: number of lines decided again with the same outcome.
        not_replayed: the files that could not be decided again.
    """

    files: int
    changes: list[Change]
    unchanged: int
    not_replayed: list[NotReplayed]
