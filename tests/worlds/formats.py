"""The same events in every format, and files parsed as a worker parses them."""

import gzip
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from pipelines.reading.dialects import DIALECTS, Dialect
from pipelines.reading.files import read_chunks
from pipelines.reading.formats.records import Records
from pipelines.reading.parse import FileOrigin, ParsedChunk, parse_chunk, parse_records
from pipelines.vocabulary.frames import PARSED_EVENTS, REJECTIONS
from tests.worlds.file_lines import ORIGIN, ParsedContent

Event = Mapping[str, object]
"""A Metronome event: texts, and `properties` of texts."""


def as_lines(events: Iterable[Event]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def as_array(events: Sequence[Event]) -> bytes:
    return json.dumps(events).encode()


def as_pretty_array(events: Sequence[Event]) -> bytes:
    return json.dumps(events, indent=4, ensure_ascii=False).replace("\n", "\r\n").encode()


def as_wrapped(events: Sequence[Event]) -> bytes:
    return json.dumps({"events": events}, separators=(",", ":")).encode()


def as_bodies(events: Sequence[Event]) -> bytes:
    """Request bodies of two events each, one a line."""
    bodies = [events[start : start + 2] for start in range(0, len(events), 2)] or [[]]
    return b"\n".join(as_wrapped(body) for body in bodies)


def flattened(event: Event) -> dict[str, str]:
    """The event by column name."""
    properties = event.get("properties") or {}
    assert isinstance(properties, dict)
    named = {f"properties.{name}": value for name, value in properties.items()}
    return {name: str(value) for name, value in {**event, **named}.items() if name != "properties"}


def as_csv(events: Sequence[Event], line_end: str = "\r\n") -> bytes:
    """With quotes only where RFC 4180 needs them."""
    rows = [flattened(event) for event in events]
    header = list(dict.fromkeys(["transaction_id", *(name for row in rows for name in row)]))
    texts = [header, *([row.get(name, "") for name in header] for row in rows)]
    return "".join(",".join(map(_cell, row)) + line_end for row in texts).encode()


def _cell(text: str) -> str:
    needs_quotes = any(character in text for character in '",\r\n') or not text.strip(" \t")
    return '"{}"'.format(text.replace('"', '""')) if needs_quotes and text else text


def as_parquet(events: Sequence[Event], row_group_size: int = 3) -> bytes:
    """Properties are a map."""
    columns: dict[str, pa.Array] = {
        name: pa.array([event.get(name) for event in events], pa.string())
        for name in ("transaction_id", "customer_id", "event_type", "timestamp")
    }
    maps = [list((event.get("properties") or {}).items()) for event in events]  # type: ignore[attr-defined]
    columns["properties"] = pa.array(maps, pa.map_(pa.string(), pa.string()))
    return parquet_bytes(pa.table(columns), row_group_size)


def parquet_bytes(table: pa.Table, row_group_size: int = 3) -> bytes:
    written = io.BytesIO()
    pq.write_table(table, written, row_group_size=row_group_size)
    return written.getvalue()


WRITERS: Mapping[str, Callable[[Sequence[Event]], bytes]] = {
    "lines.ndjson": as_lines,
    "array.json": as_array,
    "pretty.json": as_pretty_array,
    "wrapped.json": as_wrapped,
    "bodies.ndjson": as_bodies,
    "table.csv": as_csv,
    "table.parquet": as_parquet,
}
"""How events are written, by a name of the file."""

PACKERS: Mapping[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstandard.compress,
}
"""How a file is compressed, by the ending that says so."""


def parse_file(
    path: str, content: bytes, dialect: str | Dialect = "metronome", origin: FileOrigin = ORIGIN
) -> ParsedContent:
    """The landed file parsed as a worker does it."""
    reader = DIALECTS[dialect] if isinstance(dialect, str) else dialect
    return gathered(
        read_chunks(io.BytesIO(content), path, len(content), origin, reader, parse_chunk)
    )


def parse_cut_out(records: Records, chunk_bytes: int = 1) -> ParsedContent:
    return gathered(parse_records(records, ORIGIN, DIALECTS["metronome"], chunk_bytes))


def gathered(chunks: Iterable[ParsedChunk]) -> ParsedContent:
    parsed = list(chunks)
    return ParsedContent(
        events=pl.concat([pl.DataFrame(schema=PARSED_EVENTS), *(c.events for c in parsed)]),
        rejections=pl.concat([pl.DataFrame(schema=REJECTIONS), *(c.rejections for c in parsed)]),
        lines=sum(chunk.lines for chunk in parsed),
        blank=sum(chunk.blank for chunk in parsed),
    )
