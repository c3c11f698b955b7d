"""Rows of a query as a person sees them and as other programs read them."""

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest
from rich.console import Console

from pipelines.cli.rows import ROWS_SHOWN, show_rows, write_csv, write_json, write_parquet
from pipelines.vocabulary.errors import MeterlineError

HOSTILE = "a\x1b[2J\u202e"

Rows = duckdb.DuckDBPyConnection


@pytest.fixture
def marts() -> Iterator[Rows]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


class Out(io.StringIO):
    """Where rows are written."""

    def __init__(self, *, is_terminal: bool = False) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


def shown(rows: Rows, *, width: int = 40, is_terminal: bool = True) -> list[str]:
    """The lines that a person sees."""
    console = Console(
        file=io.StringIO(), width=width, force_terminal=is_terminal, color_system=None
    )
    show_rows(rows, console)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines() if line.strip()]


def read_csv(rows: Rows) -> list[list[str]]:
    out = Out()
    write_csv(rows, out)
    return list(csv.reader(io.StringIO(out.getvalue())))


def read_json(rows: Rows) -> list[dict[str, object]]:
    out = Out()
    write_json(rows, out)
    found: list[dict[str, object]] = json.loads(out.getvalue())
    return found


# Two columns of 13 and 15 letters, with a space on both sides of each and three signs of the frame:
# (13 + 2) + (15 + 2) + 3 = 35.
TWO_COLUMNS = "select 'presentations' as customer_id, 'x' as subscription_id"


@pytest.mark.parametrize(("width", "is_table"), [(35, True), (34, False)])
def test_rows_that_do_not_fit_are_records(marts: Rows, width: int, is_table: bool) -> None:
    lines = shown(marts.execute(TWO_COLUMNS), width=width)

    if is_table:
        assert [line.split() for line in (lines[0], lines[2])] == [
            ["customer_id", "subscription_id"],
            ["presentations", "x"],
        ]
    else:
        assert lines == ["── 1 ──", "customer_id      presentations", "subscription_id  x"]


def test_every_record_has_its_number_and_a_long_value_stays_in_one_line(marts: Rows) -> None:
    rows = marts.execute("select i, repeat('x', 100) as path from range(2) as numbers(i)")

    assert shown(rows) == [
        "── 1 ──",
        "i     0",
        f"path  {'x' * 100}",
        "── 2 ──",
        "i     1",
        f"path  {'x' * 100}",
    ]


def test_without_a_terminal_nothing_is_cut(marts: Rows) -> None:
    path = "cdn/" + "long/" * 60 + "a.json"
    lines = shown(marts.execute(f"select '{path}' as path"), width=1_000, is_terminal=False)

    assert lines[-1].strip() == path


def test_numbers_stand_on_the_right(marts: Rows) -> None:
    lines = shown(marts.execute("select 'a' as t, 1 as number union all select 'b', 1000"))

    assert len(set(map(len, lines[2:]))) == 1
    assert [line.split() for line in lines[2:]] == [["a", "1"], ["b", "1000"]]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("12067206.000::decimal(38, 18)", "12067206", id="quantity"),
        pytest.param("0::decimal(38, 15)", "0", id="zero"),
        pytest.param("0.000000000000001::decimal(38, 15)", "0.000000000000001", id="the smallest"),
        pytest.param("-1.50::decimal(9, 2)", "-1.5", id="negative"),
        pytest.param("99999999999999999999::hugeint", "99999999999999999999", id="past 2^64"),
        pytest.param("timestamptz '2026-01-02 03:04:05+02'", "2026-01-02T01:04:05Z", id="instant"),
        pytest.param("timestamp '2026-01-02 03:04:05.5'", "2026-01-02T03:04:05.500000", id="local"),
        pytest.param("date '2026-01-02'", "2026-01-02", id="day"),
        pytest.param("true", "true", id="yes"),
        pytest.param("null", "", id="nothing"),
        pytest.param("''", "", id="empty"),
        pytest.param("'\\x41'::blob", "41", id="bytes"),
        pytest.param("'nan'::double", "nan", id="no number"),
        pytest.param("1.5::double", "1.5", id="float"),
        pytest.param(
            "{'a': [1.50::decimal(9, 2)], 'b': date '2026-01-02'}",
            '{"a": ["1.5"], "b": "2026-01-02"}',
            id="nested",
        ),
        pytest.param("map {'k': null}", '{"k": null}', id="map"),
    ],
)
def test_a_value_is_written_in_full(marts: Rows, value: str, text: str) -> None:
    assert read_csv(marts.execute(f"select {value} as v, 1 as one")) == [["v", "one"], [text, "1"]]


