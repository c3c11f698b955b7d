import gzip
import hashlib
import json
import os
import re
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from bench.benchmark import Measurement, median_measurement, show_table
from bench.child_usage import ChildFailedError, measure, tree_rss_bytes
from bench.duckdb_refresh import refresh
from bench.event_lines import KINDS, Stream, make_lines
from bench.generate_events import file_path, generate

STREAM = Stream(
    seed=7, lines=20_000, lines_per_file=3_000, hours=20, customers=50, bad=500, conflicts=100
)


def strict_objects(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def refuse_constant(name: str) -> None:
    raise ValueError(name)


def read_naively(line: bytes) -> tuple[dict[str, Any], str]:
    """The event of a line, and the reason code if its form is refused, or an empty text."""
    try:
        event: dict[str, Any] = json.loads(
            line.decode(), object_pairs_hook=strict_objects, parse_constant=refuse_constant
        )
    except ValueError:
        return {}, "malformed"
    reason = ""
    if not all(event.get(name) for name in ("transaction_id", "customer_id", "event_type")):
        reason = "missing_field"
    elif len(event["transaction_id"]) > 255:
        reason = "too_large"
    elif re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d\.\d{6}Z", event["timestamp"]) is None:
        reason = "invalid_timestamp"
    elif not isinstance(event["properties"], dict):
        reason = "invalid_property"
    return event, reason


def naive_verdict(line: bytes, received_at: datetime, seen: dict[str, str]) -> tuple[str, str]:
    """The verdict of a slow and simple reader; `seen` has the events it accepted before."""
    if not line:
        return "blank", ""
    event, reason = read_naively(line)
    if reason:
        return "rejected", reason
    names = ("customer_id", "timestamp", "event_type", "properties")
    payload = json.dumps([event[name] for name in names], sort_keys=True)
    first = seen.get(event["transaction_id"])
    if first is not None:
        return ("duplicate" if first == payload else "conflict"), ""
    lateness = received_at - datetime.fromisoformat(event["timestamp"])
    if not -timedelta(hours=24) <= lateness < timedelta(days=33):
        return "rejected", "future" if lateness < timedelta(0) else "too_late"
    seen[event["transaction_id"]] = payload
    return "accepted", ""


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            found.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes())
    return found.hexdigest()


def test_truth_is_what_a_naive_reader_finds(tmp_path: Path) -> None:
    truth = generate(STREAM, tmp_path, is_gzipped=True)
    verdicts, reasons, seen = Counter[str](), Counter[str](), dict[str, str]()
    for file in range(STREAM.files):
        path = tmp_path / "landing" / file_path(STREAM, file, is_gzipped=True)
        content = gzip.decompress(path.read_bytes())
        for line in content.removesuffix(b"\n").split(b"\n"):
            verdict, reason = naive_verdict(line, STREAM.received_at(file), seen)
            verdicts[verdict] += 1
            reasons[reason] += verdict == "rejected"
    assert truth["verdicts"] == verdicts
    assert truth["reasons"] == +reasons
    assert truth["lines"] == 20_000
    assert truth["files"] == STREAM.files == 7
    assert set(truth["verdicts"]) == {verdict for verdict, _ in KINDS.values()}
    assert set(truth["reasons"]) == {reason for _, reason in KINDS.values()} - {""}


def test_same_arguments_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        generate(STREAM, tmp_path / name, is_gzipped=True)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    generate(Stream(seed=8, lines=20_000), tmp_path / "other", is_gzipped=True)
    assert digest(tmp_path / "one") != digest(tmp_path / "other")


def test_a_slice_of_the_stream_can_be_made_alone() -> None:
    whole = make_lines(STREAM, 0, 5_000)
    assert make_lines(STREAM, 3_777, 500).equals(whole.slice(3_777, 500))


def test_plain_files_hold_the_lines_of_packed_ones(tmp_path: Path) -> None:
    generate(STREAM, tmp_path / "plain", is_gzipped=False)
    generate(STREAM, tmp_path / "packed", is_gzipped=True)
    for file in range(STREAM.files):
        plain = tmp_path / "plain" / "landing" / file_path(STREAM, file, is_gzipped=False)
        packed = tmp_path / "packed" / "landing" / file_path(STREAM, file, is_gzipped=True)
        assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()


def test_default_stream_is_as_realistic_as_promised() -> None:
    lines = make_lines(Stream(), 100_000, 100_000)
    shares = dict(lines["kind"].value_counts(normalize=True).iter_rows())
    assert 0.01 < shares["duplicate"] < 0.02
    assert 0.004 < 1 - shares["original"] - shares["duplicate"] - shares["conflict"] < 0.006
    assert lines["event_name"].n_unique() == 4
    by_customer = lines["customer_ref"].value_counts(sort=True)["count"]
    assert by_customer[0] > 5 * by_customer[9]
    compact = (
        r'^\{"transaction_id":"[^"\\]*","customer_id":"[^"\\]*","timestamp":"[^"]*","event_type"'
    )
    documented = lines.filter(
        pl.col("line").str.contains(compact) & ~pl.col("line").str.contains(r"\\|\"sdk\"")
    )
    assert documented.height < 0.8 * lines.height
    assert 240 < lines["line"].str.len_bytes().mean() < 290  # type: ignore[operator]


def test_a_stream_longer_than_the_window_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="793 hours are more than a dedupe window: 792"):
        generate(Stream(hours=793), tmp_path, is_gzipped=False)


def test_plain_refresh_keeps_one_row_per_readable_id(tmp_path: Path) -> None:
    truth = generate(STREAM, tmp_path, is_gzipped=True)
    rows = refresh(tmp_path / "landing", tmp_path / "events.duckdb", 1)
    # It drops only lines that are not JSON.
    assert truth["verdicts"]["accepted"] < rows
    assert rows < truth["verdicts"]["accepted"] + truth["verdicts"]["rejected"]


def test_a_child_is_measured_with_its_own_children() -> None:
    held = "b = bytearray(60_000_000); import time; time.sleep(0.4); print(len(b))"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {held!r}], check=True)"
    usage = measure([sys.executable, "-c", nested])
    assert usage.output == "60000000\n"
    assert usage.peak_rss_bytes > 60_000_000
    assert usage.seconds > 0.4
    assert usage.cpu_seconds > 0
    assert tree_rss_bytes(os.getpid()) > 10_000_000


def test_a_failing_child_is_no_measurement() -> None:
    with pytest.raises(ChildFailedError, match="ended with 3"):
        measure([sys.executable, "-c", "raise SystemExit(3)"])


def test_the_table_shows_medians_beside_the_truth() -> None:
    runs = [
        Measurement("duckdb refresh", seconds, cpu, peak, 990)
        for seconds, cpu, peak in [(2.0, 3.0, 2**20), (10.0, 9.0, 3 * 2**20), (4.0, 5.0, 2**21)]
    ]
    part = Measurement("  ingest", 0.5, None, None, 980)
    table = show_table(
        [median_measurement(runs), part], {"lines": 1_000, "verdicts": {"accepted": 980}}
    )
    # Of 2, 4 and 10 seconds the median is 4: 1000 lines / 4 s = 250 a second.
    assert [row.split() for row in table.splitlines()] == [
        ["seconds", "events/s", "CPU", "s", "peak", "MiB", "rows"],
        ["duckdb", "refresh", "4.0", "250", "5.0", "2", "990"],
        ["ingest", "0.5", "2,000", "980"],
        ["true", "980"],
    ]
