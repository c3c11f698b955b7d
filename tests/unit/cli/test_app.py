"""The command line: what it prints, and how it fails. The job itself is played by a stand-in."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pipelines.cli import job
from pipelines.cli.app import app
from pipelines.cli.job import RunOutcome
from pipelines.defs import dagster_home
from pipelines.settings import Settings
from pipelines.vocabulary.errors import InvariantError, MeterlineError
from tests.worlds.marts import publish_marts

OUTCOME = RunOutcome(
    run_ids=("r1", "r2"),
    files=2,
    lines=1_234,
    invoices=1,
    generation="000001-abcdef01",
    is_published=True,
    ingest_seconds=0.5,
)
COMMANDS = [
    pytest.param(["run"], id="run"),
    pytest.param(["status"], id="status"),
    pytest.param(["publish"], id="publish"),
    pytest.param(["sql", "select 1"], id="sql"),
    pytest.param(["ui"], id="ui"),
]
JSON_COMMANDS = COMMANDS[:3]

Call = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def call(home: Path, tmp_path: Path) -> Call:
    """Calls `meterline` in a home of its own with an empty landing; variables by keyword."""
    landing = tmp_path / "landing"
    landing.mkdir()
    unset = dict.fromkeys(f"METERLINE_{name.upper()}" for name in Settings.model_fields)
    own = {"METERLINE_HOME": str(home), "METERLINE_LANDING": str(landing)}

    def called(*arguments: str, stdin: str | None = None, **variables: str) -> Result:
        environment = unset | own | variables
        return CliRunner().invoke(app, arguments, input=stdin, env=environment)

    return called


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The job replaced by a stand-in; what it was asked for is noted in the list returned."""
    asked: list[tuple[Any, ...]] = []

    def run(settings: Settings, as_of: str | None, *, republish: bool = False) -> RunOutcome:
        asked.append((settings.home, as_of, republish))
        logging.getLogger("meterline").info("parsing [bold]2[/x] files")
        return OUTCOME

    monkeypatch.setattr(job, "run_job", run)
    return asked


def fail_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> RunOutcome:
        raise error

    monkeypatch.setattr(job, "run_job", run)


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("arguments", COMMANDS)
def test_wrong_variable_is_named_by_every_command(call: Call, arguments: list[str]) -> None:
    called = call(*arguments, METERLINE_THREADS="many")

    assert called.exit_code == 1
    assert called.stdout == ""
    assert words(called.stderr).startswith(
        "error a setting has a wrong value: METERLINE_THREADS: Input should be a valid integer"
    )


@pytest.mark.parametrize(
    ("variables", "sentences"),
    [
        pytest.param({"METERLINE_THREADS": "0"}, ["greater than or equal to 1"], id="threads"),
        pytest.param({"METERLINE_MEMORY_LIMIT": "2GB"}, ["match pattern"], id="memory_limit"),
        pytest.param({"METERLINE_BATCH_BYTES": "1e3x"}, ["valid integer"], id="batch_bytes"),
        pytest.param({"METERLINE_LOCK_WAIT_SECONDS": "-1"}, ["or equal to 0"], id="lock_wait"),
        pytest.param({"METERLINE_LANDING": "s3://"}, ["names no bucket"], id="landing"),
        pytest.param(
            {"METERLINE_THREADS": "0", "METERLINE_MEMORY_LIMIT": "2GB"}, [";"], id="two at once"
        ),
    ],
)
def test_every_wrong_variable_is_named(
    call: Call, variables: dict[str, str], sentences: list[str]
) -> None:
    called = call("status", **variables)

    assert called.exit_code == 1
    for expected in (*variables, *sentences):
        assert expected in words(called.stderr)


@pytest.mark.parametrize("arguments", JSON_COMMANDS)
def test_error_is_one_json_object(call: Call, arguments: list[str]) -> None:
    called = call(*arguments, "--json", METERLINE_THREADS="0")

    assert called.exit_code == 1
    assert called.stderr == ""
    error = json.loads(called.stdout)
    assert error.keys() == {"error", "message"}
    assert error["error"] == "MeterlineError"
    assert "METERLINE_THREADS" in error["message"]


@pytest.mark.parametrize(
    ("variable", "kind", "sentence"),
    [
        pytest.param(
            "METERLINE_LANDING", "LandingError", "METERLINE_LANDING is not a folder", id="landing"
        ),
        pytest.param("METERLINE_CATALOG", "CatalogError", "holds no catalog", id="catalog"),
    ],
)
def test_error_of_a_store_bears_its_kind(
    call: Call, tmp_path: Path, variable: str, kind: str, sentence: str
) -> None:
    called = call("status", "--json", **{variable: str(tmp_path / "gone")})
    error = json.loads(called.stdout)

    assert called.exit_code == 1
    assert error["error"] == kind
    assert sentence in error["message"]


