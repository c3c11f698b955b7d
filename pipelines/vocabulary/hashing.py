"""The hash of an event's key and the digest of its payload.

`reading.scanner` computes the same values from the same seeds, compiled.

XXH64 is not a cryptographic hash, and need not be. A key hash only finds candidates, whose keys
are then compared byte for byte. A payload digest is compared only with that of the same key. A
forged digest can do no more than hide that a duplicate is a conflict.
"""

import numpy as np
import xxhash

SEEDS = (np.uint64(0), np.uint64(1))
"""The first seed makes key hashes and the first half of payload digests, the second the rest."""


def key_hash(dedupe_scope: str, idempotency_key: str) -> int:
    """The 64-bit hash of a key in its scope."""
    return xxhash.xxh64_intdigest(f"{dedupe_scope}\0{idempotency_key}".encode(), int(SEEDS[0]))


def payload_digest(payload: str) -> bytes:
    """The 16-byte digest of a payload: one 64-bit hash per seed, little-endian."""
    text = payload.encode()
    return b"".join(xxhash.xxh64_intdigest(text, int(seed)).to_bytes(8, "little") for seed in SEEDS)
