"""What an invariant is: a claim, the query that lists offenders, and what checking it gave."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Invariant:
    """A claim about the rows of one batch.

    Attributes:
        name: the claim, as a check is named.
        table: lake table it is shown at.
        meaning: what holds, and its number in the list of invariants.
        offenders: SQL; one row per offence, for the batch `$batch_id`. Empty where the check is no
            query.
        sentence: what one offence says to a person, with the row's columns in braces; `{path}` is
            the file's path where the row has `file_id`.
    """

    name: str
    table: str
    meaning: str
    offenders: str = ""
    sentence: str = ""


@dataclass(frozen=True)
class Finding:
    """What checking one invariant gave; it holds when there are no offences."""

    invariant: Invariant
    offences: int
    sample: str

    @property
    def holds(self) -> bool:
        """True when no row offends."""
        return self.offences == 0
