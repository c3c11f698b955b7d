"""JSON values: cuts objects and batches of events out of a stream, in any mix.

A value is an object, which is one event, or a batch: an array, or an object that wraps one (see
`json_structure.batch_array`). Only the beginning and the end of an event are found here. Its text
is read later, as if it were a line of its own. Records are numbered from 1 through all values.

Two readers use this:

- A file that begins with a batch, or with an object over several lines, is read here as a whole.
  Where brackets do not pair, nobody knows where the next event begins, and the file is unreadable.
  So is a file that ends inside a value.
- A line with more than one event is read here alone (`line_values`, `long_line_values`). A fault
  then costs one record, and the search goes on at the next whole event of the line.

Invariant: between two records there are only white space and the punctuation of the batches.
"""

from collections.abc import Iterable

from pipelines.reading.dialects import RefusedLineError
from pipelines.reading.formats.field_names import NO_NAMES, FieldNames
from pipelines.reading.formats.json_elements import (
    COMMA,
    FAULT,
    NO_DELIMITER,
    expect,
    large_record,
    next_element,
    next_significant,
    rest_of_stream,
)
from pipelines.reading.formats.json_structure import (
    WHITE_SPACE,
    EndSearch,
    Member,
    SeveralArraysError,
    State,
    TopMembers,
    after_blanks,
    batch_array,
    holds_objects,
    next_event,
    top_members,
)
from pipelines.reading.formats.records import (
    WINDOW_BYTES,
    Record,
    Records,
    StreamedRecord,
    Window,
    text_record,
)
from pipelines.vocabulary.errors import UnreadableFileError
from pipelines.vocabulary.limits import LINE_BYTES_MAX
from pipelines.vocabulary.verdicts import Reason

_BROKEN = -2
_CUT_SHORT = "not JSON: the line ends before its batch of events is closed"


def split_elements(
    blocks: Iterable[bytes], window_bytes: int = WINDOW_BYTES, names: FieldNames = NO_NAMES
) -> Records:
    """The records of a file of values, in order. An element of white space is blank.

    Args:
        blocks: the decompressed file.
        window_bytes: bytes that are taken from the stream at a time.
        names: the names of the source's events.

    Raises:
        UnreadableFileError: the end of a value cannot be found.
    """
    window = Window(blocks, window_bytes)
    window.skip_mark()
    yield from _Values(window, names).records()


def line_values(
    line: bytes, byte_offset: int, first_number: int, names: FieldNames
) -> list[Record | None] | None:
    """The records of a line that holds several events, in order. None: the line is one record.

    Example: `{…}{…}` has two records, and so has `{"data":[{…},{…}]}`. A line of nothing but an
    empty batch, such as `{"events":[]}`, is blank.

    Args:
        line: a line of at most `LINE_BYTES_MAX` bytes, without its line end.
        byte_offset: the place of its first byte in the decompressed file.
        first_number: the number of its first record.
        names: the names of the source's events.

    Raises:
        UnreadableFileError: the file begins with an object of which two arrays hold objects.
    """
    values = _Values(Window([line], offset=byte_offset), names, first_number - 1, is_line=True)
    records = list(values.records())
    if values.batches and not records:
        return [None]
    return records if records and (values.batches or values.objects > 1) else None


def long_line_values(
    blocks: Iterable[bytes], byte_offset: int, first_number: int, names: FieldNames
) -> Records:
    """The records of a line that is too long to be one event, in order.

    Args:
        blocks: the bytes of the line, without its line end.
        byte_offset: the place of its first byte in the decompressed file.
        first_number: the number of its first record.
        names: the names of the source's events.
    """
    window = Window(blocks, offset=byte_offset)
    values = _Values(window, names, first_number - 1, is_line=True)
    while not window.left and window.extend():
        pass
    start = after_blanks(window.buffer, window.at)
    if window.buffer[start : start + 1] in (b"{", b"["):
        yield from values.records()
    else:
        yield values.rest_of_line(b"")


