"""What a kind of case is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.preview.faults import CaseError
from pipelines.preview.fields import Fields

Key = int
"""The place of a case in the call: all that tells the cases of a call apart."""

Result = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of case.

    Attributes:
        name: as cases have it.
        read: the fields of a case → what `answer` needs of it. It notes what is wrong with them.
        answer: all cases of this kind in a call, read without a fault → the result of each, or why
            it has none. The result of a case depends on that case alone.
        warnings: what is to be said of those cases that have a result, a sentence each. None: of
            this kind nothing is.
    """

    name: str
    read: Callable[[Fields], Any]
    answer: Callable[[Mapping[Key, Any]], Mapping[Key, Result | CaseError]]
    warnings: Callable[[Mapping[Key, Any]], Mapping[Key, Sequence[str]]] | None = None
