"""Window index: which keys are held, beside the lake, so that a batch need not read them all.

Belongs here: files of sorted key hashes, made from the accepted events and from nothing else.
Must not be put here: verdicts, windows (see `decide`), writing the lake.

The index is derived: it may be thrown away, and is made again from the lake. It answers with
candidates; the key's bytes are compared by whoever asks, in the lake.

A **run** is one file: n hashes in order, n places (file_id and line), and a filter of them
(see `key_filter`), 18 bytes a key. A batch adds a run; runs of a like size are merged, so
there are few. A run knows when its events were received, so that one beyond every window is
not opened.

Invariant: the runs hold the key hash and the place of each accepted event up to `batch_id`,
once, and their checksums are those of the lake (I-11).
"""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.intake.key_filter import Hashes, KeyFilter
from pipelines.lake.lake import Lake
from pipelines.vocabulary.instants import microseconds_of
from pipelines.vocabulary.tables import ACCEPTED_EVENTS

RUN_KEYS = 8_000_000
"""Keys sorted in memory at a time."""

MERGED_RUNS = 4
"""As many runs of a like size become one."""

MERGE_KEYS = 4_000_000
"""Keys held in memory while runs are merged."""

SPAN_KEYS = 8_000_000
"""Keys of a run that are mapped at a time: what is mapped counts as memory of the process."""


VERSION = 1
"""Of the layout; another one is thrown away."""

_MANIFEST = "manifest.json"
_LINE_BITS = 32
_COLUMNS = ("key_hash", "file_id", "line", "received_at")


@dataclass(frozen=True)
class Run:
    """One file of the index.

    Attributes:
        name: of the file.
        keys: entries.
        filter_words: 64-bit words of its filter.
        received_from, received_until: first and last `received_at`, microseconds since the epoch.
    """

    name: str
    keys: int
    filter_words: int
    received_from: int
    received_until: int


@dataclass(frozen=True)
class _Manifest:
    version: int
    batch_id: int
    keys: int
    next_number: int
    runs: tuple[Run, ...]