class _Values:
    """Cuts the values out of a window, from its beginning to the end of its stream.

    Args:
        window: the bytes. A line ends with its stream.
        names: the names of the source's events.
        number: the number of the last record before these values.
        is_line: True: a fault costs a record of the line. False: it costs the file.

    Attributes:
        number: the number of the last record.
        objects: the objects found outside of batches.
        batches: the batches found.
    """

    def __init__(
        self, window: Window, names: FieldNames, number: int = 0, *, is_line: bool = False
    ) -> None:
        self._window = window
        self._names = names
        self._is_line = is_line
        self._is_at_fault = False
        self._last_mark = (0, b"")
        self.number = number
        self.objects = 0
        self.batches = 0

    def records(self) -> Records:
        """The records of all values, in order."""
        window = self._window
        while first := next_significant(window):
            if first == b"{":
                yield from self._object()
            elif first == b"[" and (not self._is_line or holds_objects(window.buffer, window.at)):
                window.at += 1
                self.batches += 1
                yield from self._elements()
            elif self._is_line:
                yield self._junk()
            else:
                expect(window, b"[")

    def rest_of_line(self, trimmed: bytes = WHITE_SPACE) -> Record | None:
        """Everything that is left, as one record."""
        self.number += 1
        streamed = StreamedRecord(self._window.offset, trimmed)
        return rest_of_stream(self._window, streamed, self.number)

    def _elements(self) -> Records:
        """The elements of an array, whose `[` is taken. Its `]` is taken with the last one."""
        window = self._window
        self._last_mark = (window.offset - 1, b"[")
        if next_significant(window) == b"]":
            self._last_mark = (window.offset, b"]")
            window.at += 1
            return
        delimiter = COMMA
        while delimiter == COMMA:
            self.number += 1
            record, delimiter = next_element(window, self.number, is_line=self._is_line)
            if delimiter == NO_DELIMITER:
                yield self._cut_short(self.number)
                self.number += 1
                record = None if record is None else record._replace(number=self.number)
            yield record
            self._last_mark = (window.offset - 1, b"," if delimiter == COMMA else b"]")
        self._is_at_fault |= delimiter == FAULT

    def _cut_short(self, number: int) -> Record:
        """The rejection of a line that ends inside a batch: further events may be missing.

        Every byte of an event belongs to its record. So the place of this one is the last bracket
        or comma of the batch before its last element, or after it.
        """
        self._is_at_fault = True
        refusal = RefusedLineError(Reason.MALFORMED, _CUT_SHORT)
        return text_record(number, *self._last_mark)._replace(content=refusal)

    def _said_if_cut_short(self, record: Record | None) -> Record | None:
        """The rejection of a piece of a line that begins a batch, with a sentence that says so."""
        if record is None or not isinstance(record.content, bytes) or b"[" not in record.content:
            return record
        try:
            is_batch = batch_array(top_members(record.content, 0), self._names) is not None
        except SeveralArraysError:
            is_batch = False
        if not is_batch:
            return record
        self.batches += 1
        return record._replace(content=RefusedLineError(Reason.MALFORMED, _CUT_SHORT))

    def _object(self) -> Records:
        self.objects += 1
        window = self._window
        end = self._object_end()
        if 0 <= end <= window.at + LINE_BYTES_MAX:
            yield from self._small_object(end)
        elif end != _BROKEN and window.left > LINE_BYTES_MAX:
            yield from self._large_object()
        elif self._is_line:
            record = self._until_next_event()
            yield record if end == _BROKEN else self._said_if_cut_short(record)
        else:
            raise UnreadableFileError(
                f"truncated: the file ends inside the object that begins at byte {window.offset}"
            )

    def _object_end(self) -> int:
        """The place after the object. -1: it is not at hand. `_BROKEN`: its brackets do not pair.

        Whether it is at hand must not depend on how the stream is cut, so only the bytes that an
        event may have count.
        """
        window = self._window
        while True:
            search = EndSearch(window.offset, is_bracketed=True)
            try:
                end = search.find(window.buffer, window.at)
            except UnreadableFileError:
                if not self._is_line:
                    raise
                is_near = search.reached - window.at <= LINE_BYTES_MAX
                end = _BROKEN if is_near else -1
            if end != -1 or window.left > LINE_BYTES_MAX or not window.extend():
                return end

    def _small_object(self, end: int) -> Records:
        window = self._window
        text = window.buffer[window.at : end]
        offset = window.offset
        try:
            found = top_members(text, 0)
            array = None if self._names.is_no_usage(text) else batch_array(found, self._names)
        except SeveralArraysError as error:
            if self.number == 0:
                raise UnreadableFileError(str(error), Reason.NOT_DECLARED_FORMAT) from None
            refusal = RefusedLineError(Reason.MALFORMED, str(error))
            self.batches += 1
            self.number += 1
            window.at = end
            yield text_record(self.number, offset, text)._replace(content=refusal)
            return
        if array is not None and found.state is State.BROKEN and not self._is_line:
            raise UnreadableFileError(
                f"byte {offset + found.end}: expected }} of a batch of events, found "
                f"{text[found.end : found.end + 1].decode(errors='replace')!a}"
            )
        if array is None or array.end is None or found.state is not State.CLOSED:
            self.number += 1
            window.at = end
            yield text_record(self.number, offset, text)
            return
        self.batches += 1
        inside = Window([text[array.start + 1 : array.end]], offset=offset + array.start + 1)
        elements = _Values(inside, self._names, self.number)
        yield from elements._elements()
        self.number = elements.number
        window.at = end

    def _large_object(self) -> Records:
        """An object that is longer than an event may be: a batch, or something that is refused."""
        window = self._window
        found = top_members(window.buffer[window.at : window.at + LINE_BYTES_MAX + 1], 0)
        try:
            array = batch_array(found, self._names)
        except SeveralArraysError as error:
            raise UnreadableFileError(str(error), Reason.NOT_DECLARED_FORMAT) from None
        if array is not None:
            self.batches += 1
            window.at += array.start + 1
            yield from self._elements()
            yield from self._leave_batch(found, array)
        elif self._is_line:
            yield self._until_next_event()
        else:
            self.number += 1
            yield large_record(window, self.number)

    def _leave_batch(self, found: TopMembers, array: Member) -> Records:
        """Takes the members after the array of a large batch, and its `}`.

        A line that ends before them gets one rejection, as more events may have been cut off.
        """
        window = self._window
        first = next_significant(window)
        if self._is_line and not first:
            yield from self._not_left()
            return
        if first != b",":
            expect(window, b"}")
            return
        taken, search = [b'{"":0'], EndSearch(window.offset, is_bracketed=True, is_entered=True)
        end = search.find(window.buffer, window.at)
        while end < 0:
            taken.append(window.take(search.reached))
            if not window.extend():
                if self._is_line:
                    yield from self._not_left()
                    return
                raise UnreadableFileError(
                    "truncated: the file ends before its batch of events is closed"
                )
            end = search.find(window.buffer, window.at)
        taken.append(window.take(end))
        if array.name not in (self._names.batch_member, "events"):
            later = top_members(b"".join(taken), 0)
            both = TopMembers((*found.members, *later.members), later.state, later.end)
            try:
                batch_array(both, self._names._replace(own=frozenset()))
            except SeveralArraysError as error:
                raise UnreadableFileError(str(error), Reason.NOT_DECLARED_FORMAT) from None

    def _not_left(self) -> Records:
        if not self._is_at_fault:
            self.number += 1
            yield self._cut_short(self.number)

    def _until_next_event(self) -> Record | None:
        """A wrong piece of a line, up to the next whole event of the line or to its end."""
        window = self._window
        text = window.buffer[window.at : window.at + LINE_BYTES_MAX + 1]
        is_last = len(text) <= LINE_BYTES_MAX
        end = next_event(text, is_last=is_last, names=self._names)
        if end < 0:
            return self.rest_of_line()
        self.number += 1
        offset = window.offset
        content = window.take(window.at + end).rstrip(WHITE_SPACE)
        return text_record(self.number, offset, content)

    def _junk(self) -> Record | None:
        """Text of a line that is no value, up to the next object."""
        window = self._window
        streamed = StreamedRecord(window.offset, WHITE_SPACE)
        self.number += 1
        while (end := window.buffer.find(b"{", window.at)) < 0:
            streamed.add(window.take(len(window.buffer)))
            if not window.extend():
                return streamed.record(self.number)
        streamed.add(window.take(end))
        return streamed.record(self.number)
