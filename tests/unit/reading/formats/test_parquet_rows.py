"""Parquet: the exact text of every type, rows that are refused, and files that are refused."""

import datetime as dt
import io
import uuid
from collections import deque
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.reading.formats import parquet_rows
from pipelines.reading.formats.parquet_rows import read_rows
from pipelines.vocabulary.errors import UnreadableFileError
from pipelines.vocabulary.limits import LINE_BYTES_MAX
from tests.worlds.file_lines import FIELDS
from tests.worlds.formats import as_parquet, parquet_bytes, parse_file

KEY = uuid.UUID("12345678-1234-5678-1234-567812345678")
US, NS = pa.timestamp("us", "UTC"), pa.timestamp("ns", "UTC")


def _texts(table: pa.Table, row_group_size: int = 3) -> list[str]:
    """One entry per row: its text, or the sentence of its refusal."""
    content = parquet_bytes(table, row_group_size)
    records = list(read_rows(io.BytesIO(content), len(content)))
    assert [record.number for record in records] == list(range(len(records)))
    return [
        record.content.decode() if isinstance(record.content, bytes) else str(record.content)
        for record in records
    ]


def _column(values: pa.Array, name: str = "x") -> list[str]:
    return _texts(pa.table({name: values}))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        pytest.param(pa.array(['a"\\\n\u2028é']), '"a\\"\\\\\\n\u2028é"', id="text"),
        pytest.param(pa.array(["a"], pa.large_string()), '"a"', id="large text"),
        pytest.param(pa.array(["a"]).dictionary_encode(), '"a"', id="dictionary"),
        pytest.param(pa.array([2**63 - 1]), "9223372036854775807", id="largest integer"),
        pytest.param(pa.array([2**64 - 1], pa.uint64()), "18446744073709551615", id="unsigned"),
        pytest.param(pa.array([-128], pa.int8()), "-128", id="small integer"),
        pytest.param(pa.array([True]), "true", id="boolean"),
        pytest.param(pa.array([Decimal("1.50")], pa.decimal128(38, 2)), "1.50", id="decimal"),
        pytest.param(
            pa.array([Decimal("0.0000000001")], pa.decimal128(38, 18)),
            "0.000000000100000000",
            id="decimal of many digits",
        ),
        pytest.param(
            pa.array([Decimal(10**37 + 1)], pa.decimal128(38, 0)),
            f"{10**37 + 1}",
            id="wide decimal",
        ),
        pytest.param(
            pa.array([Decimal(10**60 + 1)], pa.decimal256(76, 0)), f"{10**60 + 1}", id="wider"
        ),
        pytest.param(pa.array([0.1]), "0.1", id="double"),
        pytest.param(pa.array([0.1 + 0.2]), "0.30000000000000004", id="double of 17 digits"),
        pytest.param(pa.array([3.0]), "3", id="whole double"),
        pytest.param(pa.array([1e300]), "1e+300", id="large double"),
        pytest.param(pa.array([0.1], pa.float32()), "0.1", id="single"),
        pytest.param(pa.array([16777217.0], pa.float32()), "16777216", id="single beyond digits"),
        pytest.param(
            pa.array([0], pa.timestamp("ms", "UTC")), '"1970-01-01T00:00:00.000Z"', id="ms"
        ),
        pytest.param(pa.array([1], US), '"1970-01-01T00:00:00.000001Z"', id="us"),
        pytest.param(pa.array([-1], NS), '"1969-12-31T23:59:59.999999999Z"', id="ns before 1970"),
        pytest.param(
            pa.array([0], pa.timestamp("us", "Asia/Tokyo")),
            '"1970-01-01T00:00:00.000000Z"',
            id="another zone",
        ),
        pytest.param(
            pa.array([0], pa.timestamp("us")), '"1970-01-01T00:00:00.000000"', id="no zone"
        ),
        pytest.param(pa.array([dt.date(2026, 1, 31)]), '"2026-01-31"', id="date"),
        pytest.param(pa.array([KEY.bytes], pa.uuid()), f'"{KEY}"', id="uuid"),
        pytest.param(
            pa.array([{"a": 1, "b": None, "c": {"d": "e"}}]), '{"a":1,"c":{"d":"e"}}', id="struct"
        ),
        pytest.param(
            pa.array([[("k", "v"), ("l", None)]], pa.map_(pa.string(), pa.string())),
            '{"k":"v","l":null}',
            id="map",
        ),
        pytest.param(pa.array([[1, None]]), "[1,null]", id="list"),
    ],
)
def test_value_has_its_exact_text(values: pa.Array, text: str) -> None:
    nulls = pa.nulls(1, values.type)

    assert _column(pa.chunked_array([values, nulls, values])) == [
        f'{{"x":{text}}}',
        "{}",
        f'{{"x":{text}}}',
    ]


