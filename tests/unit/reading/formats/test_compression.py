"""Landed bytes are read to their end, or refused with a reason."""

import gzip
import hashlib
import io
import tracemalloc
import zlib
from collections.abc import Callable
from itertools import accumulate

import pytest
import zstandard

from pipelines.reading.formats import compression
from pipelines.reading.formats.compression import read_blocks
from pipelines.vocabulary import limits
from pipelines.vocabulary.errors import UnreadableFileError

MEBIBYTE = 1024 * 1024
RAW = b"".join(b'{"request": %d}\n' % (number * 7919 % 100_003) for number in range(40))
NOISE = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(50_000))
"""More than one block of bytes that cannot be compressed."""


def _gzip(raw: bytes) -> bytes:
    return gzip.compress(raw, mtime=0)


def _zstd(raw: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(raw)


def _zstd_of_unknown_size(raw: bytes) -> bytes:
    frame = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    return frame.compress(raw) + frame.flush()


def _plain(raw: bytes) -> bytes:
    return raw


def _read(landed: bytes, size_bytes: int | None = None) -> bytes:
    size = len(landed) if size_bytes is None else size_bytes
    return b"".join(read_blocks(io.BytesIO(landed), size))


def _refusal(landed: bytes, size_bytes: int | None = None) -> str:
    with pytest.raises(UnreadableFileError) as refusal:
        _read(landed, size_bytes)
    return str(refusal.value)


FORMATS = [
    pytest.param(_plain, id="plain"),
    pytest.param(_gzip, id="gzip"),
    pytest.param(_zstd, id="zstd"),
    pytest.param(_zstd_of_unknown_size, id="zstd-of-unknown-size"),
]
COMPRESSED = FORMATS[1:]
Compress = Callable[[bytes], bytes]


@pytest.mark.parametrize("compress", FORMATS)
@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\n", id="one-byte"),
        pytest.param(RAW, id="lines"),
        pytest.param(NOISE, id="more-than-a-block"),
    ],
)
def test_file_is_read_to_its_last_byte(compress: Compress, raw: bytes) -> None:
    assert _read(compress(raw)) == raw


@pytest.mark.parametrize("compress", COMPRESSED)
def test_several_members_are_one_file(compress: Compress) -> None:
    parts = [RAW, b"", b"x", RAW * 3, b""]

    assert _read(b"".join(map(compress, parts))) == b"".join(parts)


@pytest.mark.parametrize("compress", COMPRESSED)
@pytest.mark.parametrize("block_bytes", [4, 5, 17, 64])
def test_members_are_found_wherever_a_block_ends(
    compress: Compress, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "_BLOCK_BYTES", block_bytes)
    parts = [RAW, b"", b"x", RAW[:50]]

    assert _read(b"".join(map(compress, parts))) == b"".join(parts)


def test_plain_text_may_begin_like_anything_else() -> None:
    assert _read(b"(not zstd)\n") == b"(not zstd)\n"
    assert _read(b"\x1f not gzip\n") == b"\x1f not gzip\n"


@pytest.mark.parametrize("compress", COMPRESSED)
def test_file_truncated_at_any_byte_is_unreadable(compress: Compress) -> None:
    whole = compress(RAW)

    for cut in range(1, len(whole)):
        assert "truncated" in _refusal(whole[:cut]), cut


@pytest.mark.parametrize("compress", COMPRESSED)
def test_file_of_several_members_truncated_inside_any_is_unreadable(compress: Compress) -> None:
    members = [compress(RAW), compress(b""), compress(b"x")]
    whole = b"".join(members)
    ends = list(accumulate(map(len, members)))

    # A file that is cut exactly between two members is a whole file of fewer members.
    for cut in set(range(1, len(whole))) - set(ends):
        assert "truncated" in _refusal(whole[:cut]), cut
    assert _read(whole[: ends[0]]) == RAW


@pytest.mark.parametrize("compress", COMPRESSED)
def test_any_altered_byte_is_noticed_or_changes_nothing(compress: Compress) -> None:
    """Header bytes like the time and the operating system do not change the content."""
    whole = compress(RAW)

    for place in range(4, len(whole)):
        altered = whole[:place] + bytes([whole[place] ^ 0x01]) + whole[place + 1 :]
        try:
            assert _read(altered) == RAW, place
        except UnreadableFileError:
            continue


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        pytest.param(-8, "corrupt gzip: .*incorrect checksum", id="wrong-crc"),
        pytest.param(-4, "corrupt gzip: .*incorrect checksum", id="wrong-length"),
        pytest.param(12, "corrupt gzip", id="damaged-inside"),
    ],
)
def test_damaged_gzip_is_unreadable(place: int, sentence: str) -> None:
    damaged = bytearray(_gzip(RAW))
    damaged[place] ^= 0xFF

    with pytest.raises(UnreadableFileError, match=sentence):
        _read(bytes(damaged))


