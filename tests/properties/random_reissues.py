"""Random reissues: between runs of random books, invoices are voided and closed anew.

    python -m tests.properties.random_reissues --seconds 600 --seed 1

A reissue is worked out by hand as if the periods of its invoices were open: everything received
before it counts, by the catalog that stands. What it refuses changes nothing.
"""

import argparse
import sys
import time
import traceback
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date

from pipelines.vocabulary.errors import MeterlineError
from tests.properties.random_books import History, _same, _shares
from tests.worlds.book_runs import BookHome, Drafted
from tests.worlds.edited_catalogs import Files, copied, first_catalog
from tests.worlds.naive_books import Bill, Period, Today
from tests.worlds.naive_fees import Fees, documents


@dataclass
class ReissuedHistory(History):
    """A history of a home with reissues between its runs."""

    def live(self, steps: int) -> Files:
        """The catalog that stands after as many runs, with edits and reissues in between."""
        files, versions = _in_arrears(first_catalog(self.draw)), list[Files]()
        for step in range(steps):
            versions.append(files)
            if step and self.draw.random() < 0.85:
                files = _in_arrears(self.edit(files, versions))
            if self.books.closed and self.draw.random() < 0.6 and self._is_valid(files):
                self._advance()
                self.reissue(files)
            self._advance()
            files = self.step(files, versions[-1])
        self._advance()
        files = self.good or versions[0]
        self.run(files, [*self.books.waiting, *self._sent()])
        self._advance()
        self.reissue(files)
        return files

    def _is_valid(self, files: Files) -> bool:
        """Whether the catalog does not contradict itself; the next run says why it does."""
        try:
            self._home.catalog_of(files)
        except MeterlineError:
            return False
        return True

    @property
    def _home(self) -> BookHome:
        assert isinstance(self.runs, BookHome)
        return self.runs

    def reissue(self, files: Files) -> None:
        """Some closed periods are opened and closed anew, which is what it must be, or refused."""
        books = self.books
        if not books.closed:
            return
        count = min(len(books.closed), self.draw.choice((1, 1, 1, 2, 5)))
        asked = self.draw.sample(books.closed, count)
        if self.draw.random() < 0.3:
            # All of one subscription, so that its rhythm may be another.
            asked = [each for each in books.closed
                     if each.subscription_id == asked[0].subscription_id]  # fmt: skip
        names = {each.invoice_id for each in asked}
        self.said.append(f"reissue of {sorted(names)} as of {self.as_of}")
        kept = [each for each in books.closed if each not in asked]
        today = Today(files, kept)
        horizon = max([self.as_of, *(usage.received_at for usage in books.usages)])
        is_refused = bool(today.taken())
        periods, reissued = list[Period](), set[str]()
        if not is_refused:
            periods = self._open_periods(today, horizon)
            ends = _ends(asked)
            for place, period in enumerate(periods):
                end = next((end for start, end in ends[period.subscription_id]
                            if start <= period.start < end), None)  # fmt: skip
                if end:
                    is_refused |= period.end > end
                    reissued.add(period.invoice_id)
                    periods[place] = replace(period, cut_at=self.as_of)
        drafted = self._reissued(files, names)
        if is_refused:
            self.seen["reissue refused"] += 1
            assert drafted is None, f"a reissue should be refused: {sorted(names)}"
            self._closed_book_stands()
            return
        assert drafted is not None, f"a reissue is refused: {self.said[-1]}"
        self.periods = periods
        billed = {place: name for place, name in books.billed.items() if name not in names}
        books.billed = billed
        for name in names:
            del books.once[name]
        bills = today.bills(
            books.usages, self.as_of, periods, billed, _shares(drafted.periods),
            books.fees_billed(),
        )  # fmt: skip
        self._reissued_is(drafted, today, bills, reissued, kept, files)
        books.last_good, self.good = copied(files), files
        self._closed_book_stands()
        voids = self.runs.lake.query("SELECT invoice_id FROM lake.acts WHERE kind = 'void'")
        assert names <= set(voids["invoice_id"])
        assert voids["invoice_id"].n_unique() == voids.height

    def _reissued(self, files: Files, names: set[str]) -> Drafted | None:
        """What the reissue drafted and closed; None if it was refused."""
        is_checked = self.draw.random() < self.checked
        try:
            run = self._home.run(
                files, self.as_of, [], is_checked=is_checked, reissue=sorted(names)
            )
        except MeterlineError as error:
            self.said.append(f"refused: {error}")
            return None
        return run.drafted

    def _reissued_is(
        self,
        drafted: Drafted,
        today: Today,
        bills: dict[str, Bill],
        reissued: set[str],
        kept: list[Period],
        files: Files,
    ) -> None:
        books = self.books
        assert drafted.failed == {}, drafted.failed
        if drafted.assigned is not None:
            begun = [each for each in self.periods if each.invoice_id in bills]
            drafts = documents(today, bills, begun, Fees(), set())
            self._bills_are(drafted, drafts, drafted.assigned)
        _same("reissued invoices", set(drafted.closed["invoice_id"]), reissued)
        self._numbered(drafted, files)
        self.seen["reissued"] += len(reissued)
        books.closed, books.batches = kept, books.batches + 1
        for period in self.periods:
            if period.invoice_id in reissued:
                books.close(today.closed_by(period, books.event_batch), bills[period.invoice_id])


def _in_arrears(files: Files) -> Files:
    """The catalog without fees in advance: tests by hand say what becomes of those."""
    found = copied(files)
    for row in found["charges.csv"]:
        row["invoiced_in"] = ""
    return found


def _ends(asked: list[Period]) -> dict[str, list[tuple[date, date]]]:
    """The spans of reopened time of each subscription; periods that touch are one."""
    found = defaultdict[str, list[tuple[date, date]]](list)
    for each in sorted(asked, key=lambda each: (each.subscription_id, each.start)):
        spans = found[each.subscription_id]
        if spans and spans[-1][1] == each.start:
            spans[-1] = spans[-1][0], each.end
        else:
            spans.append((each.start, each.end))
    return found


def main() -> int:
    """1 if a history failed, else 0."""
    parser = argparse.ArgumentParser(description="Random histories with reissues.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--checked", type=float, default=0.3, help="share of runs with all tests")
    arguments = parser.parse_args()
    number, failed, seen = arguments.seed, list[int](), defaultdict[str, int](int)
    until = time.monotonic() + arguments.seconds
    while number == arguments.seed or time.monotonic() < until:
        history = ReissuedHistory(number, checked=arguments.checked)
        try:
            history.check()
        except Exception as error:
            failed.append(number)
            sys.stderr.write(f"history {number}: {type(error).__name__}: {str(error)[:900]}\n")
            sys.stderr.write("\n".join([*history.said, traceback.format_exc(), ""]))
        for name, count in history.seen.items():
            seen[name] += count
        number += 1
    sys.stdout.write(f"{number - arguments.seed} histories; failed {failed[:50]}; {dict(seen)}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
