"""Key filter: a set of key hashes that never forgets a hash, but may report one it has not seen.

It is a blocked Bloom filter: a hash sets four bits of one 64-bit word, so a lookup touches memory
once.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
"""Hashes of keys, as in the column `key_hash`."""

FILTER_BITS = 16
"""Bits of a filter per key: about one new key in two hundred is then reported as seen."""

_WORD_BITS = 64
_ADDED_AT_ONCE = 1_000_000


def word_of(key_hash: Any, words: int) -> Any:
    """The index of the word that holds a hash, from 0 to `words` - 1; it grows with the hash."""
    return ((key_hash >> np.uint64(32)) * np.uint64(words)) >> np.uint64(32)


def bits_of(key_hash: Any) -> Any:
    """The word in which the bits of a hash are set, and no others."""
    one, six = np.uint64(1), np.uint64(63)
    bits = one << (key_hash & six)
    bits = bits | (one << ((key_hash >> np.uint64(6)) & six))
    bits = bits | (one << ((key_hash >> np.uint64(12)) & six))
    return bits | (one << ((key_hash >> np.uint64(18)) & six))


class KeyFilter:
    """A set of key hashes that can be added to.

    Attributes:
        words: the bits of the filter, as 64-bit words; the filter has no other state.
    """

    def __init__(self, words: Hashes) -> None:
        self.words = words

    @classmethod
    def made_for(cls, keys: int) -> Self:
        """An empty filter of the size for this many keys; it may hold more, less precisely."""
        return cls(np.zeros(max(1, keys * FILTER_BITS // _WORD_BITS), np.uint64))

    def add(self, hashes: Hashes) -> None:
        """Adds hashes."""
        for first in range(0, len(hashes), _ADDED_AT_ONCE):
            some = hashes[first : first + _ADDED_AT_ONCE]
            places = word_of(some, len(self.words)).astype(np.int64)
            np.bitwise_or.at(self.words, places, bits_of(some))
