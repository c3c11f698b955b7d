"""Random landings of exports have the verdicts that a naive second decider gives them."""

import random
from collections import Counter
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.intake.batch import plan
from pipelines.landing.store import Landing
from pipelines.vocabulary.frames import SOURCES as SCHEMA
from tests.hostile.landing_run import drop, hostile_cuts
from tests.worlds.lakes import decide_landing, open_lake
from tests.worlds.naive_senders import NaiveFile, NaiveSource, decided
from tests.worlds.random_exports import SOURCES, random_landing

VERDICTS = ("accepted", "duplicate", "conflict", "rejected", "not_usage")
FILES = 90


def _row(source: NaiveSource) -> dict[str, object]:
    row = asdict(source)
    return {
        "source": row.pop("name"),
        "dedupe_scope": source.name,
        "future_skew": timedelta(days=400),
        "received_at_from": "path" if row.pop("dated") else "last_modified",
        **row,
        "not_usage": [f"{name}={'|'.join(texts)}" for name, texts in row["not_usage"].items()],
        "paths": list(source.paths),
    }


def _by_product(home: Path, folder: Path) -> dict[str, NaiveFile]:
    sources = pl.DataFrame([_row(source) for source in SOURCES], schema=SCHEMA)
    landing = Landing(str(folder))
    decide_landing(home, landing, sources, hostile_cuts())
    with open_lake(home, read_only=True) as lake:
        rows = lake.query(
            "SELECT path, decided.* FROM lake.file_decisions AS decided "
            "JOIN lake.landing_files USING (file_id)"
        )
        accepted = lake.query(
            "SELECT path, idempotency_key FROM lake.accepted_events "
            "JOIN lake.landing_files USING (file_id) ORDER BY path, line"
        )
        ignored = plan(lake, landing, sources, home / "staging", 2**40).discovery.ignored
    outcomes = {path: NaiveFile("ignored") for path in ignored["path"]}
    for row in rows.iter_rows(named=True):
        found = Counter({verdict: row[verdict] or 0 for verdict in (*VERDICTS, "blank")})
        outcomes[row["path"]] = NaiveFile(row["status"], +found)
        total = sum(found.values())
        assert row["status"] == "quarantined" or row["lines"] == total, row["path"]
    for path, key in accepted.iter_rows():
        outcomes[path].keys.append(key)
    return outcomes


@pytest.mark.parametrize("seed", range(6))
def test_every_file_has_the_verdicts_of_a_naive_decider(seed: int, tmp_path: Path) -> None:
    files = random_landing(random.Random(seed), FILES)  # noqa: S311 -- repeatable on purpose
    drop(tmp_path / "landing", files.items())

    expected = decided(files, SOURCES)
    found = _by_product(tmp_path / "home", tmp_path / "landing")

    for path in files:
        if not path.lower().endswith((".csv", ".csv.gz", ".txt")):
            # How many lines of a text are blank depends on its layout, and says nothing of events.
            expected[path].counts.pop("blank", None)
            found[path].counts.pop("blank", None)
        assert found[path] == expected[path], (path, files[path][:2000])
    assert found.keys() == expected.keys()


def test_the_worlds_hold_every_verdict_and_every_state() -> None:
    states, verdicts = Counter[str](), Counter[str]()
    for seed in range(6):
        files = random_landing(random.Random(seed), FILES)  # noqa: S311 -- as above
        for outcome in decided(files, SOURCES).values():
            states[outcome.status] += 1
            verdicts += outcome.counts
    assert min(states[state] for state in ("ignored", "quarantined", "decided")) > 30
    assert min(verdicts[verdict] for verdict in VERDICTS) > 30
