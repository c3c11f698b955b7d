"""Batches of events in JSON: `[…]` and `{"events": […]}`, told apart element by element.

Belongs here: where an element begins and ends, and nothing of what is in it: that is read later
as if it stood on a line of its own. Must not be put here: strict JSON (see `strict_json`).

A file is one batch or several, one after the other (an export of request bodies); elements are
numbered through it from 1. An element ends at a comma or bracket that is in no string and no
bracket of its own, so a bad one costs no other. Where brackets do not pair, nobody can tell one
element from the next: then the file is unreadable, as one that ends before its last bracket is.

Invariant: between two elements stand white space and the batches' punctuation, nothing else.
"""

import re
from collections.abc import Iterable

from pipelines.reading.formats.file_format import FileFormat
from pipelines.reading.formats.records import (
    WINDOW_BYTES,
    Passage,
    Record,
    Records,
    Window,
    text_record,
    texts_at,
)
from pipelines.vocabulary.errors import UnreadableFileError

BATCH_START = re.compile(
    rb'(?:\xef\xbb\xbf)?[ \t\r\n]*+(?:\[|\{[ \t\r\n]*+"events"[ \t\r\n]*+:[ \t\r\n]*+\[)'
)
"""How a file of batches begins."""

OPEN_BRACKETS_MAX = 1000
"""Deepest nesting that is followed to find an element's end; far beyond what is read."""

_WHITE_SPACE = b" \t\r\n"
_BLANKS = re.compile(rb"[ \t\r\n]*+")
# Each runs over what is no structure, whole strings included, and stops at the next bracket, at
# a comma between elements, at a string that is not closed in the window, or at its end.
_INSIDE = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_BETWEEN = re.compile(rb'(?:[^"\[\]{},]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_CLOSING = {ord("["): ord("]"), ord("{"): ord("}")}
_QUOTE, _BACKSLASH, _COMMA, _END = b'"\\,]'


def split_elements(blocks: Iterable[bytes], window_bytes: int = WINDOW_BYTES) -> Records:
    """The elements of the file's batches; one of white space only is a blank.

    Raises:
        UnreadableFileError: the elements cannot be told apart to the end of the file.
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
    """The next byte that is no white space; empty at the end of the stream."""
    while True:
        blanks = _BLANKS.match(window.held, window.at)
        window.at = blanks.end() if blanks else window.at
        if window.left or not window.extend():
            return window.held[window.at : window.at + 1]


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
    """The next element, and the delimiter after it, which is passed over."""
    _next_significant(window)
    offset = window.offset
    scan = _Scan(offset)
    passage: Passage | None = None
    end = scan.find(window.held, window.at)
    while end < 0:
        # What does not end in this window streams by; only what may be read of it is held.
        passage = passage or Passage(offset, _WHITE_SPACE)
        passage.add(window.take(scan.scanned))
        if not window.extend():
            raise UnreadableFileError(
                f"truncated: the file ends inside element {number}, which begins at byte {offset}"
            )
        end = scan.find(window.held, window.at)
    delimiter = window.held[end]
    last = window.take(end)
    window.at += 1
    if passage is not None:
        passage.add(last)
        return passage.record(number), delimiter
    content = last.rstrip(_WHITE_SPACE)
    return (text_record(number, offset, content) if content else None), delimiter


class _Scan:
    """The search for an element's end, which may go on from window to window.

    Attributes:
        scanned: up to where the window was looked at; the search goes on from there.
    """

    def __init__(self, offset: int) -> None:
        self._offset = offset
        self._open = bytearray()
        self._is_in_string = False
        self.scanned = 0

    def find(self, held: bytes, at: int) -> int:
        """Where the delimiter after the element stands; -1 if not in this window."""
        while True:
            if self._is_in_string:
                at = self._end(_STRING, held, at)
            else:
                at = self._end(_INSIDE if self._open else _BETWEEN, held, at)
            self.scanned = at
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
    read=lambda _landed, blocks: split_elements(blocks),
    read_again=lambda _landed, blocks, places: split_elements(
        [b"[" + b",".join(text for text, _ in list(texts_at(blocks, places))) + b"]"]
    ),
)
"""Told by its first characters: `[`, or `{"events": [`."""
