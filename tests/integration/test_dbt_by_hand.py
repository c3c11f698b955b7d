"""dbt by hand: it has what a run has, waits for nobody it need not, and stays out of the way."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from dbt.cli.main import dbtRunner

from pipelines.lake.writer_lock import writer_lock
from pipelines.operations.dbt_by_hand import dictionary, run_dbt
from pipelines.settings import Settings
from pipelines.vocabulary.errors import AlreadyRunningError, MeterlineError
from tests.worlds.small_dbt_project import home_with_calendar, small_project

GOOD = ["--quiet", "build", "--select", "tag:good"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home in which a run wrote a calendar, with a catalog where 1.10 is 3.30."""
    return home_with_calendar(tmp_path, "abc", "price\n3.30\n")


@pytest.fixture
def dbt(settings: Settings) -> Callable[..., bool]:
    """Runs dbt by hand in the small project."""
    return lambda *arguments: run_dbt(settings, arguments, small_project().project_dir)


def test_lake_and_catalog_are_those_of_a_run(dbt: Callable[..., bool], settings: Settings) -> None:
    assert dbt("build", "--quiet", "--select", "tag:good")

    with duckdb.connect(str(settings.warehouse)) as warehouse:
        assert warehouse.execute("select batches from seen_batches").fetchall() == [(0,)]
        assert warehouse.execute("select price from priced").fetchall() == [("3.30",)]


def test_a_model_that_fails_is_said_by_dbt(
    dbt: Callable[..., bool], capfd: pytest.CaptureFixture[str]
) -> None:
    assert not dbt("build", "--select", "tag:failing")
    assert "not_null_wrong_amount" in capfd.readouterr().out


def test_rows_are_shown_and_nothing_is_made(
    dbt: Callable[..., bool], settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    assert dbt("show", "--inline", "select 40 + 2 as answer")

    assert "42" in capfd.readouterr().out
    with duckdb.connect(str(settings.warehouse)) as warehouse:
        tables = "select table_name from duckdb_tables() where schema_name = 'main'"
        assert warehouse.execute(tables).fetchall() == []


def test_a_run_that_writes_is_not_disturbed(dbt: Callable[..., bool], settings: Settings) -> None:
    with (
        writer_lock(settings.writer_lock, "r1", 0),
        pytest.raises(AlreadyRunningError, match="already running: run r1"),
    ):
        dbt("build", "--select", "tag:good")


def test_the_project_is_listed_in_any_home_and_during_a_run(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(home=tmp_path / "new")
    with writer_lock(settings.writer_lock, "r1", 0):
        assert run_dbt(settings, ["ls", "--select", "priced"], small_project().project_dir)
    assert "small.priced" in capfd.readouterr().out


def test_an_option_that_dbt_does_not_know_is_one_sentence(dbt: Callable[..., bool]) -> None:
    with pytest.raises(MeterlineError, match=r"^dbt broke off: No such option '--nonsense'\.$"):
        dbt("ls", "--nonsense")


def test_the_dictionary_knows_types_and_is_made_once(settings: Settings) -> None:
    project = small_project().project_dir
    assert run_dbt(settings, ["build", "--quiet", "--select", "tag:good"], project)

    page = dictionary(settings, project)
    text = page.read_text()
    assert '"batches": {"type": "BIGINT"' in text

    written = page.stat().st_mtime_ns
    with writer_lock(settings.writer_lock, "r1", 0):
        assert dictionary(settings, project) == page
    assert page.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(["build"], "build"), (["docs", "generate"], "docs generate")],
    ids=["build", "docs"],
)
def test_dbt_alone_says_in_one_sentence_what_to_use(
    arguments: list[str],
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path))
    monkeypatch.setenv("DBT_LOG_PATH", str(tmp_path))
    monkeypatch.chdir(small_project().project_dir)

    result = dbtRunner().invoke([*arguments, "--no-partial-parse"])

    assert not result.success
    printed = capfd.readouterr().out
    assert printed.count("meterline dbt") == 1
    assert f"use `meterline dbt {named} …`, which attaches the lake and the catalog" in printed
    assert "Traceback" not in printed
