"""Rows: chosen events of scanned chunks, gathered as Arrow columns in the order of the lake.

`intake.sieve` chooses the events. `columns` scans the chunks that hold them.

1. The events are put in the order of the lake, which `vocabulary.tables.events` defines.
2. Each chunk is read from start to end, and each value is written to its place in the sorted
   columns. Sorting the columns once they are made would copy every text twice.
3. `tables` cuts the columns into tables of a size, each with small dictionaries of its own.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.reading.scanner.columns import ScannedChunk
from pipelines.reading.scanner.compiled import WORD_BYTES
from pipelines.reading.scanner.lines import NAMES
from pipelines.reading.scanner.placing import (
    copy_properties,
    copy_texts,
    measure_properties,
    place_numbers,
)
from pipelines.vocabulary.frames import PARSED_EVENTS

Rows = NDArray[np.int64]
"""The numbers of the chosen events of a chunk, from 0."""

Chosen = Sequence[tuple[ScannedChunk, Rows]]
"""Chunks in the order of the registry, each with its chosen events."""

_TEXTS_KEPT = 64
"""A dictionary of at most so many texts is not made smaller: that takes longer than it saves."""

_INSTANT = pa.timestamp("us", "UTC")


@dataclass(frozen=True)
class _Names:
    """Texts that repeat.

    Attributes:
        codes: number of each row's text; -1 for none.
        texts: the texts. Some may be in no row. Without any, no row has one.
    """

    codes: NDArray[np.int32]
    texts: pa.Array

    def at(self, order: Rows | slice) -> "_Names":
        """The rows in another order, or some of them."""
        return _Names(self.codes[order], self.texts)

    def column(self) -> pa.Array:
        """The rows as a dictionary, without most texts that no row has. No texts at all: nulls."""
        if not len(self.texts):
            return pa.nulls(len(self.codes), pa.string())
        if len(self.texts) <= _TEXTS_KEPT:
            given = pa.array(self.codes, mask=self.codes < 0)
            return pa.DictionaryArray.from_arrays(given, self.texts)
        is_used = np.zeros(len(self.texts) + 1, np.bool_)
        # -1 is the last place, which no text has.
        is_used[self.codes] = True
        used = np.flatnonzero(is_used[:-1])
        numbers = np.zeros(len(self.texts) + 1, np.int32)
        numbers[used] = np.arange(len(used))
        given = pa.array(numbers[self.codes], mask=self.codes < 0 if is_used[-1] else None)
        return pa.DictionaryArray.from_arrays(given, self.texts.take(pa.array(used)))


@dataclass(frozen=True)
class _ChunkNames:
    """The names of events and properties in some chunks.

    Attributes:
        texts: the names of all chunks, each once.
        of_chunk: for each chunk, the number in `texts` of each of its own names.
    """

    texts: pa.Array
    of_chunk: Sequence[NDArray[np.int32]]


class EventRows:
    """Chosen events as columns. The chunks may be released once it is made."""

    def __init__(self, chosen: Chosen, *, is_sorted: bool) -> None:
        """Gathers the events.

        Args:
            chosen: the events, at least one.
            is_sorted: True for the order of the lake. False keeps them in the order of `chosen`.
        """
        of_chunk = _chunk_names([chunk for chunk, _ in chosen])
        events = _event_names(chosen, of_chunk)
        customers = _optional(chosen, "customer_place", "customer_bytes")
        subscriptions = _optional(chosen, "subscription_place", "subscription_bytes")
        count = len(events.codes)
        targets = np.arange(count)
        order: Rows = targets
        if is_sorted:
            times = _numbers(chosen, "occurred_at")
            order = _in_lake_order(customers, subscriptions, events, times)
            targets = _empty(count, np.int64)
            targets[order] = np.arange(count)
        begins = _by_chunk(chosen, targets)
        self._fixed, key_bytes = _fixed_columns(chosen, begins)
        self._keys = _texts(chosen, "key_place", key_bytes, begins)
        self._properties = _Properties.of(chosen, of_chunk, begins)
        self._named = {
            "source": _shared(chosen, "source").at(order),
            "dedupe_scope": _shared(chosen, "dedupe_scope").at(order),
            "customer_ref": customers.at(order),
            "subscription_ref": subscriptions.at(order),
            "event_name": events.at(order),
        }

    def tables(self, rows: int) -> Iterator[pa.Table]:
        """Tables of about so many rows, with the columns of `PARSED_EVENTS`.

        `line_sha256` is left out. So are the columns of amendments, which the scanner leaves to
        the strict reader. What repeats is a dictionary, which Parquet stores as it is.
        """
        count = len(self._keys)
        pieces = max(1, round(count / rows))
        for piece in range(pieces):
            taken = slice(count * piece // pieces, count * (piece + 1) // pieces)
            yield pa.table(
                {
                    **{name: column[taken] for name, column in self._fixed.items()},
                    **{name: names.at(taken).column() for name, names in self._named.items()},
                    "idempotency_key": self._keys[taken],
                    "properties": self._properties.column(taken),
                }
            )


def parsed_rows(chunk: ScannedChunk, rows: Rows) -> pl.DataFrame:
    """One row per chosen event, as the strict reader makes it; schema `PARSED_EVENTS`."""
    if not len(rows):
        return pl.DataFrame(schema=PARSED_EVENTS)
    starts, lengths = (
        column[chunk.found.row_line[rows]].tolist()
        for column in (chunk.found.line_place, chunk.found.line_bytes)
    )
    buffer = chunk.buffer.data
    digests = [
        hashlib.sha256(buffer[start : start + length]).digest()
        for start, length in zip(starts, lengths, strict=True)
    ]
    (events,) = EventRows([(chunk, rows)], is_sorted=False).tables(len(rows))
    # Polars does not cast a dictionary inside a map.
    map_of_texts = pa.map_(pa.string(), pa.string())
    place = events.column_names.index("properties")
    frame = pl.from_arrow(
        events.set_column(place, "properties", events["properties"].cast(map_of_texts))
    )
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 -- a table gives a frame
    return frame.with_columns(pl.Series("line_sha256", digests, pl.Binary)).select(
        pl.col(name).cast(dtype)
        if name in frame.columns or name == "line_sha256"
        else pl.lit(None, dtype).alias(name)
        for name, dtype in PARSED_EVENTS.items()
    )


def _chunk_names(chunks: Sequence[ScannedChunk]) -> _ChunkNames:
    texts = [_names_of(chunk) for chunk in chunks]
    encoded = pa.concat_arrays(texts).dictionary_encode()
    ends = np.cumsum([len(names) for names in texts])
    return _ChunkNames(encoded.dictionary, np.split(encoded.indices.to_numpy(), ends[:-1]))


def _event_names(chosen: Chosen, names: _ChunkNames) -> _Names:
    codes = [
        of_chunk[chunk.found.event_name[rows]]
        for (chunk, rows), of_chunk in zip(chosen, names.of_chunk, strict=True)
    ]
    return _Names(np.concatenate(codes), names.texts)


def _optional(chosen: Chosen, places: str, lengths: str) -> _Names:
    """A text per event that may be missing. An empty text is none."""
    sizes = _numbers(chosen, lengths)
    if not sizes.any():
        return _Names(np.full(len(sizes), -1, np.int32), pa.array([], pa.string()))
    as_sent = _by_chunk(chosen, np.arange(len(sizes)))
    encoded = _texts(chosen, places, sizes, as_sent).dictionary_encode()
    codes = encoded.indices.to_numpy()
    return _Names(
        codes if sizes.all() else np.where(sizes > 0, codes, np.int32(-1)), encoded.dictionary
    )


def _shared(chosen: Chosen, name: str) -> _Names:
    """A text per event that is the same in a file."""
    encoded = pa.array([getattr(chunk.origin, name) for chunk, _ in chosen]).dictionary_encode()
    codes = np.repeat(encoded.indices.to_numpy(), [len(rows) for _, rows in chosen])
    return _Names(codes, encoded.dictionary)


def _numbers(chosen: Chosen, name: str) -> NDArray[Any]:
    """A number per event, as the scanner found it."""
    return np.concatenate([getattr(chunk.found, name)[rows] for chunk, rows in chosen])


def _fixed_columns(
    chosen: Chosen, targets: Sequence[Rows]
) -> tuple[dict[str, pa.Array], NDArray[np.int32]]:
    """The columns of numbers, and the sizes of keys. The events of each chunk go to `targets`."""
    count = sum(len(each) for each in targets)
    numbers = {
        name: _empty(count, np.int64)
        for name in ("file_id", "line", "byte_offset", "byte_length", "occurred_at", "received_at")
    }
    key_hash = _empty(count, np.uint64)
    digests = _empty(2 * count, np.uint64).reshape(count, 2)
    key_bytes = _empty(count, np.int32)
    for (chunk, rows), each in zip(chosen, targets, strict=True):
        found, origin = chunk.found, chunk.origin
        shifts = _empty(0, np.int64) if chunk.shifts is None else chunk.shifts
        place_numbers(
            *(rows, each, origin.file_id, origin.received_at, chunk.first_line, chunk.byte_offset),
            *(shifts, found.row_line, found.line_place, found.line_bytes, found.occurred_at),
            *(found.key_hash, found.payload_digest, found.key_bytes),
            *numbers.values(),
            *(key_hash, digests, key_bytes),
        )
    columns = {name: pa.array(column) for name, column in numbers.items()}
    for name in ("occurred_at", "received_at"):
        columns[name] = columns[name].cast(_INSTANT)
    return columns | {
        "key_hash": pa.array(key_hash),
        "payload_digest": _digests(digests),
    }, key_bytes


def _texts(
    chosen: Chosen, places: str, sizes: NDArray[np.int32], targets: Sequence[Rows]
) -> pa.Array:
    """A text per event, of `sizes` bytes. The events of each chunk go to `targets`."""
    offsets = _offsets(sizes)
    texts = _empty(int(offsets[-1]) + WORD_BYTES, np.uint8)
    for (chunk, rows), each in zip(chosen, targets, strict=True):
        copy_texts(chunk.buffer, rows, each, getattr(chunk.found, places), offsets, texts)
    return _strings(offsets, texts)


@dataclass(frozen=True)
class _Properties:
    """A map per event.

    Attributes:
        firsts: the number of each event's first property, and behind the last event the count.
        names: a name per property.
        texts: a text per property.
    """

    firsts: NDArray[np.int32]
    names: _Names
    texts: pa.Array

    @classmethod
    def of(cls, chosen: Chosen, names: _ChunkNames, targets: Sequence[Rows]) -> "_Properties":
        """The properties of the events. Those of each chunk go to `targets`."""
        count = sum(len(each) for each in targets)
        counts, sizes = _empty(count, np.int32), _empty(count, np.int32)
        for (chunk, rows), each in zip(chosen, targets, strict=True):
            measure_properties(
                *(rows, each, chunk.found.properties_end, chunk.found.property_bytes),
                *(counts, sizes),
            )
        firsts, begins = _offsets(counts), _offsets(sizes)
        codes = _empty(int(firsts[-1]), np.int32)
        offsets = _empty(len(codes) + 1, np.int32)
        texts = _empty(int(begins[-1]) + WORD_BYTES, np.uint8)
        offsets[-1] = begins[-1]
        for (chunk, rows), each, own in zip(chosen, targets, names.of_chunk, strict=True):
            found = chunk.found
            copy_properties(
                *(chunk.buffer, rows, each, found.properties_end, found.property_name, own),
                *(found.property_place, found.property_bytes),
                *(firsts, begins, codes, offsets, texts),
            )
        return cls(firsts, _Names(codes, names.texts), _strings(offsets, texts))

    def column(self, taken: slice) -> pa.Array:
        """The maps of some events."""
        firsts = self.firsts[taken.start : taken.stop + 1]
        own = slice(int(firsts[0]), int(firsts[-1]))
        names = self.names.at(own).column()
        return pa.MapArray.from_arrays(pa.array(firsts - firsts[0]), names, self.texts[own])


def _by_chunk(chosen: Chosen, of_events: NDArray[Any]) -> list[NDArray[Any]]:
    return np.split(of_events, np.cumsum([len(rows) for _, rows in chosen])[:-1])


def _in_lake_order(
    customers: _Names, subscriptions: _Names, events: _Names, occurred_at: NDArray[np.int64]
) -> Rows:
    """The numbers of the events by name, event and time; events that share all three stay as is."""
    ranks = _ranks(pa.concat_arrays([customers.texts, subscriptions.texts, pa.array([""])]))
    nameless = len(ranks) - 1
    names = np.where(subscriptions.codes < 0, nameless, subscriptions.codes + len(customers.texts))
    names = np.where(customers.codes < 0, names, customers.codes)
    event_ranks = _ranks(events.texts)
    groups = ranks[names] * len(event_ranks) + event_ranks[events.codes]
    earliest = int(occurred_at.min())
    span = int(occurred_at.max()) - earliest + 1
    if (int(groups.max()) + 1) * span > np.iinfo(np.int64).max:
        return np.lexsort((occurred_at, groups))
    return _order_of(groups * span + (occurred_at - earliest))


def _order_of(keys: NDArray[np.int64]) -> Rows:
    """The stable order of keys. It takes half of the time of a stable sort if few are equal."""
    order: Rows = np.argsort(keys)
    keys = keys[order]
    is_next = keys[1:] == keys[:-1]
    if is_next.any():
        is_tied = np.zeros(len(keys), np.bool_)
        is_tied[1:] |= is_next
        is_tied[:-1] |= is_next
        tied = np.flatnonzero(is_tied)
        order[tied] = order[tied][np.lexsort((order[tied], keys[tied]))]
    return order


def _ranks(texts: pa.Array) -> NDArray[np.int64]:
    """The place of each text among the different ones, by their bytes."""
    encoded = texts.dictionary_encode()
    ranks = _empty(len(encoded.dictionary), np.int64)
    ranks[pc.sort_indices(encoded.dictionary).to_numpy()] = np.arange(len(ranks))
    of_texts: NDArray[np.int64] = ranks[encoded.indices.to_numpy()]
    return of_texts


def _names_of(chunk: ScannedChunk) -> pa.Array:
    """The names of events and properties in a chunk, in the order of their numbers."""
    found = chunk.found
    count = int(found.counts[NAMES])
    every = np.arange(count, dtype=np.int64)
    offsets = _offsets(found.name_bytes[:count])
    texts = _empty(int(offsets[-1]) + WORD_BYTES, np.uint8)
    copy_texts(chunk.buffer, every, every, found.name_place, offsets, texts)
    return _strings(offsets, texts)


def _empty(count: int, dtype: Any) -> NDArray[Any]:
    """An array of any content, in memory that Arrow keeps for reuse: fresh pages take long."""
    return np.frombuffer(pa.allocate_buffer(count * np.dtype(dtype).itemsize), dtype, count)


def _offsets(sizes: NDArray[np.int32]) -> NDArray[np.int32]:
    offsets = _empty(len(sizes) + 1, np.int32)
    offsets[0] = 0
    np.cumsum(sizes, out=offsets[1:])
    return offsets


def _strings(offsets: NDArray[np.int32], texts: NDArray[np.uint8]) -> pa.Array:
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(texts)]
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers)


def _digests(halves: NDArray[np.uint64]) -> pa.Array:
    offsets = np.arange(len(halves) + 1, dtype=np.int32) * 16
    return pa.Array.from_buffers(
        pa.binary(), len(halves), [None, pa.py_buffer(offsets), pa.py_buffer(halves)]
    )
