"""The hold rule: a file with too many rejected lines waits until a person has looked at it.

A sender who changes a format breaks whole files. If the few lines that still parse were accepted,
an invoice would bill a part of the usage and be closed without the rest. So the file waits as a
whole. It also holds back the invoices of its source's customers, and of whom its lines name.
`meterline replay` decides it.

Only rejections by the parser count. They are known when the file has been read, before any of its
events could claim a key.
"""

from dataclasses import dataclass, field

import polars as pl

from pipelines.vocabulary.limits import HELD_PERCENT, HELD_REJECTIONS_MIN


@dataclass(frozen=True)
class HoldRule:
    """The bounds beyond which a file is held.

    Attributes:
        percent: the highest share of rejected lines that is accepted, in percent. Blank lines and
            those that are not usage do not count. Example: with 10, a file of 20 lines is held when
            3 are rejected, not when 2 are.
        rejections_min: a file with fewer rejected lines is never held.
    """

    percent: int = HELD_PERCENT
    rejections_min: int = HELD_REJECTIONS_MIN

    def holds(self, rejected: int, read: int) -> bool:
        """True if the file is held.

        Args:
            rejected: number of rejected lines.
            read: number of lines that are neither blank nor called no usage.
        """
        return rejected >= max(1, self.rejections_min) and rejected * 100 > self.percent * read


@dataclass
class RejectionTally:
    """Counts the rejections of one file while it is read, and its lines that are not usage."""

    rejected: int = 0
    not_usage: int = 0
    _of_reason: dict[str, int] = field(default_factory=dict)
    _example_of: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, rejections: pl.DataFrame) -> None:
        """Counts further rejections of the file; schema `REJECTIONS`, in line order."""
        rejected = rejections.filter(pl.col("reason_code").is_not_null())
        self.rejected += rejected.height
        self.not_usage += rejections.height - rejected.height
        for line, code, reason in rejected.select("line", "reason_code", "reason").iter_rows():
            self._of_reason[code] = self._of_reason.get(code, 0) + 1
            self._example_of.setdefault(code, (line, reason))

    def hold_reason(self, rule: HoldRule | None, lines: int, blank: int) -> str | None:
        """The sentence that says why the file is held. None: it is not held.

        Args:
            rule: the bounds. None: no file is held.
            lines: number of lines in the file, blank ones included.
            blank: number of blank lines.
        """
        read = lines - blank - self.not_usage
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
