"""Replay compared with the first decision of the same lines.

A replay under the same rules changes nothing. A replay under new rules gives the verdicts that
these rules would have given at first, if all copies of an event are in one file.

Worlds are made from seeds and not drawn by hypothesis, because each one needs a lake. The seed in
the name of a test makes the same world again.
"""

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.landing.store import Landing
from tests.worlds.deliveries import NO_CUTS, NOON, cut_rows, source_rows
from tests.worlds.lakes import decide_landing, open_lake, verdict_rows
from tests.worlds.landings import (
    DroppedFile,
    PooledEvent,
    VerdictRow,
    drop_into_folder,
    make_landed_world,
)
from tests.worlds.oracle import Sender
from tests.worlds.replays import replayed

HOUR = timedelta(hours=1)
SENDERS = {
    "alpha": Sender("shared", None, 9 * HOUR, HOUR),
    "beta": Sender("shared", None, 9 * HOUR, HOUR),
}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_replay_under_the_same_catalog_changes_nothing(seed: int, tmp_path: Path) -> None:
    world = make_landed_world(seed)
    sources, cuts = source_rows(world.senders), cut_rows(world.cuts)
    for wave in world.waves():
        drop_into_folder(tmp_path / "landing", wave)
        decide_landing(tmp_path, Landing(str(tmp_path / "landing")), sources, cuts)
    before = verdict_rows(tmp_path)

    redecided = replayed(tmp_path, sources, cuts)

    refused = [row for row in before if row[2] != "accepted"]
    assert redecided.changes.rows() == []
    assert redecided.unchanged == len(refused)
    assert verdict_rows(tmp_path) == before


def _files(seed: int) -> list[DroppedFile]:
    """Events whose copies are in the same file, so that no copy is accepted before the event."""
    chance = random.Random(seed)  # noqa: S311 — repeatable on purpose
    files = []
    for number in range(6):
        received_at = NOON + number * HOUR
        texts = []
        for key in range(chance.randint(3, 8)):
            event = PooledEvent(
                idempotency_key=f"{number}-{key}",
                customer_ref=chance.choice(["acme", "müller"]),
                occurred_at=received_at - chance.randint(-2, 11) * HOUR,
                requests=1,
            )
            texts += [event.text(chance)] * chance.randint(1, 3)
        chance.shuffle(texts)
        content = b"".join(text + b"\n" for text in [*texts, b"", b"{"])
        path = f"{chance.choice(['alpha', 'beta'])}/part-{number}.ndjson"
        files.append(DroppedFile(path, content, received_at, 0, ()))
    return files


def _decided(home: Path, files: list[DroppedFile], lateness: timedelta, cuts: pl.DataFrame) -> None:
    senders = {name: replace(sender, max_lateness=lateness) for name, sender in SENDERS.items()}
    drop_into_folder(home / "landing", files)
    decide_landing(home, Landing(str(home / "landing")), source_rows(senders), cuts)


def _latest(home: Path) -> list[VerdictRow]:
    """The verdicts that count; for a line that was refused more than once, the last one."""
    with open_lake(home, read_only=True) as lake:
        stale = lake.query(
            """
            SELECT path, line, verdict FROM lake.refused_events AS refused
            JOIN lake.landing_files USING (file_id)
            WHERE refused.revision < (SELECT max(revision) FROM lake.file_decisions AS decisions
                WHERE decisions.file_id = refused.file_id)
            """
        ).rows()
    rows = verdict_rows(home)
    for path, line, verdict in stale:
        rows.remove(next(row for row in rows if row[:3] == (path, line, verdict)))
    return rows


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_replay_gives_what_the_right_catalog_would_have_given(seed: int, tmp_path: Path) -> None:
    files = _files(seed)
    strict = cut_rows({("customer", "acme"): [(NOON - 12 * HOUR, NOON + 2 * HOUR)]})
    _decided(tmp_path / "late", files, 3 * HOUR, strict)
    _decided(tmp_path / "early", files, 9 * HOUR, NO_CUTS)

    redecided = replayed(tmp_path / "late", source_rows(SENDERS), NO_CUTS)

    assert redecided.changes.height
    assert _latest(tmp_path / "late") == _latest(tmp_path / "early")
    assert replayed(tmp_path / "late", source_rows(SENDERS), NO_CUTS).changes.rows() == []
