"""The window index holds the accepted events of the lake, and is made again if it does not."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from pipelines.audit.window import check_index
from pipelines.intake import window_index
from pipelines.intake.key_filter import KeyFilter
from pipelines.intake.window_index import WindowIndex
from pipelines.lake.lake import Lake
from pipelines.vocabulary.tables import ACCEPTED_EVENTS, BATCHES
from tests.worlds.deliveries import NOON
from tests.worlds.lakes import lake_rows, open_lake, start_lake

Entry = tuple[int, int, int]
"""An entry: key_hash, file_id and line."""


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with open_lake(start_lake(tmp_path), read_only=False) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "window"


def commit(lake: Lake, *entries: Entry) -> None:
    """Commits a batch with these accepted events; each file is received an hour after the last."""
    batch_id = lake.last_batch_id() + 1
    rows = [
        {
            "batch_id": batch_id,
            "key_hash": key_hash,
            "file_id": file_id,
            "line": line,
            "received_at": NOON + timedelta(hours=file_id),
        }
        for key_hash, file_id, line in entries
    ]
    lake.commit_batch(
        batch_id,
        {
            table: lake_rows(table, *tables)
            for table, tables in (
                (ACCEPTED_EVENTS, rows),
                (BATCHES, [{"batch_id": batch_id, "kind": "decide"}]),
            )
        },
        {},
    )


def held(index: WindowIndex) -> list[Entry]:
    return sorted(index.entries().rows())


def test_an_empty_lake(lake: Lake, folder: Path) -> None:
    index = WindowIndex(folder)
    index.bring_up(lake)
    assert (index.keys, index.filters(), index.held(np.array([7], np.uint64)).rows()) == (0, [], [])


def test_batches_are_taken_in_up_to_one(lake: Lake, folder: Path) -> None:
    for entry in ((9, 1, 1), (8, 2, 1), (7, 3, 1)):
        commit(lake, entry)
    index = WindowIndex(folder)

    index.bring_up(lake, 2)
    assert (index.batch_id, held(index)) == (2, [(8, 2, 1), (9, 1, 1)])
    index.bring_up(lake)
    assert (index.batch_id, len(held(index))) == (3, 3)


def test_batches_are_taken_in_as_they_come(lake: Lake, folder: Path) -> None:
    commit(lake, (9, 1, 1), (2**64 - 1, 1, 2**32 - 1), (0, 1, 3))
    index = WindowIndex(folder)
    index.bring_up(lake)
    commit(lake, (9, 2, 1))
    index.bring_up(lake)
    assert held(index) == [(0, 1, 3), (9, 1, 1), (9, 2, 1), (2**64 - 1, 1, 2**32 - 1)]
    found = index.held(np.array([9, 9, 8, 0], np.uint64))
    assert sorted(found.rows()) == [(0, 1, 3), (9, 1, 1), (9, 2, 1)]
    assert index.times(np.array([0, 8, 9], np.uint64)).tolist() == [1, 0, 2]
    assert held(WindowIndex(folder)) == held(index)


def test_segments_of_similar_size_are_merged(
    lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window_index, "MERGE_KEYS", 3)
    chance = np.random.default_rng(1)
    index, entries = WindowIndex(folder), []
    for file_id in range(1, 41):
        batch = [(int(chance.integers(0, 50)), file_id, line) for line in (1, 2)]
        entries += batch
        commit(lake, *batch)
        index.bring_up(lake)
    assert held(index) == sorted(entries)
    segments = list(folder.glob("segment-*.keys"))
    assert len(segments) < 3 * window_index.MERGED_SEGMENTS
    assert json.loads((folder / "manifest.json").read_text())["keys"] == len(entries)
    assert {path.name for path in folder.iterdir()} == {path.name for path in segments} | {
        "manifest.json"
    }
    every = np.array(sorted({key_hash for key_hash, _, _ in entries}), np.uint64)
    assert index.times(every).sum() == len(entries)


@pytest.mark.parametrize("span_keys", [1, 2, 3, 1_000])
def test_a_segment_is_read_in_pieces(
    lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch, span_keys: int
) -> None:
    monkeypatch.setattr(window_index, "SPAN_KEYS", span_keys)
    batch = [
        (key_hash, 1, line) for line, key_hash in enumerate([0, 5, 5, 5, 5, 8, 9, 2**64 - 1], 1)
    ]
    commit(lake, *batch)
    index = WindowIndex(folder)
    index.bring_up(lake)
    wanted = [0, 4, 5, 6, 9, 2**64 - 1]
    found = index.held(np.array(wanted, np.uint64))
    assert sorted(found.rows()) == [entry for entry in batch if entry[0] in wanted]
    assert index.times(np.array(wanted, np.uint64)).tolist() == [1, 0, 4, 0, 1, 1]
    (key_filter,) = index.filters()
    whole = KeyFilter.made_for(len(batch))
    whole.add(np.array([key_hash for key_hash, _, _ in batch], np.uint64))
    assert key_filter.words.tolist() == whole.words.tolist()


def test_keys_beyond_reach_are_not_looked_up(lake: Lake, folder: Path) -> None:
    commit(lake, (9, 1, 1))
    commit(lake, (9, 5, 1))
    index = WindowIndex(folder)
    index.bring_up(lake)
    commit(lake, (9, 20, 1))
    index.bring_up(lake)
    nine = np.array([9], np.uint64)
    assert index.held(nine, NOON + timedelta(hours=5)).rows() == [(9, 20, 1)]
    assert len(index.filters(NOON + timedelta(hours=5))) == 1
    assert index.held(nine, NOON + timedelta(hours=5, microseconds=-1)).height == 3


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "manifest.json").unlink(),
        lambda folder: next(folder.glob("segment-*.keys")).unlink(),
        lambda folder: next(folder.glob("segment-*.keys")).write_bytes(b"short"),
    ],
    ids=["no manifest", "no segment", "a short segment"],
)
def test_a_harmed_index_is_made_again(lake: Lake, folder: Path, harm: object) -> None:
    commit(lake, (9, 1, 1), (7, 1, 2))
    WindowIndex(folder).bring_up(lake)
    harm(folder)  # type: ignore[operator]
    index = WindowIndex(folder)
    index.bring_up(lake)
    assert held(index) == [(7, 1, 2), (9, 1, 1)]


def test_an_index_of_another_version_is_made_again(lake: Lake, folder: Path) -> None:
    folder.mkdir()
    older = {"version": 1, "batch_id": 1, "keys": 1, "next_number": 2, "runs": []}
    (folder / "manifest.json").write_text(json.dumps(older))
    (folder / "run-000001.keys").write_bytes(bytes(32))
    commit(lake, (9, 1, 1))
    index = WindowIndex(folder)
    index.bring_up(lake)
    assert held(index) == [(9, 1, 1)]
    assert {path.name for path in folder.iterdir()} == {"manifest.json", "segment-000001.keys"}


def test_an_index_of_another_lake_is_made_again(lake: Lake, folder: Path, tmp_path: Path) -> None:
    with open_lake(start_lake(tmp_path / "other"), read_only=False) as other:
        commit(other, (1, 1, 1))
        commit(other, (2, 2, 1), (3, 2, 2))
        WindowIndex(folder).bring_up(other)
    commit(lake, (9, 1, 1))
    index = WindowIndex(folder)
    index.bring_up(lake)
    assert held(index) == [(9, 1, 1)]


def test_the_check_compares_with_the_lake(lake: Lake, folder: Path) -> None:
    commit(lake, (9, 1, 1), (7, 1, 2))
    index = WindowIndex(folder)
    index.bring_up(lake)
    commit(lake, (9, 2, 1), (5, 2, 2))
    finding, _ = check_index(index, lake, 2)
    assert not finding.holds  # It has not taken in the second batch.
    index.bring_up(lake)
    finding, repeated = check_index(index, lake, 2)
    assert finding.holds
    assert repeated["key_hash"].to_list() == [9]


def test_the_check_finds_another_place(
    lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(lake, (9, 1, 1))
    index = WindowIndex(folder)
    index.bring_up(lake)
    segment = next(folder.glob("segment-*.keys"))
    content = bytearray(segment.read_bytes())
    content[8] ^= 1  # The line of the only entry.
    segment.write_bytes(content)
    assert not check_index(WindowIndex(folder), lake, 1)[0].holds
    # A larger index is checked for the hashes of the batch only.
    monkeypatch.setattr("pipelines.audit.window.ENTRIES_COMPARED", 0)
    assert check_index(WindowIndex(folder), lake, 1)[0].holds
    content[0] ^= 1  # The hash.
    segment.write_bytes(content)
    assert not check_index(WindowIndex(folder), lake, 1)[0].holds


def test_eighteen_bytes_a_key(lake: Lake, folder: Path) -> None:
    keys = 10_000
    commit(lake, *((number * 2**40, 1, number + 1) for number in range(keys)))
    WindowIndex(folder).bring_up(lake)
    size = sum(path.stat().st_size for path in folder.glob("segment-*.keys"))
    assert size == 18 * keys
