"""Random histories whose events are amended, released late, and billed on invoices that are void.

    python -m tests.properties.amended_books --histories 200 --seed 1

No bill is worked out by hand here. What metrics keep from run to run is compared with a fresh count
and with the witness: see `kept_usage`.
"""

import argparse
import random
import sys
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pipelines.catalog.catalog import catalog_of, validated_tables
from pipelines.lake.run_facts import RunFacts
from pipelines.operations.acts import asked_acts, write_acts
from pipelines.operations.closing import Moment
from pipelines.vocabulary.acts import Asked
from pipelines.vocabulary.errors import CatalogError
from pipelines.vocabulary.tables import LAKE_TABLES
from tests.properties.random_books import History
from tests.worlds.book_runs import PAST_ALLOWANCE_DAYS, BookHome, Run
from tests.worlds.edited_catalogs import CELLS, Files, file_bytes, written
from tests.worlds.kept_usage import KINDS, KeptHome
from tests.worlds.naive_books import METRICS, Period, Usage


class AmendedHistory(History):
    """A history of amendments: corrections and voids, in time and late, some before their target.

    Now and then a file is decided some runs after it was received, as one that was held or refused
    and is released; an invoice is void; and the lake is restored from an older backup, so that the
    numbers of its batches and files come again with something else.
    """

    def __init__(self, seed: int, home: BookHome) -> None:
        super().__init__(seed, home, checked=0)
        self._usages = dict[tuple[int, int], Usage]()
        self._held = list[Usage]()

    def edit_each_column(self) -> set[tuple[str, str]]:
        """The columns that were edited one after the other, each followed by a run.

        A column is left out if none of some edits of it leaves a catalog that may stand.
        """
        files, edited = self.live(3), set[tuple[str, str]]()
        for place in CELLS:
            for _ in range(4):
                self.as_of += timedelta(hours=1)
                try:
                    run = self.run(written(self.chance(), files, place), [])
                except CatalogError:
                    continue
                if run.drafted is not None:
                    edited.add(place)
                    break
        return edited

    def run(self, files: Files, sent: Sequence[Usage], killed: str = "") -> Run:
        """One run; what it kept is compared by the home."""
        books = self.books
        released = [usage for usage in self._held if self.draw.random() < 0.4]
        held = {usage.place[0] for usage in sent if self.draw.random() < 0.06}
        self._held = [usage for usage in self._held if usage not in released]
        self._held += [usage for usage in sent if usage.place[0] in held]
        sent = [*released, *(usage for usage in sent if usage.place[0] not in held)]
        known = {row["source"] for row in files["sources.csv"]}
        taken = [usage for usage in sent if usage.source in known]
        self.said.append(f"run as of {self.as_of}, {len(taken)} events, killed: {killed or 'no'}")
        self.said += [f"  {usage}" for usage in taken]
        self._void_one()
        run = self.runs.run(files, self.as_of, taken, killed, is_checked=False)
        books.waiting = [usage for usage in sent if usage.source not in known]
        books.usages += taken
        if not run.refused:
            self.good = files
        if run.drafted is not None and run.drafted.periods.height:
            self.periods = [_period(row) for row in run.drafted.periods.iter_rows(named=True)]
        if run.drafted is not None and run.drafted.assigned is not None:
            reasons = run.drafted.assigned["unbilled_reason"].drop_nulls()
            for reason, count in Counter(reasons).items():
                self.seen[reason] += count
            for row in run.drafted.assigned.filter("is_closed").iter_rows(named=True):
                place = row["file_id"], row["line"]
                books.billed[place, row["metric_code"]] = row["invoice_id"]
        return run

    def _advance(self) -> None:
        self._restore()
        super()._advance()

    def _restore(self) -> None:
        """Now and then, the last batches are gone from the lake. The warehouse stays."""
        assert isinstance(self.runs, BookHome)
        lake = self.runs.lake
        last = lake.last_batch_id()
        if self.draw.random() > 0.1 or not last:
            return
        kept = self.draw.randrange(last)
        for table in LAKE_TABLES:
            lake._connection.execute(f"DELETE FROM lake.{table.name} WHERE batch_id > {kept}")
        files = lake.query("SELECT coalesce(max(file_id), 0) AS last FROM lake.landing_files")
        number = self.books.files = int(files["last"][0])
        self._usages = {place: each for place, each in self._usages.items() if place[0] <= number}
        self._held = [each for each in self._held if each.place[0] <= number]
        self.books.waiting = [each for each in self.books.waiting if each.place[0] <= number]
        self.said.append(f"restored to batch {kept} of {last}")
        self.seen["restored"] += 1

    def _void_one(self) -> None:
        """Now and then, one of the invoices is void."""
        if self.draw.random() > 0.2 or not self.good:
            return
        assert isinstance(self.runs, BookHome)
        lake, contents = self.runs.lake, file_bytes(self.good)
        numbers = lake.query(
            """
            SELECT invoice_number FROM lake.invoices
            WHERE invoice_id NOT IN (SELECT invoice_id FROM lake.acts WHERE kind = 'void')
            ORDER BY series_number
            """
        )["invoice_number"]
        if not len(numbers):
            return
        number = self.draw.choice(numbers.to_list())
        catalog = catalog_of(validated_tables(contents, frozenset(METRICS)), contents)
        moment = Moment(self.as_of, self.as_of, PAST_ALLOWANCE_DAYS)
        asked = Asked(by="Ada", reason="billed twice", void=(number,))
        facts = RunFacts(self.as_of, self.as_of, catalog.digest, catalog.files, "0" * 64)
        write_acts(lake, asked_acts(lake, catalog, asked, moment), facts)
        self.said.append(f"{number} is void")
        self.seen["void invoice"] += 1

    def _usage(
        self, source: str, received_at: datetime, place: tuple[int, int], bounds: list[datetime]
    ) -> Usage:
        usage = super()._usage(source, received_at, place, bounds)
        draw = self.draw
        if draw.random() < 0.4:
            targets = [each for each in self._usages.values() if each.source == source]
            to_come = (place[0] + draw.choice((0, 1, 1, 2)), draw.randint(1, 5))
            target = draw.choice(targets[-30:]) if targets else usage
            # Some come before the event that they name.
            named = target.place if target is not usage and draw.random() < 0.8 else to_come
            if draw.random() < 0.4:
                usage = replace(usage, void_of=named)
            else:
                usage = replace(usage, amend_of=named)
                if draw.random() < 0.7:
                    later = target.occurred_at + draw.choice((0, 0, 30)) * timedelta(hours=1)
                    usage = replace(
                        usage,
                        customer_ref=target.customer_ref,
                        subscription_ref=target.subscription_ref,
                        occurred_at=min(later, usage.received_at),
                    )
        self._usages[place] = usage
        return usage


