"""One event a line: cuts a stream at line ends into chunks of whole lines."""

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
        goes_on: True: the file goes on after these lines, and so may a value in the last of them.
        apart: the lines, from 0, before which lines were left out, so that no value goes on there.
    """

    content: bytes
    first_line: int
    byte_offset: int
    goes_on: bool = False
    apart: frozenset[int] = frozenset()


@dataclass(frozen=True)
class LongLine:
    """A line that is too long to be one event, and that is not held in memory.

    Attributes:
        number: the number of the line, from 1.
        byte_offset: the place of its first byte in the decompressed file.
        blocks: its bytes without the line end. They must be taken before the next chunk is.
    """

    number: int
    byte_offset: int
    blocks: Iterator[bytes]


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
            mark = BYTE_ORDER_MARK if not offset and rest.startswith(BYTE_ORDER_MARK) else b""
            passed = _LongLineBlocks(rest[len(mark) :], stream)
            yield LongLine(line, offset + len(mark), passed)
            for _ in passed:
                pass  # Whoever takes the next chunk may have left some bytes of this line.
            rest = passed.rest
            line += 1
            offset += len(mark) + passed.taken
        held, held_bytes = [rest], len(rest)
    rest = b"".join(held)
    if rest:
        yield Chunk(rest, line, offset)


def last_lines(chunk: Chunk, count: int) -> Chunk | None:
    """The last lines of a chunk, as a chunk that ends the file. None: `count` is 0."""
    if not count:
        return None
    content = chunk.content
    start = len(content) - content.endswith(b"\n")
    for _ in range(count):
        start = content.rfind(b"\n", 0, max(start, 0))
    start += 1
    return Chunk(content[start:], chunk.first_line, chunk.byte_offset + start)


_MARGIN_BYTES = len(BYTE_ORDER_MARK) + 1
"""Bytes around a line that are not part of it: a mark before it, a carriage return after it."""


class _LongLineBlocks(Iterator[bytes]):
    """The bytes of one line, taken from a stream, without the line end.

    A carriage return is kept back until the next byte shows whether it belongs to the line end.

    Attributes:
        rest: bytes after the line that were taken from the stream, once the line has ended.
        taken: bytes of the stream that belong to the line and its end.
    """

    def __init__(self, first: bytes, stream: Iterator[bytes]) -> None:
        self._next: bytes | None = first
        self._stream = stream
        self._kept_back = b""
        self.rest = b""
        self.taken = 0

    def __next__(self) -> bytes:
        if self._next is None:
            raise StopIteration
        piece, line_end, rest = (self._kept_back + self._next).partition(b"\n")
        text = piece.removesuffix(b"\r")
        self.taken += len(piece) + len(line_end) - len(self._kept_back)
        self._kept_back = piece[len(text) :]
        if line_end:
            self._next, self.rest = None, rest
        else:
            self._next = next(self._stream, None)
        return text


FORMAT = FileFormat(
    name="lines",
    order=90,
    is_of=lambda _opened, _landed_head, _head: True,
    read=lambda _opened, blocks: split_chunks(blocks),
    read_again=lambda _opened, blocks, places: split_chunks(
        [b"".join(text + line_end for text, line_end in list(texts_at(blocks, places)))]
    ),
)
"""Tried last: a file of no other format has one event a line."""
