"""Parses the records of a file into usage events and rejections.

Invariant: every line is an event, a rejection or blank. A bad line does not affect other lines.

`parse_chunk` reads lines, and `parse_records` reads the records of other formats. Both also make
the key hash and the payload digest of each event. Memory is bounded by the chunk, however long a
line is.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa

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
from pipelines.reading.formats.lines import CHUNK_BYTES, Chunk, LongLine
from pipelines.reading.formats.records import BYTE_ORDER_MARK, Record, Records, too_long
from pipelines.reading.strict_json import StrictJsonError, parse_object
from pipelines.vocabulary.frames import PARSED_EVENTS, REJECTIONS
from pipelines.vocabulary.hashing import key_hash, payload_digest
from pipelines.vocabulary.limits import LINE_BYTES_MAX
from pipelines.vocabulary.tables import PROPERTIES
from pipelines.vocabulary.verdicts import Reason

_ROW_BYTES = 100
"""Bytes that a row takes beside its text, so that many short records fill a chunk as well."""


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
    """

    events: pl.DataFrame
    rejections: pl.DataFrame
    lines: int
    blank: int
    wide: tuple[tuple[int, int], ...] = ()


def parse_chunk(chunk: Chunk, origin: FileOrigin, dialect: Dialect) -> ParsedChunk:
    """The events and rejections of the chunk's lines.

    A line ends at a line feed (0x0A). One carriage return before it belongs to the line end. Each
    event of a line that holds several has a number of its own.

    Example: the second of three lines holds two events. Its records have the numbers 2 and 3, and
    the third line has the number 4.

    Args:
        chunk: whole lines.
        origin: the columns that all rows of the file share.
        dialect: reads the fields of one object.
    """
    doors = _Doors(origin, dialect)
    blank, wide = 0, list[tuple[int, int]]()
    number, offset = chunk.first_line - 1, chunk.byte_offset
    lines = chunk.content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for index, ended_line in enumerate(lines):
        number += 1
        start = offset
        offset += len(ended_line) + 1
        line = ended_line.removesuffix(b"\r")
        if start == 0 and line.startswith(BYTE_ORDER_MARK):
            line = line[len(BYTE_ORDER_MARK) :]
            start = len(BYTE_ORDER_MARK)
        if len(line) <= LINE_BYTES_MAX and not line.strip(b" \t\r"):
            blank += 1
            continue
        records = doors.read_line(number, start, line)
        if records is not None:
            wide.append((index, len(records)))
            number += len(records) - 1
            blank += records.count(None)
    return doors.parsed(blank, tuple(wide))


def parse_long_line(line: LongLine, origin: FileOrigin, dialect: Dialect) -> Iterator[ParsedChunk]:
    """The events and rejections of a line that is too long to be one event, in chunks."""
    names = field_names(dialect)
    return parse_records(
        long_line_values(line.blocks, line.byte_offset, line.number, names), origin, dialect
    )


