"""Makes `landing/cdn_logs/` from a real web log, byte for byte the same each time.

Belongs here: how one log line becomes one Metronome-dialect event, and which files hold
them. Must not be put here: anything of `pipelines` (the sample is input, not output), or
events at scale (`bench/generate_events.py`). Only the standard library is used.

Stages:

1. `read_requests` reads the Apache combined log; every line is a request.
2. `write_event` says what a sender's edge server would have sent for it.
3. `hourly_files` packs one gzipped NDJSON file per hour of requests.
4. `redelivered_file` and `retried_file` add what goes wrong in real life: a file sent
   twice under another name, and a retry with bad lines in it.

Run `python bench/sample/make_sample.py`; it rewrites `landing/cdn_logs/`.
"""

import argparse
import gzip
import io
import json
import re
import shutil
import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent

ACCESS_LOG = HERE / "apache_access_log.gz"
"""The real log; its origin and licence are in `README.md` beside it."""

LANDING = HERE.parent.parent / "landing"
"""The landing folder that a fresh clone reads."""

SOURCE = "cdn_logs"
"""The sender's name: its folder below the landing and its row in `sources.csv`."""

REQUEST_LINE = re.compile(
    r'(?P<client>\S+) - - \[(?P<time>[^\]]+)\] "(?P<method>\S+) (?P<target>\S+) (?P<protocol>\S+)" '
    # Line 8899 of the log breaks off inside its user agent: the last quote may be missing.
    r'(?P<status>\d{3}) (?P<bytes>\d+|-) "(?P<referrer>[^"]*)" "(?P<user_agent>[^"]*)"?'
)
"""Apache's combined format. `[^"]*` is safe: this log has no escaped quotes (asserted)."""

ROOT_SECTION = "root"
"""Section of a request for the front page or a file beside it, such as `/favicon.ico`."""

REDELIVERED_HOUR = datetime(2015, 5, 18, 8, tzinfo=UTC)
"""Its file is delivered a second time, in full, under another name and half a day later."""

RETRIED_HOUR = datetime(2015, 5, 19, 19, tzinfo=UTC)
"""The fullest hour (136 requests): bad lines stay below the tenth that would hold a file."""

RETRIED_AT = datetime(2015, 5, 20, 22, tzinfo=UTC)
"""When the retry is delivered: with the last hour of the log."""

LINE_BYTES_MAX = 1024 * 1024
"""A longer line is refused as too large."""


@dataclass(frozen=True)
class Request:
    """One request of the log: `number` is its 1-based line, `text` the line itself."""

    number: int
    text: str
    occurred_at: datetime
    fields: dict[str, str]


def read_requests(log: Path) -> list[Request]:
    """Every line of the log as a request, in the log's order."""
    requests = []
    lines = gzip.decompress(log.read_bytes()).decode("ascii").splitlines()
    for number, text in enumerate(lines, start=1):
        match = REQUEST_LINE.fullmatch(text)
        assert match is not None, f"line {number} of {log.name} is not in combined format: {text}"
        occurred_at = datetime.strptime(match["time"], "%d/%b/%Y:%H:%M:%S %z").astimezone(UTC)
        requests.append(Request(number, text, occurred_at, match.groupdict()))
    return requests


def section_of(path: str) -> str:
    """The site section a path belongs to: its first folder, or `root` when it is in none."""
    *folders, _file = path.split("/")
    return next((folder for folder in folders if folder), ROOT_SECTION)


def write_event(request: Request) -> dict[str, object]:
    """The event an edge server would have sent for a request.

    What the log writes as `-` is left out rather than sent as zero or as text: an answer
    without a body has no size. The transaction id covers the line number, because the log
    holds identical lines that are different requests.
    """
    fields = request.fields
    path, _, query = fields["target"].partition("?")
    _, dot, extension = path.rpartition("/")[2].rpartition(".")
    properties: dict[str, str | int] = {
        "method": fields["method"],
        "section": section_of(path),
        "path": path,
    }
    if query:
        properties["query"] = query
    if dot:
        properties["extension"] = extension
    properties["protocol"] = fields["protocol"]
    properties["status"] = int(fields["status"])
    if fields["bytes"] != "-":
        properties["bytes"] = int(fields["bytes"])
    properties["client"] = fields["client"]
    for name in ("referrer", "user_agent"):
        if fields[name] not in ("", "-"):
            properties[name] = fields[name]
    identity = f"apache_access_log:{request.number}:{request.text}"
    return {
        "transaction_id": str(uuid.uuid5(uuid.NAMESPACE_URL, identity)),
        "customer_id": section_of(path),
        "timestamp": request.occurred_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "event_type": "http_request",
        "properties": properties,
    }


def write_line(event: dict[str, object]) -> bytes:
    """One event as one line of NDJSON, without its line end."""
    return json.dumps(event, separators=(",", ":")).encode("ascii")


def delivery_path(delivered_at: datetime, name: str) -> str:
    """Where a file delivered in that hour stands below the landing.

    The date and hour in the path are the file's `received_at`, taken literally.
    """
    return f"{SOURCE}/{delivered_at:%Y/%m/%d/%H}/{name}.ndjson.gz"


