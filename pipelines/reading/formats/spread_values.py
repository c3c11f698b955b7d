"""Spread values: objects and arrays that go on over several lines of a file of lines.

A line that leaves brackets open goes on in the next line, if JSON can go on so. No string goes on:
one that its line does not close is wrong, and ends there. Only where a value ends is found here.
What it holds is read later, as if it were one line.
"""

from pipelines.reading.formats.json_structure import WHITE_SPACE, EndSearch, after_blanks
from pipelines.vocabulary.errors import UnreadableFileError
from pipelines.vocabulary.limits import LINE_BYTES_MAX

OPEN_BRACKETS_MAX = 64
"""Brackets that may be open at the end of a line. Far fewer are read (`NESTING_DEPTH_MAX`)."""

_STARTS = b'{["-0123456789tfnNI'
_OPEN_STRING = b"\n"
"""Stands for the last byte of a line that does not close its string."""

_AFTER = {
    (b"{", b"}"): b'"}',
    (b",", b"}"): b'"}',
    (b"[", b"]"): _STARTS + b"]",
    (b",", b"]"): _STARTS + b"]",
    (b":", b"}"): _STARTS,
    (_OPEN_STRING, b"}"): b'",:}',
    (_OPEN_STRING, b"]"): b'",]',
}
"""(last byte, bracket that is awaited) → the bytes with which the next line may begin.

A comma before a closing bracket is wrong, and so is NaN. They are part of the value all the same.
"""
_AFTER_VALUE = b",:]}"


class SpreadValue:
    """A value that begins in a line. The lines that it goes on over are added one by one.

    Args:
        number: the number of the first record of its first line.
        byte_offset: the place of its first byte in the file.

    Attributes:
        lines: the number of its lines so far.
        end: the place after its last line.
        goes_on: True: brackets are open after its last line.
        is_closed: True: its last bracket is closed. False: it goes on, or it is broken.
        is_too_long: True: the next line has no room in it.
    """

    def __init__(self, number: int, byte_offset: int) -> None:
        self.number = number
        self.byte_offset = byte_offset
        self.lines = 0
        self.end = byte_offset
        self.goes_on = True
        self.is_closed = False
        self.is_too_long = False
        self._search = EndSearch(byte_offset, is_bracketed=True)
        self._last = b""
        self._indent = 0

    def takes(self, offset: int, line: bytes) -> bool:
        """True if the value can go on with this line, which is not blank.

        Args:
            offset: the place of the line's first byte in the file.
            line: its bytes, without its line end.
        """
        is_too_long = offset + len(line) - self.byte_offset > LINE_BYTES_MAX
        may_follow = _AFTER.get((self._last, self._search.awaited), _AFTER_VALUE)
        indent = after_blanks(line, 0)
        # Many lines that were cut off after a colon must not become one value.
        begins_anew = self._last == b":" and indent <= self._indent and may_begin(line)
        is_next = line[indent : indent + 1] in may_follow and not begins_anew
        self.is_too_long = is_next and is_too_long
        return is_next and not is_too_long

    def add(self, offset: int, line: bytes) -> None:
        """Adds a line: the first one, or one that the value takes."""
        if not self.lines:
            self._indent = after_blanks(line, 0)
        self.lines += 1
        self.end = offset + len(line)
        text = line.rstrip(WHITE_SPACE)
        self._last = text[-1:]
        try:
            at = self._search.find(text, 0)
            while at >= 0 and _begins_at(text, at):
                # Another value begins right after this one, and may go on.
                self._search = EndSearch(self.byte_offset, is_bracketed=True)
                at = self._search.find(text, at)
        except UnreadableFileError:
            self.goes_on = False
            return
        self.is_closed = at >= 0
        self.goes_on = at < 0 and self._search.depth <= OPEN_BRACKETS_MAX
        if self._search.leave_string():
            self._last = _OPEN_STRING


def may_begin(line: bytes) -> bool:
    """True if an object or array begins a line."""
    return _begins_at(line, 0)


def _begins_at(text: bytes, at: int) -> bool:
    start = after_blanks(text, at)
    return text[start : start + 1] in (b"{", b"[")
