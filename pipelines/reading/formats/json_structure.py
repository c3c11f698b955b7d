"""JSON structure: finds where values end and which members an object has, without reading them.

A value ends where its brackets are closed, outside of strings. So the end of a wrong value is found
too, as long as its brackets pair. Whether a text is JSON is judged later, when it is read.
"""

import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from pipelines.reading.dialects import RefusedLineError, unwrapped
from pipelines.reading.formats.field_names import FieldNames
from pipelines.reading.strict_json import StrictJsonError, parse_object
from pipelines.vocabulary.errors import UnreadableFileError
from pipelines.vocabulary.visible import beginning

OPEN_BRACKETS_MAX = 1000
"""Brackets that may be open at a time in an element. Far fewer are read (`NESTING_DEPTH_MAX`)."""

SEARCHED_BYTES_MAX = 16 * 1024 * 1024
"""Bytes that are searched for the next whole event after a fault in a line, at most."""

WHITE_SPACE = b" \t\r\n"

_BLANKS = re.compile(rb"[ \t\r\n]*+")
# Each pattern skips whole strings and all other text without structure. It stops at the next
# bracket, at a comma between elements, at a string that the window does not close, or at its end.
_INSIDE = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_BETWEEN = re.compile(rb'(?:[^"\[\]{},]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_CLOSING = {ord("["): ord("]"), ord("{"): ord("}")}
_QUOTE, _BACKSLASH, _COMMA, _END, _OPEN_ARRAY, _CLOSE = b'"\\,][}'

_NAME = re.compile(rb'"((?:[^"\\]++|\\.)*+)"[ \t\r\n]*+:[ \t\r\n]*+', re.DOTALL)
_NAME_CUT_SHORT = re.compile(rb'(?:"(?:[^"\\]++|\\.)*+(?:\\?|"[ \t\r\n]*+))?\Z', re.DOTALL)
_SCALAR = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[^"\[\]{},\s]++', re.DOTALL)
_ARRAY_OF_OBJECTS = re.compile(rb"\[[ \t\r\n]*+\{")


def after_blanks(held: bytes, at: int) -> int:
    """The place of the next byte that is not white space, or the end."""
    blanks = _BLANKS.match(held, at)
    return blanks.end() if blanks else at


def holds_objects(held: bytes, at: int) -> bool:
    """True if an array begins here and its first element is an object."""
    return _ARRAY_OF_OBJECTS.match(held, at) is not None


class EndSearch:
    """The search for the end of a value, which may go on from window to window.

    Args:
        offset: the place of the value in the file, for a sentence.
        is_bracketed: True: the value is an array or object, and ends after its last bracket.
            False: it is an element of an array, and ends at the delimiter after it.
        is_entered: True: the search begins inside an object.

    Attributes:
        reached: the place in the window that the search has reached.
    """

    def __init__(
        self, offset: int, *, is_bracketed: bool = False, is_entered: bool = False
    ) -> None:
        self._offset = offset
        self._is_bracketed = is_bracketed
        self._open = bytearray(b"}" if is_entered else b"")
        self._is_in_string = False
        self.reached = 0

    @property
    def is_between(self) -> bool:
        """True if no string and no bracket is open at the place reached."""
        return not self._open and not self._is_in_string

    @property
    def depth(self) -> int:
        """The number of open brackets."""
        return len(self._open)

    def leave_string(self) -> bool:
        """Leaves a string that is not closed at the end of its line. False: none is open."""
        was_in_string, self._is_in_string = self._is_in_string, False
        return was_in_string

    @property
    def awaited(self) -> bytes:
        """The bracket that closes the innermost open one. Empty: none is open."""
        return bytes(self._open[-1:])

    def find(self, held: bytes, at: int) -> int:
        """The place where the value ends. -1: it is not in this window.

        Raises:
            UnreadableFileError: the brackets of the value do not pair.
        """
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
            elif self._is_bracketed and not self._open:
                return at + 1
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


class State(Enum):
    """How far the members of an object could be followed."""

    CLOSED = "closed"
    OPEN = "open"
    BROKEN = "broken"


class Member(NamedTuple):
    """A member of an object.

    Attributes:
        name: its name.
        start: the place where its value begins.
        end: the place after its value. None: it goes on after the bytes at hand.
        is_array: True: its value is an array.
        has_objects: True: it is an array whose first element is an object.
    """

    name: str
    start: int
    end: int | None
    is_array: bool
    has_objects: bool


@dataclass(frozen=True)
class TopMembers:
    """The members of an object, as far as the bytes at hand show them.

    Attributes:
        members: in their order.
        state: whether the object is closed, goes on, or is no JSON between two members.
        end: the place after the object, or the place that was reached.
    """

    members: tuple[Member, ...]
    state: State
    end: int


def top_members(held: bytes, at: int) -> TopMembers:
    """The members of the object that begins here. What is inside their values is not judged.

    Args:
        held: the bytes at hand.
        at: the place of the object's `{`.
    """
    found: list[Member] = []
    at = after_blanks(held, at + 1)
    state = State.CLOSED if held[at : at + 1] == b"}" else None
    while state is None:
        name = _NAME.match(held, at)
        if name is None:
            state = State.OPEN if _NAME_CUT_SHORT.match(held, at) else State.BROKEN
            break
        member, is_broken = _member(held, _text_of(name.group(1)), name.end())
        found.append(member)
        if is_broken or member.end is None:
            state, at = State.BROKEN if is_broken else State.OPEN, member.start
            break
        at = after_blanks(held, member.end)
        state = _after_member(held, at)
        if state is None:
            at = after_blanks(held, at + 1)
    return TopMembers(tuple(found), state, at + (state is State.CLOSED))


def _after_member(held: bytes, at: int) -> State | None:
    """The state of an object at the place after a member. None: another member follows."""
    if at == len(held):
        return State.OPEN
    if held[at] == _CLOSE:
        return State.CLOSED
    after = after_blanks(held, at + 1)
    return State.BROKEN if held[at] != _COMMA or held[after : after + 1] == b"}" else None


def _text_of(name: bytes) -> str:
    try:
        return str(json.loads(b'"' + name + b'"')) if b"\\" in name else name.decode()
    except ValueError:
        return name.decode(errors="replace")


def _member(held: bytes, name: str, start: int) -> tuple[Member, bool]:
    """The member, and whether its value is no JSON."""
    end: int | None
    if held[start : start + 1] in (b"[", b"{"):
        try:
            end = EndSearch(start, is_bracketed=True).find(held, start)
        except UnreadableFileError:
            return Member(name, start, None, False, False), True
        is_array = held[start] == _OPEN_ARRAY
        return Member(
            name, start, None if end < 0 else end, is_array, holds_objects(held, start)
        ), False
    scalar = _SCALAR.match(held, start)
    is_cut_short = start == len(held) or (scalar is None and held[start] == _QUOTE)
    end = None if scalar is None or scalar.end() == len(held) else scalar.end()
    return Member(name, start, end, False, False), scalar is None and not is_cut_short


class SeveralArraysError(ValueError):
    """An object may be a batch, and two of its arrays hold objects."""


def batch_array(found: TopMembers, names: FieldNames) -> Member | None:
    """The member that holds the events of a batch. None: the object is no batch.

    An object without any field that identifies an event is a batch if it has the declared array,
    `events`, or exactly one array of objects.

    Example: `{"count": 2, "data": [{…}, {…}]}` is a batch, and `data` holds its events.

    Raises:
        SeveralArraysError: two arrays hold objects, and none of them is declared.
    """
    if any(member.name in names.own for member in found.members):
        return None
    for declared in (names.batch_member, "events"):
        arrays = [each for each in found.members if each.is_array and each.name == declared]
        if arrays:
            return _only(arrays)
    arrays = [each for each in found.members if each.has_objects]
    return _only(arrays) if arrays else None


def _only(arrays: list[Member]) -> Member:
    if len(arrays) > 1:
        shown = " and ".join(beginning(each.name) for each in arrays[:2])
        raise SeveralArraysError(
            f"an object has two arrays of objects, {shown}; name the one with the events in "
            "`batch_member` of sources.csv"
        )
    return arrays[0]


def next_event(text: bytes, *, is_last: bool, names: FieldNames) -> int:
    """The place of the next whole event after the beginning of a text. -1: there is none.

    No JSON text has an object right after another value, and no string has an object with named
    members, as its quotes are escaped. So what is found here was sent as an event.

    Args:
        text: the bytes from a wrong object on.
        is_last: True: the line ends with the text.
        names: the names of the source's events.
    """
    searched, start = 0, text.find(b"{", 1)
    while start >= 0 and searched < SEARCHED_BYTES_MAX and names.required:
        search = EndSearch(0, is_bracketed=True)
        try:
            end = search.find(text, start)
        except UnreadableFileError:
            end = -1
        searched += (search.reached if end < 0 else end) - start + 1
        if end >= 0 and _is_event(text[start:end], names):
            after = after_blanks(text, end)
            if text[after : after + 1] == b"{" or (is_last and after == len(text)):
                return start
        start = text.find(b"{", start + 1)
    return -1


def _is_event(text: bytes, names: FieldNames) -> bool:
    try:
        return names.required <= unwrapped(parse_object(text)).keys()
    except (StrictJsonError, RefusedLineError):
        return False