def hourly_files(requests: list[Request]) -> dict[str, list[bytes]]:
    """The lines of one file per hour of requests, delivered at the hour's end, by path."""
    lines_by_hour = defaultdict(list)
    for request in requests:
        hour = request.occurred_at.replace(minute=0, second=0)
        lines_by_hour[hour].append(write_line(write_event(request)))
    return {
        delivery_path(hour + timedelta(hours=1), f"edge-{hour:%Y%m%dT%H}"): lines
        for hour, lines in sorted(lines_by_hour.items())
    }


def lines_of_hour(requests: list[Request], hour: datetime) -> list[bytes]:
    """The lines of one hour's file."""
    name = f"edge-{hour:%Y%m%dT%H}"
    return hourly_files(requests)[delivery_path(hour + timedelta(hours=1), name)]


def redelivered_file(requests: list[Request]) -> dict[str, list[bytes]]:
    """A second delivery of one hour's file: every line of it is a duplicate."""
    name = f"edge-{REDELIVERED_HOUR:%Y%m%dT%H}-redelivered"
    delivered_at = REDELIVERED_HOUR + timedelta(hours=13)
    return {delivery_path(delivered_at, name): lines_of_hour(requests, REDELIVERED_HOUR)}


def retried_file(requests: list[Request]) -> dict[str, list[bytes]]:
    """A retry of one hour's file: duplicates, and a bad line after each tenth of them."""
    good_lines = lines_of_hour(requests, RETRIED_HOUR)
    bad_lines = list(bad_lines_of_the_retry(good_lines[0]).values())
    lines: list[bytes] = []
    for position, line in enumerate(good_lines):
        lines.append(line)
        if position % 10 == 9 and bad_lines:
            lines.append(bad_lines.pop(0))
    assert not bad_lines, "the retried hour is too short for the bad lines"
    return {delivery_path(RETRIED_AT, f"edge-{RETRIED_HOUR:%Y%m%dT%H}-retry"): lines}


def bad_lines_of_the_retry(accepted_line: bytes) -> dict[str, bytes]:
    """What is wrong with each bad line → the line, in the order of the file.

    `accepted_line` is an event that an earlier file delivered; the conflict repeats its key.
    """
    conflicting = json.loads(accepted_line)
    conflicting["properties"]["bytes"] = 999_999_999
    listed = _handmade("invalid_property")
    listed["properties"] = [{"name": "bytes", "value": 512}]
    oversized = _handmade("too_large")
    oversized["properties"] = {"bytes": 512, "path": "/" + "a" * LINE_BYTES_MAX}
    unaddressed = _handmade("missing_field")
    del unaddressed["customer_id"]
    twice = write_line(_handmade("malformed: duplicate key"))
    return {
        "conflict": write_line(conflicting),
        "malformed: cut off": write_line(_handmade("malformed: cut off"))[:97],
        "malformed: duplicate key": twice.replace(b'"bytes":512', b'"bytes":512,"bytes":1024'),
        "missing_field": write_line(unaddressed),
        "invalid_timestamp": write_line(_handmade("invalid_timestamp", timestamp="2015-05-19")),
        "invalid_property": write_line(listed),
        "too_large": write_line(oversized),
        "blank": b"",
        # 25 hours after the file was received; 24 are allowed.
        "future": write_line(_handmade("future", timestamp="2015-05-21T23:00:00Z")),
        # 34 days before the file was received; less than 33 are allowed.
        "too_late": write_line(_handmade("too_late", timestamp="2015-04-16T22:00:00Z")),
        # That day of the customer was closed on 2015-05-19.
        "backdated": write_line(_handmade("backdated", timestamp="2015-05-17T12:00:00Z")),
    }


def _handmade(wrong: str, timestamp: str = "2015-05-19T19:05:30Z") -> dict[str, object]:
    """An event that would be accepted but for the one thing that is wrong with it."""
    return {
        "transaction_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"handmade:{wrong}")),
        "customer_id": "presentations",
        "timestamp": timestamp,
        "event_type": "http_request",
        "properties": {"method": "GET", "status": 200, "bytes": 512},
    }


def compress(lines: list[bytes]) -> bytes:
    """Gzipped NDJSON with nothing in the header that differs from one run to the next."""
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", compresslevel=9, fileobj=packed, mtime=0) as file:
        file.write(b"".join(line + b"\n" for line in lines))
    return packed.getvalue()


def make_sample(log: Path = ACCESS_LOG) -> dict[str, bytes]:
    """Every file of the sample: path below the landing → compressed bytes."""
    requests = read_requests(log)
    files = hourly_files(requests) | redelivered_file(requests) | retried_file(requests)
    return {path: compress(lines) for path, lines in files.items()}


def main() -> None:
    """Replaces `<landing>/cdn_logs/` by the sample."""
    parser = argparse.ArgumentParser(description="Make the embedded sample from the real log.")
    parser.add_argument("--landing", type=Path, default=LANDING, help="folder to write below")
    landing: Path = parser.parse_args().landing
    shutil.rmtree(landing / SOURCE, ignore_errors=True)
    files = make_sample()
    for path, content in files.items():
        file = landing / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    total_bytes = sum(len(content) for content in files.values())
    print(f"{len(files)} files, {total_bytes:,} bytes, below {landing / SOURCE}")


if __name__ == "__main__":
    main()
