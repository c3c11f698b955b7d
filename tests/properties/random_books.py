"""Random books: a catalog is edited at random after closings, and every run is worked out by hand.

    python -m tests.properties.random_books --seconds 600 --seed 1

If a history fails, its number and its steps are printed. `--seed <number> --seconds 0` makes it
again.

After each run: what is refused names its row; no event is on two invoices of one metric; periods,
open and closed, tile each life by instants and by labels; what is closed stays as it was; a second
run finds nothing. Verdicts, periods, drafts and invoices are those of `naive_books`.
"""

import argparse
import random
import re
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import polars as pl

from pipelines.lake.closed_book import NEWEST_CLOSED
from pipelines.vocabulary.errors import CatalogError
from tests.worlds.book_commands import CommandHome, only_billing_edits
from tests.worlds.book_runs import BookHome, Drafted, Run
from tests.worlds.edited_catalogs import (
    FIRST_DAY,
    NAMES,
    Chance,
    Files,
    copied,
    edited,
    first_catalog,
)
from tests.worlds.naive_books import (
    Bill,
    Fee,
    Period,
    Today,
    Usage,
    decided_by,
    settle,
)
from tests.worlds.naive_fees import Document, Fees, documents

_HOUR = timedelta(hours=1)
_LAST = datetime(2026, 6, 1, tzinfo=UTC)
"""Time does not leap beyond it: a daily subscription has many periods by then."""
_PLACE_OF_PROBLEM = re.compile(r"^(\w+\.csv)(, row \d+)?(, column (\w+))?: .{20}")


_OPERATIONS = ("", "add", "", "remove", "", "", "remove", "", "odd", "")
"""Of an event by its place, so that it takes nothing from the other draws."""


@dataclass
class Books:
    """What is known by hand: what was sent, what is closed, and on which invoice each event is.

    `once` has the fees that are due once by the invoice they are on, `documents` the number of
    invoices by the label of their period, `numbers` the last number of each series.
    """

    usages: list[Usage] = field(default_factory=list)
    waiting: list[Usage] = field(default_factory=list)
    closed: list[Period] = field(default_factory=list)
    billed: dict[tuple[tuple[int, int], str], str] = field(default_factory=dict)
    once: dict[str, frozenset[Fee]] = field(default_factory=dict)
    documents: Counter[str] = field(default_factory=Counter)
    numbers: Counter[str] = field(default_factory=Counter)
    fees: Fees = field(default_factory=Fees)
    last_good: Files = field(default_factory=dict)
    files: int = 0
    batches: int = 0
    event_batch: int = 0

    def fees_billed(self) -> set[Fee]:
        """The fees that are not due again."""
        return {fee for fees in self.once.values() for fee in fees}

    def close(self, period: Period, bill: Bill) -> None:
        """A period is closed by an invoice."""
        self.closed.append(period)
        self.documents[period.label] += 1
        self.once[period.invoice_id] = bill.once
        for place in bill.usage:
            assert place not in self.billed
            self.billed[place] = period.invoice_id


