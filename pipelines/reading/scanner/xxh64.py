"""XXH64, compiled: hashes millions of short texts without a Python call for each.

It is tested against the package `xxhash`.

Source: the XXH64 section of the xxHash specification, version 0.1.1.
"""

from typing import Any

import numpy as np

from pipelines.reading.scanner.compiled import byte_at, compiled, word_at

_P1 = np.uint64(11400714785074694791)
_P2 = np.uint64(14029467366897019727)
_P3 = np.uint64(1609587929392839161)
_P4 = np.uint64(9650029242287828579)
_P5 = np.uint64(2870177450012600261)
_STRIPE_WORDS = 4


@compiled
def _turned_left(word: Any, bits: int) -> Any:
    return (word << np.uint64(bits)) | (word >> np.uint64(64 - bits))


@compiled
def _round(lane: Any, word: Any) -> Any:
    return _turned_left(lane + word * _P2, 31) * _P1


@compiled
def _merged(state: Any, lane: Any) -> Any:
    return (state ^ _round(np.uint64(0), lane)) * _P1 + _P4


@compiled
def xxh64(text: Any, length: int, seed: Any) -> Any:
    """The 64-bit hash of `text[:length]`.

    Args:
        text: a buffer with a spare word behind the text.
        length: number of bytes to hash.
        seed: the seed, a `np.uint64`.
    """
    whole_words = length // 8
    place = 0
    if whole_words >= _STRIPE_WORDS:
        a, b, c, d = seed + _P1 + _P2, seed + _P2, seed, seed - _P1
        while place + _STRIPE_WORDS <= whole_words:
            a = _round(a, word_at(text, 8 * place))
            b = _round(b, word_at(text, 8 * (place + 1)))
            c = _round(c, word_at(text, 8 * (place + 2)))
            d = _round(d, word_at(text, 8 * (place + 3)))
            place += _STRIPE_WORDS
        state = _turned_left(a, 1) + _turned_left(b, 7) + _turned_left(c, 12) + _turned_left(d, 18)
        state = _merged(_merged(_merged(_merged(state, a), b), c), d)
    else:
        state = seed + _P5
    state += np.uint64(length)
    while place < whole_words:
        state = _turned_left(state ^ _round(np.uint64(0), word_at(text, 8 * place)), 27) * _P1 + _P4
        place += 1
    at = whole_words * 8
    if at + 4 <= length:
        half = word_at(text, at) & np.uint64(0xFFFFFFFF)
        state = _turned_left(state ^ (half * _P1), 23) * _P2 + _P3
        at += 4
    while at < length:
        state = _turned_left(state ^ (np.uint64(byte_at(text, at)) * _P5), 11) * _P1
        at += 1
    state = (state ^ (state >> np.uint64(33))) * _P2
    state = (state ^ (state >> np.uint64(29))) * _P3
    return state ^ (state >> np.uint64(32))
