"""One event a line: cuts a stream at line ends into chunks of whole lines."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipelines.reading.formats.file_format import FileFormat
from pipelines.reading.formats.records import BYTE_ORDER_MARK, texts_at
from pipelines.vocabulary.limits import LINE_BYTES_MAX

CHUNK_BYTES = 16 * 1024 * 1024
"""Decompressed bytes that are parsed at a time, which bounds the memory of a worker."""


@dataclass(frozen=True)
class Chunk:
    """Consecutive whole lines of a file.

    Attributes:
        content: the bytes of the lines. Only the last line of the file may lack its line end.
        first_line: the number of the first line, from 1.
        byte_offset: the place of the first byte in the decompressed file.
    """

    content: bytes
    first_line: int
    byte_offset: int


@dataclass(frozen=True)
class LongLine:
    """A line that is too long to be read, without its bytes.

    Attributes:
        number: the number of the line, from 1.
        byte_offset: the place of its first byte in the decompressed file.
        byte_length: its number of bytes without the line end.
        sha256: the SHA-256 of these bytes.
    """

    number: int
    byte_offset: int
    byte_length: int
    sha256: bytes


def split_chunks(
    blocks: Iterable[bytes], chunk_bytes: int = CHUNK_BYTES
) -> Iterator[Chunk | LongLine]:
    """Chunks of whole lines, and long lines, in order. Together they are the whole stream.

    Args:
        blocks: the decompressed file.
        chunk_bytes: bytes of a chunk, approximately.
    """
    stream = iter(blocks)
    held: list[bytes] = []
    held_bytes, line, offset = 0, 1, 0
    for block in stream:
        held.append(block)
        held_bytes += len(block)
        if held_bytes < chunk_bytes:
            continue
        content = b"".join(held)
        end = content.rfind(b"\n") + 1
        if end:
            yield Chunk(content[:end], line, offset)
            line += content.count(b"\n", 0, end)
            offset += end
        rest = content[end:]
        if len(rest) > LINE_BYTES_MAX + _MARGIN_BYTES:
            long_line, passed, rest = _pass_over(rest, stream, line, offset)
            yield long_line
            line += 1
            offset += passed
        held, held_bytes = [rest], len(rest)
    rest = b"".join(held)
    if rest:
        yield Chunk(rest, line, offset)


_MARGIN_BYTES = len(BYTE_ORDER_MARK) + 1
"""Bytes around a line that are not part of it: a mark before it, a carriage return after it."""


def _pass_over(
    first: bytes, stream: Iterator[bytes], number: int, byte_offset: int
) -> tuple[LongLine, int, bytes]:
    """The long line that begins with `first`, its number of bytes in the stream, and the rest."""
    mark = BYTE_ORDER_MARK if byte_offset == 0 and first.startswith(BYTE_ORDER_MARK) else b""
    digest, length = hashlib.sha256(), 0
    # A carriage return is kept back until the next byte shows whether it belongs to the line end.
    carriage_return, line_end, rest = b"", b"", b""
    block: bytes | None = first[len(mark) :]
    while block is not None and not line_end:
        piece, line_end, rest = (carriage_return + block).partition(b"\n")
        text = piece.removesuffix(b"\r")
        digest.update(text)
        length += len(text)
        carriage_return = piece[len(text) :]
        if not line_end:
            block = next(stream, None)
    passed = len(mark) + length + len(carriage_return) + len(line_end)
    return LongLine(number, byte_offset + len(mark), length, digest.digest()), passed, rest


FORMAT = FileFormat(
    name="lines",
    order=90,
    is_of=lambda _path, _landed_head, _head: True,
    read=lambda _opened, blocks: split_chunks(blocks),
    read_again=lambda _opened, blocks, places: split_chunks(
        [b"".join(text + line_end for text, line_end in list(texts_at(blocks, places)))]
    ),
)
"""Tried last: a file of no other format has one event a line."""
