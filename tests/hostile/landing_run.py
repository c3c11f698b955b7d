"""Runs the corpus through the real stages: a landing, discovery, parse, decide and a lake.

It lands bytes under their names, and reads what the lake holds afterwards.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.audit.conservation import check_batch
from pipelines.audit.provenance import check_provenance
from pipelines.intake.batch import plan
from pipelines.landing.store import Landing
from pipelines.reading.dialects import DIALECTS
from pipelines.vocabulary.frames import REFUSAL_CUTS, SOURCES, RefKind
from tests.hostile.cases import DEDUPE_WINDOWS, FUTURE_SKEW, RECEIVED_AT
from tests.hostile.lines_of_time import BACKDATED_CUSTOMER, STILL_OPEN_CUSTOMER
from tests.worlds.deliveries import TICK
from tests.worlds.lakes import decide_landing, open_lake

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """The contents of the lake after a landing was decided.

    Attributes:
        files: the rows of `file_decisions` by path.
        accepted: the rows of `accepted_events` by (path, line).
        refused: the rows of `refused_events` by (path, line).
        ignored: the reasons by path of the objects that were not read.
        findings: what the checks of the batch found. Empty: all of them hold.
        waiting: number of file versions that are still new after the run.
    """

    files: Mapping[str, Row]
    accepted: Mapping[tuple[str, int], Row]
    refused: Mapping[tuple[str, int], Row]
    ignored: Mapping[str, str]
    findings: list[str]
    waiting: int

    def door(self, path: str, line: int) -> str:
        """The verdict or reason code of a line, or `blank` if it has no row."""
        if (path, line) in self.accepted:
            return "accepted"
        row = self.refused.get((path, line))
        return "blank" if row is None else str(row["reason_code"] or row["verdict"])

    def doors(self, path: str) -> list[str]:
        """The verdicts or reason codes of the lines of a file, in order."""
        return [self.door(path, line) for line in range(1, self.files[path]["lines"] + 1)]


def hostile_sources() -> pl.DataFrame:
    """One source per dialect, with the name of the dialect."""
    rows = []
    for dialect in DIALECTS:
        window = DEDUPE_WINDOWS.get(dialect)
        lateness = None if window is None else window - FUTURE_SKEW
        rows.append(
            {
                "source": dialect,
                "dialect": dialect,
                "dedupe_scope": dialect,
                "dedupe_window": window,
                "max_lateness": lateness,
                "future_skew": FUTURE_SKEW,
                "received_at_from": "last_modified",
            }
        )
    return pl.DataFrame(rows, schema=SOURCES)


def hostile_cuts() -> pl.DataFrame:
    """The customers whose periods are cut at about the time when the corpus is received."""
    long_ago = RECEIVED_AT.replace(year=2000)
    rows = [
        (RefKind.CUSTOMER.value, BACKDATED_CUSTOMER, long_ago, RECEIVED_AT),
        (RefKind.CUSTOMER.value, STILL_OPEN_CUSTOMER, long_ago, RECEIVED_AT + TICK),
    ]
    return pl.DataFrame(rows, schema=REFUSAL_CUTS, orient="row").sort("kind", "name", "from_at")


def drop(root: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Writes each file below `root`, with `RECEIVED_AT` as its modification time."""
    nanoseconds = int(RECEIVED_AT.timestamp()) * 10**9
    for path, content in files:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        os.utime(target, ns=(nanoseconds, nanoseconds))


def outcome_of(home: Path, landing: Landing) -> Outcome:
    """Decides the landing in one batch. Returns what the lake holds afterwards."""
    sources = hostile_sources()
    batches = decide_landing(home, landing, sources, hostile_cuts())
    with open_lake(home, read_only=True) as lake:
        path_of = dict(lake.query("SELECT file_id, path FROM lake.landing_files").iter_rows())
        files = lake.query("SELECT * FROM lake.file_decisions")
        accepted = lake.query("SELECT * FROM lake.accepted_events")
        refused = lake.query("SELECT * FROM lake.refused_events")
        again = plan(lake, landing, sources, home / "staging", 2**40)
        findings = [
            finding
            for batch_id in range(1, batches + 1)
            for finding in (
                *check_batch(lake, batch_id, sources),
                check_provenance(lake, landing, batch_id, sources),
            )
        ]
    return Outcome(
        files={path_of[row["file_id"]]: row for row in files.iter_rows(named=True)},
        accepted=_by_place(accepted, path_of),
        refused=_by_place(refused, path_of),
        ignored=dict(again.discovery.ignored.iter_rows()),
        findings=[
            f"{finding.invariant.name}: {finding.sample}"
            for finding in findings
            if finding.offences
        ],
        waiting=again.files.height,
    )


def _by_place(events: pl.DataFrame, path_of: Mapping[int, str]) -> dict[tuple[str, int], Row]:
    return {(path_of[row["file_id"]], row["line"]): row for row in events.iter_rows(named=True)}
