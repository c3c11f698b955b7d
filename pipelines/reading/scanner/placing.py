"""Placing: compiled functions that write what a chunk has to its rows among those of all chunks.

Each takes the chosen events of one chunk, in the order of its lines, and the row of each in the
columns of all chunks. Columns and buffers have spare bytes for a word at their ends.
"""

from typing import Any

import numpy as np

from pipelines.reading.scanner.compiled import WORD_BYTES, compiled, prefetch, put_word, word_at

_AHEAD = 12
"""So many events ahead, the processor is asked for the memory of the columns."""


@compiled
def place_numbers(
    rows: Any, targets: Any, of_file: Any, received: Any, first_line: Any, first_byte: Any,
    shifts: Any, row_line: Any, line_place: Any, line_bytes: Any, occurred: Any,
    hashes: Any, halves: Any, sizes: Any,
    file_id: Any, line: Any, byte_offset: Any, byte_length: Any, occurred_at: Any,
    received_at: Any, key_hash: Any, digests: Any, key_bytes: Any,
) -> None:  # fmt: skip
    """Writes the numbers of a chunk's events to where they belong among those of all chunks."""
    for row in range(len(rows)):
        if row + _AHEAD < len(rows):
            later = 8 * np.int64(targets[row + _AHEAD])
            prefetch(line, later)
            prefetch(byte_offset, later)
            prefetch(byte_length, later)
            prefetch(occurred_at, later)
            prefetch(key_hash, later)
            prefetch(digests, 2 * later)
        event, to = rows[row], targets[row]
        at = row_line[event]
        file_id[to], received_at[to] = of_file, received
        line[to] = first_line + at
        if len(shifts):
            line[to] += shifts[at]
        byte_offset[to], byte_length[to] = first_byte + line_place[at], line_bytes[at]
        occurred_at[to], key_hash[to], key_bytes[to] = occurred[event], hashes[event], sizes[event]
        digests[to, 0], digests[to, 1] = halves[event, 0], halves[event, 1]


@compiled
def copy_texts(buffer: Any, rows: Any, targets: Any, places: Any, offsets: Any, texts: Any) -> None:
    """Copies a text of each event of a chunk to where it belongs among those of all chunks."""
    for row in range(len(rows)):
        if row + _AHEAD < len(rows):
            prefetch(texts, np.int64(offsets[targets[row + _AHEAD]]))
        at = np.int64(offsets[targets[row]])
        left = np.int64(offsets[targets[row] + 1]) - at
        _copy_text(buffer, np.int64(places[rows[row]]), texts, at, left)


@compiled
def _copy_text(buffer: Any, place: Any, texts: Any, at: Any, left: Any) -> None:
    """Copies a text, and overwrites nothing behind it, because that may be written already."""
    while left >= WORD_BYTES:
        put_word(texts, at, word_at(buffer, place))
        at, place, left = at + WORD_BYTES, place + WORD_BYTES, left - WORD_BYTES
    kept = ~np.uint64(0) << np.uint64(8 * left)
    put_word(texts, at, (word_at(texts, at) & kept) | (word_at(buffer, place) & ~kept))


@compiled
def measure_properties(
    rows: Any, targets: Any, ends: Any, lengths: Any, counts: Any, sizes: Any
) -> None:
    """Notes the number of each event's properties, and the bytes of their texts."""
    for row in range(len(rows)):
        start = ends[rows[row] - 1] if rows[row] else 0
        size = 0
        for each in range(start, ends[rows[row]]):
            size += lengths[each]
        counts[targets[row]] = ends[rows[row]] - start
        sizes[targets[row]] = size


@compiled
def copy_properties(
    buffer: Any, rows: Any, targets: Any, ends: Any, names: Any, own: Any,
    places: Any, lengths: Any,
    firsts: Any, begins: Any, codes: Any, offsets: Any, texts: Any,
) -> None:  # fmt: skip
    """Copies the properties of a chunk's events to where they belong among those of all chunks."""
    for row in range(len(rows)):
        to, at = np.int64(firsts[targets[row]]), np.int64(begins[targets[row]])
        if row + _AHEAD < len(rows):
            later = targets[row + _AHEAD]
            prefetch(texts, np.int64(begins[later]))
            prefetch(codes, 4 * np.int64(firsts[later]))
            prefetch(offsets, 4 * np.int64(firsts[later]))
        event = rows[row]
        start = ends[event - 1] if event else 0
        # A word may reach over several short texts, into those of another event.
        last_word = np.int64(begins[targets[row] + 1]) - WORD_BYTES
        for each in range(start, ends[event]):
            codes[to], offsets[to] = own[names[each]], at
            place, after = np.int64(places[each]), at + np.int64(lengths[each])
            # What is overwritten behind this text is the event's next, which is copied later.
            while at < after and at <= last_word:
                put_word(texts, at, word_at(buffer, place))
                at, place = at + WORD_BYTES, place + WORD_BYTES
            if at < after:
                _copy_text(buffer, place, texts, at, after - at)
            at, to = after, to + 1
