"""Book commands: runs of the command over catalogs that are edited, as `book_runs` makes them.

Each run is a process of `meterline run`. What it found is read from its home afterwards.
"""

import json
import os
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from pipelines.home import Home as OpenedHome
from pipelines.vocabulary.errors import CatalogError
from pipelines.vocabulary.frames import BILLING_PERIODS
from pipelines.vocabulary.tables import INVOICES
from pipelines.warehouse.dbt_tables import drafts_and_lines
from tests.worlds.book_runs import ASSIGNED, Drafted, Run
from tests.worlds.edited_catalogs import Files, file_bytes
from tests.worlds.homes import prepared_home
from tests.worlds.naive_books import SENDER_FILES, Usage

_SAID_BEFORE = {"decided": "metering and rating", "closed": "finalized"}
"""What a run has said once it is past a stage."""


class CommandHome:
    """A home in which `meterline run` is called; its senders speak Lago."""

    def __init__(self, folder: Path) -> None:
        """Makes an empty home."""
        self._landing, self._catalog = folder / "landing", folder / "catalog"
        for made in (self._landing, self._catalog):
            made.mkdir(parents=True)
        places = {
            "METERLINE_LANDING": str(self._landing),
            "METERLINE_CATALOG": str(self._catalog),
        }
        self._home = prepared_home(folder / "home", places)
        self.lake = self
        self._opened = OpenedHome(self._home.settings)

    def close(self) -> None:
        """Nothing is left open."""

    def query(self, sql: str) -> pl.DataFrame:
        """The result of a SELECT over the lake."""
        with self._opened.lake() as lake:
            return lake.query(sql)

    def run(
        self,
        files: Files,
        as_of: datetime,
        usages: Sequence[Usage],
        killed: str = "",
        *,
        is_checked: bool = True,
    ) -> Run:
        """One run; see `BookHome.run`. dbt's tests are a part of it, whatever `is_checked` says.

        Raises:
            CatalogError: the catalog contradicts itself.
        """
        for name, content in file_bytes(_spoken(files)).items():
            (self._catalog / name).write_bytes(content)
        self._land(usages)
        before = self._invoices(), self._opened.generation()
        process = self._home.start("run", "--as-of", as_of.isoformat(), "--json")
        said = ""
        if killed and process.stderr is not None:
            for line in process.stderr:
                said += line
                if _SAID_BEFORE[killed] in line:
                    process.kill()
        output, errors = process.communicate()
        text = " ".join((said + errors + output).split())
        code = process.returncode or 0
        is_killed = code < 0
        problems = re.findall(
            r"\w+\.csv(?:, row \d+)?(?:, column \w+)?: .*?(?= \w+\.csv, |$)", text
        )
        if code > 0 and not problems:
            raise AssertionError(text[-3000:])
        binding = ("is closed for subscription", "was billed in advance by")
        if problems and not any(each in text for each in binding):
            raise CatalogError(problems)
        reasons = self._reasons(usages)
        if problems or (is_killed and killed == "decided"):
            return Run(tuple(problems), reasons, None)
        if self._opened.generation() == before[1] and not is_killed:
            return Run((), reasons, Drafted(is_idle=True))
        return Run((), reasons, self._drafted(before[0]))

    def _land(self, usages: Sequence[Usage]) -> None:
        for number in {usage.place[0] for usage in usages}:
            lines = [usage for usage in usages if usage.place[0] == number]
            path = self._landing / lines[0].source / f"{number:05d}.ndjson"
            if not path.exists():
                path.parent.mkdir(exist_ok=True)
                path.write_text("".join(_line(usage) + "\n" for usage in lines))
                received = lines[0].received_at.timestamp()
                os.utime(path, (received, received))

    def _invoices(self) -> set[str]:
        if not self._opened.has_lake:
            return set()
        return set(self.query("SELECT invoice_id FROM lake.invoices")["invoice_id"])

    def _reasons(self, usages: Sequence[Usage]) -> dict[tuple[int, int], str]:
        asked = {usage.place[0] for usage in usages}
        rows = self.query(
            "SELECT path, line, reason_code FROM lake.refused_events "
            "JOIN lake.landing_files USING (file_id)"
        )
        found = ((int(Path(path).stem), line, code) for path, line, code in rows.iter_rows())
        return {(number, line): code for number, line, code in found if number in asked}

    def _drafted(self, invoices_before: set[str]) -> Drafted:
        numbers = {
            file_id: int(Path(path).stem)
            for file_id, path in self.query("SELECT file_id, path FROM lake.landing_files").rows()
        }
        with self._opened.lake() as lake:
            # Views of the warehouse read the lake.
            connection = lake._connection
            connection.execute(f"ATTACH '{self._home.settings.warehouse}' AS warehouse (READ_ONLY)")
            assigned = connection.execute(ASSIGNED).pl()
            periods = connection.execute("SELECT * FROM warehouse.calendar.billing_periods").pl()
            connection.execute("USE warehouse")
            drafts, lines = drafts_and_lines(connection)
            connection.execute("USE memory")
            connection.execute("DETACH warehouse")
        closed = self.query(f"SELECT {', '.join(INVOICES.column_names)} FROM lake.invoices").filter(
            ~pl.col("invoice_id").is_in(list(invoices_before))
        )
        held_back = drafts.join(closed, on="invoice_id", how="anti").with_columns(
            reason_code=pl.lit("")
        )
        return Drafted(
            is_idle=False,
            periods=periods.cast(BILLING_PERIODS),
            assigned=assigned.with_columns(pl.col("file_id").replace_strict(numbers)),
            drafts=drafts,
            lines=lines,
            closed=closed,
            held_back=held_back,
        )


def only_billing_edits(files: Files, before: Files) -> Files:
    """The catalog without edits of senders: the command reads their lines, `book_runs` does not."""
    return {**files, **{name: before[name] for name in SENDER_FILES}}


def _spoken(files: Files) -> Files:
    spoken = {"dialect": "lago", "received_at_from": "last_modified"}
    return {**files, "sources.csv": [{**row, **spoken} for row in files["sources.csv"]]}


def _line(usage: Usage) -> str:
    names = {
        "external_customer_id": usage.customer_ref,
        "external_subscription_id": usage.subscription_ref,
    }
    return json.dumps(
        {
            "transaction_id": f"{usage.place[0]}-{usage.place[1]}",
            "code": "http_request",
            "timestamp": usage.occurred_at.isoformat(),
            "properties": dict(usage.properties),
            **{name: value for name, value in names.items() if value is not None},
        }
    )