@pytest.mark.parametrize("command", ["run", "publish"])
def test_failing_job_is_explained(
    call: Call, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    # Whatever stands in the message is shown as it is.
    fail_with(InvariantError("expected 1, found [bold]2[/x] \\[a]"), monkeypatch)
    called = call(command)
    as_json = call(command, "--json")

    assert (called.exit_code, as_json.exit_code) == (1, 1)
    assert called.stderr.endswith("error expected 1, found [bold]2[/x] \\[a]\n")
    assert json.loads(as_json.stdout) == {
        "error": "InvariantError",
        "message": "expected 1, found [bold]2[/x] \\[a]",
    }


def test_long_error_is_not_broken_into_lines(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(MeterlineError("word " * 100), monkeypatch)
    called = call("run")

    assert "word " * 99 + "word" in called.stderr


def test_run_hands_on_the_instant_and_says_what_it_changed(
    call: Call, home: Path, ran: list[tuple[Any, ...]]
) -> None:
    called = call("run", "--as-of", "2026-03-10T12:00:00Z")

    assert called.exit_code == 0, called.stderr
    assert ran == [(home, "2026-03-10T12:00:00Z", False)]
    assert OUTCOME.sentence() in words(called.stdout)
    assert "Where to look next" in called.stdout
    # In one line, however long.
    assert str(home / "published" / "current" / "marts.duckdb") in called.stdout


def test_progress_goes_to_stderr_as_it_is(call: Call, ran: list[tuple[Any, ...]]) -> None:
    called = call("run")

    assert "parsing [bold]2[/x] files" in called.stderr
    assert "parsing" not in called.stdout
    assert ran[0][1:] == (None, False)


def test_run_as_json_prints_one_object_and_no_progress(
    call: Call, ran: list[tuple[Any, ...]]
) -> None:
    called = call("run", "--json")
    report = json.loads(called.stdout)

    assert called.exit_code == 0
    assert called.stderr == ""
    assert report["run"].pop("seconds") >= 0
    assert report["run"] == json.loads(json.dumps(OUTCOME.as_json()))
    assert report["invoices"] == []


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_publish_only_republishes(
    call: Call, home: Path, ran: list[tuple[Any, ...]], options: list[str]
) -> None:
    called = call("publish", *options)

    assert called.exit_code == 0, called.stderr
    assert ran == [(home, None, True)]
    assert "000001-abcdef01" in called.stdout


def test_status_of_an_untouched_home(call: Call, home: Path) -> None:
    called = call("status")
    report = json.loads(call("status", "--json").stdout)

    assert called.exit_code == 0
    assert "Nothing has been taken in yet" in called.stdout
    assert (report["as_of"], report["generation"], report["in_progress"]) == (None, None, [])
    assert "digest" not in report
    assert not home.exists()


def test_digest_of_an_untouched_home_is_an_error(call: Call) -> None:
    called = call("status", "--digest", "--json")

    assert called.exit_code == 1
    assert json.loads(called.stdout)["error"] == "LakeError"
    assert "run `meterline run` first" in json.loads(called.stdout)["message"]


def test_digest_is_added_on_request(call: Call, migrated_home: Path) -> None:
    as_json = call("status", "--digest", "--json", METERLINE_HOME=str(migrated_home))
    digest = json.loads(as_json.stdout)["digest"]
    as_text = call("status", "--digest", METERLINE_HOME=str(migrated_home))

    assert len(digest) == 64
    assert as_text.stdout.endswith(f"digest {digest}\n")


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
    assert "nothing is published yet: `meterline run` builds the marts" in words(called.stderr)


def test_ui_opens_at_the_port_and_ends_with_its_exit_code(
    call: Call, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def open_ui(settings: Settings, port: int) -> int:
        opened.append((settings.home, port))
        return 3

    monkeypatch.setattr(dagster_home, "open_ui", open_ui)
    called = call("ui", "--port", "4000")

    assert called.exit_code == 3
    assert opened == [(home, 4000)]
    assert "Dagster UI: http://127.0.0.1:4000" in called.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["frobnicate"], id="no such command"),
        pytest.param(["status", "--verbose"], id="no such option"),
        pytest.param(["ui", "--port", "http"], id="port is no number"),
        pytest.param(["run", "2026-03-10T12:00:00Z"], id="instant without option"),
    ],
)
def test_wrong_usage_is_refused_without_doing_anything(
    call: Call, ran: list[tuple[Any, ...]], arguments: list[str]
) -> None:
    called = call(*arguments)

    assert called.exit_code == 2
    assert "Usage: " in called.stderr
    assert ran == []


def test_help_names_every_command(call: Call) -> None:
    called = call("--help")

    assert called.exit_code == 0
    for command in ("run", "status", "publish", "ui", "sql"):
        assert f" {command} " in called.stdout
