"""A file format: how it recognizes its files, and how it cuts them into records."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

import polars as pl

from pipelines.reading.dialects import Dialect

HEAD_BYTES = 64 * 1024
"""Decompressed bytes that a format may look at to recognize a file."""


class OpenedFile(NamedTuple):
    """A landed file that is open for reading.

    Attributes:
        file: its bytes as landed. They can be read again from the start.
        path: its path below the landing.
        size_bytes: its size as listed.
        dialect: the reader of its source's events, which also has the layout of its files.
    """

    file: BinaryIO
    path: str
    size_bytes: int
    dialect: Dialect


Blocks = Iterator[bytes]
"""The decompressed bytes of a file, block by block."""


@dataclass(frozen=True)
class FileFormat:
    """One format of files.

    Attributes:
        name: the name that people use.
        order: formats are tried in this order. The first one that recognizes a file reads it.
        is_of: (file, first bytes as landed, first decompressed bytes) → True if the file has this
            format. It raises `UnreadableFileError` if the name promises a format that the bytes
            do not have.
        declared_as: the word for the format in `sources.csv`.
        read: yields each `Record` in order, and None for a blank one. The format of lines yields
            each `Chunk` and `LongLine`.
        read_again: yields only the records at some places, a frame of `line`, `byte_offset` and
            `byte_length` by line. Their texts are put together as a new file, which is then read.
            So a range that is not exactly one record gives another number of events.
        has_ranges: True: a record is a range of bytes. False: a record is a numbered row.
    """

    name: str
    order: int
    is_of: Callable[[OpenedFile, bytes, bytes], bool]
    read: Callable[[OpenedFile, Blocks], Iterator[Any]]
    read_again: Callable[[OpenedFile, Blocks, pl.DataFrame], Iterator[Any]]
    has_ranges: bool = True
    declared_as: str = "json"
