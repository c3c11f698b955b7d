"""Parse: the bytes of a file become usage events and rejections, line by line.

Belongs here: cutting bytes into lines and turning each line into a row of one of two doors.
Must not be put here: reading files (see `landing`), what fields mean (see `dialects`),
verdicts that need other events (see `decide`).

Invariant: every line is an event, a rejection or blank; one bad line costs no other.

Stages: `split_chunks` cuts a stream at line ends → `parse_chunk` reads each line with its
dialect → frames. The payload digest and the key hash are made here, where the text is.
Memory is bounded by the chunk, whatever a sender calls a line.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa

from pipelines.reading.dialects import Dialect, EventFields, RefusedLineError, read_event, unwrapped
from pipelines.reading.dialects.event import Members
from pipelines.reading.formats.records import BYTE_ORDER_MARK, Records, too_long
from pipelines.reading.strict_json import StrictJsonError, parse_object
from pipelines.vocabulary.frames import PARSED_EVENTS, REJECTIONS
from pipelines.vocabulary.hashing import key_hash, payload_digest
from pipelines.vocabulary.limits import LINE_BYTES_MAX
from pipelines.vocabulary.tables import PROPERTIES
from pipelines.vocabulary.verdicts import Reason

CHUNK_BYTES = 16 * 1024 * 1024
"""Decompressed bytes parsed at a time: bounds a worker's memory."""

_ROW_BYTES = 100
"""What a row takes beside its text: short and refused records add up, too."""


@dataclass(frozen=True)
class FileOrigin:
    """What every row of a file has in common.

    Attributes:
        file_id: the registry's sequence number.
        source: the sender.
        dedupe_scope: where the sender's keys are unique.
        received_at: microseconds since the epoch.
    """

    file_id: int
    source: str
    dedupe_scope: str
    received_at: int


@dataclass(frozen=True)
class Chunk:
    """Whole lines of a file and where they start.

    Attributes:
        content: bytes; only the file's last chunk may lack its last line end.
        first_line: number of the first line, from 1.
        byte_offset: first byte in the decompressed file.
    """

    content: bytes
    first_line: int
    byte_offset: int


@dataclass(frozen=True)
class LongLine:
    """A line that is too long to be read, and so was not held either.

    Attributes:
        number: of the line, from 1.
        byte_offset: its first byte in the decompressed file.
        byte_length: its bytes without its line end.
        sha256: of these bytes.
    """

    number: int
    byte_offset: int
    byte_length: int
    sha256: bytes


@dataclass(frozen=True)
class ParsedChunk:
    """Both doors of the parser, and what it counted.

    Attributes:
        events: schema `PARSED_EVENTS`, in line order.
        rejections: schema `REJECTIONS`, in line order.
        lines: lines seen; lines = events + rejections + blank.
        blank: lines of white space only.
    """

    events: pl.DataFrame
    rejections: pl.DataFrame
    lines: int
    blank: int


def split_chunks(
    blocks: Iterable[bytes], chunk_bytes: int = CHUNK_BYTES
) -> Iterator[Chunk | LongLine]:
    """Whole-line chunks of about `chunk_bytes`; with the long lines they add up to the stream."""
    stream = iter(blocks)
    held: list[bytes] = []
    held_bytes, line, offset = 0, 1, 0
    for block in stream:
        held.append(block)
        held_bytes += len(block)
        if held_bytes < chunk_bytes:
            continue
        content = b"".join(held)
        end = content.rfind(b"\n") + 1
        if end:
            yield Chunk(content[:end], line, offset)
            line += content.count(b"\n", 0, end)
            offset += end
        rest = content[end:]
        if len(rest) > LINE_BYTES_MAX + _MARGIN_BYTES:
            long_line, passed, rest = _pass_over(rest, stream, line, offset)
            yield long_line
            line += 1
            offset += passed
        held, held_bytes = [rest], len(rest)
    rest = b"".join(held)
    if rest:
        yield Chunk(rest, line, offset)


_MARGIN_BYTES = len(BYTE_ORDER_MARK) + 1
"""What may stand around a line and not count: the mark before it, a carriage return after it."""