def test_nulls_among_nested_values_shift_nothing() -> None:
    maps = [[("a", "1")], None, [], [("b", "2"), ("c", "3")], None, [("d", "4")]]
    table = pa.table(
        {
            "m": pa.array(maps, pa.map_(pa.string(), pa.string())),
            "s": pa.array([None, {"t": "u"}, {"t": None}, None, {"t": "v"}, None]),
            "l": pa.array([[1], [], None, [2, 3], None, [4]]),
        }
    )
    expected = [
        '{"m":{"a":"1"},"l":[1]}',
        '{"s":{"t":"u"},"l":[]}',
        '{"m":{},"s":{}}',
        '{"m":{"b":"2","c":"3"},"l":[2,3]}',
        '{"s":{"t":"v"}}',
        '{"m":{"d":"4"},"l":[4]}',
    ]

    for rows in (1, 2, 4, 100):
        assert _texts(table, row_group_size=rows) == expected


def test_batches_do_not_shift_nested_values(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [
        FIELDS | {"transaction_id": str(n), "properties": {str(p): str(n) for p in range(n % 4)}}
        for n in range(30)
    ]
    content = as_parquet(events, row_group_size=11)
    for rows in (1, 3, 1024):
        monkeypatch.setattr(parquet_rows, "_BATCH_ROWS", rows)
        found = parse_file("cdn/a.parquet", content).events

        assert found["line"].to_list() == list(range(30))
        assert found["idempotency_key"].to_list() == [str(n) for n in range(30)]
        assert [dict(map_) for map_ in found["properties"]] == [e["properties"] for e in events]


def test_dotted_columns_are_members() -> None:
    table = pa.table({"p.x": [1, None], "p.y.z": ["2", None], "k": ["a", "b"]})

    assert _texts(table) == ['{"k":"a","p":{"x":1,"y.z":"2"}}', '{"k":"b"}']


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("dtype", [pa.float32(), pa.float64()])
def test_what_is_no_number_is_refused_with_its_row(value: str, dtype: pa.DataType) -> None:
    table = pa.table(
        {
            **{name: [FIELDS[name]] * 3 for name in FIELDS if name != "properties"},
            "properties.n": pa.array([1.5, float(value), None], dtype),
        }
    )

    parsed = parse_file("cdn/a.parquet", parquet_bytes(table))

    assert (parsed.event_lines, parsed.reasons) == ([0, 2], {1: "invalid_property"})
    assert parsed.rejections.select("byte_offset", "byte_length").row(0) == (None, None)
    assert len(parsed.rejections["line_sha256"].item()) == 32


@pytest.mark.parametrize(
    ("timestamp", "dialect", "reason"),
    [
        (pa.array([0], US), "metronome", None),
        (pa.array([0], NS), "metronome", None),
        (pa.array([0], pa.timestamp("us")), "metronome", "invalid_timestamp"),
        (pa.array([0], pa.timestamp("us")), "togai", None),
        (pa.array([dt.date(1970, 1, 1)]), "metronome", "invalid_timestamp"),
        (pa.array([dt.date(1970, 1, 1)]), "lago", "invalid_timestamp"),
        (pa.array([0]), "metronome", "invalid_timestamp"),
        (pa.array([0]), "lago", None),
        (pa.array([0.0]), "lago", None),
        (pa.array([Decimal("0.00")]), "lago", None),
        (pa.array([2**62], pa.timestamp("ms", "UTC")), "metronome", "invalid_timestamp"),
        (pa.nulls(1, US), "metronome", "missing_field"),
        (pa.array([float("nan")]), "lago", "invalid_property"),
    ],
)
def test_timestamp_is_what_its_dialect_takes(
    timestamp: pa.Array, dialect: str, reason: str | None
) -> None:
    names = {
        "metronome": ("transaction_id", "customer_id", "event_type"),
        "togai": ("id", "accountId", "schemaName"),
        "lago": ("transaction_id", "external_customer_id", "code"),
    }
    table = pa.table({**{name: ["t"] for name in names[dialect]}, "timestamp": timestamp})

    parsed = parse_file("cdn/a.parquet", parquet_bytes(table), dialect)

    assert parsed.reasons == ({} if reason is None else {0: reason})
    if reason is None:
        assert parsed.events["occurred_at"].item() == dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("size", [LINE_BYTES_MAX, LINE_BYTES_MAX + 1])
def test_longest_row_is_read_and_a_longer_one_is_refused(size: int) -> None:
    values = ["a", "x" * (size - len('{"x":""}')), "b"]

    found = _column(pa.array(values))

    assert len(found[1]) == size or found[1].startswith(f"the line has {size} bytes")
    assert (len(found[1]) == size) == (size <= LINE_BYTES_MAX)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        pytest.param(
            pa.array([b"x"]), "column 'x' is of type binary, which is not read", id="binary"
        ),
        pytest.param(pa.array([dt.time(1)]), "of type time64", id="time"),
        pytest.param(pa.array([{"y": b"x"}]), "column 'x' is of type binary", id="nested"),
        pytest.param(
            pa.array([[(1, 2)]], pa.map_(pa.int64(), pa.int64())),
            "whose keys are no texts",
            id="map",
        ),
    ],
)
def test_a_type_without_text_costs_the_file(values: pa.Array, reason: str) -> None:
    with pytest.raises(UnreadableFileError) as refused:
        _column(values)
    assert reason in str(refused.value)


