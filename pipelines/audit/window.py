"""Window: the window index is compared with the lake from which it was made."""

import numpy as np
import polars as pl

from pipelines.audit.invariant import Finding, Invariant
from pipelines.intake.window_index import WindowIndex
from pipelines.lake.lake import Lake
from pipelines.vocabulary.tables import ACCEPTED_EVENTS

ENTRIES_COMPARED = 1_000_000
"""After each batch, an index of at most this many entries is compared with the lake entry by entry.

A larger one is checked for the keys of the batch only.
"""

INDEXED = Invariant(
    "window_index_equals_the_lake",
    "accepted_events",
    "The window index holds the key and the place of every accepted event exactly once (I-11). "
    f"With more than {ENTRIES_COMPARED:,} events, only the keys of the batch are looked for.",
)
"""The invariant that is checked on the index instead of a query."""


def check_index(index: WindowIndex, lake: Lake, batch_id: int) -> tuple[Finding, pl.DataFrame]:
    """The finding about the index, and the hashes of the batch that several entries have.

    Args:
        index: the index, brought up to the batch or a later one.
        lake: any connection.
        batch_id: the batch.

    Returns:
        The finding, and a frame with one row per repeated hash in the column key_hash.
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
        Finding(
            INDEXED, lacking, f"batch {batch_id}: delete the folder of the index and run again"
        ),
        pl.DataFrame({"key_hash": hashes[times > 1]}),
    )
