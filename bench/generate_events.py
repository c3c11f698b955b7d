"""Generate events: makes a landing of any size, its catalog, and the true count of each verdict.

    <out>/landing/bench/YYYY/MM/DD/HH/part-000000.ndjson.gz    received in that hour
    <out>/catalog/*.csv                                        for METERLINE_CATALOG
    <out>/truth.json                                           the counts of a first run

The same arguments make the same bytes. The truth follows from how the lines are made, so this
program imports nothing of `pipelines`.
"""

import argparse
import gzip
import io
import json
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from bench.event_lines import ALIAS, CUSTOMER_ID, KINDS, Stream, make_lines
from bench.line_json import INVALID_UTF8_MARK

SOURCE = "bench"
"""The only source: its folder below the landing, and its row in `sources.csv`."""

WINDOW_HOURS = 33 * 24
"""Hours of the longest stream: a second delivery must be within Metronome's window of 34 days."""

_CURRENCIES = ("USD", "EUR", "GBP", "JPY")
_TIME_ZONES = ("Etc/UTC", "America/New_York", "Europe/Berlin", "Asia/Tokyo", "Australia/Sydney")


def generate(stream: Stream, out: Path, *, is_gzipped: bool) -> dict[str, Any]:
    """The truth: counts per verdict and reason, and the metered usage.

    Landing, catalog and truth are written below `out`. Older ones are replaced.

    Args:
        stream: the parameters of the lines.
        out: folder for landing/, catalog/ and truth.json.
        is_gzipped: True if the files are compressed.
    """
    if stream.hours > WINDOW_HOURS:
        raise ValueError(f"{stream.hours} hours are more than a dedupe window: {WINDOW_HOURS}")
    for folder in ("landing", "catalog"):
        shutil.rmtree(out / folder, ignore_errors=True)
    write_catalog(stream, out / "catalog")
    counts = []
    # One file is made while another is compressed: zlib releases Python's lock.
    with ThreadPoolExecutor(max_workers=2) as writers:
        writing = []
        for file, lines in _files(stream):
            counts.append(_counted(lines))
            path = out / "landing" / file_path(stream, file, is_gzipped=is_gzipped)
            writing.append(writers.submit(write_lines, path, lines["line"]))
            if len(writing) > 2:
                writing.pop(0).result()
        for written in writing:
            written.result()
    truth = summed_truth(stream, pl.concat(counts), out / "landing")
    (out / "truth.json").write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8")
    return truth


def _files(stream: Stream) -> Iterator[tuple[int, pl.DataFrame]]:
    for file in range(stream.files):
        first = file * stream.lines_per_file
        yield file, make_lines(stream, first, min(stream.lines_per_file, stream.lines - first))


def file_path(stream: Stream, file: int, *, is_gzipped: bool) -> str:
    """The path of a file below the landing; paths sort in the order of the stream."""
    ending = "ndjson.gz" if is_gzipped else "ndjson"
    return f"{SOURCE}/{stream.received_at(file):%Y/%m/%d/%H}/part-{file:06d}.{ending}"


