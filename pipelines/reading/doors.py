"""Doors: a record becomes an event or a rejection, with its place in the file.

Belongs here: the rows of one record. Must not be put here: how a file is cut into records.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.reading.dialects import (
    Dialect,
    EventFields,
    NotUsageError,
    RefusedLineError,
    read_event,
    unwrapped,
)
from pipelines.reading.dialects.event import Members
from pipelines.reading.formats.field_names import field_names
from pipelines.reading.formats.json_values import line_values, long_line_values
from pipelines.reading.formats.records import Record, too_long
from pipelines.reading.formats.spread_values import SpreadValue
from pipelines.reading.row_frames import frame_of
from pipelines.reading.strict_json import StrictJsonError, parse_object
from pipelines.vocabulary.frames import PARSED_EVENTS, REJECTIONS
from pipelines.vocabulary.hashing import key_hash, payload_digest
from pipelines.vocabulary.limits import LINE_BYTES_MAX
from pipelines.vocabulary.verdicts import Reason


@dataclass(frozen=True)
class FileOrigin:
    """The columns that all rows of a file share.

    Attributes:
        file_id: the file's number in the registry.
        source: the sender.
        dedupe_scope: the scope in which the sender's keys are unique.
        received_at: when the file was received, in microseconds since 1970.
        raw_sha256: SHA-256 of the decompressed bytes, in hex. None: no event of the file needs it,
            as all of them have keys of their own.
    """

    file_id: int
    source: str
    dedupe_scope: str
    received_at: int
    raw_sha256: str | None = None

    def place_key(self, number: int) -> str:
        """The key of the event at a place of the file, for events that have no key of their own.

        The same bytes have the same keys, under any name of the file. So a file that is delivered
        twice counts once. Example: `["9f86d0…",12]` for line 12.

        Args:
            number: number of the record.
        """
        assert self.raw_sha256 is not None  # noqa: S101 -- `files` digests such a file first
        return f'["{self.raw_sha256}",{number}]'


@dataclass(frozen=True)
class ParsedChunk:
    """The events and the rejections of one chunk: lines = events + rejections + blank.

    Attributes:
        events: one row per event, in line order; schema `PARSED_EVENTS`.
        rejections: one row per line that is rejected or not usage, in line order; schema
            `REJECTIONS`.
        lines: number of lines in the chunk, blank ones included. A line that holds several events
            counts as many lines.
        blank: number of lines that hold only white space.
        wide: (line of the chunk from 0, number of its records) for each line that holds several
            events, in order.
        open_lines: number of lines at the end of the chunk that are not read, as a value goes on
            after them. They are not among `lines`.
    """

    events: pl.DataFrame
    rejections: pl.DataFrame
    lines: int
    blank: int
    wide: tuple[tuple[int, int], ...] = ()
    open_lines: int = 0


class Doors:
    """Collects the events and the rejections of one chunk: a record becomes one or the other."""

    def __init__(self, origin: FileOrigin, dialect: Dialect) -> None:
        self._origin = origin
        self._dialect = dialect
        self._names = field_names(dialect)
        self._shared = {
            "file_id": origin.file_id,
            "source": origin.source,
            "dedupe_scope": origin.dedupe_scope,
            "received_at": origin.received_at,
        }
        self._events: list[tuple[Any, ...]] = []
        self._rejections: list[tuple[Any, ...]] = []

    @property
    def height(self) -> tuple[int, int]:
        """The numbers of events and rejections so far."""
        return len(self._events), len(self._rejections)

    def cut(self, height: tuple[int, int]) -> tuple[list[Any], list[Any]]:
        """Takes off the rows above a height, and returns them."""
        events, rejections = self._events[height[0] :], self._rejections[height[1] :]
        del self._events[height[0] :], self._rejections[height[1] :]
        return events, rejections

    def put(self, rows: tuple[list[Any], list[Any]]) -> None:
        """Adds rows that were cut off."""
        self._events += rows[0]
        self._rejections += rows[1]

    def read_line(
        self, number: int, offset: int, line: bytes
    ) -> tuple[list[Record | None] | None, bool]:
        """Reads a line.

        Args:
            number: the number of the line, or of its first record.
            offset: the place of its first byte.
            line: its bytes.

        Returns:
            Its records if it holds several events, and None if it is one. True: it is an event
            alone, or a wrong one, and no part of a value over several lines.
        """
        height = self.height
        records: list[Record | None] | None = None
        content: bytes | Members | RefusedLineError
        try:
            content = _members(line)
            is_one = not self._names.own.isdisjoint(content)
        except RefusedLineError as refusal:
            content, is_one = refusal, False
        if len(line) > LINE_BYTES_MAX:
            records = list(long_line_values(iter([line]), offset, number, self._names))
            is_one = True
        elif not is_one and line.lstrip(b" \t\r")[:1] in (b"{", b"["):
            records = line_values(line, offset, number, self._names)
        if records is None:
            self.read((number, offset, len(line), hashlib.sha256(line).digest()), content)
        for record in records or ():
            if record is not None:
                self.read(record.place, record.content)
        is_event = len(self._events) > height[0]
        is_kind = any(row[_REASON_CODE] is None for row in self._rejections[height[1] :])
        return records, is_one or is_event or is_kind

    def read_value(self, value: SpreadValue, text: bytes, numbers: int) -> int:
        """Reads a value over several lines. Returns how many of its numbers are blank.

        Args:
            value: where it stands.
            text: its bytes, from its first line to its last one.
            numbers: how many numbers its lines have. The lines after them keep their numbers.
        """
        height = self.height
        self.read_line(value.number, value.byte_offset, text)
        rows = sum(self.height) - sum(height)
        has_event = self.height[0] > height[0]
        if rows <= numbers and (value.is_closed or has_event):
            return numbers - rows
        self.cut(height)
        what = f"a value over {value.lines} lines "
        if not value.is_closed:
            what += "is not closed" + f" within {LINE_BYTES_MAX} bytes" * value.is_too_long
        else:
            what += f"holds {rows} events; write one on each line, or all in a file of their own"
        digest = hashlib.sha256(text).digest()
        self.read(
            (value.number, value.byte_offset, len(text), digest),
            RefusedLineError(Reason.MALFORMED, f"not JSON: {what}"),
        )
        return numbers - 1

    def read(
        self,
        place: tuple[int, int | None, int | None, bytes],
        content: bytes | Members | RefusedLineError,
    ) -> None:
        """Reads one record as an event or a rejection.

        Args:
            place: number, byte offset, byte length and SHA-256 of the record.
            content: as in `Record`.
        """
        try:
            if isinstance(content, RefusedLineError):
                raise content
            members = _members(content) if isinstance(content, bytes) else content
            fields = read_event(self._dialect, unwrapped(members))
        except NotUsageError as kind:
            self._rejections.append((*place, None, str(kind), None, None, None))
        except RefusedLineError as refusal:
            self._rejections.append(
                (
                    *place,
                    refusal.reason.value,
                    refusal.sentence,
                    refusal.idempotency_key,
                    refusal.customer_ref,
                    refusal.subscription_ref,
                )
            )
        else:
            self._events.append((*place, *_event_row(fields, self._origin, place[0])))

    def parsed(
        self, blank: int, wide: tuple[tuple[int, int], ...] = (), open_lines: int = 0
    ) -> ParsedChunk:
        """The rows collected so far.

        Args:
            blank: number of blank records among them.
            wide: see `ParsedChunk`.
            open_lines: see `ParsedChunk`.
        """
        return ParsedChunk(
            events=frame_of(self._events, _EVENT_COLUMNS, self._shared, PARSED_EVENTS),
            rejections=frame_of(self._rejections, _REJECTION_COLUMNS, self._shared, REJECTIONS),
            lines=len(self._events) + len(self._rejections) + blank,
            blank=blank,
            wide=wide,
            open_lines=open_lines,
        )


def _members(line: bytes) -> Members:
    if len(line) > LINE_BYTES_MAX:
        raise too_long(len(line))
    try:
        return parse_object(line)
    except StrictJsonError as error:
        raise RefusedLineError(Reason.MALFORMED, str(error)) from None


def _event_row(fields: EventFields, origin: FileOrigin, number: int) -> tuple[Any, ...]:
    key = fields.idempotency_key
    key = origin.place_key(number) if key is None else key
    return (
        key_hash(origin.dedupe_scope, key),
        key,
        fields.customer_ref,
        fields.subscription_ref,
        fields.event_name,
        origin.received_at if fields.occurred_at is None else fields.occurred_at,
        fields.properties,
        payload_digest(fields.payload),
        fields.amendment,
        fields.target_key,
    )


_POSITION_COLUMNS = ("line", "byte_offset", "byte_length", "line_sha256")
_REASON_CODE = len(_POSITION_COLUMNS)
_REJECTION_COLUMNS = (
    *_POSITION_COLUMNS,
    "reason_code",
    "reason",
    "idempotency_key",
    "customer_ref",
    "subscription_ref",
)
_EVENT_COLUMNS = (
    *_POSITION_COLUMNS,
    "key_hash",
    "idempotency_key",
    "customer_ref",
    "subscription_ref",
    "event_name",
    "occurred_at",
    "properties",
    "payload_digest",
    "amendment",
    "target_key",
)
