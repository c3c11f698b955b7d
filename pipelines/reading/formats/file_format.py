"""What a format is: how it is told from the others, and how its records are cut out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

import polars as pl


class Landed(NamedTuple):
    """A landed file, opened.

    Attributes:
        file: its bytes as landed; it can be read again from the start.
        path: below the landing.
        size_bytes: its size as listed.
    """

    file: BinaryIO
    path: str
    size_bytes: int


Blocks = Iterator[bytes]
"""The decompressed bytes of a file, a block at a time."""


@dataclass(frozen=True)
class FileFormat:
    """How events stand in a file.

    Attributes:
        name: as people say it.
        order: formats are asked in this order, and the first that says yes has the file.
        is_of: (path, first bytes as landed, first decompressed bytes) → whether it is this format.
            It may raise `UnreadableFileError` where the file breaks a promise of its name.
        read: gives each `Record` in order, None for a blank one; or, where records are lines, each
            `Chunk` and `LongLine`.
        read_again: the same for some places alone, a frame of `line`, `byte_offset` and
            `byte_length` by line. Text is put together as a file of the format, and that is read:
            a range that is no record, or more than one, gives another number of events.
        has_ranges: True where a record is a range of bytes; False where it is a numbered row.
    """

    name: str
    order: int
    is_of: Callable[[str, bytes, bytes], bool]
    read: Callable[[Landed, Blocks], Iterator[Any]]
    read_again: Callable[[Landed, Blocks, pl.DataFrame], Iterator[Any]]
    has_ranges: bool = True
