"""Columns that nothing reads: whatever their type or their values, they cost no file and no row."""

import datetime as dt
import io
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.reading.dialects import DIALECTS, reader_of
from pipelines.reading.dialects.reach import reach_of_form
from pipelines.reading.files import parsed_again, read_chunks
from pipelines.reading.parse import ParsedChunk, parse_chunk
from pipelines.vocabulary.errors import UnreadableFileError
from tests.worlds.dialect_samples import SAMPLES
from tests.worlds.file_lines import FIELDS, ORIGIN
from tests.worlds.formats import parquet_bytes, parse_file

GOOD: dict[str, list[object]] = {
    **{name: [FIELDS[name]] * 2 for name in FIELDS if name != "properties"},
    "properties.n": [1, 2],
}

UNREAD = {
    "fixed-size-binary": pa.array([b"1234", None], pa.binary(4)),
    "binary": pa.array([b"\xff", b""]),
    "time": pa.array([dt.time(1), None]),
    "duration": pa.array([1, 2], pa.duration("us")),
    "nan": pa.array([float("nan"), float("-inf")]),
    "map-of-numbers": pa.array([[(1, 2)], None], pa.map_(pa.int64(), pa.int64())),
    "list-of-binary": pa.array([[b"x"], []]),
    "struct-of-binary": pa.array([{"y": b"x"}, None]),
    "decimal256": pa.array([Decimal(10) ** 60, None], pa.decimal256(76, 0)),
    "year-beyond-the-calendar": pa.array([2**62, -(2**62)], pa.timestamp("ms", "UTC")),
    "half-float": pa.array(np.array([1, 2], np.float16)),
    "longer-than-a-line": pa.array(["x" * 2_000_000, "y"]),
}


@pytest.mark.parametrize("kind", UNREAD)
@pytest.mark.parametrize("name", ["trace", "event", "customer_id_of_trace"])
def test_a_column_that_nothing_reads_costs_nothing(kind: str, name: str) -> None:
    table = pa.table({**GOOD, name: UNREAD[kind]})

    parsed = parse_file("cdn/a.parquet", parquet_bytes(table))

    without = parse_file("cdn/a.parquet", parquet_bytes(pa.table(GOOD)))
    assert (parsed.event_lines, parsed.reasons) == ([0, 1], {})
    assert parsed.events.equals(without.events)


@pytest.mark.parametrize("names", [["x", "x"], ["", "x"], ["x", "x.y"], [".", "x."]])
def test_names_of_columns_that_nothing_reads_contradict_nothing(names: list[str]) -> None:
    table = pa.table(GOOD)
    for name in names:
        table = table.append_column(name, pa.array(["a", "b"]))

    parsed = parse_file("cdn/a.parquet", parquet_bytes(table))

    assert (parsed.event_lines, parsed.reasons) == ([0, 1], {})


def test_a_column_of_millions_of_equal_values_is_no_bomb_if_nothing_reads_it() -> None:
    rows = 20_000
    table = pa.table(
        {
            "transaction_id": [f"k{number}" for number in range(rows)],
            **{n: [FIELDS[n]] * rows for n in ("customer_id", "event_type", "timestamp")},
            "trace": pa.array(["x" * 100_000] * rows).dictionary_encode(),
        }
    )
    content = io.BytesIO()
    pq.write_table(table, content, compression="zstd")

    parsed = parse_file("cdn/a.parquet", content.getvalue())

    assert parsed.events.height == rows


@pytest.mark.parametrize("kind", ["binary", "time", "struct-of-binary"])
@pytest.mark.parametrize("name", ["customer_id", "properties.x", "properties", "amendment"])
def test_a_column_that_is_read_still_costs_the_file(kind: str, name: str) -> None:
    columns = {n: v for n, v in GOOD.items() if name not in (n, "properties")}

    with pytest.raises(UnreadableFileError, match="which is not read"):
        parse_file("cdn/a.parquet", parquet_bytes(pa.table({**columns, name: UNREAD[kind]})))