def write_lines(path: Path, lines: pl.Series) -> None:
    """Writes lines of `make_lines` as a file, compressed if its name ends with `.gz`."""
    content = lines.str.join("\n").item().encode()
    content = content.replace(INVALID_UTF8_MARK.encode(), b"\xff") + b"\n"
    if path.suffix == ".gz":
        packed = io.BytesIO()
        with gzip.GzipFile("", "wb", compresslevel=1, fileobj=packed, mtime=0) as file:
            file.write(content)
        content = packed.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _counted(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.group_by("kind", "event_name", "is_known_customer").agg(
        pl.len().cast(pl.Int64).alias("lines"),
        pl.col("size_bytes").sum().cast(pl.Int64),
        pl.col("line").str.len_bytes().sum().cast(pl.Int64).alias("line_bytes"),
    )


def summed_truth(stream: Stream, counts: pl.DataFrame, landing: Path) -> dict[str, Any]:
    """The counts that a first run over all files must find.

    Args:
        stream: the parameters of the lines.
        counts: kind, event_name, is_known_customer, lines, size_bytes, line_bytes, with any
            number of rows per kind, event and customer.
        landing: folder of the files, whose sizes are added.
    """
    verdicts = {kind: verdict for kind, (verdict, _) in KINDS.items()}
    reasons = {kind: reason for kind, (_, reason) in KINDS.items()}
    judged = counts.with_columns(
        verdict=pl.col("kind").replace_strict(verdicts, return_dtype=pl.String),
        reason=pl.col("kind").replace_strict(reasons, return_dtype=pl.String),
    )
    accepted = judged.filter(verdict="accepted")
    requests = accepted.filter(event_name="http_request")
    files = [file for file in landing.rglob("*.ndjson*") if file.is_file()]
    return {
        "seed": stream.seed,
        "files": len(files),
        "lines": int(judged["lines"].sum()),
        "bytes": int(judged["line_bytes"].sum()) + stream.lines,
        "landed_bytes": sum(file.stat().st_size for file in files),
        "first_received_at": stream.received_at(0).isoformat(),
        "last_received_at": stream.received_at(stream.files - 1).isoformat(),
        "verdicts": _summed(judged, "verdict"),
        "reasons": _summed(judged.filter(verdict="rejected"), "reason"),
        "accepted_by_event_name": _summed(accepted, "event_name"),
        "unattributed": int(accepted.filter(~pl.col("is_known_customer"))["lines"].sum()),
        "metered": {
            "requests": int(requests["lines"].sum()),
            "egress_bytes": int(requests["size_bytes"].sum()),
        },
    }


def _summed(judged: pl.DataFrame, key: str) -> dict[str, int]:
    return dict(judged.group_by(key).agg(pl.col("lines").sum()).sort(key).iter_rows())


def write_catalog(stream: Stream, folder: Path) -> None:
    """Writes the catalog of the stream: one plan per currency, and every customer billed monthly.

    Subscriptions begin a month before the stream, because events may be a day late.
    """
    start = stream.start_at.date().replace(day=1)
    began = start.replace(year=start.year - (start.month == 1), month=(start.month - 2) % 12 + 1)
    ranks = [f"{rank:05d}" for rank in range(1, stream.customers + 1)]
    ids = {rank: CUSTOMER_ID.format(rank) for rank in ranks}
    currencies = {rank: _CURRENCIES[int(rank) % len(_CURRENCIES)] for rank in ranks}
    zones = {rank: _TIME_ZONES[int(rank) % len(_TIME_ZONES)] for rank in ranks}
    since = began.replace(month=1).isoformat()
    tables: dict[str, list[str]] = {
        "sources": [
            "source,dialect,dedupe_scope,dedupe_window_days,max_lateness_days,"
            "future_skew_hours,received_at_from",
            f"{SOURCE},metronome,,34,,24,path",
        ],
        "customers": [
            "customer_id,name,currency,time_zone,grace_period_days,late_usage_policy",
            *(f"{ids[n]},Customer {n},{currencies[n]},{zones[n]},2,reject" for n in ranks),
        ],
        "customer_aliases": [
            "alias,customer_id,valid_from,valid_to",
            *(f"{ALIAS.format(n)},{ids[n]},," for n in ranks),
        ],
        "plans": [
            "plan_code,name,currency",
            *(f"plan-{currency},Plan {currency},{currency}" for currency in _CURRENCIES),
        ],
        "charges": [
            "plan_code,charge_code,metric_code,charge_model,unit_price,group_by,valid_from",
            *(f"plan-{each},requests,requests,standard,0.0005,,{since}" for each in _CURRENCIES),
            *(f"plan-{each},egress,egress_bytes,graduated,,,{since}" for each in _CURRENCIES),
        ],
        "charge_tiers": [
            "plan_code,charge_code,valid_from,from_units,up_to_units,unit_price,flat_amount",
            *(f"plan-{each},egress,{since},0,1000000,0.0000012,0" for each in _CURRENCIES),
            *(f"plan-{each},egress,{since},1000000,,0.0000007,0" for each in _CURRENCIES),
        ],
        "subscriptions": [
            "subscription_id,customer_id,plan_code,interval,interval_count,anchor,"
            "start_date,end_date",
            *(f"sub-{n},{ids[n]},plan-{currencies[n]},month,1,calendar,{began}," for n in ranks),
        ],
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def main() -> None:
    """Generates what the arguments ask for, and prints the truth as JSON."""
    default = Stream()
    parser = argparse.ArgumentParser(description="Make a landing of usage events at scale.")
    parser.add_argument("out", type=Path, help="folder for landing/, catalog/ and truth.json")
    parser.add_argument("--events", type=int, default=default.lines, help="lines in all")
    parser.add_argument("--events-per-file", type=int, default=default.lines_per_file)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--customers", type=int, default=default.customers)
    parser.add_argument("--start", default=default.start_at.date().isoformat(), help="first day")
    parser.add_argument("--hours", type=int, default=default.hours, help="hours to spread over")
    parser.add_argument("--plain", action="store_true", help="do not compress")
    arguments = parser.parse_args()
    stream = Stream(
        seed=arguments.seed,
        lines=arguments.events,
        lines_per_file=arguments.events_per_file,
        start_at=datetime.fromisoformat(arguments.start).replace(tzinfo=UTC),
        hours=arguments.hours,
        customers=arguments.customers,
    )
    began = time.perf_counter()
    truth = generate(stream, arguments.out, is_gzipped=not arguments.plain)
    json.dump(truth | {"seconds": round(time.perf_counter() - began, 1)}, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
