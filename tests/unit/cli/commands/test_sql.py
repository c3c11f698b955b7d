"""`meterline sql`: what it shows of the published marts, and what it says when it cannot."""

import io
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console
from typer.testing import Result

from pipelines.cli.commands.sql import answer, prompt
from pipelines.settings import Settings
from pipelines.vocabulary.errors import MeterlineError
from tests.worlds.marts import play_host_in, publish_marts

Call = Callable[..., Result]

HOSTILE = "[/a][bold]x\x1b[31m\n"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("home")
    publish_marts(
        home,
        "CREATE TABLE numbers AS SELECT i::BIGINT AS i FROM range(1000) AS numbers(i)",
        "CREATE TABLE instants AS SELECT TIMESTAMPTZ '2026-03-10 12:00:00+00' AS occurred_at",
        f"CREATE TABLE texts AS SELECT '{HOSTILE}' AS sent, NULL AS missing",
    )
    return Settings(home=home)


class Screen(Console):
    """A console whose text can be read."""

    def __init__(self) -> None:
        super().__init__(file=io.StringIO(), width=100, force_terminal=False)

    @property
    def lines(self) -> list[str]:
        assert isinstance(self.file, io.StringIO)
        return [line.rstrip() for line in self.file.getvalue().splitlines() if line.strip()]


def shown(settings: Settings, query: str) -> list[str]:
    screen = Screen()
    answer(settings, query, screen)
    return screen.lines


def test_answer_is_a_table_with_a_column_per_column(settings: Settings) -> None:
    lines = shown(settings, "select i, i * 2 as twice from numbers order by i limit 2")

    assert [line.split() for line in lines if "─" not in line] == [
        ["i", "twice"],
        ["0", "0"],
        ["1", "2"],
    ]


@pytest.mark.parametrize(
    ("rows", "shown_rows", "is_cut"),
    [(0, 0, False), (1, 1, False), (200, 200, False), (201, 200, True), (1000, 200, True)],
)
def test_answer_is_cut_at_200_rows_and_says_so(
    settings: Settings, rows: int, shown_rows: int, is_cut: bool
) -> None:
    lines = shown(settings, f"select i from numbers order by i limit {rows}")

    assert [line.strip() for line in lines if line.strip().isdigit()] == [
        str(i) for i in range(shown_rows)
    ]
    assert ("the first 200 rows; add a LIMIT or ask more narrowly" in lines) is is_cut


def test_markup_and_control_characters_of_senders_are_shown_not_obeyed(settings: Settings) -> None:
    lines = shown(settings, "select sent, missing from texts")

    assert lines[-1].strip() == r"[/a][bold]x\x1b[31m\n"


def test_name_of_a_column_is_shown_as_it_is(settings: Settings) -> None:
    (header, *_) = shown(settings, "select regexp_extract('ab', '[a-b]+')")

    assert header.strip() == "regexp_extract('ab', '[a-b]+')"


def test_null_is_an_empty_cell(settings: Settings) -> None:
    lines = shown(settings, "select null as a, 'b' as b")

    assert lines[-1].split() == ["b"]


@pytest.mark.parametrize("host_zone", ["America/New_York", "Asia/Tokyo"])
def test_instants_are_in_utc_on_any_host(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, host_zone: str
) -> None:
    play_host_in(host_zone, monkeypatch)
    lines = shown(settings, "select strftime(occurred_at, '%H:%M') as t from instants")

    assert lines[-1].strip() == "12:00"


@pytest.mark.parametrize("query", ["", " \n", ";", "-- nothing"])
def test_statement_of_nothing_shows_nothing(settings: Settings, query: str) -> None:
    assert shown(settings, query) == []


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        pytest.param("selekt 1", "Parser Error.*selekt", id="no SQL"),
        pytest.param("select * from nowhere", "nowhere does not exist", id="no such table"),
        pytest.param("select 1 / 'x'", "Could not convert", id="no number"),
        pytest.param("delete from numbers", "read-only", id="delete"),
        pytest.param("create table marts.main.t as select 1", "read-only", id="create"),
        pytest.param("from read_csv('/etc/passwd')", "disabled", id="another file"),
        pytest.param("copy numbers to '/tmp/numbers.csv'", "disabled", id="write a file"),
        pytest.param("attach '/tmp/other.duckdb'", "disabled", id="another database"),
        pytest.param("set enable_external_access = true", "Cannot", id="open the gate"),
    ],
)
def test_what_cannot_be_answered_is_explained(
    settings: Settings, query: str, sentence: str
) -> None:
    with pytest.raises(MeterlineError, match=f"(?s){sentence}"):
        shown(settings, query)


