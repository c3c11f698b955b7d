"""Compression: reads a landed object as a stream of decompressed blocks, checked to its end.

Gzip and zstd are recognized by their first bytes. Any other object is read as it is. An object
that cannot be read to its end raises `UnreadableFileError`, and none of its lines counts.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

import zstandard
from isal import isal_zlib

from pipelines.vocabulary.errors import UnreadableFileError
from pipelines.vocabulary.limits import COMPRESSION_RATIO_MAX, OBJECT_BYTES_MAX, RAW_BYTES_MAX

__all__ = ["UnreadableFileError", "is_packed", "read_blocks"]

_BLOCK_BYTES = 1024 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# A zstd file may begin with a frame to be skipped, as pzstd writes (RFC 8878, 3.1.2).
_ZSTD_SKIPPABLE_MAGICS = tuple(bytes([byte]) + b"\x2a\x4d\x18" for byte in range(0x50, 0x60))
_MAGICS = (_GZIP_MAGIC, _ZSTD_MAGIC, *_ZSTD_SKIPPABLE_MAGICS)


def is_packed(head: bytes) -> bool:
    """True if these are the first bytes of gzip or zstd."""
    return head.startswith(_MAGICS)


def read_blocks(landed: BinaryIO, size_bytes: int) -> Iterator[bytes]:
    """The decompressed blocks of a landed object, in order.

    Args:
        landed: the bytes of the object, at their beginning.
        size_bytes: the object's size as listed.

    Raises:
        UnreadableFileError: the object is truncated or corrupt, has another size than listed, or
            exceeds a limit.
    """
    if size_bytes > OBJECT_BYTES_MAX:
        raise UnreadableFileError(f"{size_bytes} bytes landed; at most {OBJECT_BYTES_MAX} are read")
    raw_bytes = 0
    for block in _decompressed(_counted(landed, size_bytes)):
        raw_bytes += len(block)
        if raw_bytes > RAW_BYTES_MAX:
            raise UnreadableFileError(f"more than {RAW_BYTES_MAX} bytes once decompressed")
        if raw_bytes > _BLOCK_BYTES + COMPRESSION_RATIO_MAX * size_bytes:
            raise UnreadableFileError(
                f"decompresses to more than {COMPRESSION_RATIO_MAX} times its {size_bytes} bytes"
            )
        yield block


def _counted(landed: BinaryIO, size_bytes: int) -> Iterator[bytes]:
    found = 0
    while block := landed.read(_BLOCK_BYTES):
        found += len(block)
        yield block
    if found != size_bytes:
        raise UnreadableFileError(f"{size_bytes} bytes were listed, {found} could be read")


def _decompressed(blocks: Iterator[bytes]) -> Iterator[bytes]:
    first = next(blocks, b"")
    # A store may return fewer bytes than asked for, and a mark needs all of its bytes.
    while len(first) < len(_ZSTD_MAGIC) and (more := next(blocks, b"")):
        first += more
    if first.startswith(_GZIP_MAGIC):
        yield from _gunzip(first, blocks)
    elif first.startswith((_ZSTD_MAGIC, *_ZSTD_SKIPPABLE_MAGICS)):
        yield from _unzstd(first, blocks)
    elif first and any(magic.startswith(first) for magic in _MAGICS):
        raise UnreadableFileError("truncated: the file ends inside the mark of gzip or zstd")
    else:
        yield first
        yield from blocks


def _gunzip(first: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    # wbits 31 is the gzip container. The library checks the CRC and length of each member.
    member = isal_zlib.decompressobj(wbits=31)
    pending = first
    while True:
        try:
            raw = member.decompress(pending, _BLOCK_BYTES)
        # The library's type stubs declare the exception as an instance.
        except isal_zlib.error as error:  # type: ignore[misc]
            raise UnreadableFileError(f"corrupt gzip: {_reason(error)}") from None
        if raw:
            yield raw
        pending = member.unused_data if member.eof else member.unconsumed_tail
        if pending:
            if member.eof:
                member = isal_zlib.decompressobj(wbits=31)
            continue
        if member.eof or not raw:
            block = next(blocks, None)
            if block is None:
                break
            if member.eof:
                member = isal_zlib.decompressobj(wbits=31)
            pending = block
    if not member.eof:
        raise UnreadableFileError("truncated gzip: the file ends before its checksum")


def _reason(error: Exception) -> str:
    """The library's message, without the number at its beginning."""
    text = re.sub(r"^Error -?\d+ ", "", str(error))
    return text[:1].lower() + text[1:]


def _unzstd(first: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    frame = zstandard.ZstdDecompressor().decompressobj()
    pending: bytes | None = first
    while pending is not None:
        try:
            # A block may decompress to a huge one, so it is fed in small parts.
            for start in range(0, len(pending), _ZSTD_FEED_BYTES):
                part = pending[start : start + _ZSTD_FEED_BYTES]
                while part:
                    if frame.eof:
                        frame = zstandard.ZstdDecompressor().decompressobj()
                    yield frame.decompress(part)
                    part = frame.unused_data if frame.eof else b""
        except zstandard.ZstdError as error:
            raise UnreadableFileError(f"corrupt zstd: {error}") from None
        pending = next(blocks, None)
    if not frame.eof:
        raise UnreadableFileError("truncated zstd: the file ends inside a frame")


_ZSTD_FEED_BYTES = 1024
"""Four bytes of zstd decompress to at most 128 KiB, so one part decompresses to at most 32 MiB."""