@dataclass
class History:
    """A home and its books by hand, from one random number.

    Attributes:
        seed: the number.
        home: where the runs are made; None: a home with a lake in memory.
        checked: the share of runs that build the marts and run dbt's tests; below 0, a stand-in
            takes the place of dbt, and no usage is billed.
        said: what was done, a line a step.
    """

    seed: int
    home: BookHome | CommandHome | None = None
    checked: float = 0.3
    said: list[str] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)  # noqa: S311 — repeatable on purpose
        self.has_dbt = self.home is not None or self.checked >= 0
        self.runs = self.home or BookHome(has_dbt=self.has_dbt)
        self.books = Books()
        self.as_of = datetime(2026, 2, 1, 12, tzinfo=UTC)
        self.periods: list[Period] = []
        self.good: Files = {}
        self.on_hold = set[str]()

    def check(self, steps: int | None = None) -> None:
        """Fails unless every run of the history is what it must be.

        Args:
            steps: the number of runs with edits before; None: four to eight.
        """
        try:
            files = self.live(steps or self.draw.randint(4, 8))
            self._runs_again(files)
        finally:
            self.runs.close()

    def live(self, steps: int) -> Files:
        """The catalog that stands after as many runs, with edits in between."""
        files, versions = first_catalog(self.draw), list[Files]()
        for step in range(steps):
            versions.append(files)
            if step and self.draw.random() < 0.85:
                files = self.edit(files, versions)
            self._advance()
            files = self.step(files, versions[-1])
        # An edit that was refused is undone, and the home goes on.
        self._advance()
        files = self.good or versions[0]
        self.run(files, [*self.books.waiting, *self._sent()])
        return files

    def stretch(self, runs: int) -> list[tuple[datetime, list[Usage]]]:
        """The instants of runs to come, and the usage that each of them would find."""
        found = []
        for _ in range(runs):
            self._advance()
            found.append((self.as_of, self._sent()))
        return found

    def edit(self, files: Files, versions: Sequence[Files]) -> Files:
        """The catalog after one to three edits; now and then one that was there before."""
        if self.draw.random() < 0.1:
            self.said.append("an earlier catalog comes back")
            return self.draw.choice(versions)
        if self.draw.random() < 0.25:
            return self._given_away(files)
        chance = self.chance()
        for _ in range(self.draw.choice((1, 1, 1, 2, 3))):
            before, files = files, edited(chance, files)
            if isinstance(self.runs, CommandHome):
                files = only_billing_edits(files, before)
            for name, rows in files.items():
                old = before[name]
                if rows != old:
                    gone = [list(row.values()) for row in old if row not in rows]
                    new = [list(row.values()) for row in rows if row not in old]
                    self.said.append(f"edit {name}: {gone} -> {new}")
        return files

    def chance(self) -> Chance:
        """Draws for edits, about days that are of interest by now."""
        days = sorted({FIRST_DAY + timedelta(31 * month) for month in range(4)}
                      | {self.as_of.date()} | {each.end for each in self.periods[-40:]}
                      | {each.start for each in self.periods[-40:]})  # fmt: skip
        return Chance(self.draw, days)

    def _given_away(self, files: Files) -> Files:
        """A name under which usage was billed means another customer, since ever."""
        found = copied(files)
        aliases = found["customer_aliases.csv"]
        known = {row["alias"] for row in aliases}
        billed = {place for place, _ in self.books.billed}
        used = {
            usage.customer_ref or ""
            for usage in self.books.usages
            if usage.subscription_ref is None and usage.place in billed
        }
        if used & known:
            name = self.draw.choice(sorted(used & known))
            owner = self.draw.choice(found["customers.csv"])["customer_id"]
            kept = [row for row in aliases if row["alias"] != name]
            new = {"alias": name, "customer_id": owner, "valid_from": "", "valid_to": ""}
            found["customer_aliases.csv"] = [*kept, new]
            self.said.append(f"{name} is given to {owner}")
        return found

    def step(self, files: Files, before: Files) -> Files:
        """The catalog that stands after a run with it: itself, or the one before if refused."""
        sent = [*self.books.waiting, *self._sent()]
        killed = self.draw.choice(("", "", "", "", "decided", "closed"))
        try:
            run = self.run(files, sent, killed)
        except CatalogError as error:
            self.seen["contradicts itself"] += 1
            unnamed = [each for each in error.problems if not re.match(r"^\w+\.csv", each)]
            if unnamed or not error.problems:
                raise AssertionError(f"no file named: {error.problems}") from error
            self.books.waiting = sent
            return before
        if run.refused and self.draw.random() < 0.7:
            return before
        return files

    def run(self, files: Files, sent: Sequence[Usage], killed: str = "") -> Run:
        """One run, compared with what it must be."""
        books = self.books
        known = {row["source"] for row in files["sources.csv"]}
        taken = [usage for usage in sent if usage.source in known]
        batch = books.batches + 1
        taken = [Usage(**{**vars(usage), "batch_id": batch}) for usage in taken]
        self.said.append(f"run as of {self.as_of}, {len(taken)} events, killed: {killed or 'no'}")
        is_checked = self.draw.random() < self.checked
        run = self.runs.run(files, self.as_of, taken, killed, is_checked=is_checked)
        books.waiting = [usage for usage in sent if usage.source not in known]
        today = Today(files, books.closed)
        places = today.taken() | books.fees.taken(today)
        self._refusals_are(run, places)
        used = files
        if places:
            self.seen["refused"] += 1
            mixed = decided_by(files, books.last_good)
            used = {name: [dict(row) for row in rows] for name, rows in mixed.items()}
            today = Today(used, books.closed)
        horizon = max([self.as_of, *(usage.received_at for usage in (*books.usages, *taken))])
        self.periods = self._open_periods(today, horizon)
        if taken:
            books.batches, books.event_batch = batch, batch
            books.last_good = copied(used)
            reasons = {usage.place: today.refusal(usage, self.periods) for usage in taken}
            refused = {place: reason for place, reason in reasons.items() if reason}
            assert run.reasons == refused, _difference(run.reasons, refused)
            books.usages += [usage for usage in taken if usage.place not in refused]
        if run.drafted is not None:
            self._drafted_is(run.drafted, today, files)
        if not places:
            self.good = files
        return run

    def _open_periods(self, today: Today, horizon: datetime) -> list[Period]:
        documents = self.books.documents
        return [
            replace(each, revision=documents[each.label])
            for each in today.open_periods(horizon + today.skew())
        ]

    def _settle(self, files: Files) -> timedelta:
        # A command lists the landing at the instant it is called, months after its `as_of`.
        return timedelta() if isinstance(self.runs, CommandHome) else settle(files)

    def _refusals_are(self, run: Run, places: set[tuple[str, str]]) -> None:
        found = set[tuple[str, str]]()
        for problem in run.refused:
            match = _PLACE_OF_PROBLEM.match(problem)
            assert match, problem
            found.add((match[1], match[4]))
        assert found == places, (run.refused, places)

    def _drafted_is(self, drafted: Drafted, today: Today, files: Files) -> None:
        books = self.books
        if not drafted.is_idle:
            self._tile(drafted.periods, files)
            _same("periods", _of_frame(drafted.periods), {_period(each) for each in self.periods})
        shares = _shares(drafted.periods)
        bills = today.bills(
            books.usages, self.as_of, self.periods, books.billed, shares,
            books.fees.once(books.closed),
        )  # fmt: skip
        drafts = self._drafts(drafted, today, bills)
        faulty = {each.period.customer_id for each in drafts.values() if each.is_faulty}
        due = {
            invoice_id
            for invoice_id, each in drafts.items()
            if each.cut_at <= self.as_of and each.cut_at + self._settle(files) <= self.as_of
            and each.period.customer_id not in faulty
        }  # fmt: skip
        if drafted.is_idle:
            self.seen["idle"] += 1
            due -= self.on_hold
            assert not due, f"nothing differs by the gate, but {sorted(due)} are due"
            return
        assert drafted.failed == {}, drafted.failed
        if drafted.assigned is not None:
            self._bills_are(drafted, drafts, drafted.assigned)
        closed = set(drafted.closed["invoice_id"])
        self.on_hold = _waiting(drafted)
        _same("closed invoices", closed, due - self.on_hold)
        self.seen["closed"] += len(closed)
        for period in self.periods:
            if period.invoice_id in closed:
                books.close(today.closed_by(period, books.event_batch), bills[period.invoice_id])
        for invoice_id in closed:
            books.fees.add(invoice_id, drafts[invoice_id])
        self.seen["in advance"] += len(closed - bills.keys())
        self._numbered(drafted, files)
        if closed:
            books.batches += 1
            books.last_good = copied(files)
        self._closed_book_stands()

    def _numbered(self, drafted: Drafted, files: Files) -> None:
        """Each new invoice has the next number of its customer's series."""
        series = {row["customer_id"]: row["invoice_series"] or "INV"
                  for row in files["customers.csv"]}  # fmt: skip
        for row in drafted.closed.sort("chain_position").iter_rows(named=True):
            own = series[row["customer_id"]]
            self.books.numbers[own] += 1
            number = f"{own}-{self.books.numbers[own]:06d}"
            assert row["invoice_number"] == number, (row["invoice_number"], number)

    def _drafts(
        self, drafted: Drafted, today: Today, bills: dict[str, Bill]
    ) -> dict[str, Document]:
        """Every draft by hand; without dbt, none is of fees in advance alone."""
        begun = [each for each in self.periods if each.invoice_id in bills]
        waiting = set() if drafted.is_idle else _waiting(drafted)
        drafts = documents(today, bills, begun, self.books.fees, waiting)
        return {name: each for name, each in drafts.items() if self.has_dbt or name in bills}

    def _bills_are(
        self, drafted: Drafted, drafts: dict[str, Document], assigned: pl.DataFrame
    ) -> None:
        found = defaultdict[str, dict[Any, Any]](dict)
        for row in drafted.lines.iter_rows(named=True):
            line = row["kind"], row["charge_code"], row["group_key"], row["service_start_at"]
            quantity = None if row["quantity"] is None else Fraction(row["quantity"])
            found[row["invoice_id"]][line] = (quantity, row["amount"])
        stated = drafted.drafts.select("invoice_id", "total_amount", "cut_at").iter_rows()
        totals = {invoice_id: rest for invoice_id, *rest in stated}
        _same("drafts", set(totals), set(drafts))
        for invoice_id, draft in drafts.items():
            if draft.is_faulty:
                continue
            lines = _without_zones(found[invoice_id], draft)
            assert lines == draft.lines, (invoice_id, lines, draft.lines)
            expected = [draft.total, draft.cut_at]
            assert totals[invoice_id] == expected, (invoice_id, totals[invoice_id], expected)
        # By the product's own word: no event in two places, nor in one and on an invoice.
        on_draft = assigned.filter(pl.col("unbilled_reason").is_null(), ~pl.col("is_closed"))
        rows = on_draft.select("file_id", "line", "metric_code", "invoice_id").rows()
        places = [((file_id, line), metric) for file_id, line, metric, _ in rows]
        assert len(places) == len(set(places)), "an event is due in two periods of one metric"
        assert not set(places) & self.books.billed.keys(), "an event is billed again"

    def _closed_book_stands(self) -> None:
        rows = self.runs.lake.query(NEWEST_CLOSED)
        found = {
            (row["invoice_id"], row["customer_id"], row["plan_code"], row["currency"],
             row["period_start_label"].date(), row["period_end_label"].date(),
             row["period_start_at"], row["period_end_at"], row["cut_at"], row["event_batch_id"],
             row["metric_codes"])
            for row in rows.iter_rows(named=True)
        }  # fmt: skip
        assert len(found) == rows.height
        expected = {
            (each.invoice_id, each.customer_id, each.plan_code, each.currency, each.start,
             each.end, each.start_at, each.end_at, each.cut_at, each.event_batch_id,
             ",".join(sorted(each.metrics)))
            for each in self.books.closed
        }  # fmt: skip
        _same("closed book", found, expected)
        invoices = self.runs.lake.query("SELECT invoice_id, invoice_number FROM lake.invoices")
        assert invoices["invoice_id"].n_unique() == invoices.height
        assert invoices["invoice_number"].n_unique() == invoices.height

    def _tile(self, periods: pl.DataFrame, files: Files) -> None:
        """Open and closed time of each life neither overlap nor leave a gap."""
        spans = defaultdict[str, list[tuple[date, date, datetime, datetime]]](list)
        for row in periods.iter_rows(named=True):
            labels = row["period_start_label"].date(), row["period_end_label"].date()
            instants = row["period_start_at"], row["period_end_at"]
            spans[row["subscription_id"]].append((*labels, *instants))
        for each in self.books.closed:
            spans[each.subscription_id].append((each.start, each.end, each.start_at, each.end_at))
        for row in files["subscriptions.csv"]:
            own = sorted(spans[row["subscription_id"]])
            for left, right in pairwise(own):
                assert (left[1], left[3]) == (right[0], right[2]), (row, left, right)
            if own:
                assert own[0][0] <= date.fromisoformat(row["start_date"]), (row, own[0])
                last = row["end_date"]
                end = date.fromisoformat(last) if last else date.max
                assert own[-1][1] == end or own[-1][3] > self.as_of, (row, own[-1])
                assert own[-1][1] <= end, (row, own[-1])

    def _runs_again(self, files: Files) -> None:
        """A second run finds nothing."""
        self.run(files, self.books.waiting)
        again = self.run(files, self.books.waiting)
        assert again.drafted is not None
        assert again.drafted.is_idle or not again.drafted.closed.height

    def _advance(self) -> None:
        """Time goes on: by some days, or to an instant at which a period is settled."""
        cuts = sorted(each.cut_at for each in self.periods if each.cut_at > self.as_of)
        step = self.as_of + timedelta(days=self.draw.randint(1, 14), hours=self.draw.randint(0, 23))
        if cuts and self.draw.random() < 0.5:
            step = self.draw.choice(cuts[:6]) + self.draw.choice((timedelta(), _HOUR, 24 * _HOUR))
        if step > _LAST:
            step = self.as_of + timedelta(days=3)
        self.since, self.as_of = self.as_of, step

    def _sent(self) -> list[Usage]:
        """The usage of the files that came since the run before."""
        bounds = [
            instant
            for each in [*self.periods, *self.books.closed]
            for instant in (each.start_at, each.end_at)
        ]
        cuts = [each.cut_at for each in [*self.periods, *self.books.closed]]
        between = [cut for cut in cuts if self.since < cut <= self.as_of]
        received = sorted(
            self.draw.choice(between)
            if between and self.draw.random() < 0.4
            else self.since + self.draw.random() * (self.as_of - self.since)
            for _ in range(self.draw.randint(0, 4))
        )
        sent = list[Usage]()
        for at in received:
            self.books.files += 1
            source = self.draw.choice(("cdn", "cdn", "app"))
            for line in range(1, self.draw.randint(2, 7)):
                sent.append(self._usage(source, at, (self.books.files, line), bounds))
        return sent

    def _usage(
        self, source: str, received_at: datetime, place: tuple[int, int], bounds: list[datetime]
    ) -> Usage:
        draw = self.draw
        occurred_at = received_at - draw.choice((1, 3, 10, 40)) * draw.random() * 24 * _HOUR
        past = [bound for bound in bounds if bound <= received_at]
        if past and draw.random() < 0.4:
            odd = timedelta(hours=draw.choice((-9, -1, 0, 0, 1, 9)))
            occurred_at = min(draw.choice(past) + odd, received_at)
        if draw.random() < 0.03:
            occurred_at = received_at + draw.choice((1, 30)) * _HOUR
        occurred_at = occurred_at.replace(microsecond=0)
        subscriptions = [None, None, None, None, "s1", "s2", "s3", "s4"]
        subscription = draw.choice(subscriptions)
        customer = draw.choice(("acme", "beta", "zeta", "web", "ops", "web", "ops", *NAMES))
        properties = {"status": draw.choice(("200", "404")), "method": "GET"}
        operation = _OPERATIONS[(31 * place[0] + 17 * place[1]) % len(_OPERATIONS)]
        if operation:
            properties["op"] = operation
        if draw.random() < 0.9:
            properties["bytes"] = str(draw.choice((0, 1, 4, 7, 333)))
        if draw.random() < 0.1:
            del properties["status"]
        is_by_name = subscription is None or draw.random() < 0.5
        return Usage(place, 0, source, customer if is_by_name else None, subscription, occurred_at,
                     received_at.replace(microsecond=0), properties)  # fmt: skip


