"""JSON elements: takes the next element of an array, or all that is left, from a window.

Belongs here: what is told by brackets and delimiters alone. Must not be put here: which value is a
batch (see `json_values`).
"""

from pipelines.reading.formats.json_structure import WHITE_SPACE, EndSearch, after_blanks
from pipelines.reading.formats.records import Record, StreamedRecord, Window, text_record
from pipelines.vocabulary.errors import UnreadableFileError

COMMA = ord(",")
"""The delimiter after an element that is not the last one."""

NO_DELIMITER = -1
"""Stands for the delimiter after a whole element where its line ends."""

FAULT = -2
"""Stands for the delimiter after a wrong element, which goes on to the end of its line."""


def next_significant(window: Window) -> bytes:
    """The next byte that is not white space. Empty: the stream has ended."""
    while True:
        window.at = after_blanks(window.buffer, window.at)
        if window.left or not window.extend():
            return window.buffer[window.at : window.at + 1]


def expect(window: Window, token: bytes) -> None:
    """Takes a token of a batch, and the white space before it.

    Raises:
        UnreadableFileError: something else stands there.
    """
    next_significant(window)
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


def next_element(window: Window, number: int, *, is_line: bool) -> tuple[Record | None, int]:
    """The next element, and the delimiter after it. The window then begins after the delimiter.

    Args:
        window: begins at the element.
        number: the number of its record.
        is_line: True: a fault costs the rest of the line. False: it costs the file.

    Raises:
        UnreadableFileError: the end of the element cannot be found.
    """
    next_significant(window)
    offset = window.offset
    search = EndSearch(offset)
    streamed: StreamedRecord | None = None
    has_ended = False
    try:
        end = search.find(window.buffer, window.at)
        while end < 0:
            # An element that does not end in this window is streamed: only its readable part is
            # kept.
            streamed = streamed or StreamedRecord(offset, WHITE_SPACE)
            streamed.add(window.take(search.reached))
            if not window.extend():
                has_ended = True
                raise UnreadableFileError(
                    f"truncated: the file ends inside element {number}, which begins at byte "
                    f"{offset}"
                )
            end = search.find(window.buffer, window.at)
    except UnreadableFileError:
        if not is_line:
            raise
        record = rest_of_stream(window, streamed or StreamedRecord(offset, WHITE_SPACE), number)
        return record, NO_DELIMITER if has_ended and search.is_between else FAULT
    delimiter = window.buffer[end]
    last = window.take(end)
    window.at += 1
    if streamed is not None:
        streamed.add(last)
        return streamed.record(number), delimiter
    content = last.rstrip(WHITE_SPACE)
    return (text_record(number, offset, content) if content else None), delimiter


def large_record(window: Window, number: int) -> Record | None:
    """The object that begins here, which is longer than the window."""
    offset = window.offset
    search, streamed = EndSearch(offset, is_bracketed=True), StreamedRecord(offset, WHITE_SPACE)
    while (end := search.find(window.buffer, window.at)) < 0:
        streamed.add(window.take(search.reached))
        if not window.extend():
            raise UnreadableFileError(
                f"truncated: the file ends inside the object that begins at byte {offset}"
            )
    streamed.add(window.take(end))
    return streamed.record(number)


def rest_of_stream(window: Window, streamed: StreamedRecord, number: int) -> Record | None:
    """The record that goes on to the end of the stream."""
    streamed.add(window.take(len(window.buffer)))
    while window.extend():
        streamed.add(window.take(len(window.buffer)))
    return streamed.record(number)
