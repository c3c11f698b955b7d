"""Events without a key of their own: their key is the digest of their file and their number."""

import csv
import gzip
import hashlib
import io
import json
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.landing.store import Landing
from pipelines.reading.dialects import DIALECTS, reader_of
from pipelines.reading.files import parsed_again, read_chunks
from pipelines.reading.parse import FileOrigin, parse_chunk
from pipelines.vocabulary.frames import REFUSAL_CUTS, SOURCES
from pipelines.vocabulary.hashing import key_hash
from tests.worlds.lakes import decide_landing, verdict_rows

STRIPE = DIALECTS["stripe"]
ORIGIN = FileOrigin(file_id=1, source="stripe", dedupe_scope="stripe", received_at=0)

EVENTS: list[dict[str, object]] = [
    {"event_name": "call", "payload_stripe_customer_id": "acme", "payload_value": "7"},
    {
        "identifier": "own",
        "timestamp": "1767225600",
        "event_name": "call",
        "payload_stripe_customer_id": "acme",
        "payload_value": "8",
    },
    {"event_name": "call", "payload_stripe_customer_id": "acme", "payload_value": "7"},
]
"""Two equal events without a key, and one with a key between them."""


def _csv() -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(EVENTS[1]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(EVENTS)
    return text.getvalue().encode()


def _parquet() -> bytes:
    file = io.BytesIO()
    columns = {name: [event.get(name) for event in EVENTS] for name in EVENTS[1]}
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


LINES = b"\n".join(json.dumps(event).encode() for event in EVENTS)
FILES = {
    "usage.ndjson": LINES,
    "usage.ndjson.gz": gzip.compress(LINES),
    "usage.json": json.dumps(EVENTS).encode(),
    "usage.csv": _csv(),
    "usage.parquet": _parquet(),
}
FIRST_NUMBER = {"usage.csv": 2, "usage.parquet": 0}
"""The number of the first event, where it is not 1."""


def _read(name: str, content: bytes) -> pl.DataFrame:
    chunks = read_chunks(io.BytesIO(content), name, len(content), ORIGIN, STRIPE, parse_chunk)
    return pl.concat([chunk.events for chunk in chunks])


@pytest.mark.parametrize("name", FILES)
def test_the_key_is_the_digest_of_the_file_and_the_number_of_the_event(name: str) -> None:
    content = FILES[name]
    raw = gzip.decompress(content) if name.endswith(".gz") else content
    digest, first = hashlib.sha256(raw).hexdigest(), FIRST_NUMBER.get(name, 1)

    events = _read(name, content)

    keys = [f'["{digest}",{first}]', "own", f'["{digest}",{first + 2}]']
    assert events["idempotency_key"].to_list() == keys
    assert events["key_hash"].to_list() == [key_hash("stripe", key) for key in keys]
    assert [dict(properties) for properties in events["properties"]] == [
        {"value": value} for value in ("7", "8", "7")
    ]
    # Without a timestamp, an event happened when its file was received.
    assert events["occurred_at"].dt.epoch("us").to_list() == [0, 1_767_225_600_000_000, 0]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("chosen", [[0], [2], [1, 2], [0, 1, 2]])
def test_an_event_that_is_read_again_keeps_its_key(name: str, chosen: list[int]) -> None:
    content = FILES[name]
    events = _read(name, content)[chosen]

    again = parsed_again(
        io.BytesIO(content),
        name,
        len(content),
        ORIGIN,
        STRIPE,
        events.select("line", "byte_offset", "byte_length"),
    )

    assert again.equals(events)


def test_other_dialects_digest_no_file_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.reading.files.hashlib", None)
    line = b'{"transaction_id":"k"}'

    chunks = read_chunks(
        io.BytesIO(line), "a.json", len(line), ORIGIN, DIALECTS["metronome"], parse_chunk
    )

    assert [chunk.rejections.height for chunk in chunks] == [1]


def test_a_declared_key_is_required() -> None:
    source = {"dialect": "stripe", "key_fields": ["id"], "fields": [], "event_schemas": []}

    form = reader_of(source).form

    assert (form.key, form.key_may_be_place) == (("id",), False)


def test_the_same_file_under_another_name_counts_once(tmp_path: Path) -> None:
    landing = tmp_path / "landing" / "stripe"
    landing.mkdir(parents=True)
    (landing / "a.ndjson").write_bytes(LINES)
    (landing / "b.ndjson.gz").write_bytes(FILES["usage.ndjson.gz"])
    (landing / "c-other-bytes.ndjson").write_bytes(LINES + b"\n")
    source = {
        "source": "stripe",
        "dialect": "stripe",
        "dedupe_scope": "stripe",
        "future_skew": 0,
        "received_at_from": "last_modified",
    }

    decide_landing(
        tmp_path / "home",
        Landing(str(tmp_path / "landing")),
        pl.DataFrame([source], schema=SOURCES),
        pl.DataFrame(schema=REFUSAL_CUTS),
    )

    verdicts = {
        name: [verdict for path, _, verdict, *_ in verdict_rows(tmp_path / "home") if name in path]
        for name in ("a.ndjson", "b.ndjson.gz", "c-other-bytes.ndjson")
    }
    assert verdicts == {
        "a.ndjson": ["accepted"] * 3,
        "b.ndjson.gz": ["duplicate"] * 3,
        # Other bytes are another file: only the event with a key of its own is known.
        "c-other-bytes.ndjson": ["accepted", "duplicate", "accepted"],
    }