def check_split(seed: int) -> None:
    """Fails unless one run over several cuts gives what a run at each of them gives."""
    often, once = History(seed, checked=0), History(seed, checked=0)
    try:
        files, same = often.live(3), once.live(3)
        assert files == same
        runs = often.stretch(often.draw.randint(2, 5))
        for often.as_of, sent in runs:
            often.run(files, [*often.books.waiting, *sent])
        once.as_of = often.as_of
        once.run(files, [*once.books.waiting, *(usage for _, sent in runs for usage in sent)])
        assert _documents(often.runs) == _documents(once.runs)
    finally:
        often.runs.close()
        once.runs.close()


def _documents(home: BookHome | CommandHome) -> list[tuple[object, ...]]:
    """The invoices in the order of their numbers, with their lines."""
    return home.lake.query(
        """
        SELECT series_number, invoice_id, customer_id, invoices.currency, total_amount,
            period_start_at, period_end_at, cut_at,
            list((charge_code, group_key, quantity, amount) ORDER BY line_number)::VARCHAR AS lines
        FROM lake.invoices LEFT JOIN lake.invoice_lines USING (invoice_id)
        GROUP BY ALL ORDER BY series_number
        """
    ).rows()


def _waiting(drafted: Drafted) -> set[str]:
    """The drafts that wait for a person, by the product's word."""
    is_added = pl.col("reason_code") == "added_to_the_past"
    return set(drafted.held_back.filter(is_added)["invoice_id"])


