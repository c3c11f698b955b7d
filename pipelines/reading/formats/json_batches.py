"""Batches of events in JSON: cuts `[…]` and `{"events": […]}` into their elements.

Only the beginning and the end of an element are found here. Its text is read later, as if it were
a line of its own.

A file holds one batch or several, one after the other, such as an export of request bodies. Its
elements are numbered from 1, through all batches. An element ends at a comma or bracket that is
outside its strings and its own brackets. So a bad element does not affect other elements. Where
brackets do not pair, nobody knows where the next element begins, and the file is unreadable. So is
a file that ends before its last bracket.

Invariant: between two elements there are only white space and the punctuation of the batches.
"""

import re
from collections.abc import Iterable

from pipelines.reading.formats.file_format import FileFormat
from pipelines.reading.formats.records import (
    WINDOW_BYTES,
    Record,
    Records,
    StreamedRecord,
    Window,
    text_record,
    texts_at,
)
from pipelines.vocabulary.errors import UnreadableFileError

BATCH_START = re.compile(
    rb'(?:\xef\xbb\xbf)?[ \t\r\n]*+(?:\[|\{[ \t\r\n]*+"events"[ \t\r\n]*+:[ \t\r\n]*+\[)'
)
"""The beginning of a file of batches."""

OPEN_BRACKETS_MAX = 1000
"""Brackets that may be open at a time in an element. Far fewer are read (`NESTING_DEPTH_MAX`)."""

_WHITE_SPACE = b" \t\r\n"
_BLANKS = re.compile(rb"[ \t\r\n]*+")
# Each pattern skips whole strings and all other text without structure. It stops at the next
# bracket, at a comma between elements, at a string that the window does not close, or at its end.
_INSIDE = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_BETWEEN = re.compile(rb'(?:[^"\[\]{},]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_CLOSING = {ord("["): ord("]"), ord("{"): ord("}")}
_QUOTE, _BACKSLASH, _COMMA, _END = b'"\\,]'


def split_elements(blocks: Iterable[bytes], window_bytes: int = WINDOW_BYTES) -> Records:
    """The elements of the file's batches, in order. An element of white space is blank.

    Args:
        blocks: the decompressed file.
        window_bytes: bytes that are taken from the stream at a time.

    Raises:
        UnreadableFileError: the end of an element or of a batch cannot be found.
    """
    window = Window(blocks, window_bytes)
    window.skip_mark()
    number = 0
    while first := _next_significant(window):
        is_wrapped = first == b"{"
        for token in (b"{", b'"events"', b":", b"[") if is_wrapped else (b"[",):
            _expect(window, token)
        if _next_significant(window) == b"]":
            window.at += 1
        else:
            delimiter = _COMMA
            while delimiter == _COMMA:
                number += 1
                record, delimiter = _element(window, number)
                yield record
        if is_wrapped:
            _expect(window, b"}")


def _next_significant(window: Window) -> bytes:
    """The next byte that is not white space. Empty: the stream has ended."""
    while True:
        blanks = _BLANKS.match(window.buffer, window.at)
        window.at = blanks.end() if blanks else window.at
        if window.left or not window.extend():
            return window.buffer[window.at : window.at + 1]


def _expect(window: Window, token: bytes) -> None:
    _next_significant(window)
    while window.left < len(token) and window.extend():
        pass
    if not window.left:
        raise UnreadableFileError("truncated: the file ends before its batch of events is closed")
    offset, found = window.offset, window.take(window.at + len(token))
    if found != token:
        raise UnreadableFileError(
            f"byte {offset}: expected {token.decode()} of a batch of events, "
            f"found {found.decode(errors='replace')!a}"
        )


def _element(window: Window, number: int) -> tuple[Record | None, int]:
    """The next element, and the delimiter after it. The window then begins after the delimiter."""
    _next_significant(window)
    offset = window.offset
    search = _EndSearch(offset)
    streamed: StreamedRecord | None = None
    end = search.find(window.buffer, window.at)
    while end < 0:
        # An element that does not end in this window is streamed: only its readable part is kept.
        streamed = streamed or StreamedRecord(offset, _WHITE_SPACE)
        streamed.add(window.take(search.reached))
        if not window.extend():
            raise UnreadableFileError(
                f"truncated: the file ends inside element {number}, which begins at byte {offset}"
            )
        end = search.find(window.buffer, window.at)
    delimiter = window.buffer[end]
    last = window.take(end)
    window.at += 1
    if streamed is not None:
        streamed.add(last)
        return streamed.record(number), delimiter
    content = last.rstrip(_WHITE_SPACE)
    return (text_record(number, offset, content) if content else None), delimiter


class _EndSearch:
    """The search for the end of an element, which may go on from window to window.

    Attributes:
        reached: the place in the window that the search has reached.
    """

    def __init__(self, offset: int) -> None:
        self._offset = offset
        self._open = bytearray()
        self._is_in_string = False
        self.reached = 0

    def find(self, held: bytes, at: int) -> int:
        """The place of the delimiter after the element. -1: it is not in this window."""
        while True:
            if self._is_in_string:
                at = self._end(_STRING, held, at)
            else:
                at = self._end(_INSIDE if self._open else _BETWEEN, held, at)
            self.reached = at
            if at == len(held):
                return -1
            byte = held[at]
            if byte == _BACKSLASH and self._is_in_string:
                return -1  # The byte that it escapes is in the next window.
            if byte == _QUOTE:
                self._is_in_string = not self._is_in_string
            elif byte in _CLOSING:
                self._enter(_CLOSING[byte])
            elif not self._open and byte in (_COMMA, _END):
                return at
            elif not self._open or self._open.pop() != byte:
                raise UnreadableFileError(
                    f"the element that begins at byte {self._offset} closes a bracket that it did "
                    "not open; where the next one begins cannot be told"
                )
            at += 1

    @staticmethod
    def _end(pattern: re.Pattern[bytes], held: bytes, at: int) -> int:
        match = pattern.match(held, at)
        return match.end() if match else at

    def _enter(self, closing: int) -> None:
        if len(self._open) == OPEN_BRACKETS_MAX:
            raise UnreadableFileError(
                f"the element that begins at byte {self._offset} is nested deeper than "
                f"{OPEN_BRACKETS_MAX} levels"
            )
        self._open.append(closing)


FORMAT = FileFormat(
    name="batches",
    order=30,
    is_of=lambda _path, _landed_head, head: bool(BATCH_START.match(head)),
    read=lambda _opened, blocks: split_elements(blocks),
    read_again=lambda _opened, blocks, places: split_elements(
        [b"[" + b",".join(text for text, _ in list(texts_at(blocks, places))) + b"]"]
    ),
)
"""Recognized by its first characters: `[`, or `{"events": [`."""
