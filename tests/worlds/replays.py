"""Replays for tests: a lake's refused lines decided again, without the job around it.

Belongs here: the order of the replay's stages. Must not be put here: expectations.
"""

from pathlib import Path

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
from tests.worlds.files import NOON, open_lake

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
        assert dry.as_json() == redecided.as_json()
        if replay.commit(lake, planned, redecided, FACTS):
            index.bring_up(lake)
            indexed, repeated = check_index(index, lake, planned.batch_id)
            findings = [indexed, *check_batch(lake, planned.batch_id, sources, repeated)]
            findings.append(check_provenance(lake, landing, planned.batch_id, sources))
            assert [finding for finding in findings if not finding.holds] == []
    return redecided
