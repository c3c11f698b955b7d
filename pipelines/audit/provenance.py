"""Provenance: accepted events are read again from the landed bytes they came from, and compared.

Source: design, invariants (I-5, no invention).
"""

from collections.abc import Iterator

import polars as pl

from pipelines.audit.invariant import Finding, Invariant
from pipelines.lake.lake import Lake
from pipelines.landing.store import Landing
from pipelines.reading.dialects import Dialect, readers_of
from pipelines.reading.files import parsed_again
from pipelines.reading.parse import FileOrigin
from pipelines.vocabulary.errors import UnreadableFileError
from pipelines.vocabulary.tables import ACCEPTED_EVENTS

ALL_EVENTS_MAX = 20_000
"""A batch of at most this many accepted events is checked whole; of a larger one, about as many."""

REPARSED = Invariant(
    "accepted_events_reparse_to_themselves",
    "accepted_events",
    "The byte range of an accepted event (in Parquet its row), read again from the landing, "
    "parses to the same event (I-5). Of a batch with more than "
    f"{ALL_EVENTS_MAX:,} events, a sample by key is read.",
)
"""The invariant that is checked by reading the landing again."""

_COMPARED = [name for name in ACCEPTED_EVENTS.column_names if name != "batch_id"]


def check_provenance(lake: Lake, landing: Landing, batch_id: int, sources: pl.DataFrame) -> Finding:
    """The finding of reading the batch's accepted events again.

    A file that was overwritten or deleted meanwhile is left out, because its bytes are gone.

    Args:
        lake: any connection.
        landing: the store that holds the files.
        batch_id: the batch.
        sources: schema `SOURCES`.
    """
    files = lake.query(
        """
        SELECT files.file_id, files.path, files.etag, files.size_bytes, files.source,
            epoch_us(files.received_at) AS received_us, sources.dedupe_scope
        FROM lake.landing_files AS files
        JOIN sources USING (source)
        WHERE files.file_id IN (
            SELECT file_id FROM lake.file_decisions WHERE batch_id = $batch_id AND accepted > 0
        )
        ORDER BY files.file_id
        """,
        {"batch_id": batch_id},
        sources=sources.select("source", "dedupe_scope"),
    )
    events = _events_to_check(lake, batch_id)
    readers = readers_of(sources)
    offences: list[str] = []
    for file in files.iter_rows(named=True):
        expected = events.filter(pl.col("file_id") == file["file_id"])
        if expected.height:
            offences += _differences(landing, file, readers[file["source"]], expected)
    return Finding(REPARSED, len(offences), "; ".join(offences[:3]))


def _events_to_check(lake: Lake, batch_id: int) -> pl.DataFrame:
    (accepted,) = lake.query(
        "SELECT count(*) FROM lake.accepted_events WHERE batch_id = $batch_id",
        {"batch_id": batch_id},
    ).row(0)
    every = max(1, accepted // ALL_EVENTS_MAX)
    found = lake.query(
        f"SELECT {', '.join(_COMPARED)} FROM lake.accepted_events "
        f"WHERE batch_id = $batch_id AND key_hash % {every} = 0 ORDER BY file_id, line",
        {"batch_id": batch_id},
    )
    return found.cast({name: ACCEPTED_EVENTS.schema[name] for name in _COMPARED})


def _differences(
    landing: Landing, file: dict[str, object], dialect: Dialect, expected: pl.DataFrame
) -> Iterator[str]:
    path, etag, size = str(file["path"]), str(file["etag"]), int(str(file["size_bytes"]))
    origin = FileOrigin(
        file_id=int(str(file["file_id"])),
        source=str(file["source"]),
        dedupe_scope=str(file["dedupe_scope"]),
        received_at=int(str(file["received_us"])),
    )
    places = expected.select("line", "byte_offset", "byte_length")
    try:
        with landing.opened(path, etag, size) as landed:
            again = parsed_again(landed, path, size, origin, dialect, places)
    except UnreadableFileError:
        return
    if again.height != expected.height:
        yield f"{path}: expected {expected.height} events as in the lake, found {again.height}"
        return
    again = again.select(_COMPARED)
    if again.equals(expected):
        return
    for was, now in zip(expected.iter_rows(named=True), again.iter_rows(named=True), strict=True):
        if was != now:
            yield f"{path} line {was['line']}: expected {was} as in the lake, found {now}"
