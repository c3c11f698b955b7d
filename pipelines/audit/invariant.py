"""Invariant: a claim about a batch, a query for its offences, and the finding of a check."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Invariant:
    """A claim about the rows of one batch.

    Attributes:
        name: the claim in a few words; it is also the name of the check in Dagster.
        table: the lake table at which Dagster shows the check.
        meaning: the claim as a sentence, with the number of the invariant in the design.
        offenders: SQL that gives one row per offence of the batch `$batch_id`. Empty if the check
            is not a query.
        sentence: one offence in words, with columns of its row in braces. If the row has
            `file_id`, `{path}` is the path of the file.
    """

    name: str
    table: str
    meaning: str
    offenders: str = ""
    sentence: str = ""


@dataclass(frozen=True)
class Finding:
    """The outcome of checking one invariant.

    Attributes:
        invariant: the claim.
        offences: number of offences found.
        sample: some of the offences, in words.
    """

    invariant: Invariant
    offences: int
    sample: str

    @property
    def holds(self) -> bool:
        """True if there is no offence."""
        return self.offences == 0
