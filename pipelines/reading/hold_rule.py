"""Held files: when a file has so many bad lines that a person must look before it counts.

Belongs here: the rule and its sentence. Must not be put here: reading files (see `workers`),
letting a held file in (see `replay`). Pure.

A sender who changes a format breaks whole files. Taking the few lines that still parse would
bill a part of the usage and close the invoice over the rest; so such a file waits as a whole,
and holds back the invoices of its source's customers. Only structural rejections count: they
are known once the file is read, before any of its events could claim a key.
"""

from dataclasses import dataclass, field

import polars as pl

from pipelines.vocabulary.limits import HELD_PERCENT, HELD_REJECTIONS_MIN


@dataclass(frozen=True)
class HoldRule:
    """When a file is held.

    Attributes:
        percent: the share of rejected lines among those that are not blank; at exactly this
            share a file is decided, beyond it is held.
        rejections_min: rejected lines a held file has at least.
    """

    percent: int = HELD_PERCENT
    rejections_min: int = HELD_REJECTIONS_MIN

    def holds(self, rejected: int, read: int) -> bool:
        """True when `rejected` of `read` lines (blank ones left out) are too many."""
        return rejected >= max(1, self.rejections_min) and rejected * 100 > self.percent * read


@dataclass
class RejectionTally:
    """The rejections of one file, counted as it is read."""

    rejected: int = 0
    _of_reason: dict[str, int] = field(default_factory=dict)
    _example_of: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, rejections: pl.DataFrame) -> None:
        """Counts more lines of the file; schema `REJECTIONS`, in line order."""
        self.rejected += rejections.height
        for line, code, reason in rejections.select("line", "reason_code", "reason").iter_rows():
            self._of_reason[code] = self._of_reason.get(code, 0) + 1
            self._example_of.setdefault(code, (line, reason))

    def hold_reason(self, rule: HoldRule | None, lines: int, blank: int) -> str | None:
        """Why the file is held, in a sentence; None when it is not (or no rule is given)."""
        read = lines - blank
        if rule is None or not rule.holds(self.rejected, read):
            return None
        code, count = max(self._of_reason.items(), key=lambda item: item[1])
        line, reason = self._example_of[code]
        tenths = self.rejected * 1000 // read
        return (
            f"{self.rejected:,} of {read:,} lines ({tenths // 10}.{tenths % 10} %) are rejected, "
            f"more than {rule.percent} %; most often {code} ({count:,}), such as line {line}: "
            f"{reason}"
        )
