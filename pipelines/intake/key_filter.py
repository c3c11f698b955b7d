"""Key filter: a set of key hashes that may hold more than was put in, and never less.

Belongs here: a blocked Bloom filter, where a hash sets four bits of one word, so that asking
for it touches memory once. Must not be put here: which keys are put in, and who asks.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
"""Hashes of keys, as in `key_hash`."""

FILTER_BITS = 16
"""Bits for each key that a filter is made for: about one in two hundred is held by mistake."""

_WORD_BITS = 64
_ADDED_AT_ONCE = 1_000_000


def word_of(key_hash: Any, words: int) -> Any:
    """Which of so many words holds a hash; hashes in order are held in order."""
    return ((key_hash >> np.uint64(32)) * np.uint64(words)) >> np.uint64(32)


def bits_of(key_hash: Any) -> Any:
    """The bits that a hash sets in its word."""
    one, six = np.uint64(1), np.uint64(63)
    bits = one << (key_hash & six)
    bits = bits | (one << ((key_hash >> np.uint64(6)) & six))
    bits = bits | (one << ((key_hash >> np.uint64(12)) & six))
    return bits | (one << ((key_hash >> np.uint64(18)) & six))


class KeyFilter:
    """The filter of some keys.

    Attributes:
        words: its memory, and all there is to it.
    """

    def __init__(self, words: Hashes) -> None:
        self.words = words

    @classmethod
    def made_for(cls, keys: int) -> Self:
        """An empty filter for about as many keys."""
        return cls(np.zeros(max(1, keys * FILTER_BITS // _WORD_BITS), np.uint64))

    def add(self, hashes: Hashes) -> None:
        """Puts hashes in."""
        for first in range(0, len(hashes), _ADDED_AT_ONCE):
            some = hashes[first : first + _ADDED_AT_ONCE]
            places = word_of(some, len(self.words)).astype(np.int64)
            np.bitwise_or.at(self.words, places, bits_of(some))