def _without_zones(lines: dict[Any, Any], draft: Document) -> dict[Any, Any]:
    """The lines, of which those that give back have the first day of what was billed.

    The period that it was billed for may be there no more, and with it the zone of its start.
    """
    known = {line[:3]: line for line in draft.lines if line[3].tzinfo is None}
    return {known.get(line[:3], line): rest for line, rest in lines.items()}


def _shares(periods: pl.DataFrame) -> dict[str, tuple[int, int]]:
    """Service days and full days by label."""
    return {
        f"{row['subscription_id']}/{row['period_start_label'].date()}": (
            row["service_days"],
            row["full_days"],
        )
        for row in periods.iter_rows(named=True)
    }


def _period(each: Period) -> tuple[object, ...]:
    return (each.subscription_id, each.customer_id, each.plan_code, each.currency, each.policy,
            each.start, each.end, each.start_at, each.end_at, each.grace_end_at,
            each.cut_at)  # fmt: skip


def _of_frame(periods: pl.DataFrame) -> set[tuple[object, ...]]:
    return set(
        periods.select(
            "subscription_id", "customer_id", "plan_code", "currency", "late_usage_policy",
            pl.col("period_start_label").dt.date(), pl.col("period_end_label").dt.date(),
            "period_start_at", "period_end_at", "grace_end_at", "cut_at",
        ).rows()
    )  # fmt: skip