def _period(row: dict[str, object]) -> Period:
    def at(name: str) -> datetime:
        found = row[name]
        assert isinstance(found, datetime)
        return found

    return Period(
        str(row["subscription_id"]), str(row["customer_id"]), str(row["plan_code"]),
        str(row["currency"]), str(row["late_usage_policy"]), at("period_start_label").date(),
        at("period_end_label").date(), at("period_start_at"), at("period_end_at"),
        at("grace_end_at"), at("cut_at"), at("period_start_label").date(),
    )  # fmt: skip


def amended_history(seed: int, metrics: int = 4) -> AmendedHistory:
    """A history of this number, whose home keeps as many kinds of metrics."""
    draw = random.Random(seed)  # noqa: S311
    return AmendedHistory(seed, KeptHome(draw.sample(sorted(KINDS), metrics), draw))


def main() -> int:
    """1 if a history failed, else 0."""
    parser = argparse.ArgumentParser(description="Random histories of amended events.")
    parser.add_argument("--histories", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    failed, seen = list[int](), Counter[str]()
    for seed in range(arguments.seed, arguments.seed + arguments.histories):
        history = amended_history(seed)
        try:
            history.check()
        except Exception as error:
            failed.append(seed)
            said = [str(error)[:900], *([*history.said, traceback.format_exc()]
                                        if arguments.verbose else [])]  # fmt: skip
            sys.stderr.write("\n".join([f"history {seed}: {type(error).__name__}", *said, ""]))
        seen.update(history.seen)
    sys.stdout.write(f"{arguments.histories} histories; failed {failed}; {dict(seen)}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
