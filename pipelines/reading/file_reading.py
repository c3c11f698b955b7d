"""Reads one landed file to its end: yields its chunks, and afterwards its counts."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from pipelines.landing.store import Landing
from pipelines.reading.dialects import Dialect
from pipelines.reading.files import CountedChunk, read_chunks
from pipelines.reading.formats.lines import Chunk
from pipelines.reading.hold_rule import HoldRule, RejectionTally
from pipelines.reading.parse import FileOrigin, ParsedChunk
from pipelines.reading.parts import LandedFile, ParsedFile
from pipelines.vocabulary.errors import UnreadableFileError

_Read = TypeVar("_Read", bound=CountedChunk)


class FileReading(Generic[_Read]):
    """One pass over a file. Its counts and its digest grow while `chunks` is consumed.

    Args:
        landing: the landing that holds the file.
        file: the file version to read.
        read_lines: reads a chunk of lines, where the file has one event a line.
    """

    def __init__(
        self,
        landing: Landing,
        file: LandedFile,
        read_lines: Callable[[Chunk, FileOrigin, Dialect], _Read],
    ) -> None:
        self._landing = landing
        self._file = file
        self._read_lines = read_lines
        self._digest = hashlib.sha256()
        self._tally = RejectionTally()
        self._lines = self._blank = 0
        self.raw_bytes = 0

    def chunks(self) -> Iterator[_Read | ParsedChunk]:
        """The chunks of the file, in order.

        Raises:
            UnreadableFileError: the file cannot be read to its end.
            LandingError: the store does not answer.
        """
        file = self._file
        with self._landing.opened(file.path, file.etag, file.size_bytes) as landed:
            for chunk in read_chunks(
                landed,
                file.path,
                file.size_bytes,
                file.origin,
                file.dialect,
                self._read_lines,
                self._measured,
            ):
                self._lines += chunk.lines
                self._blank += chunk.blank
                self._tally.add(chunk.rejections)
                yield chunk

    def parsed_file(self, hold: HoldRule | None) -> ParsedFile:
        """The counts of the file, after `chunks` was consumed.

        Args:
            hold: the rule that decides whether the file is held. None: it is not held.
        """
        return ParsedFile(
            self._file.origin.file_id,
            None,
            self.raw_bytes,
            self._digest.hexdigest(),
            self._lines,
            self._blank,
            self._tally.rejected,
            self._tally.hold_reason(hold, self._lines, self._blank),
            self._tally.not_usage,
        )

    def _measured(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self._digest.update(block)
            self.raw_bytes += len(block)
            yield block


def unreadable(file: LandedFile, error: UnreadableFileError) -> ParsedFile:
    """The counts of a file that cannot be read to its end: none of its lines counts."""
    return ParsedFile(
        file.origin.file_id, str(error), 0, "", 0, 0, unreadable_reason=error.reason.value
    )
