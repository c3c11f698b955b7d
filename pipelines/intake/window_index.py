"""Window index: the keys of accepted events, beside the lake, so that a batch finds its own fast.

The index is made from the accepted events of the lake. It may be deleted, and is then made again.
It finds events by key hash only, so the caller compares the keys themselves in the lake.

A segment is one file. It holds n key hashes in order, n places (file_id and line) and a filter of
the hashes (see `key_filter`): 18 bytes a key. A batch adds a segment. `MERGED_SEGMENTS` segments of
similar size are merged into one, so there are few. A segment whose events were all received before
the window is not opened.

Invariant (I-11): the segments hold the key hash and the place of each accepted event up to
`batch_id` exactly once.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines import durable
from pipelines.intake.key_filter import Hashes, KeyFilter
from pipelines.lake.lake import Lake
from pipelines.vocabulary.instants import microseconds_of
from pipelines.vocabulary.tables import ACCEPTED_EVENTS

SEGMENT_KEYS = 8_000_000
"""Keys that are sorted in memory at a time, about."""

MERGED_SEGMENTS = 4
"""This many segments of similar size are merged into one."""

MERGE_KEYS = 4_000_000
"""Keys that are in memory at a time while segments are merged, about."""

SPAN_KEYS = 8_000_000
"""Keys of a segment that are mapped at a time. Mapped pages count as memory of the process."""


VERSION = 2
"""Version of the layout; an index of another version is made again."""

_MANIFEST = "manifest.json"
_LINE_BITS = 32
_COLUMNS = ("key_hash", "file_id", "line", "received_at")


@dataclass(frozen=True)
class Segment:
    """One file of the index.

    Attributes:
        name: name of the file.
        keys: number of its entries.
        filter_words: number of 64-bit words of its filter.
        received_from: earliest `received_at` of its events, in microseconds since 1970.
        received_until: latest `received_at` of its events, in microseconds since 1970.
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
    segments: tuple[Segment, ...]