@pytest.mark.parametrize(
    ("name", "amount", "currency", "text"),
    [
        ("amount", "11.5", "'USD'", "11.50"),
        ("total_amount", "0", "'KWD'", "0.000"),
        ("total_amount", "772", "'JPY'", "772"),
        ("amount", "0.0025", "'USD'", "0.0025"),
        ("quantity", "11.5", "'USD'", "11.5"),
        ("amount", "11.5", "'XXX'", "11.5"),
        ("amount", "11.5", "null", "11.5"),
        ("amount", "11.5", "1", "11.5"),
    ],
)
def test_an_amount_has_the_digits_of_the_currency_beside_it(
    marts: Rows, name: str, amount: str, currency: str, text: str
) -> None:
    rows = marts.execute(f"select {amount}::decimal(38, 15) as {name}, {currency} as currency")

    assert read_csv(rows)[1][0] == text


def test_csv_of_no_rows_is_its_header(marts: Rows) -> None:
    assert read_csv(marts.execute("select 1 as a, 2 as b where false")) == [["a", "b"]]


def test_csv_and_json_have_all_rows(marts: Rows) -> None:
    query = "select i from range(25000) as numbers(i)"

    assert len(read_csv(marts.execute(query))) == 25_001
    assert [row["i"] for row in read_json(marts.execute(query))] == list(range(25_000))


def test_csv_keeps_a_text_for_programs_and_acts_on_no_terminal(marts: Rows) -> None:
    kept, seen = Out(), Out(is_terminal=True)
    for out in (kept, seen):
        write_csv(marts.execute(f"select '{HOSTILE}' as \"{HOSTILE}\""), out)

    assert kept.getvalue() == f"{HOSTILE}\n" * 2
    assert seen.getvalue() == "a\\x1b[2J\\u202e\n" * 2


def test_json_has_exact_values_and_acts_on_no_terminal(marts: Rows) -> None:
    query = f"select 0.10::decimal(38, 15) as amount, 2::bigint as n, null as m, '{HOSTILE}' as t"
    out = Out()
    write_json(marts.execute(query), out)

    assert json.loads(out.getvalue()) == [{"amount": "0.1", "n": 2, "m": None, "t": HOSTILE}]
    assert all(sign.isprintable() or sign == "\n" for sign in out.getvalue())


def test_json_of_no_rows_is_an_empty_array(marts: Rows) -> None:
    assert read_json(marts.execute("select 1 as a where false")) == []


def test_json_with_two_columns_of_one_name_is_refused(marts: Rows) -> None:
    with pytest.raises(MeterlineError, match="two columns have the same name; name them apart"):
        read_json(marts.execute("select 1 as a, 2 as a"))


def test_csv_keeps_two_columns_of_one_name(marts: Rows) -> None:
    assert read_csv(marts.execute("select 1 as a, 2 as a"))[1] == ["1", "2"]


def test_parquet_has_all_rows_exactly(marts: Rows, tmp_path: Path) -> None:
    query = (
        "select i, 0.1::decimal(38, 15) as amount, sum(i) over () as s from range(25000) as n(i)"
    )
    path = tmp_path / "rows.parquet"
    path.write_text("of before")

    assert write_parquet(marts.execute(query), path) == 25_000
    read = pl.read_parquet(path)
    assert read["i"].to_list() == list(range(25_000))
    assert read["amount"].unique().to_list() == [Decimal("0.1")]
    assert read["s"].unique().to_list() == [312_487_500]
    assert [each.name for each in tmp_path.iterdir()] == ["rows.parquet"]


def test_parquet_that_cannot_be_finished_leaves_the_file_of_before(
    marts: Rows, tmp_path: Path
) -> None:
    path = tmp_path / "rows.parquet"
    path.write_text("of before")

    query = "select (case when i = 999999 then 'x' else '1' end)::int as v from range(1000000) n(i)"

    with pytest.raises(OSError, match="Could not convert string 'x'"):
        write_parquet(marts.execute(query), path)
    assert path.read_text() == "of before"
    assert [each.name for each in tmp_path.iterdir()] == ["rows.parquet"]


@pytest.mark.parametrize(("rows", "is_cut"), [(ROWS_SHOWN, False), (ROWS_SHOWN + 1, True)])
def test_a_person_is_shown_the_first_rows(marts: Rows, rows: int, is_cut: bool) -> None:
    lines = shown(marts.execute(f"select i from range({rows}) as n(i)"), width=100)

    assert (lines[-1] == "the first 200 rows; add a LIMIT or ask more narrowly") is is_cut
