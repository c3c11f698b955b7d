"""Held keys: ingestion into a home that holds many keys, beside a DuckDB refresh with as many.

The held events have no properties, because only their keys matter. One in `KNOWN_EVERY` of the new
events is among them, received days before, and must be found as a duplicate.

Two refreshes keep the held events in a table, and the first row of each key. One writes the whole
table of unique events again, as a notebook would. It ends with the same events as Meterline. The
faster one reads the held keys and writes the new events only.

`python -m bench.held_keys --events 5000000 --held 0 50000000 200000000 --runs 3`
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from bench.benchmark import describe_machine
from bench.child_usage import Usage, measure
from bench.event_lines import Stream
from bench.generate_events import SOURCE, generate
from pipelines.home import Home
from pipelines.lake.lake import Lake
from pipelines.settings import Settings
from pipelines.vocabulary.tables import (
    ACCEPTED_EVENTS,
    BATCHES,
    FILE_DECISIONS,
    LANDING_FILES,
    LakeTable,
)

FILE_KEYS = 1_000_000
"""Held events of one landed file, which are also those of one Parquet file."""

KNOWN_EVERY = 140
"""One new event in this many is held already."""

_RECEIVED_AT = datetime(2026, 9, 10, tzinfo=UTC)
"""When the first held file was received. The next ones follow by the minute, within the window."""


def make_home(home: Path, keys: int, known: pl.DataFrame) -> None:
    """Makes a home whose lake and index hold accepted events.

    Args:
        home: folder of the home.
        keys: number of the held events with random keys.
        known: events to hold besides, which are also among the new ones.
    """
    settings = Settings(home=home)
    files = -(-keys // FILE_KEYS)
    staged = home / "staged"
    staged.mkdir(parents=True)
    with _lake(settings) as lake:
        parts = []
        for number in range(1, files + 1):
            rows = _held_rows(number, min(FILE_KEYS, keys - (number - 1) * FILE_KEYS))
            if number == files:
                rows = pl.concat([rows, _delivered_before(known, number, rows.height)])
            path = staged / f"held-{number:05d}.parquet"
            _in_lake_order(ACCEPTED_EVENTS, rows).write_parquet(
                path, compression="zstd", compression_level=1
            )
            parts.append(path)
        numbers = pl.DataFrame({"file_id": range(1, files + 1)})
        lake.commit_batch(
            1,
            {
                BATCHES: _in_lake_order(
                    BATCHES,
                    pl.DataFrame({"batch_id": [1], "kind": ["decide"], "as_of": [_RECEIVED_AT]}),
                ),
                LANDING_FILES: _in_lake_order(
                    LANDING_FILES,
                    numbers.select(
                        pl.lit(1).alias("batch_id"),
                        "file_id",
                        pl.lit(SOURCE).alias("source"),
                        pl.format("held/{}", "file_id").alias("path"),
                        pl.lit("held").alias("etag"),
                        pl.lit(1).alias("size_bytes"),
                        pl.lit(_RECEIVED_AT).alias("received_at"),
                    ),
                ),
                FILE_DECISIONS: _in_lake_order(
                    FILE_DECISIONS,
                    numbers.select(
                        pl.lit(1).alias("batch_id"),
                        "file_id",
                        pl.lit(0).alias("revision"),
                        pl.lit("decided").alias("status"),
                    ),
                ),
            },
            {ACCEPTED_EVENTS: parts},
        )
        Home(settings).window_index().bring_up(lake)


def _held_rows(number: int, keys: int) -> pl.DataFrame:
    chance = np.random.default_rng(number)
    return pl.DataFrame({"line": np.arange(1, keys + 1)}).with_columns(
        pl.lit(1).alias("batch_id"),
        pl.lit(number).alias("file_id"),
        pl.lit(SOURCE).alias("source"),
        pl.lit(SOURCE).alias("dedupe_scope"),
        pl.Series("key_hash", chance.integers(0, 2**64, keys, np.uint64)),
        pl.format("held-{}-{}", pl.lit(number), "line").alias("idempotency_key"),
        pl.lit("cust-00001").alias("customer_ref"),
        pl.lit("http_request").alias("event_name"),
        pl.lit(_RECEIVED_AT + timedelta(minutes=number)).alias("occurred_at"),
        pl.lit(_RECEIVED_AT + timedelta(minutes=number)).alias("received_at"),
        pl.lit(b"0123456789abcdef").alias("payload_digest"),
    )


def _delivered_before(known: pl.DataFrame, number: int, after_line: int) -> pl.DataFrame:
    return known.with_columns(
        (pl.int_range(pl.len()) + after_line + 1).alias("line"),
        pl.lit(1).alias("batch_id"),
        pl.lit(number).alias("file_id"),
        pl.lit(_RECEIVED_AT + timedelta(minutes=number)).alias("received_at"),
        pl.lit(_RECEIVED_AT + timedelta(minutes=number)).alias("occurred_at"),
    ).select(_held_rows(number, 1).columns)


def _in_lake_order(table: LakeTable, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        pl.col(column.name).cast(column.dtype)
        if column.name in rows.columns
        else pl.lit(None, column.dtype).alias(column.name)
        for column in table.columns
    )


@contextmanager
def _lake(settings: Settings) -> Iterator[Lake]:
    with Home(settings).lake_for_writing() as lake:
        yield lake


def copy_home(home: Path, target: Path) -> None:
    """Copies a home; its immutable files are linked instead."""
    shutil.copytree(home, target, symlinks=True, copy_function=_link_or_copy, dirs_exist_ok=True)


def _link_or_copy(source: str, target: str) -> None:
    if Path(source).suffix in {".parquet", ".keys"}:
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def _warm(*folders: Path) -> None:
    """Reads all files once, so that no side waits for files that the other drove out of memory."""
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            if path.is_file():
                with path.open("rb") as opened:
                    while opened.read(2**24):
                        pass


def run_ingest(home: Path, data: Path, threads: int) -> Usage:
    """The usage of one ingestion into a copy of a home."""
    _warm(home, data / "landing")
    with tempfile.TemporaryDirectory(dir=data) as scratch:
        copied = Path(scratch) / "home"
        copied.mkdir()
        copy_home(home, copied)
        return _ingest(copied, data, threads)


def _ingest(home: Path, data: Path, threads: int) -> Usage:
    command = [sys.executable, "-m", "bench.ingest_once", str(home), str(data)]
    return measure([*command, f"--threads={threads}"])


def run_refresh(held: Path | None, data: Path, threads: int, *, of_all: bool = False) -> Usage:
    """The usage of one refresh into a new database.

    Args:
        held: DuckDB file of the held events. None: nothing is held.
        data: folder with landing/.
        threads: DuckDB's threads.
        of_all: True if the held events are written too.
    """
    _warm(*([held] if held else []), data / "landing")
    with tempfile.TemporaryDirectory(dir=data) as scratch:
        command = [sys.executable, "-m", "bench.duckdb_refresh", str(data / "landing")]
        command += [f"{scratch}/events.duckdb", f"--threads={threads}"]
        if held:
            command.append(f"--held={held}")
        if of_all:
            command.append("--of-all")
        return measure(command)


def hold_in_duckdb(home: Path, target: Path) -> None:
    """Writes the events that a home holds into a DuckDB file, with the columns of a refresh."""
    import duckdb

    with duckdb.connect(target) as connection:
        connection.execute(
            "create table held as select idempotency_key as transaction_id, "
            'customer_ref as customer_id, cast(occurred_at as varchar) as "timestamp", '
            "event_name as event_type, cast(null as json) as properties, '' as filename "
            "from read_parquet($files)",
            {"files": str(home / "lake" / "data" / "main" / "accepted_events" / "*.parquet")},
        )


def main() -> None:
    """Makes homes, runs both sides in turn, and prints the medians as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--held", type=int, nargs="+", default=[0, 50_000_000])
    parser.add_argument("--refresh-held-max", type=int, default=50_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--gzip", action="store_true", help="files are compressed")
    parser.add_argument("--data", type=Path, help="folder made by generate_events before")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="meterline-held-") as temporary:
        data: Path = arguments.data or Path(temporary)
        if arguments.data is None:
            generate(Stream(lines=arguments.events), data, is_gzipped=arguments.gzip)
        measured = compare(
            data,
            Path(temporary),
            arguments.held,
            arguments.refresh_held_max,
            arguments.runs,
            arguments.threads,
        )
    print(json.dumps({"machine": describe_machine(), "measured": measured}, indent=2))