class WindowIndex:
    """The runs of one home; only the holder of the writer lock changes them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._manifest = self._read_manifest()

    @property
    def keys(self) -> int:
        """Entries in all runs."""
        return self._manifest.keys

    @property
    def batch_id(self) -> int:
        """The last batch whose events are held."""
        return self._manifest.batch_id

    def bring_up(self, lake: Lake) -> None:
        """Takes in the batches it lacks; one that does not fit the lake is made again."""
        newest = lake.last_batch_id()
        accepted = _accepted_until(lake, self.batch_id)
        if self.batch_id > newest or accepted != self.keys:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._manifest = self._read_manifest()
        if self.batch_id < newest:
            self._add(lake, newest)

    def filters(self, received_after: datetime | None = None) -> list[KeyFilter]:
        """Filters that together hold every key received later than an instant, or all."""
        return [self._filter(run) for run in self._open_runs(received_after)]

    def held(self, hashes: Hashes, received_after: datetime | None = None) -> pl.DataFrame:
        """The entries that share a hash with any of `hashes`.

        Args:
            hashes: any order.
            received_after: entries received until then may be left out.

        Returns:
            key_hash, file_id, line; a hash stands as often as it is held.
        """
        wanted = np.unique(hashes)
        nothing = np.empty(0, np.uint64)
        found = [(nothing, nothing)]
        for run in self._open_runs(received_after):
            found += self._found(run, wanted)
        return _entries(
            np.concatenate([key_hash for key_hash, _ in found]),
            np.concatenate([place for _, place in found]),
        )

    def times(self, hashes: Hashes) -> NDArray[np.int64]:
        """How many entries have each of some hashes, which stand in order."""
        times = np.zeros(len(hashes), np.int64)
        for run in self._manifest.runs:
            for _, held, near in self._spans(run, hashes):
                times[near] -= np.searchsorted(held, hashes[near], side="left")
                times[near] += np.searchsorted(held, hashes[near], side="right")
        return times

    def entries(self) -> pl.DataFrame:
        """Every entry: key_hash, file_id, line; for checks of small indexes."""
        runs = self._manifest.runs
        nothing = np.empty(0, np.uint64)
        hashes = np.concatenate([nothing, *(self._keys(run, 0, run.keys) for run in runs)])
        places = np.concatenate([nothing, *(self._places(run, 0, run.keys) for run in runs)])
        return _entries(hashes, places)

    def _open_runs(self, received_after: datetime | None) -> Iterator[Run]:
        after = None if received_after is None else microseconds_of(received_after)
        for run in self._manifest.runs:
            if after is None or run.received_until > after:
                yield run

    def _add(self, lake: Lake, newest: int) -> None:
        runs, keys = list(self._manifest.runs), self._manifest.keys
        number = self._manifest.next_number
        self._folder.mkdir(parents=True, exist_ok=True)
        for entries in _sorted_entries(lake, self.batch_id):
            runs.append(self._write_run(number, [entries]))
            keys += runs[-1].keys
            number += 1
        replaced: list[Run] = []
        while merged := _alike(runs):
            runs = [run for run in runs if run not in merged]
            runs.append(self._write_run(number, self._merged(merged)))
            replaced += merged
            number += 1
        self._write_manifest(_Manifest(VERSION, newest, keys, number, tuple(runs)))
        for run in replaced:
            (self._folder / run.name).unlink(missing_ok=True)

    def _write_run(self, number: int, slices: Iterable["_Entries"]) -> Run:
        """One run of entries that come in the order of their hashes."""
        name = f"run-{number:06d}.keys"
        path = self._folder / name
        places_path = path.with_suffix(".places")
        keys, received_from, received_until = 0, np.iinfo(np.int64).max, np.iinfo(np.int64).min
        with path.open("wb") as hashes, places_path.open("wb") as places:
            for entries in slices:
                keys += len(entries.key_hash)
                received_from = min(received_from, entries.received_from)
                received_until = max(received_until, entries.received_until)
                entries.key_hash.tofile(hashes)
                entries.place.tofile(places)
        key_filter = KeyFilter.made_for(keys)
        for first in range(0, keys, SPAN_KEYS):
            key_filter.add(_mapped(path, first, min(SPAN_KEYS, keys - first)))
        with path.open("ab") as run, places_path.open("rb") as places:
            shutil.copyfileobj(places, run, 1 << 20)
            key_filter.words.tofile(run)
            run.flush()
            os.fsync(run.fileno())
        places_path.unlink()
        return Run(name, keys, len(key_filter.words), int(received_from), int(received_until))

    def _merged(self, runs: list[Run]) -> Iterator["_Entries"]:
        """All entries of several runs, in the order of their hashes, a range at a time."""
        total = sum(run.keys for run in runs)
        ranges = max(1, -(-total // MERGE_KEYS))
        bounds = [(2**64 * number) // ranges for number in range(ranges)]
        limits = [*(np.uint64(bound) for bound in bounds), None]
        cuts = [
            [run.keys if limit is None else self._first_from(run, limit) for limit in limits]
            for run in runs
        ]
        received_from = min(run.received_from for run in runs)
        received_until = max(run.received_until for run in runs)
        for number in range(ranges):
            spans = [
                (run, cut[number], cut[number + 1] - cut[number])
                for run, cut in zip(runs, cuts, strict=True)
            ]
            key_hash = np.concatenate([self._keys(*span) for span in spans])
            place = np.concatenate([self._places(*span) for span in spans])
            order = np.argsort(key_hash)
            yield _Entries(key_hash[order], place[order], received_from, received_until)

    def _found(self, run: Run, wanted: Hashes) -> Iterator[tuple[Hashes, NDArray[np.uint64]]]:
        for start, hashes, near in self._spans(run, wanted):
            first = np.searchsorted(hashes, wanted[near], side="left")
            count = np.searchsorted(hashes, wanted[near], side="right") - first
            first, count = first[count > 0], count[count > 0]
            # A hash that is held several times stands in a row.
            spread = np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())
            places = self._places(run, start, len(hashes))
            yield np.asarray(hashes[spread]), np.asarray(places[spread])

    def _spans(self, run: Run, wanted: Hashes) -> Iterator[tuple[int, Hashes, slice]]:
        """A run in pieces: where each starts, its hashes, and which of `wanted` it may have.

        A hash that ends one piece and begins the next is wanted of both.
        """
        for start in range(0, run.keys, SPAN_KEYS):
            hashes = self._keys(run, start, min(SPAN_KEYS, run.keys - start))
            first = np.searchsorted(wanted, hashes[0], side="left")
            after = np.searchsorted(wanted, hashes[-1], side="right")
            if first < after:
                yield start, hashes, slice(int(first), int(after))

    def _first_from(self, run: Run, limit: np.uint64) -> int:
        return int(np.searchsorted(self._keys(run, 0, run.keys), limit))

    def _keys(self, run: Run, first: int, count: int) -> Hashes:
        return _mapped(self._folder / run.name, first, count)

    def _places(self, run: Run, first: int, count: int) -> NDArray[np.uint64]:
        return _mapped(self._folder / run.name, run.keys + first, count)

    def _filter(self, run: Run) -> KeyFilter:
        with (self._folder / run.name).open("rb") as file:
            file.seek(16 * run.keys)
            return KeyFilter(np.fromfile(file, np.uint64, run.filter_words))

    def _read_manifest(self) -> _Manifest:
        path = self._folder / _MANIFEST
        if path.is_file():
            written: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if written["version"] == VERSION:
                runs = tuple(Run(**run) for run in written.pop("runs"))
                if all(self._is_whole(run) for run in runs):
                    return _Manifest(**written, runs=runs)
        return _Manifest(VERSION, batch_id=0, keys=0, next_number=1, runs=())

    def _is_whole(self, run: Run) -> bool:
        path = self._folder / run.name
        return path.is_file() and path.stat().st_size == 16 * run.keys + 8 * run.filter_words

    def _write_manifest(self, manifest: _Manifest) -> None:
        path = self._folder / _MANIFEST
        fresh = path.with_suffix(".fresh")
        fresh.write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
        fresh.replace(path)
        self._manifest = manifest


def _mapped(path: Path, first: int, count: int) -> NDArray[np.uint64]:
    """Numbers of a file; none is no mapping, since that of nothing is refused."""
    if not count:
        return np.empty(0, np.uint64)
    return np.memmap(path, np.uint64, "r", offset=8 * first, shape=(count,))


def _entries(hashes: Hashes, places: NDArray[np.uint64]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "key_hash": hashes,
            "file_id": (places >> np.uint64(_LINE_BITS)).astype(np.int64),
            "line": (places & np.uint64(2**_LINE_BITS - 1)).astype(np.int64),
        }
    )


@dataclass(frozen=True)
class _Entries:
    """Entries in the order of their hashes."""

    key_hash: Hashes
    place: NDArray[np.uint64]
    received_from: int
    received_until: int


def _accepted_until(lake: Lake, batch_id: int) -> int:
    found = lake.query(
        "SELECT count(*) AS accepted FROM lake.accepted_events WHERE batch_id <= $batch_id",
        {"batch_id": batch_id},
    )
    return int(found["accepted"][0])


def _sorted_entries(lake: Lake, after_batch: int) -> Iterator[_Entries]:
    """The accepted events of later batches, `RUN_KEYS` at a time, each sorted by hash."""
    held: list[pl.DataFrame] = []
    rows = 0
    for path in lake.files_after(ACCEPTED_EVENTS, after_batch):
        entries = pl.read_parquet(path, columns=list(_COLUMNS))
        held.append(entries)
        rows += entries.height
        if rows >= RUN_KEYS:
            yield _sorted(held)
            held, rows = [], 0
    if rows:
        yield _sorted(held)


def _sorted(frames: list[pl.DataFrame]) -> _Entries:
    entries = pl.concat(frames)
    received = entries["received_at"].dt.epoch("us")
    place = entries.select((pl.col("file_id") * 2**_LINE_BITS + pl.col("line")).cast(pl.UInt64))
    hashes = entries["key_hash"].to_numpy()
    order = np.argsort(hashes)
    return _Entries(
        hashes[order],
        place.to_series().to_numpy()[order],
        int(received.min()),  # type: ignore[arg-type]
        int(received.max()),  # type: ignore[arg-type]
    )


def _alike(runs: list[Run]) -> list[Run]:
    """Runs that are to become one: enough of a like size."""
    by_size: dict[int, list[Run]] = {}
    for run in runs:
        by_size.setdefault((max(1, run.keys).bit_length() - 1) // 2, []).append(run)
    return next((alike for alike in by_size.values() if len(alike) >= MERGED_RUNS), [])
