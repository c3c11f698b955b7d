"""What a replay changed, as people and programs are shown it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """Lines decided again whose state changed in the same way.

    Attributes:
        before: their verdict, reason or file status until then.
        after: the same from now on.
        lines: how many there are.
        example: file and line of the first.
    """

    before: str
    after: str
    lines: int
    example: str


@dataclass(frozen=True)
class NotReplayed:
    """A file that could not be decided again, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Replayed:
    """What a replay changed, or would change.

    Attributes:
        files: how many changed.
        changes: the lines that changed, most frequent first.
        unchanged: lines decided again to the same outcome.
        not_replayed: files that could not be decided again.
    """

    files: int
    changes: list[Change]
    unchanged: int
    not_replayed: list[NotReplayed]
