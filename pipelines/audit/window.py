"""The window index is compared with the lake that it was made from."""

import numpy as np
import polars as pl

from pipelines.audit.invariant import Finding, Invariant
from pipelines.intake.window_index import WindowIndex
from pipelines.lake.lake import Lake
from pipelines.vocabulary.tables import ACCEPTED_EVENTS

ENTRIES_COMPARED = 1_000_000
"""After each batch, an index of at most this many entries is compared with the lake entry by entry.

A larger one is checked for the keys of the batch alone.
"""

INDEXED = Invariant(
    "window_index_equals_the_lake",
    "accepted_events",
    "The window index holds every accepted event's key and place, once (I-11); beyond "
    f"{ENTRIES_COMPARED:,} events, those of the batch are looked for.",
)
"""Checked after every batch."""


def check_index(index: WindowIndex, lake: Lake, batch_id: int) -> tuple[Finding, pl.DataFrame]:
    """Whether the index holds what the lake does, and which of a batch's hashes are repeated.

    Up to `ENTRIES_COMPARED` entries are compared whole; beyond, those of the batch are looked for.

    Returns:
        The finding, and column key_hash: each hash of the batch that several entries have.
    """
    paths = [
        path
        for path in lake.files_after(ACCEPTED_EVENTS, batch_id - 1)
        if path not in set(lake.files_after(ACCEPTED_EVENTS, batch_id))
    ]
    frames = [pl.read_parquet(path, columns=["key_hash"]) for path in paths]
    hashes = np.unique(pl.concat([pl.DataFrame(schema={"key_hash": pl.UInt64}), *frames]))
    times = index.times(hashes)
    lacking = int((times == 0).sum())
    if index.keys <= ENTRIES_COMPARED:
        held = index.entries()
        accepted = lake.query("SELECT key_hash, file_id, line FROM lake.accepted_events")
        order = ["file_id", "line"]
        if not held.sort(order).equals(accepted.cast(held.schema).sort(order)):
            lacking = max(lacking, 1)
    return (
        Finding(INDEXED, lacking, f"batch {batch_id}: delete the folder of the index, run again"),
        pl.DataFrame({"key_hash": hashes[times > 1]}),
    )