def parse_records(
    records: Records, origin: FileOrigin, dialect: Dialect, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[ParsedChunk]:
    """The events and rejections of records of any format, in chunks of about `chunk_bytes`.

    Args:
        records: the records of one file, in order.
        origin: the columns that all rows of the file share.
        dialect: reads the fields of one object.
        chunk_bytes: bytes of text in a chunk, with some bytes added for each row.
    """
    doors, blank, held_bytes = _Doors(origin, dialect), 0, 0
    for record in records:
        if record is None:
            blank += 1
            continue
        doors.read(record.place, record.content)
        content = record.content
        held_bytes += len(content) if isinstance(content, bytes) else record.byte_length or 0
        held_bytes += _ROW_BYTES
        if held_bytes >= chunk_bytes:
            yield doors.parsed(blank)
            doors, blank, held_bytes = _Doors(origin, dialect), 0, 0
    yield doors.parsed(blank)


class _Doors:
    """Collects the events and the rejections of one chunk: a record becomes one or the other."""

    def __init__(self, origin: FileOrigin, dialect: Dialect) -> None:
        self._origin = origin
        self._dialect = dialect
        self._names = field_names(dialect)
        self._events: list[tuple[Any, ...]] = []
        self._rejections: list[tuple[Any, ...]] = []

    def read_line(self, number: int, offset: int, line: bytes) -> list[Record | None] | None:
        """Reads a line. Returns its records if it holds several events, and None if it is one.

        Args:
            number: the number of the line, or of its first record.
            offset: the place of its first byte.
            line: its bytes.
        """
        records: list[Record | None] | None = None
        content: bytes | Members | RefusedLineError
        try:
            content = _members(line)
            is_one = not self._names.own.isdisjoint(content)
        except RefusedLineError as refusal:
            content, is_one = refusal, False
        if len(line) > LINE_BYTES_MAX:
            records = list(long_line_values(iter([line]), offset, number, self._names))
        elif not is_one and line.lstrip(b" \t\r")[:1] in (b"{", b"["):
            records = line_values(line, offset, number, self._names)
        if records is None:
            self.read((number, offset, len(line), hashlib.sha256(line).digest()), content)
            return None
        for record in records:
            if record is not None:
                self.read(record.place, record.content)
        return records

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

    def parsed(self, blank: int, wide: tuple[tuple[int, int], ...] = ()) -> ParsedChunk:
        """The rows collected so far.

        Args:
            blank: number of blank records among them.
            wide: see `ParsedChunk`.
        """
        return ParsedChunk(
            events=_with_origin(self._events, _EVENT_COLUMNS, self._origin, PARSED_EVENTS),
            rejections=_with_origin(self._rejections, _REJECTION_COLUMNS, self._origin, REJECTIONS),
            lines=len(self._events) + len(self._rejections) + blank,
            blank=blank,
            wide=wide,
        )


def _members(line: bytes) -> Members:
    if len(line) > LINE_BYTES_MAX:
        raise too_long(len(line))
    try:
        return parse_object(line)
    except StrictJsonError as error:
        raise RefusedLineError(Reason.MALFORMED, str(error)) from None


def at_lines(events: pl.DataFrame, lines: pl.Series, origin: FileOrigin) -> pl.DataFrame:
    """The events with other line numbers, to which the keys that are places move too.

    Args:
        events: schema `PARSED_EVENTS`.
        lines: the new number of each event.
        origin: the columns that all rows of the file share.
    """
    moved = events.with_columns(lines.alias("line"))
    if origin.raw_sha256 is None:
        return moved
    keys = [
        origin.place_key(line) if key == origin.place_key(was) else key
        for key, was, line in zip(events["idempotency_key"], events["line"], lines, strict=True)
    ]
    return moved.with_columns(
        pl.Series("idempotency_key", keys, pl.String),
        pl.Series("key_hash", [key_hash(origin.dedupe_scope, key) for key in keys], pl.UInt64),
    )


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


def _with_origin(
    rows: list[tuple[Any, ...]], columns: tuple[str, ...], origin: FileOrigin, schema: pl.Schema
) -> pl.DataFrame:
    if not rows:
        return pl.DataFrame(schema=schema)
    series = {
        name: _series(name, column, schema[name])
        for name, column in zip(columns, zip(*rows, strict=True), strict=True)
    }
    shared = {
        "file_id": origin.file_id,
        "source": origin.source,
        "dedupe_scope": origin.dedupe_scope,
        "received_at": origin.received_at,
    }
    return (
        pl.DataFrame(series)
        .with_columns(
            pl.lit(value).cast(schema[name]).alias(name)
            for name, value in shared.items()
            if name in schema
        )
        .select(schema.names())
    )


def _series(name: str, values: Iterable[Any], dtype: pl.DataType) -> pl.Series:
    if isinstance(dtype, pl.Datetime):
        return pl.Series(name, values, dtype=pl.Int64).cast(dtype)
    if dtype == PROPERTIES:
        return _map_series(name, values)
    return pl.Series(name, values, dtype=dtype, strict=True)


def _map_series(name: str, maps: Iterable[dict[str, str]]) -> pl.Series:
    # Polars takes eight times as long to read a list of dicts as to read Arrow's layout.
    offsets, keys, texts = [0], list[str](), list[str]()
    for properties in maps:
        keys.extend(properties)
        texts.extend(properties.values())
        offsets.append(len(keys))
    layout = pa.MapArray.from_arrays(
        pa.array(offsets, pa.int32()),
        pa.array(keys, pa.large_string()),
        pa.array(texts, pa.large_string()),
    )
    return pl.Series(name, layout, dtype=PROPERTIES)