def _same(what: str, found: set[Any], expected: set[Any]) -> None:
    assert found == expected, (
        f"{what}: found besides {sorted(found - expected)[:3]}, "
        f"missing {sorted(expected - found)[:3]}"
    )


def _difference(found: dict[Any, Any], expected: dict[Any, Any]) -> str:
    keys = {key for key in {**found, **expected} if found.get(key) != expected.get(key)}
    return str({key: (found.get(key), expected.get(key)) for key in sorted(keys)[:3]})


def main() -> int:
    """1 if a history failed, else 0."""
    parser = argparse.ArgumentParser(description="Random histories of a home's books.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--checked", type=float, default=0.3, help="share of runs with all tests")
    parser.add_argument("--split", action="store_true", help="one run against several")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    number, failed, seen = arguments.seed, list[int](), defaultdict[str, int](int)
    until = time.monotonic() + arguments.seconds
    while number == arguments.seed or time.monotonic() < until:
        history = History(number, checked=arguments.checked)
        try:
            if arguments.split:
                check_split(number)
            history.check()
        except Exception as error:
            failed.append(number)
            trace = traceback.format_exc().splitlines()
            sys.stderr.write(
                f"history {number} failed: {type(error).__name__}: {str(error)[:900]}\n"
            )
            if arguments.verbose:
                sys.stderr.write("\n".join(["", *history.said, *trace, ""]))
        for name, count in history.seen.items():
            seen[name] += count
        number += 1
    sys.stdout.write(f"{number - arguments.seed} histories; failed {failed[:50]}; {dict(seen)}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
