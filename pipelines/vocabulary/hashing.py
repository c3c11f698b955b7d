"""Digests of events: what makes a key's hash and a payload's digest, in one place.

Belongs here: the two digests that stand beside every event. Must not be put here: what a
payload is (see `dialects`). `scan` computes the same, compiled, from the same seeds.

XXH64 is no cryptographic hash, and need not be: a key hash only finds candidates, whose keys
are then compared byte for byte, and a payload digest is compared with that of the same key
alone, where the most that a forged one changes is whether a copy is called a conflict.
"""

import numpy as np
import xxhash

SEEDS = (np.uint64(0), np.uint64(1))
"""Of the key hash and the first half of the payload digest; of the second half."""


def key_hash(dedupe_scope: str, idempotency_key: str) -> int:
    """The 64-bit hash of a key in its scope; its top bits are the bucket."""
    return xxhash.xxh64_intdigest(f"{dedupe_scope}\0{idempotency_key}".encode(), int(SEEDS[0]))


def payload_digest(payload: str) -> bytes:
    """The 16-byte digest of a payload: two hashes with seeds of their own, little-endian."""
    text = payload.encode()
    return b"".join(xxhash.xxh64_intdigest(text, int(seed)).to_bytes(8, "little") for seed in SEEDS)