def compare(
    data: Path, scratch: Path, held: list[int], refresh_held_max: int, runs: int, threads: int
) -> list[dict[str, object]]:
    """The medians of both sides, one row per number of held keys.

    Args:
        data: folder with landing/ and catalog/.
        scratch: folder for the homes.
        held: the numbers of held keys.
        refresh_held_max: the refreshes run up to this number of held keys.
        runs: number of runs of each side.
        threads: threads of both sides.
    """
    empty = scratch / "empty"
    empty.mkdir()
    known = _known(data, scratch, threads)
    measured: list[dict[str, object]] = []
    for keys in held:
        home, database = empty, None
        if keys:
            home = scratch / f"held-{keys}"
            make_home(home, keys, known)
            if keys <= refresh_held_max:
                database = scratch / f"held-{keys}.duckdb"
                hold_in_duckdb(home, database)
            # Without it, the new home would still be written while the first run is measured.
            os.sync()
        ours, theirs, of_all = [], [], []
        for _ in range(runs):
            if database or not keys:
                theirs.append(run_refresh(database, data, threads))
            if database:
                of_all.append(run_refresh(database, data, threads, of_all=True))
            ours.append(run_ingest(home, data, threads))
        outcomes = [json.loads(usage.output) for usage in ours]
        seconds = statistics.median(outcome["seconds"] for outcome in outcomes)
        row: dict[str, object] = {
            **outcomes[-1],
            "held_before": keys,
            "seconds": seconds,
            "events_per_second": round(outcomes[0]["lines"] / seconds),
            "peak_rss_mib": round(statistics.median(u.peak_rss_bytes for u in ours) / 2**20),
            "cpu_seconds": round(statistics.median(u.cpu_seconds for u in ours), 1),
        }
        for refresh, usages in (("refresh", theirs), ("refresh_of_all", of_all)):
            if usages:
                theirs_seconds = statistics.median(usage.seconds for usage in usages)
                row |= {
                    f"{refresh}_seconds": round(theirs_seconds, 2),
                    f"{refresh}_peak_rss_mib": round(
                        statistics.median(usage.peak_rss_bytes for usage in usages) / 2**20
                    ),
                    f"times_the_{refresh}": round(theirs_seconds / seconds, 2),
                }
        measured.append(row)
        print(json.dumps(row), file=sys.stderr, flush=True)
        if keys:
            shutil.rmtree(home)
            if database:
                database.unlink()
    return measured


def _known(data: Path, scratch: Path, threads: int) -> pl.DataFrame:
    """One in `KNOWN_EVERY` of the new events, as an ingestion accepts it."""
    home = scratch / "first"
    home.mkdir()
    _ingest(home, data, threads)
    files = home / "lake" / "data" / "main" / "accepted_events" / "*.parquet"
    known = pl.scan_parquet(files).filter(pl.col("key_hash") % KNOWN_EVERY == 0).collect()
    shutil.rmtree(home)
    return known


if __name__ == "__main__":
    main()
