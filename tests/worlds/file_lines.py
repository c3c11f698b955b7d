"""Lines of a file as a Metronome sender writes them, and the parser run over a file's bytes."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from pipelines.reading.dialects import DIALECTS, Dialect
from pipelines.reading.files import read_pieces
from pipelines.reading.formats.lines import CHUNK_BYTES, Chunk, split_chunks
from pipelines.reading.parse import FileOrigin, parse_chunk
from pipelines.vocabulary.frames import PARSED_EVENTS, REJECTIONS

ORIGIN = FileOrigin(
    file_id=7,
    source="cdn",
    dedupe_scope="cdn",
    received_at=1_767_225_600_000_000,
    raw_sha256="5" * 64,
)
"""A file of sender `cdn`, received at 2026-01-01T00:00:00Z."""

BAD = b"not json\n"
"""A line that is rejected as malformed."""

FIELDS = {
    "transaction_id": "key-1",
    "customer_id": "acme",
    "event_type": "http_request",
    "timestamp": "2026-01-01T00:00:00Z",
    "properties": {"bytes": "512"},
}
"""A Metronome event like any other."""


def event_line(**overrides: object) -> bytes:
    """A good line without its line end, or one that differs from it by `overrides`.

    A field set to None is left out; one set to bytes stands in the line as these very bytes.
    """
    return object_line(FIELDS | overrides)


def object_line(fields: Mapping[str, object]) -> bytes:
    """A JSON object; None is left out, and bytes stand in it as they are."""
    members = [
        json.dumps(name).encode()
        + b":"
        + (value if isinstance(value, bytes) else json.dumps(value).encode())
        for name, value in fields.items()
        if value is not None
    ]
    return b"{" + b",".join(members) + b"}"


def padded_line(size: int) -> bytes:
    """A good line of exactly `size` bytes; white space fills it up."""
    line = event_line()
    return line[:-1] + b" " * (size - len(line)) + b"}"


@dataclass(frozen=True)
class ParsedContent:
    """All that the parser gave for a file."""

    events: pl.DataFrame
    rejections: pl.DataFrame
    lines: int
    blank: int

    @property
    def reasons(self) -> dict[int, str]:
        """Reason code by line number."""
        return dict(self.rejections.select("line", "reason_code").iter_rows())

    @property
    def event_lines(self) -> list[int]:
        """Line numbers of the events."""
        return self.events["line"].to_list()


def parse_content(
    content: bytes,
    *,
    blocks: Iterable[bytes] | None = None,
    chunk_bytes: int = CHUNK_BYTES,
    origin: FileOrigin = ORIGIN,
    dialect: str | Dialect = "metronome",
) -> ParsedContent:
    """The file parsed as a worker does it; `blocks` are the content as a store hands it over."""
    reader = DIALECTS[dialect] if isinstance(dialect, str) else dialect
    pieces = split_chunks([content] if blocks is None else blocks, chunk_bytes)
    chunks = list(read_pieces(pieces, origin, reader, parse_chunk))
    return ParsedContent(
        events=pl.concat([pl.DataFrame(schema=PARSED_EVENTS), *(c.events for c in chunks)]),
        rejections=pl.concat([pl.DataFrame(schema=REJECTIONS), *(c.rejections for c in chunks)]),
        lines=sum(chunk.lines for chunk in chunks),
        blank=sum(chunk.blank for chunk in chunks),
    )


def scan_one_line() -> None:
    """Scans a good line, so that the scanner is compiled if no process compiled it before."""
    # numba, which the scanner needs, takes half a second to load.
    from pipelines.reading.scanner.columns import scan_chunk
    from pipelines.reading.scanner.forms import scan_form

    dialect = DIALECTS["metronome"]
    form = scan_form(dialect.form, ORIGIN.dedupe_scope)
    assert form is not None
    scan_chunk(Chunk(event_line() + b"\n", 1, 0), ORIGIN, form, dialect)