def test_nothing_published_is_explained(tmp_path: Path) -> None:
    with pytest.raises(MeterlineError, match="nothing is published yet: `meterline run`"):
        shown(Settings(home=tmp_path), "select 1")
    with pytest.raises(MeterlineError, match="nothing is published yet"):
        prompt(Settings(home=tmp_path), Screen())


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> list[str]:
    """What a person types, then Ctrl-D; the prompts asked are noted in the list returned."""
    keyboard: Iterator[str] = iter(lines)
    asked: list[str] = []

    def read(question: str = "") -> str:
        asked.append(question.strip())
        line = next(keyboard, None)
        if line is None:
            raise EOFError
        return line

    monkeypatch.setattr("builtins.input", read)
    return asked


def test_prompt_reads_statements_of_several_lines(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = typed(monkeypatch, "select count(*) as n", "from numbers;", "select 7 as seven; ")
    screen = Screen()
    prompt(settings, screen)

    assert asked == ["meterline>", "->", "meterline>", "meterline>"]
    assert screen.lines[0] == "tables: instants, numbers, texts"
    assert "1000" in [line.strip() for line in screen.lines]
    assert screen.lines[-1].strip() == "7"


def test_prompt_explains_an_error_and_goes_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "select '[/a]' from nowhere;", "select 7 as seven;")
    screen = Screen()
    prompt(settings, screen)

    assert any("nowhere does not exist" in line for line in screen.lines)
    assert screen.lines[-1].strip() == "7"


def test_sql_answers_an_argument_or_what_is_piped(call: Call, home: Path) -> None:
    publish_marts(home, "CREATE TABLE t AS SELECT 'forty-two' AS answer")

    assert "forty-two" in call("sql", "from t").stdout
    assert "forty-two" in call("sql", stdin="from\n  t;\n").stdout
    assert call("sql", stdin="").exit_code == 0


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        pytest.param("selekt 1", "Parser Error", id="no SQL"),
        pytest.param("drop table t", "read-only", id="a change"),
        pytest.param("select '[/x]' from nowhere", "'[/x]' from nowhere", id="markup"),
    ],
)
def test_sql_explains_what_it_cannot_answer(
    call: Call, home: Path, query: str, sentence: str
) -> None:
    publish_marts(home, "CREATE TABLE t AS SELECT 1 AS a")
    called = call("sql", query)

    assert called.exit_code == 1
    assert called.stdout == ""
    assert called.stderr.startswith("error ")
    assert sentence in called.stderr


def test_sql_before_the_first_run_says_what_to_do(call: Call) -> None:
    called = call("sql", "select 1")

    assert called.exit_code == 1
    assert "nothing is published yet: `meterline run` builds the marts" in called.stderr


def test_sql_writes_csv_json_and_parquet(call: Call, home: Path, tmp_path: Path) -> None:
    publish_marts(home, "CREATE TABLE t AS SELECT 'a' AS name, 1.50::DECIMAL(38, 18) AS quantity")
    file = tmp_path / "rows.parquet"

    assert call("sql", "--csv", "select name, quantity from t").stdout == "name,quantity\na,1.5\n"
    assert json.loads(call("sql", "--json", stdin="select name, quantity from t").stdout) == [
        {"name": "a", "quantity": "1.5"}
    ]
    assert (
        call("sql", "--parquet", str(file), "select quantity from t").stdout
        == f"Wrote 1 row to {file}.\n"
    )
    assert pl.read_parquet(file).rows() == [(Decimal("1.5"),)]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(
            ["--csv", "--json", "from t"], "write one of --csv, --json and --parquet", id="two"
        ),
        pytest.param(["--csv", ";"], "expected one SELECT", id="nothing"),
        pytest.param(
            ["--parquet", "{folder}/gone/a", "from t"], "gone/a cannot be", id="no folder"
        ),
        pytest.param(["--parquet", "{folder}/a", "selekt"], "Parser Error", id="no SQL"),
        pytest.param(
            ["--parquet", "{folder}/a", "select a::int from t"], "Could not convert", id="no number"
        ),
    ],
)
def test_rows_that_cannot_be_written_are_explained(
    call: Call, home: Path, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    publish_marts(home, "CREATE TABLE t AS SELECT 'x' AS a")
    called = call("sql", *(argument.format(folder=tmp_path) for argument in arguments))

    assert called.exit_code == 1
    assert sentence in called.stdout + called.stderr
    assert not (tmp_path / "a").exists()


def test_error_of_a_query_for_a_program_is_json(call: Call, home: Path) -> None:
    publish_marts(home, "CREATE TABLE t AS SELECT 'x' AS a")

    assert "Parser Error" in json.loads(call("sql", "--json", "selekt 1").stdout)["message"]