def test_nan_in_a_property_still_refuses_its_row() -> None:
    table = pa.table({**GOOD, "properties.n": [1.0, float("nan")], "x": [float("nan"), 1.0]})

    parsed = parse_file("cdn/a.parquet", parquet_bytes(table))

    assert (parsed.event_lines, parsed.reasons) == ([0], {1: "invalid_property"})


def _read(table: pa.Table, fields: list[tuple[str, str, str | None]]) -> ParsedChunk:
    dialect = reader_of(
        {
            "dialect": "custom",
            "key_fields": ["meta.id"],
            "fields": [dict(zip(("field", "path", "form"), row, strict=True)) for row in fields],
            "event_schemas": [],
            "not_usage": ["meta.kind=ping"],
        }
    )
    content = parquet_bytes(table)
    (chunk,) = read_chunks(
        io.BytesIO(content), "own/a.parquet", len(content), ORIGIN, dialect, parse_chunk
    )
    again = parsed_again(
        io.BytesIO(content),
        "own/a.parquet",
        len(content),
        ORIGIN,
        dialect,
        chunk.events.select("line", "byte_offset", "byte_length"),
    )
    assert again.equals(chunk.events)
    assert isinstance(chunk, ParsedChunk)
    return chunk


def test_members_of_a_struct_that_nothing_reads_cost_nothing() -> None:
    meta = [
        {"id": "k1", "kind": "use", "trace": b"\xff", "deep": {"n": 1, "raw": b"x"}},
        {"id": "k2", "kind": "ping", "trace": None, "deep": None},
    ]
    table = pa.table({"meta": meta, "who": ["acme"] * 2, "at": [1_767_225_600] * 2})

    found = _read(
        table,
        [
            ("customer", "who", None),
            ("event_name", "use", "constant"),
            ("timestamp", "at", "unix_seconds"),
            ("properties.n", "meta.deep.n", None),
        ],
    )

    assert found.events["idempotency_key"].to_list() == ["k1"]
    assert found.events["properties"].to_list() == [{"n": "1"}]
    assert found.rejections["reason_code"].to_list() == [None]


def test_a_file_without_a_column_that_is_read_says_what_is_missing() -> None:
    parsed = parse_file("cdn/a.parquet", parquet_bytes(pa.table({"x": ["a", "b"]})))

    assert parsed.reasons == {0: "missing_field", 1: "missing_field"}


def test_an_envelope_alone_is_read() -> None:
    table = pa.table({"event": [{**FIELDS, "properties": {"n": 1}}]})

    parsed = parse_file("cdn/a.parquet", parquet_bytes(table))

    assert parsed.event_lines == [0]


@pytest.mark.parametrize("dialect", SAMPLES)
def test_every_field_of_an_event_is_within_reach(dialect: str) -> None:
    reach = reach_of_form(DIALECTS[dialect].form)

    for name in SAMPLES[dialect].fields:
        assert reach.reads((name,)), name
    assert not reach.reads(("trace_id",))


@pytest.mark.parametrize(
    ("column", "form"),
    [
        (pa.array([0], pa.timestamp("us")), "us"),
        (pa.array([0], pa.timestamp("ns")), "INT96"),
    ],
    ids=["zoneless", "int96"],
)
def test_an_instant_without_zone_says_what_to_declare(column: pa.Array, form: str) -> None:
    table = pa.table({**{name: values[:1] for name, values in GOOD.items()}, "timestamp": column})
    content = io.BytesIO()
    pq.write_table(table, content, use_deprecated_int96_timestamps=form == "INT96")

    parsed = parse_file("cdn/a.parquet", content.getvalue())

    assert parsed.reasons == {0: "invalid_timestamp"}
    reason = parsed.rejections["reason"].item()
    assert "'1970-01-01T00:00:00.000000" in reason
    assert "declare it as iso8601_utc, or with an offset like iso8601+01:00" in reason
    assert "in source_fields.csv" in reason
