"""Replays of a lake's refused lines, and the landing of one sender that they start from."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.audit.conservation import check_batch
from pipelines.audit.provenance import check_provenance
from pipelines.audit.window import check_index
from pipelines.intake import replay
from pipelines.intake.replay import Redecided
from pipelines.intake.replay_selection import Selection, plan
from pipelines.intake.window_index import WindowIndex
from pipelines.lake.run_facts import RunFacts
from pipelines.landing.store import Landing
from pipelines.reading.hold_rule import HoldRule
from tests.worlds.deliveries import NO_CUTS, NOON, source_rows
from tests.worlds.file_lines import event_line
from tests.worlds.lakes import decide_landing, open_lake
from tests.worlds.landings import DroppedFile, drop_into_folder
from tests.worlds.oracle import Sender

HOUR = timedelta(hours=1)
STRICT = source_rows({"cdn": Sender("cdn", None, 2 * HOUR, HOUR)})
RELAXED = source_rows({"cdn": Sender("cdn", None, 9 * HOUR, HOUR)})


def line(key: str, hours: int = 0, **others: object) -> bytes:
    """An event that occurred some hours before noon."""
    occurred_at = f"{NOON - hours * HOUR:%Y-%m-%dT%H:%M:%SZ}"
    return event_line(transaction_id=key, timestamp=occurred_at, **others) + b"\n"


def land(home: Path, **contents: bytes) -> None:
    """Files received an hour apart, in the order given."""
    drop_into_folder(
        home / "landing",
        [
            DroppedFile(f"cdn/{name}.ndjson", content, NOON + number * HOUR, 0, ())
            for number, (name, content) in enumerate(contents.items())
        ],
    )


def decide(home: Path, sources: pl.DataFrame = STRICT, cuts: pl.DataFrame = NO_CUTS) -> None:
    decide_landing(home, Landing(str(home / "landing")), sources, cuts, hold=HoldRule())


def lines_now(home: Path) -> list[tuple[Any, ...]]:
    """(path, line, state, winner) of each line, by the latest revision."""
    with open_lake(home, read_only=True) as lake:
        rows = lake.query(
            """
            WITH latest AS (SELECT file_id, max(revision) AS revision
                FROM lake.file_decisions GROUP BY ALL)
            SELECT file_id, line, 'accepted' AS state, NULL AS winner FROM lake.accepted_events
            UNION ALL
            SELECT file_id, line, coalesce(reason_code, verdict),
                winner_file_id || ':' || winner_line
            FROM lake.refused_events JOIN latest USING (file_id, revision)
            """
        )
        paths = dict(lake.query("SELECT file_id, path FROM lake.landing_files").iter_rows())
    return sorted((Path(paths[file_id]).stem, *rest) for file_id, *rest in rows.iter_rows())


FACTS = RunFacts(NOON, NOON, "0" * 64, {"sources.csv": b"source\n"}, "1" * 64)


def replayed(
    home: Path,
    sources: pl.DataFrame,
    refusal_cuts: pl.DataFrame,
    selection: Selection | None = None,
    hold: HoldRule | None = None,
) -> Redecided:
    """Replays the home's landing (its folder `landing`), commits, and checks every invariant."""
    landing = Landing(str(home / "landing"))
    index = WindowIndex(home / "lake" / "window")
    with open_lake(home, read_only=False) as lake:
        planned = plan(lake, sources, selection or Selection(), home / "staging")
        parsed = replay.parse(planned, landing, 1, hold or HoldRule())
        redecided = replay.decide_again(lake, index, planned, parsed, sources, refusal_cuts)
        dry = replay.decide_again(lake, None, planned, parsed, sources, refusal_cuts)
        assert dry.summary() == redecided.summary()
        if replay.commit(lake, planned, redecided, FACTS):
            index.bring_up(lake)
            indexed, repeated = check_index(index, lake, planned.batch_id)
            findings = [indexed, *check_batch(lake, planned.batch_id, sources, repeated)]
            findings.append(check_provenance(lake, landing, planned.batch_id, sources))
            assert [finding for finding in findings if not finding.holds] == []
    return redecided
