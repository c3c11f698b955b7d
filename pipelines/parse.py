"""Parse: the bytes of a file become usage events and rejections, line by line.

Belongs here: cutting bytes into lines and turning each line into a row of one of two doors.
Must not be put here: reading files (see `landing`), what fields mean (see `dialects`),
verdicts that need other events (see `decide`).

Invariant: every line is an event, a rejection or blank; one bad line costs no other.

Stages: `split_chunks` cuts a stream at line ends → `parse_chunk` reads each line with its
dialect → frames. The payload digest and the key hash are made here, where the text is.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa

from pipelines.dialects import Dialect, EventFields, RefusedLineError
from pipelines.schemas import LINE_BYTES_MAX, PARSED_EVENTS, PROPERTIES, REJECTIONS, Reason
from pipelines.strict_json import StrictJsonError, parse_object

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Some tools write it before the first line; it is skipped like a blank."""

CHUNK_BYTES = 16 * 1024 * 1024
"""Decompressed bytes parsed at a time: bounds a worker's memory."""


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


def split_chunks(blocks: Iterable[bytes], chunk_bytes: int = CHUNK_BYTES) -> Iterator[Chunk]:
    """Whole-line chunks of about `chunk_bytes`; their contents add up to the stream.

    A line longer than the chunk makes its chunk longer: it is refused by the parser.
    """
    held: list[bytes] = []
    held_bytes, line, offset = 0, 1, 0
    for block in blocks:
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
        held = [content[end:]]
        held_bytes = len(held[0])
    rest = b"".join(held)
    if rest:
        yield Chunk(rest, line, offset)


def parse_chunk(chunk: Chunk, origin: FileOrigin, dialect: Dialect) -> ParsedChunk:
    """Events and rejections of the chunk's lines, in line order.

    A line ends at byte 0x0A; a carriage return before it belongs to the line end.

    Args:
        chunk: whole lines.
        origin: copied into every row.
        dialect: reads the fields of one object.
    """
    events: list[tuple[Any, ...]] = []
    rejections: list[tuple[Any, ...]] = []
    blank = 0
    number, offset = chunk.first_line - 1, chunk.byte_offset
    scope = origin.dedupe_scope.encode() + b"\x00"
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
        if not line.strip(b" \t\r"):
            blank += 1
            continue
        position = (number, start, len(line), hashlib.sha256(line).digest())
        try:
            fields = _read_line(line, dialect)
        except RefusedLineError as refusal:
            rejections.append(
                (*position, refusal.reason.value, refusal.sentence, refusal.idempotency_key)
            )
        else:
            events.append((*position, *_event_row(fields, scope)))
    return ParsedChunk(
        events=_with_origin(events, _EVENT_COLUMNS, origin, PARSED_EVENTS),
        rejections=_with_origin(rejections, _REJECTION_COLUMNS, origin, REJECTIONS),
        lines=len(lines),
        blank=blank,
    )


def _read_line(line: bytes, dialect: Dialect) -> EventFields:
    if len(line) > LINE_BYTES_MAX:
        raise RefusedLineError(
            Reason.TOO_LARGE, f"the line has {len(line)} bytes; at most {LINE_BYTES_MAX} are read"
        )
    try:
        members = parse_object(line)
    except StrictJsonError as error:
        raise RefusedLineError(Reason.MALFORMED, str(error)) from None
    return dialect.read(members)


def _event_row(fields: EventFields, scope: bytes) -> tuple[Any, ...]:
    key_digest = hashlib.blake2b(scope + fields.idempotency_key.encode(), digest_size=8)
    return (
        int.from_bytes(key_digest.digest(), "big"),
        fields.idempotency_key,
        fields.customer_ref,
        fields.subscription_ref,
        fields.event_name,
        fields.occurred_at,
        fields.properties,
        hashlib.blake2b(fields.payload.encode(), digest_size=16).digest(),
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
)


def _with_origin(
    rows: list[tuple[Any, ...]], columns: tuple[str, ...], origin: FileOrigin, schema: pl.Schema
) -> pl.DataFrame:
    values = zip(*rows, strict=True) if rows else ((),) * len(columns)
    series = {
        name: _series(name, column, schema[name])
        for name, column in zip(columns, values, strict=True)
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