def test_zstd_with_a_wrong_checksum_is_unreadable() -> None:
    damaged = bytearray(_zstd(RAW))
    damaged[-1] ^= 0xFF

    with pytest.raises(UnreadableFileError, match="corrupt zstd"):
        _read(bytes(damaged))


@pytest.mark.parametrize("compress", COMPRESSED)
@pytest.mark.parametrize(
    "garbage", [b"x", b"\n", b"\x00" * 512, RAW], ids=["letter", "line-end", "zeros", "lines"]
)
def test_bytes_after_the_last_member_are_unreadable(compress: Compress, garbage: bytes) -> None:
    assert _refusal(compress(RAW) + garbage)


@pytest.mark.parametrize("compress", FORMATS)
@pytest.mark.parametrize("difference", [-1, 1], ids=["a-byte-less", "a-byte-more"])
def test_file_of_another_length_than_listed_is_unreadable(
    compress: Compress, difference: int
) -> None:
    landed = compress(RAW)
    listed = len(landed) - difference

    assert _refusal(landed, listed) == f"{listed} bytes were listed, {len(landed)} could be read"


def _gzip_of_size(raw: bytes, size_bytes: int) -> bytes:
    """One gzip member of exactly `size_bytes`. The name in its header fills it up."""
    body = zlib.compressobj(wbits=-15)
    deflated = body.compress(raw) + body.flush()
    trailer = zlib.crc32(raw).to_bytes(4, "little") + len(raw).to_bytes(4, "little")
    name = b"n" * (size_bytes - 10 - 1 - len(deflated) - len(trailer)) + b"\x00"
    return b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03" + name + deflated + trailer


def test_ratio_of_200_beyond_the_first_mebibyte_is_read() -> None:
    # 1 MiB + 200 × 10 000 bytes.
    raw = b"\n" * (MEBIBYTE + 2_000_000)

    assert _read(_gzip_of_size(raw, 10_000)) == raw


def test_ratio_beyond_200_is_taken_for_a_bomb() -> None:
    raw = b"\n" * (MEBIBYTE + 2_000_001)

    sentence = _refusal(_gzip_of_size(raw, 10_000))
    assert sentence == "decompresses to more than 200 times its 10000 bytes"


def test_first_mebibyte_is_free_of_the_ratio() -> None:
    raw = b"\n" * MEBIBYTE

    assert len(_zstd(raw)) * 200 < len(raw)
    assert _read(_zstd(raw)) == raw


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(_gzip(b"\0" * 2**26), id="gzip"),
        pytest.param(_zstd(b"\0" * 2**28), id="zstd"),
        pytest.param(_zstd(b"\0" * 2**20) * 300, id="zstd-of-300-frames"),
    ],
)
def test_bomb_is_refused_before_it_fills_the_memory(bomb: bytes) -> None:
    tracemalloc.start()
    try:
        assert "decompresses to more than 200 times" in _refusal(bomb)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # One fed part of zstd decompresses to at most 32 MiB.
    assert peak_bytes < 80 * MEBIBYTE


def test_landed_size_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "OBJECT_BYTES_MAX", len(RAW))

    assert _read(RAW) == RAW
    assert _refusal(RAW + b"\n") == f"{len(RAW) + 1} bytes landed; at most {len(RAW)} are read"


@pytest.mark.parametrize("compress", FORMATS)
def test_raw_size_is_limited(compress: Compress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "RAW_BYTES_MAX", len(RAW))

    assert _read(compress(RAW)) == RAW
    sentence = _refusal(compress(RAW + b"\n"))
    assert sentence == f"more than {len(RAW)} bytes once decompressed"


def test_limits_are_those_promised() -> None:
    assert limits.OBJECT_BYTES_MAX == 2 * 1024**3
    assert limits.RAW_BYTES_MAX == 20 * 1024**3
    assert limits.COMPRESSION_RATIO_MAX == 200


def test_blocks_come_as_they_are_read() -> None:
    """The first block is returned before the last one is read."""
    blocks = read_blocks(io.BytesIO(_gzip(RAW) + b"garbage"), len(_gzip(RAW)) + 7)

    assert next(blocks) == RAW
    with pytest.raises(UnreadableFileError):
        next(blocks)
