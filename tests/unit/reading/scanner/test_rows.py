"""Chosen events of several chunks as columns, in the order of the lake or as they were sent."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from pipelines.reading.dialects import DIALECTS
from pipelines.reading.formats.lines import Chunk
from pipelines.reading.parse import FileOrigin
from pipelines.reading.scanner.columns import ScannedChunk, scan_chunk
from pipelines.reading.scanner.forms import scan_form
from pipelines.reading.scanner.rows import EventRows, Rows

pytestmark = pytest.mark.usefixtures("compiled_scanner")

NOON = 1_790_000_000
LINE = {
    "transaction_id": "k",
    "external_customer_id": "acme",
    "code": "call",
    "timestamp": NOON,
    "properties": {},
}


def sent(line: Mapping[str, object]) -> dict[str, object]:
    """A whole line; a field that is None is left out."""
    return {name: value for name, value in {**LINE, **line}.items() if value is not None}


def scanned(file_id: int, lines: Sequence[Mapping[str, object]]) -> tuple[ScannedChunk, Rows]:
    """A file of one chunk, all of whose events are chosen."""
    origin = FileOrigin(file_id, f"source-{file_id}", "scope", (NOON + file_id) * 1_000_000)
    content = b"".join(json.dumps(sent(line)).encode() + b"\n" for line in lines)
    form = scan_form(DIALECTS["lago"].form, origin.dedupe_scope)
    assert form is not None
    chunk = scan_chunk(Chunk(content, 1, 0), origin, form, DIALECTS["lago"])
    assert chunk.events == len(lines)
    return chunk, np.arange(chunk.events)


def rows_of(tables: Sequence[pa.Table]) -> list[dict[str, object]]:
    return [row for table in tables for row in table.to_pylist()]


def keys_in_order(*files: Sequence[Mapping[str, object]]) -> list[object]:
    chosen = [scanned(number, lines) for number, lines in enumerate(files, start=1)]
    rows = rows_of(list(EventRows(chosen, is_sorted=True).tables(1_000)))
    return [row["idempotency_key"] for row in rows]


def event(key: str, **fields: object) -> dict[str, object]:
    return {"transaction_id": key, **fields}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            [
                [event("1", external_customer_id="b"), event("2", external_customer_id="a")],
                [event("3", external_customer_id="b"), event("4", external_customer_id="a")],
            ],
            ["2", "4", "1", "3"],
            id="names of all files together",
        ),
        pytest.param(
            [[event("1", code="z"), event("2", code="a")], [event("3", code="m")]],
            ["2", "3", "1"],
            id="events of a name",
        ),
        pytest.param(
            [[event("1", timestamp=NOON + 2), event("2", timestamp=NOON)]],
            ["2", "1"],
            id="times of an event",
        ),
        pytest.param(
            [[event("1"), event("2", timestamp=NOON - 1), event("3")], [event("4")]],
            ["2", "1", "3", "4"],
            id="events that share all stay in the order of the registry",
        ),
        pytest.param(
            [
                [event("1", external_customer_id="b", external_subscription_id="a")],
                [event("2", external_customer_id=None, external_subscription_id="aa")],
                [event("3", external_customer_id="a"), event("4", external_customer_id="aaa")],
            ],
            ["3", "2", "4", "1"],
            id="a subscription names an event without customer",
        ),
        pytest.param(
            [[event("1", external_customer_id="é"), event("2", external_customer_id="z")]],
            ["2", "1"],
            id="bytes, not letters",
        ),
    ],
)
def test_events_are_sorted_by_name_event_and_time(
    files: Sequence[Sequence[Mapping[str, object]]], expected: list[str]
) -> None:
    assert keys_in_order(*files) == expected


def test_times_that_do_not_fit_beside_the_names_are_sorted_as_well() -> None:
    # 4,000 names times 90 years of microseconds are more than 63 bits.
    years = ("1975-01-01T00:00:00Z", "2065-01-01T00:00:00Z")
    lines = [
        event(f"{name}/{year[:4]}", external_customer_id=f"c{name:04}", timestamp=year)
        for name in reversed(range(4_000))
        for year in reversed(years)
    ]

    assert keys_in_order(lines) == [line["transaction_id"] for line in reversed(lines)]


def test_each_value_stands_in_the_row_of_its_event() -> None:
    first = [
        event("short", external_customer_id="b", properties={"p": "x" * 40, "q": 1, "r": ""}),
        event("a key of many more bytes than a word", external_customer_id="a"),
    ]
    second = [event("k" * 8, external_customer_id="a", code="z", properties={"q": "12345678"})]
    chosen = [scanned(1, first), scanned(2, second)]

    (table,) = EventRows(chosen, is_sorted=True).tables(1_000)

    shown = ("idempotency_key", "file_id", "line", "source", "event_name", "properties")
    assert [tuple(row[name] for name in shown) for row in table.to_pylist()] == [
        ("a key of many more bytes than a word", 1, 2, "source-1", "call", []),
        ("k" * 8, 2, 1, "source-2", "z", [("q", "12345678")]),
        ("short", 1, 1, "source-1", "call", [("p", "x" * 40), ("q", "1"), ("r", "")]),
    ]
    assert [row["byte_offset"] for row in table.to_pylist()] == [
        len(json.dumps(sent(first[0]))) + 1,
        0,
        0,
    ]


def test_short_texts_at_the_end_of_an_event_leave_the_next_one_as_it_is() -> None:
    properties = {"bytes": "51225", "path": "/v1/obj/1", "status": "200"}
    lines = [event(key, external_customer_id=key, properties=properties) for key in "cab"]
    lines.append(
        event("d", external_customer_id="A", properties={"p": "12345678", "q": "", "r": "9"})
    )

    (table,) = EventRows([scanned(1, lines)], is_sorted=True).tables(1_000)

    assert [dict(row["properties"]) for row in table.to_pylist()] == [
        {"p": "12345678", "q": "", "r": "9"}, properties, properties, properties,
    ]  # fmt: skip


def test_tables_are_cut_evenly_and_have_the_names_of_their_own_rows_alone() -> None:
    lines = [event(f"{number:03}", external_customer_id=f"c{number:03}") for number in range(300)]
    tables = list(EventRows([scanned(1, lines)], is_sorted=True).tables(100))

    assert [table.num_rows for table in tables] == [100, 100, 100]
    names = [table["customer_ref"].chunk(0).dictionary.to_pylist() for table in tables]
    assert [sorted(each) for each in names] == [
        [f"c{number:03}" for number in range(start, start + 100)] for start in (0, 100, 200)
    ]
    assert [row["idempotency_key"] for row in rows_of(tables)] == [f"{n:03}" for n in range(300)]


def test_only_chosen_events_are_in_the_tables() -> None:
    chunk, _ = scanned(1, [event(key, properties={"p": key}) for key in "abcd"])
    chosen = [(chunk, np.array([1, 3]))]

    as_sent = rows_of(list(EventRows(chosen, is_sorted=False).tables(1_000)))

    assert [(row["idempotency_key"], row["properties"]) for row in as_sent] == [
        ("b", [("p", "b")]),
        ("d", [("p", "d")]),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_any_events_are_the_same_set_sorted_as_polars_sorts(seed: int) -> None:
    chance = np.random.default_rng(seed)

    def line(key: int) -> dict[str, object]:
        by_customer, by_subscription = chance.random() < 0.7, chance.random() < 0.5
        names = [f"n{chance.integers(100)}" if given else None
                 for given in (by_customer, by_subscription or not by_customer)]  # fmt: skip
        # Other letters in each event: what is written over another's text is seen.
        texts = {
            f"p{n}": "".join(map(chr, chance.integers(97, 250, chance.integers(12))))
            for n in range(chance.integers(5))
        }
        return event(
            str(key) * int(chance.integers(1, 8)),
            external_customer_id=names[0],
            external_subscription_id=names[1],
            code=f"e{chance.integers(3)}",
            timestamp=NOON + int(chance.integers(5)),
            properties=texts,
        )

    chosen = [scanned(number, [line(key) for key in range(200)]) for number in range(1, 5)]
    as_sent = rows_of(list(EventRows(chosen, is_sorted=False).tables(10_000)))
    placed = rows_of(list(EventRows(chosen, is_sorted=True).tables(90)))

    columns = ["customer_ref", "subscription_ref", "event_name", "occurred_at", "file_id", "line"]
    expected = pl.DataFrame([{name: row[name] for name in columns} for row in as_sent]).sort(
        pl.coalesce("customer_ref", "subscription_ref", pl.lit("")), *columns[2:]
    )
    assert [(row["file_id"], row["line"]) for row in placed] == list(
        expected.select("file_id", "line").iter_rows()
    )
    by_place = {(row["file_id"], row["line"]): row for row in as_sent}
    assert all(row == by_place[row["file_id"], row["line"]] for row in placed)
    assert len(placed) == len(as_sent) == 800
