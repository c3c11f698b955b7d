"""The compiled hash equals the published one, at every length and seed."""

import random

import numpy as np
import pytest
import xxhash

from pipelines.reading.scanner.compiled import WORD_BYTES
from pipelines.reading.scanner.xxh64 import xxh64
from pipelines.vocabulary.hashing import SEEDS, key_hash, payload_digest


@pytest.mark.parametrize("length", [*range(70), 127, 128, 129, 1_000, 4_096])
def test_equals_the_reference(length: int) -> None:
    text = random.Random(length).randbytes(length)  # noqa: S311 -- repeatable on purpose
    # Bytes behind the text must not be hashed.
    for behind in (b"\0" * WORD_BYTES, b"\xff" * WORD_BYTES):
        buffer = np.frombuffer(text + behind, np.uint8)
        for seed in (*SEEDS, np.uint64(2**64 - 1)):
            assert int(xxh64(buffer, length, seed)) == xxhash.xxh64_intdigest(text, int(seed))


def test_known_answers_of_the_specification() -> None:
    # xxHash's own sanity values: the empty input with seeds 0 and 1.
    empty = np.zeros(WORD_BYTES, np.uint8)
    assert int(xxh64(empty, 0, np.uint64(0))) == 0xEF46DB3751D8E999
    assert int(xxh64(empty, 0, np.uint64(1))) == 0xD5AFBA1336A3BE4B


def test_digests_of_an_event() -> None:
    assert key_hash("cdn", "é") == xxhash.xxh64_intdigest("cdn\0é".encode(), 0)
    digest = payload_digest("acme\0call")
    assert digest[:8] == xxhash.xxh64_intdigest(b"acme\0call", 0).to_bytes(8, "little")
    assert digest[8:] == xxhash.xxh64_intdigest(b"acme\0call", 1).to_bytes(8, "little")
    assert payload_digest("") != payload_digest("\0")