@pytest.mark.parametrize("names", [["a", "a"], ["p", "p.x"], [""]])
def test_columns_that_contradict_each_other_cost_the_file(names: list[str]) -> None:
    with pytest.raises(UnreadableFileError, match="column"):
        _texts(pa.table([pa.array(["x"])] * len(names), names=names))


def test_text_that_is_no_utf8_costs_the_file() -> None:
    bad = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")]
    )
    with pytest.raises(UnreadableFileError, match="not valid UTF-8"):
        _column(bad)


def test_a_file_cut_anywhere_is_unreadable() -> None:
    content = as_parquet([FIELDS] * 4)
    for length in range(4, len(content), 7):
        with pytest.raises(UnreadableFileError):
            list(read_rows(io.BytesIO(content[:length]), length))


def test_bytes_changed_in_a_page_with_checksum_are_noticed() -> None:
    written = io.BytesIO()
    table = pa.table({"x": ["needle"] * 3})
    pq.write_table(
        table, written, compression="none", write_page_checksum=True, use_dictionary=False
    )
    content = written.getvalue()
    changed = content.replace(b"\x06\0\0\0needle", b"\x06\0\0\0noodle", 1)
    assert changed != content

    assert len(list(read_rows(io.BytesIO(content), len(content)))) == 3
    with pytest.raises(UnreadableFileError, match="corrupt Parquet"):
        list(read_rows(io.BytesIO(changed), len(changed)))


def test_rows_wanted_are_those_read() -> None:
    content = as_parquet([FIELDS | {"transaction_id": str(n)} for n in range(10)])

    found = list(read_rows(io.BytesIO(content), len(content), frozenset({0, 4, 9, 10})))

    assert [record.number for record in found] == [0, 4, 9]
    every = list(read_rows(io.BytesIO(content), len(content)))
    assert found == [every[number] for number in (0, 4, 9)]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        pytest.param(pa.table({"x": pa.nulls(3_000_000)}), "its rows are more than", id="no rows"),
        pytest.param(pa.table({"x": ["y" * 1000] * 100_000}), "its rows are more than", id="texts"),
        pytest.param(
            pa.table({"x": pa.array([[1] * 3_000_000])}), "its rows are more than", id="a list"
        ),
    ],
)
def test_a_small_file_of_much_is_refused(table: pa.Table, reason: str) -> None:
    content = parquet_bytes(table, row_group_size=10_000_000)

    with pytest.raises(UnreadableFileError) as refused:
        deque(read_rows(io.BytesIO(content), len(content)), maxlen=0)
    assert reason in str(refused.value)


def test_pages_that_decompress_to_too_much_are_refused() -> None:
    written = io.BytesIO()
    table = pa.table({"x": [str(n % 10) * 1000 for n in range(20_000)]})
    pq.write_table(table, written, compression="zstd", use_dictionary=False)

    with pytest.raises(UnreadableFileError, match="decompresses to more than 200 times"):
        list(read_rows(written, len(written.getvalue())))