def _pass_over(
    first: bytes, stream: Iterator[bytes], number: int, byte_offset: int
) -> tuple[LongLine, int, bytes]:
    """The long line that begins with `first`, its bytes in the stream, and what follows it."""
    mark = BYTE_ORDER_MARK if byte_offset == 0 and first.startswith(BYTE_ORDER_MARK) else b""
    digest, length = hashlib.sha256(), 0
    # A carriage return is held back until the next byte says whether it ends the line.
    carriage_return, line_end, rest = b"", b"", b""
    block: bytes | None = first[len(mark) :]
    while block is not None and not line_end:
        piece, line_end, rest = (carriage_return + block).partition(b"\n")
        text = piece.removesuffix(b"\r")
        digest.update(text)
        length += len(text)
        carriage_return = piece[len(text) :]
        if not line_end:
            block = next(stream, None)
    passed = len(mark) + length + len(carriage_return) + len(line_end)
    return LongLine(number, byte_offset + len(mark), length, digest.digest()), passed, rest


def parse_chunk(chunk: Chunk | LongLine, origin: FileOrigin, dialect: Dialect) -> ParsedChunk:
    """Events and rejections of the chunk's lines, in line order.

    A line ends at byte 0x0A; a carriage return before it belongs to the line end.

    Args:
        chunk: whole lines, or one that is too long.
        origin: copied into every row.
        dialect: reads the fields of one object.
    """
    doors = _Doors(origin, dialect)
    if isinstance(chunk, LongLine):
        place = (chunk.number, chunk.byte_offset, chunk.byte_length, chunk.sha256)
        doors.read(place, too_long(chunk.byte_length))
        return doors.parsed(blank=0)
    blank = 0
    number, offset = chunk.first_line - 1, chunk.byte_offset
    lines = chunk.content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for ended_line in lines:
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
        doors.read((number, start, len(line), hashlib.sha256(line).digest()), line)
    return doors.parsed(blank)


def parse_records(
    records: Records, origin: FileOrigin, dialect: Dialect, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[ParsedChunk]:
    """Events and rejections of records of any format, about `chunk_bytes` of them at a time.

    Args:
        records: in order.
        origin: copied into every row.
        dialect: reads the fields of one object.
        chunk_bytes: of the records' text, and some for each row made of one.
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
    """The two doors of the parser, and the rows that went through each."""

    def __init__(self, origin: FileOrigin, dialect: Dialect) -> None:
        self._origin = origin
        self._dialect = dialect
        self._events: list[tuple[Any, ...]] = []
        self._rejections: list[tuple[Any, ...]] = []

    def read(
        self,
        place: tuple[int, int | None, int | None, bytes],
        content: bytes | Members | RefusedLineError,
    ) -> None:
        """Lets one record through its door.

        Args:
            place: number, byte offset, byte length and SHA-256.
            content: as in `Record`.
        """
        try:
            if isinstance(content, RefusedLineError):
                raise content
            members = _members(content) if isinstance(content, bytes) else content
            fields = read_event(self._dialect, unwrapped(members))
        except RefusedLineError as refusal:
            self._rejections.append(
                (*place, refusal.reason.value, refusal.sentence, refusal.idempotency_key)
            )
        else:
            self._events.append((*place, *_event_row(fields, self._origin)))

    def parsed(self, blank: int) -> ParsedChunk:
        """All that went through, and as many blank records."""
        return ParsedChunk(
            events=_with_origin(self._events, _EVENT_COLUMNS, self._origin, PARSED_EVENTS),
            rejections=_with_origin(self._rejections, _REJECTION_COLUMNS, self._origin, REJECTIONS),
            lines=len(self._events) + len(self._rejections) + blank,
            blank=blank,
        )


def _members(line: bytes) -> Members:
    if len(line) > LINE_BYTES_MAX:
        raise too_long(len(line))
    try:
        return parse_object(line)
    except StrictJsonError as error:
        raise RefusedLineError(Reason.MALFORMED, str(error)) from None


def _event_row(fields: EventFields, origin: FileOrigin) -> tuple[Any, ...]:
    return (
        key_hash(origin.dedupe_scope, fields.idempotency_key),
        fields.idempotency_key,
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
_REJECTION_COLUMNS = (*_POSITION_COLUMNS, "reason_code", "reason", "idempotency_key")
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
    # Handing Polars a list of dicts costs eight times as much as handing it Arrow's layout.
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
