"""Known keys: the accepted events that new events may repeat."""

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from pipelines.intake.decide import KNOWN_KEYS_COLUMNS
from pipelines.intake.window_index import WindowIndex
from pipelines.lake.lake import Lake
from pipelines.vocabulary.tables import ACCEPTED_EVENTS


def reach_of(files: pl.DataFrame, sources: pl.DataFrame) -> datetime | None:
    """The instant up to which held keys can be ignored; None if every held key must be looked up.

    No key received by then can make an event of these files a duplicate. Example: the earliest
    file was received on 4 June and the widest window is 34 days. Keys received up to 1 May are
    ignored.

    Args:
        files: columns source and received_at.
        sources: schema `SOURCES`.
    """
    ruled = sources.join(files, on="source", how="semi")
    windows = ruled["dedupe_window"]
    if not files.height or windows.null_count() or ruled["late_lookup"].any():
        return None
    earliest, widest = files["received_at"].min(), windows.max()
    assert isinstance(earliest, datetime)  # noqa: S101 -- there are files
    assert isinstance(widest, timedelta)  # noqa: S101 -- and none is unlimited
    return earliest - widest


def known_keys(
    lake: Lake,
    index: WindowIndex | None,
    reach: datetime | None,
    staged: tuple[Path, ...],
    events: pl.DataFrame,
) -> pl.DataFrame:
    """The accepted events that share a key hash with any of `events`, one row each.

    Args:
        lake: holds the batches up to which the index was brought up, and no later ones.
        index: finds them. None: every key hash of the lake is read.
        reach: events received up to then may be left out. None: none may be.
        staged: Parquet files of events that this batch has already accepted.
        events: at least the column key_hash.
    """
    schema = pl.Schema((name, ACCEPTED_EVENTS.schema[name]) for name in KNOWN_KEYS_COLUMNS)
    hashes = events.select(pl.col("key_hash").unique())
    if index is None:
        held = lake.query(
            "SELECT key_hash, file_id, line FROM lake.accepted_events "
            "WHERE key_hash IN (SELECT key_hash FROM hashes)",
            hashes=hashes,
        )
    else:
        held = index.held(hashes["key_hash"].to_numpy(), reach)
    known = [pl.DataFrame(schema=schema)]
    if held.height:
        columns = ", ".join(f"events.{name}" for name in KNOWN_KEYS_COLUMNS)
        known.append(
            lake.query(
                f"SELECT {columns} FROM lake.accepted_events AS events "
                "JOIN held USING (key_hash, file_id, line)",
                held=held,
            )
        )
    if staged:
        known.append(
            # A filter, not a join: Polars then reads only `key_hash`, and the other columns
            # of the few rows that match.
            pl.scan_parquet(list(staged), parallel="prefiltered")
            .select(KNOWN_KEYS_COLUMNS)
            .filter(pl.col("key_hash").is_in(hashes["key_hash"].implode()))
            .collect()
        )
    return pl.concat([rows.select(KNOWN_KEYS_COLUMNS).cast(schema) for rows in known])


def winner_paths(lake: Lake, files: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The paths of the files whose events may win over others; columns file_id and path.

    Args:
        lake: its registry has the files of `known`.
        files: the files that are decided now; columns file_id and path.
        known: the events accepted before that share a key with new ones; column file_id.
    """
    earlier = lake.query(
        "SELECT file_id, path FROM lake.landing_files "
        "WHERE file_id IN (SELECT file_id FROM winners)",
        winners=known.select(pl.col("file_id").unique()),
    )
    return pl.concat([files.select("file_id", "path"), earlier]).unique("file_id")
