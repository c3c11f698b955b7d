"""From landed bytes to verdicts in the lake: the oracle agrees wherever batches are cut.

Worlds are made from seeds and not drawn by hypothesis, because each one needs a lake. The seed in
the name of a test makes the same world again.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.audit.window import check_index
from pipelines.intake.stream import stream_files
from pipelines.intake.window_index import WindowIndex
from pipelines.landing.store import Landing
from pipelines.reading.formats.lines import split_chunks
from pipelines.reading.parts import ParsedBatch
from pipelines.vocabulary.tables import ACCEPTED_EVENTS, REFUSED_EVENTS
from tests.worlds.deliveries import cut_rows, source_rows
from tests.worlds.lakes import decide_landing, open_lake, verdict_rows
from tests.worlds.landings import LandedWorld, VerdictRow, drop_into_folder, make_landed_world

SEEDS = (1, 2, 3)


def _random_sizes(seed: int) -> Iterator[int]:
    chance = random.Random(seed)  # noqa: S311 — repeatable on purpose
    while True:
        yield chance.randint(1, 2000)


def _decided(
    world: LandedWorld, place: Path, sizes: Iterator[int] | None = None, processes: int = 1
) -> list[VerdictRow]:
    landing = Landing(str(place / "landing"))
    sources, cuts = source_rows(world.senders), cut_rows(world.cuts)
    for wave in world.waves():
        drop_into_folder(place / "landing", wave)
        decide_landing(place / "home", landing, sources, cuts, sizes, processes)
    return verdict_rows(place / "home")


@pytest.mark.parametrize("seed", SEEDS)
def test_one_batch_a_wave_gives_the_oracles_verdicts(seed: int, tmp_path: Path) -> None:
    world = make_landed_world(seed)

    assert _decided(world, tmp_path) == world.expected_rows()


@pytest.mark.parametrize("seed", SEEDS)
def test_batches_cut_anywhere_give_the_same_verdicts(seed: int, tmp_path: Path) -> None:
    world = make_landed_world(seed)

    assert _decided(world, tmp_path, _random_sizes(seed)) == world.expected_rows()
    with open_lake(tmp_path / "home", read_only=True) as lake:
        assert lake.last_batch_id() > len(world.waves())


def test_groups_of_key_hashes_decided_alone_give_the_same_verdicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.intake.verdict_rows.EVENTS_PER_GROUP", 5)
    world = make_landed_world(seed=4)

    assert _decided(world, tmp_path) == world.expected_rows()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.usefixtures("streamed")
def test_streamed_files_give_the_same_verdicts(seed: int, tmp_path: Path) -> None:
    world = make_landed_world(seed)

    assert _decided(world, tmp_path, _random_sizes(seed)) == world.expected_rows()


def test_two_processes_give_the_same_verdicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.reading.workers.PARALLEL_BYTES_MIN", 0)
    monkeypatch.setattr("pipelines.reading.workers._TASK_BYTES", 500)
    world = make_landed_world(seed=5, files=8)

    assert _decided(world, tmp_path, processes=2) == world.expected_rows()
    # Without a second share of work, no process is started.
    assert list((tmp_path / "home" / "staging").glob("*/parsed/000001-*"))


@pytest.mark.parametrize("part_rows", [2, 250_000], ids=["parts_written", "parts_pending"])
def test_lines_read_before_a_file_turned_out_corrupt_are_forgotten(
    part_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "pipelines.reading.formats.lines.split_chunks", partial(split_chunks, chunk_bytes=64)
    )
    monkeypatch.setattr("pipelines.reading.parts.PART_ROWS", part_rows)
    world = make_landed_world(seed=1)

    assert _decided(world, tmp_path) == world.expected_rows()


@pytest.fixture
def streamed(streamed: None, monkeypatch: pytest.MonkeyPatch) -> list[ParsedBatch]:
    """The batches as they were parsed; every batch is streamed."""
    batches: list[ParsedBatch] = []

    def kept(*arguments: Any) -> ParsedBatch:
        batches.append(stream_files(*arguments))
        return batches[-1]

    monkeypatch.setattr("pipelines.intake.stream.stream_files", kept)
    return batches


@pytest.mark.parametrize("seed", [*SEEDS, 6, 7, 8])
def test_streamed_batches_give_the_same_verdicts(
    seed: int, streamed: list[ParsedBatch], tmp_path: Path
) -> None:
    world = make_landed_world(seed)
    # If a customer is closed for good, no event passes the sieve. Most worlds have such a customer.
    open_names = {name: steps for name, steps in world.cuts.items() if steps[-1][1] is None}
    world = replace(world, cuts=open_names if seed > len(SEEDS) else {})

    sizes = _random_sizes(seed) if seed % 2 else None
    assert _decided(world, tmp_path, sizes, processes=1 + seed % 3) == world.expected_rows()
    # If nothing had passed, this would only test the slower readers.
    assert sum(sum(batch.passed.values()) for batch in streamed) > 0
    with open_lake(tmp_path / "home", read_only=True) as lake:
        index = WindowIndex(tmp_path / "home" / "lake" / "window")
        index.bring_up(lake)
        for batch_id in range(1, lake.last_batch_id() + 1):
            assert check_index(index, lake, batch_id)[0].holds


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("pipelines.intake.stream.FILE_BYTES_HELD", 0),
        ("pipelines.intake.stream.PART_ROWS", 1),
        ("pipelines.intake.stream.PART_BYTES", 1),
        ("pipelines.intake.stream.BATCH_KEYS", 1),
        ("pipelines.intake.window_index.SEGMENT_KEYS", 1),
        ("pipelines.intake.window_index.SPAN_KEYS", 1),
    ],
    ids=[
        "files read twice",
        "a part for each event",
        "a part for each chunk",
        "a full filter",
        "a run for each file",
        "a run read key by key",
    ],
)
def test_no_bound_of_memory_changes_a_verdict(
    setting: str,
    value: int,
    streamed: list[ParsedBatch],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(setting, value)
    monkeypatch.setattr(
        "pipelines.reading.formats.lines.split_chunks", partial(split_chunks, chunk_bytes=64)
    )
    world = make_landed_world(seed=1)

    assert _decided(world, tmp_path) == world.expected_rows()
    assert streamed


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("is_streamed", [True, False], ids=["streamed", "decided"])
def test_each_file_of_events_is_sorted_by_name_event_and_time(
    seed: int, is_streamed: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if is_streamed:
        request.getfixturevalue("streamed")

    _decided(make_landed_world(seed), tmp_path)

    moved = 0
    with open_lake(tmp_path / "home", read_only=True) as lake:
        for table in (ACCEPTED_EVENTS, REFUSED_EVENTS):
            for path in lake.files_after(table, 0):
                rows = pl.read_parquet(path)
                name = pl.coalesce("customer_ref", "subscription_ref", pl.lit(""))
                order = (name, "event_name", "occurred_at", "file_id", "line")
                assert rows.equals(rows.sort(order))
                moved += not rows.equals(rows.sort("file_id", "line"))
    # If every file were in the order of the registry, too, this would test nothing.
    assert moved


def test_the_worlds_show_every_verdict() -> None:
    outcomes = Counter(
        (verdict, reason_code)
        for seed in SEEDS
        for _, _, verdict, reason_code, _, _ in make_landed_world(seed).expected_rows()
    )

    assert set(outcomes) == {
        ("accepted", None),
        ("duplicate", None),
        ("conflict", None),
        ("rejected", "malformed"),
        ("rejected", "future"),
        ("rejected", "too_late"),
        ("rejected", "backdated"),
    }


def test_every_line_has_one_outcome_and_a_corrupt_file_has_none(tmp_path: Path) -> None:
    world = make_landed_world(seed=1)
    lines_of = {file.path: len(file.lines) for file in world.files}
    blank_of = {file.path: file.lines.count(None) for file in world.files}

    decided = Counter(path for path, *_ in _decided(world, tmp_path))

    with open_lake(tmp_path / "home", read_only=True) as lake:
        files = lake.query(
            "SELECT path, status, reason_code, reason, lines, blank "
            "FROM lake.file_decisions JOIN lake.landing_files USING (file_id)"
        )
    assert set(files["path"]) == set(lines_of)
    for path, status, reason_code, reason, lines, blank in files.iter_rows():
        is_corrupt = path.endswith("cut-short.ndjson.gz")
        assert (lines, blank) == (lines_of[path], blank_of[path])
        assert decided[path] == lines - blank
        assert status == ("quarantined" if is_corrupt else "decided")
        assert reason_code == ("unreadable_file" if is_corrupt else None)
        assert ("truncated gzip" in (reason or "")) == is_corrupt


def test_a_landing_decided_before_is_not_decided_again(tmp_path: Path) -> None:
    world = make_landed_world(seed=1)
    landing = Landing(str(tmp_path / "landing"))
    drop_into_folder(tmp_path / "landing", world.files)
    home, sources, cuts = tmp_path / "home", source_rows(world.senders), cut_rows(world.cuts)

    assert decide_landing(home, landing, sources, cuts) == 1
    first = verdict_rows(home)
    assert decide_landing(home, landing, sources, cuts) == 0
    assert verdict_rows(home) == first