class WindowIndex:
    """The window index of one home; only the holder of the writer lock changes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._manifest = self._read_manifest()

    @property
    def keys(self) -> int:
        """The number of entries in all segments."""
        return self._manifest.keys

    @property
    def batch_id(self) -> int:
        """The last batch whose events are in the index; 0 for none."""
        return self._manifest.batch_id

    def bring_up(self, lake: Lake, until_batch: int | None = None) -> None:
        """Adds the batches that the index lacks; makes it again if it does not fit the lake.

        Args:
            lake: the lake.
            until_batch: the last batch to add. None: the newest of the lake.
        """
        newest = lake.last_batch_id() if until_batch is None else until_batch
        accepted = _accepted_until(lake, self.batch_id)
        # An empty index starts in an empty folder: files of another version or a damaged index go.
        if not self.batch_id or self.batch_id > newest or accepted != self.keys:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._manifest = self._read_manifest()
        if self.batch_id < newest:
            self._add(lake, newest)

    def filters(self, received_after: datetime | None = None) -> list[KeyFilter]:
        """Filters that together have every key received after an instant.

        Args:
            received_after: the instant. None: they have every key.
        """
        return [self._filter(segment) for segment in self._open_segments(received_after)]

    def held(self, hashes: Hashes, received_after: datetime | None = None) -> pl.DataFrame:
        """The entries that share a hash with any of `hashes`: key_hash, file_id, line.

        Args:
            hashes: in any order.
            received_after: entries received up to then may be left out. None: none may be.
        """
        wanted = np.unique(hashes)
        nothing = np.empty(0, np.uint64)
        found = [(nothing, nothing)]
        for segment in self._open_segments(received_after):
            found += self._found(segment, wanted)
        return _entries(
            np.concatenate([key_hash for key_hash, _ in found]),
            np.concatenate([place for _, place in found]),
        )

    def times(self, hashes: Hashes) -> NDArray[np.int64]:
        """For each hash, the number of entries that have it; the hashes are sorted."""
        times = np.zeros(len(hashes), np.int64)
        for segment in self._manifest.segments:
            for _, held, near in self._spans(segment, hashes):
                times[near] -= np.searchsorted(held, hashes[near], side="left")
                times[near] += np.searchsorted(held, hashes[near], side="right")
        return times

    def entries(self) -> pl.DataFrame:
        """Every entry: key_hash, file_id, line. Only for checks of a small index."""
        segments = self._manifest.segments
        nothing = np.empty(0, np.uint64)
        hashes = np.concatenate(
            [nothing, *(self._keys(segment, 0, segment.keys) for segment in segments)]
        )
        places = np.concatenate(
            [nothing, *(self._places(segment, 0, segment.keys) for segment in segments)]
        )
        return _entries(hashes, places)

    def _open_segments(self, received_after: datetime | None) -> Iterator[Segment]:
        after = None if received_after is None else microseconds_of(received_after)
        for segment in self._manifest.segments:
            if after is None or segment.received_until > after:
                yield segment

    def _add(self, lake: Lake, newest: int) -> None:
        segments, keys = list(self._manifest.segments), self._manifest.keys
        number = self._manifest.next_number
        durable.make_folder(self._folder)
        for entries in _sorted_entries(lake, self.batch_id, newest):
            segments.append(self._write_segment(number, [entries]))
            keys += segments[-1].keys
            number += 1
        replaced: list[Segment] = []
        while merged := _alike(segments):
            segments = [segment for segment in segments if segment not in merged]
            segments.append(self._write_segment(number, self._merged(merged)))
            replaced += merged
            number += 1
        self._write_manifest(_Manifest(VERSION, newest, keys, number, tuple(segments)))
        for segment in replaced:
            (self._folder / segment.name).unlink(missing_ok=True)

    def _write_segment(self, number: int, slices: Iterable["_Entries"]) -> Segment:
        """A new segment of entries, which come sorted by hash."""
        name = f"segment-{number:06d}.keys"
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
        with path.open("ab") as segment, places_path.open("rb") as places:
            shutil.copyfileobj(places, segment, 1 << 20)
            key_filter.words.tofile(segment)
        durable.sync(path)
        places_path.unlink()
        return Segment(name, keys, len(key_filter.words), int(received_from), int(received_until))

    def _merged(self, segments: list[Segment]) -> Iterator["_Entries"]:
        """All entries of several segments, sorted by hash, one range of hashes at a time."""
        total = sum(segment.keys for segment in segments)
        ranges = max(1, -(-total // MERGE_KEYS))
        bounds = [(2**64 * number) // ranges for number in range(ranges)]
        limits = [*(np.uint64(bound) for bound in bounds), None]
        cuts = [
            [
                segment.keys if limit is None else self._first_from(segment, limit)
                for limit in limits
            ]
            for segment in segments
        ]
        received_from = min(segment.received_from for segment in segments)
        received_until = max(segment.received_until for segment in segments)
        for number in range(ranges):
            spans = [
                (segment, cut[number], cut[number + 1] - cut[number])
                for segment, cut in zip(segments, cuts, strict=True)
            ]
            key_hash = np.concatenate([self._keys(*span) for span in spans])
            place = np.concatenate([self._places(*span) for span in spans])
            order = np.argsort(key_hash)
            yield _Entries(key_hash[order], place[order], received_from, received_until)

    def _found(
        self, segment: Segment, wanted: Hashes
    ) -> Iterator[tuple[Hashes, NDArray[np.uint64]]]:
        for start, hashes, near in self._spans(segment, wanted):
            first = np.searchsorted(hashes, wanted[near], side="left")
            count = np.searchsorted(hashes, wanted[near], side="right") - first
            first, count = first[count > 0], count[count > 0]
            # A hash that has several entries occupies adjacent rows.
            spread = np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())
            places = self._places(segment, start, len(hashes))
            yield np.asarray(hashes[spread]), np.asarray(places[spread])

    def _spans(self, segment: Segment, wanted: Hashes) -> Iterator[tuple[int, Hashes, slice]]:
        """A segment in pieces: the start of each, its hashes, and the part of `wanted` it may have.

        A hash at the end of one piece and at the start of the next is wanted from both.
        """
        for start in range(0, segment.keys, SPAN_KEYS):
            hashes = self._keys(segment, start, min(SPAN_KEYS, segment.keys - start))
            first = np.searchsorted(wanted, hashes[0], side="left")
            after = np.searchsorted(wanted, hashes[-1], side="right")
            if first < after:
                yield start, hashes, slice(int(first), int(after))

    def _first_from(self, segment: Segment, limit: np.uint64) -> int:
        return int(np.searchsorted(self._keys(segment, 0, segment.keys), limit))

    def _keys(self, segment: Segment, first: int, count: int) -> Hashes:
        return _mapped(self._folder / segment.name, first, count)

    def _places(self, segment: Segment, first: int, count: int) -> NDArray[np.uint64]:
        return _mapped(self._folder / segment.name, segment.keys + first, count)

    def _filter(self, segment: Segment) -> KeyFilter:
        with (self._folder / segment.name).open("rb") as file:
            file.seek(16 * segment.keys)
            return KeyFilter(np.fromfile(file, np.uint64, segment.filter_words))

    def _read_manifest(self) -> _Manifest:
        path = self._folder / _MANIFEST
        if path.is_file():
            written: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if written["version"] == VERSION:
                segments = tuple(Segment(**segment) for segment in written.pop("segments"))
                if all(self._is_whole(segment) for segment in segments):
                    return _Manifest(**written, segments=segments)
        return _Manifest(VERSION, batch_id=0, keys=0, next_number=1, segments=())

    def _is_whole(self, segment: Segment) -> bool:
        path = self._folder / segment.name
        return (
            path.is_file() and path.stat().st_size == 16 * segment.keys + 8 * segment.filter_words
        )

    def _write_manifest(self, manifest: _Manifest) -> None:
        text = json.dumps(asdict(manifest), indent=1)
        durable.replace_text(self._folder / _MANIFEST, text)
        self._manifest = manifest


def _mapped(path: Path, first: int, count: int) -> NDArray[np.uint64]:
    """Numbers of a file, mapped; an empty array if `count` is 0, because that cannot be mapped."""
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
    """Entries sorted by hash, and when the first and the last of their events were received."""

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


def _sorted_entries(lake: Lake, after_batch: int, until_batch: int) -> Iterator[_Entries]:
    """The accepted events of some batches, about `SEGMENT_KEYS` at a time, sorted by hash."""
    held: list[pl.DataFrame] = []
    rows = 0
    for path in lake.files_after(ACCEPTED_EVENTS, after_batch, until_batch):
        entries = pl.read_parquet(path, columns=list(_COLUMNS))
        held.append(entries)
        rows += entries.height
        if rows >= SEGMENT_KEYS:
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


def _alike(segments: list[Segment]) -> list[Segment]:
    """Segments of similar size that are to be merged; empty if there are too few."""
    by_size: dict[int, list[Segment]] = {}
    for segment in segments:
        by_size.setdefault((max(1, segment.keys).bit_length() - 1) // 2, []).append(segment)
    return next((alike for alike in by_size.values() if len(alike) >= MERGED_SEGMENTS), [])
