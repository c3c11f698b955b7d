"""Faults: why a case has no result, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipelines.vocabulary.visible import visible_lines


class Code(StrEnum):
    """Why a case has no result. Where several apply, the first of this list is told."""

    MALFORMED = "malformed"
    UNKNOWN_KIND = "unknown_kind"
    UNKNOWN_FIELD = "unknown_field"
    MISSING_FIELD = "missing_field"
    BAD_VALUE = "bad_value"
    CONTRADICTION = "contradiction"
    NOT_SUPPORTED = "not_supported"
    EVENTS_NEEDED = "events_needed"
    OVERFLOW = "overflow"
    TOO_LARGE = "too_large"


_PRECEDENCE = {code: place for place, code in enumerate(Code)}


@dataclass(frozen=True)
class Fault:
    """What is wrong at one place of a case.

    Attributes:
        code: why.
        path: the member, such as `subscription.phases[1].from`; empty for the case as a whole.
        reason: a sentence that shows the value and says what to do.
        table: the catalog table that a row of the case stands for; empty for none.
        row: its place there, from 0.
        column: its column.
    """

    code: Code
    path: str
    reason: str
    table: str = ""
    row: int = 0
    column: str = ""

    @property
    def message(self) -> str:
        """The sentence with its place."""
        return visible_lines(f"{self.path}: {self.reason}" if self.path else self.reason)


class CaseError(Exception):
    """A case has no result."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = faults
        super().__init__(faults[0].message)


def error_of(faults: Sequence[Fault]) -> dict[str, object]:
    """The member `error` of an answer: the first fault by code, and all of that code if many.

    Args:
        faults: at least one, in the order of the case.
    """
    code = min((fault.code for fault in faults), key=_PRECEDENCE.__getitem__)
    told = [fault for fault in faults if fault.code == code]
    problems = [
        {
            "table": fault.table,
            "row": fault.row,
            "column": fault.column,
            "message": visible_lines(fault.reason),
        }
        for fault in told
    ]
    return {
        "code": code.value,
        "message": told[0].message,
        "path": visible_lines(told[0].path),
        "problems": problems if len(problems) > 1 else [],
    }
